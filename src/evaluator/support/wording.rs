//! Messages of programs and of the system, reworded for people.

/// How the system's message of a full disk begins, whichever program passes it on, and Rust's name of the error.
const FULL: [&str; 2] = ["No space left on device", "StorageFull"];

/// How evcxr begins what it says about the end of a process.
const TERMINATED: &str = "terminated with status: ";

/// The error and its causes, without those that a message has told already.
///
/// ```
/// use loopbook_kernel::evaluator::support::wording::sentence;
/// let error = anyhow::anyhow!("no space").context("cannot write x: no space; free some");
/// assert_eq!(sentence(&error), "cannot write x: no space; free some");
/// assert_eq!(sentence(&anyhow::anyhow!("no space").context("cannot write")), "cannot write: no space");
/// ```
pub fn sentence(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told {
        told if told.is_empty() => cause,
        told if told.contains(&cause) => told,
        told => format!("{told}: {cause}"),
    })
}

/// Whether a message says that a disk is full.
pub fn is_disk_full(message: &str) -> bool {
    FULL.iter().any(|text| message.contains(text))
}

/// What to do if this is a complaint about a missing linker.
///
/// ```
/// use loopbook_kernel::evaluator::support::wording::linker_missing;
/// assert!(linker_missing("error: linker `cc` not found").unwrap().starts_with("install a C compiler"));
/// assert_eq!(linker_missing("error: mismatched types"), None);
/// ```
pub fn linker_missing(message: &str) -> Option<&'static str> {
    (message.contains("linker `") && message.contains("` not found")).then_some(
        "install a C compiler, whose linker rustc uses (Debian, Ubuntu: `apt install gcc`; Fedora: `dnf install gcc`; macOS: \
         `xcode-select --install`)",
    )
}

/// What evcxr says of a build that failed without an error of the compiler's, less the lines that cargo means for programs.
///
/// ```
/// use loopbook_kernel::evaluator::support::wording::without_json;
/// let message = "Compilation failed, but no parsable errors were found. STDERR:\nerror: no\n\nSTDOUT:{\"reason\":1}\n";
/// assert_eq!(without_json(message), "Compilation failed:\nerror: no");
/// ```
pub fn without_json(message: &str) -> String {
    let for_people = |line: &&str| {
        let line = line.trim_start_matches("STDOUT:").trim();
        !line.is_empty() && !line.starts_with('{')
    };
    let lines: Vec<_> = message.lines().filter(for_people).collect();
    lines.join("\n").replacen(", but no parsable errors were found. STDERR:", ":", 1)
}

/// How a process has ended, from evcxr's message.
///
/// ```
/// use loopbook_kernel::evaluator::support::wording::exit_status;
/// assert_eq!(exit_status("Subprocess terminated with status: exit status: 0"), "exit status 0");
/// assert_eq!(exit_status("Subprocess terminated with status: signal: 9 (SIGKILL)"), "signal 9 (SIGKILL)");
/// ```
pub fn exit_status(message: &str) -> String {
    let status = message.rsplit(TERMINATED).next().unwrap_or_default();
    status.trim().replacen(": ", " ", 1)
}

/// Programs that a cell has started and that go on, although the process that ran it has ended; `None` if there are none.
///
/// ```
/// use loopbook_kernel::evaluator::support::wording::programs_left;
/// assert_eq!(programs_left(&[]), None);
/// assert!(programs_left(&["sleep (7)".into()]).unwrap().starts_with("This program goes on, "));
/// ```
pub fn programs_left(programs: &[String]) -> Option<String> {
    let (which, it) = match programs {
        [] => return None,
        [_] => ("This program goes on", "it has"),
        _ => ("These programs go on", "they have"),
    };
    Some(format!("{which}, since {it} a session apart (`setsid`): {}.", programs.join(", ")))
}
/// Names one after the other, as in a sentence.
///
/// ```
/// use loopbook_kernel::evaluator::support::wording::listed;
/// let names = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
/// assert_eq!([listed(&names[..1]), listed(&names[..2]), listed(&names)], ["a", "a and b", "a, b and c"]);
/// ```
pub fn listed(names: &[String]) -> String {
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    }
}
