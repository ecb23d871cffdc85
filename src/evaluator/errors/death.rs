//! How the process that runs the cells has ended, in words.

use crate::evaluator::support::wording;
use loopbook_channel::{LastTask, LastWords, cell_label};

/// Addresses below this are reached through a null pointer, plus the offset of a field.
const NULL: u64 = 64 * 1024;

/// What a process without words of its own can have ended by, and what that means.
const SIGNALS: [(i32, &str, &str); 9] = [
    (libc::SIGSEGV, "SIGSEGV", "an access to memory that is not the process's"),
    (libc::SIGBUS, "SIGBUS", "an access to memory behind which there is nothing, as in a file that was cut"),
    (
        libc::SIGILL,
        "SIGILL",
        "an instruction that the processor does not have, as after code that must never be reached",
    ),
    (libc::SIGFPE, "SIGFPE", "an arithmetic error outside of Rust, as a division by zero"),
    (libc::SIGABRT, "SIGABRT", "an abort"),
    (libc::SIGTRAP, "SIGTRAP", "a breakpoint, or code that must never be reached"),
    (libc::SIGSYS, "SIGSYS", "a system call that is not allowed"),
    (libc::SIGKILL, "SIGKILL", "killed from outside; the system does that too when memory runs out"),
    (libc::SIGTERM, "SIGTERM", "ended from outside"),
];

/// How a process ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Death {
    /// In a few words, which complete "the process ended: …".
    pub how: String,
    /// What may help.
    pub help: Option<String>,
}

impl Death {
    /// From what the system says (`exit status: 3`, `signal: 11 (SIGSEGV)`, or less) and what the process has said itself.
    ///
    /// ```
    /// use loopbook_kernel::evaluator::errors::death::Death;
    /// assert_eq!(Death::of("exit status: 3", None).how, "exit status 3");
    /// assert!(Death::of("signal: 9 (SIGKILL)", None).how.ends_with("(SIGKILL)"));
    /// ```
    pub fn of(status: &str, words: Option<&LastWords>) -> Self {
        match words {
            Some(words) => of_words(words),
            None => Self { how: of_status(status), help: None },
        }
    }
}

fn of_status(status: &str) -> String {
    let status = status.trim();
    if let Some(code) = status.rsplit("exit status: ").next().filter(|code| code.parse::<i32>().is_ok()) {
        return format!("exit status {code}");
    }
    let known = SIGNALS.iter().find(|(_, name, _)| status.contains(name));
    known.map_or_else(
        || wording::exit_status(status),
        |(signal, name, meaning)| format!("{meaning}, signal {signal} ({name})"),
    )
}

fn of_words(words: &LastWords) -> Death {
    let who = who(words);
    if let Some(size) = words.overflow {
        let size = size >> 20;
        let how =
            format!("stack overflow: {who} has overflowed its stack of {size} MiB, signal {} (SIGSEGV)", words.signal);
        let help = "A recursion may have no end, or a value is too large for the stack: in a `Box` or a `Vec` it is not on the \
                    stack.";
        return Death { how, help: Some(help.to_owned()) };
    }
    let known = SIGNALS.iter().find(|(signal, ..)| *signal == words.signal);
    let (name, mut meaning) = match known {
        Some((_, name, meaning)) => ((*name).to_owned(), (*meaning).to_owned()),
        None => ("unknown".to_owned(), "a signal".to_owned()),
    };
    let is_memory = matches!(words.signal, libc::SIGSEGV | libc::SIGBUS);
    if words.code <= 0 && words.signal != libc::SIGABRT {
        return Death { how: format!("a signal that was sent to it, signal {} ({name})", words.signal), help: None };
    }
    if is_memory && words.address < NULL {
        meaning = "an access through a null pointer".to_owned();
    } else if is_memory && words.address != 0 {
        meaning = format!("{meaning}, at {:#x}", words.address);
    }
    let cause = words.cause.as_ref().map(|cause| format!("; {cause}")).unwrap_or_default();
    Death { how: format!("{meaning}, by {who}, signal {} ({name}){cause}", words.signal), help: None }
}

/// Whose code it was.
fn who(words: &LastWords) -> String {
    let Some(LastTask { id, cell, line, name }) = &words.task else {
        return match words.thread.as_deref() {
            // A thread without a name has that of the program.
            None | Some("" | "loopbook-child") => "a thread of its own".to_owned(),
            Some(name) => format!("the thread \"{name}\""),
        };
    };
    let label = cell.map(cell_label);
    if name.is_some() && *name == label {
        return label.unwrap_or_default();
    }
    let name = name.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default();
    let place = match (label, line) {
        (Some(label), Some(line)) => format!(" ({label}, line {line})"),
        (Some(label), None) => format!(" ({label})"),
        _ => String::new(),
    };
    format!("task {id}{name}{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(signal: i32, code: i32, address: u64) -> LastWords {
        LastWords { signal, code, address, thread: Some("loop-1".into()), ..LastWords::default() }
    }

    fn how(words: &LastWords) -> String {
        Death::of("signal: 6 (SIGABRT)", Some(words)).how
    }

    #[test]
    fn an_overflow_names_the_task_and_where_it_was_started() {
        let task = LastTask { id: 7, cell: Some(3), line: Some(2), name: Some("deep".into()) };
        let words = LastWords { overflow: Some(64 << 20), task: Some(task), ..words(libc::SIGSEGV, 2, 1) };
        let said =
            "stack overflow: task 7 \"deep\" (In[3], line 2) has overflowed its stack of 64 MiB, signal 11 (SIGSEGV)";
        assert_eq!(how(&words), said);
        assert!(Death::of("", Some(&words)).help.is_some_and(|help| help.contains("`Box`")));
    }

    #[test]
    fn signals_are_told_in_words() {
        let cell = LastTask { id: 1, cell: Some(3), line: None, name: Some("In[3]".into()) };
        let by_cell = |words: LastWords| how(&LastWords { task: Some(cell.clone()), ..words });
        assert_eq!(
            by_cell(words(libc::SIGSEGV, 1, 8)),
            "an access through a null pointer, by In[3], signal 11 (SIGSEGV)"
        );
        assert!(how(&words(libc::SIGSEGV, 1, 1 << 40)).contains("at 0x10000000000, by the thread \"loop-1\""));
        assert_eq!(how(&words(libc::SIGSEGV, 0, 1 << 40)), "a signal that was sent to it, signal 11 (SIGSEGV)");
        let aborted = LastWords { cause: Some("a destructor panicked".into()), ..words(libc::SIGABRT, -6, 0) };
        assert_eq!(by_cell(aborted), "an abort, by In[3], signal 6 (SIGABRT); a destructor panicked");
    }

    #[test]
    fn who_says_nothing_is_known_by_the_status() {
        let status = |status| Death::of(status, None).how;
        assert_eq!(status("exit status: 0"), "exit status 0");
        assert_eq!(
            status("9 (SIGKILL)"),
            "killed from outside; the system does that too when memory runs out, signal 9 (SIGKILL)"
        );
        assert_eq!(status("something else"), "something else");
    }
}
