//! The threads of this process, and what each is for.

use serde::Serialize;
use std::fs;

/// What the names of the lab's own threads begin with.
pub(super) const PREFIX: &str = "lab-server-";

/// A thread of the process in which cells run; see [`threads`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Thread {
    /// Linux's number for it. The first thread's is that of the process.
    pub id: u32,
    /// The first 15 characters of its name, which is all that Linux keeps.
    pub name: String,
    /// What it is for, as far as that is known.
    pub does: String,
}

/// The threads of the process in which cells run, in the order in which they were started. Shows as a table.
///
/// Those of lab servers are left out: a server plays the part of another computer.
///
/// ```
/// let seen = std::thread::Builder::new().name("mine".into()).spawn(loopbook::lab::threads);
/// let seen = seen.expect("a thread").join().expect("no panic");
/// assert!(seen.iter().any(|thread| thread.name == "mine"));
/// ```
pub fn threads() -> Vec<Thread> {
    let Ok(entries) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    let first = std::process::id();
    let first_name = name(first).unwrap_or_default();
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // A thread that ends meanwhile has no name any more.
    let mut threads: Vec<Thread> = ids
        .filter_map(|id| Some((id, name(id)?)))
        .filter(|(_, name)| !name.starts_with(PREFIX))
        .map(|(id, name)| {
            let does = if id == first { "runs the cells" } else { purpose(&name, &first_name) };
            Thread { id, does: does.to_owned(), name }
        })
        .collect();
    threads.sort_by_key(|thread| thread.id);
    threads
}

fn name(id: u32) -> Option<String> {
    Some(fs::read_to_string(format!("/proc/self/task/{id}/comm")).ok()?.trim_end().to_owned())
}

/// What a thread is for, by its name, of which Linux keeps 15 characters.
fn purpose(name: &str, first_name: &str) -> &'static str {
    const KNOWN: [(&str, &str); 11] = [
        ("loop-", "runs tasks"),
        ("async-io", "watches sockets and timers for all tasks, and wakes those that can go on"),
        ("blocking-", "runs what blocks: spawn_blocking, and async_std's files"),
        ("tokio-", "runs tokio's tasks, or what blocks in them"),
        ("async-global-ex", "watches sockets and timers of tokio's tasks"),
        ("loopbook-pool", "adds a thread when all that run tasks are blocked"),
        ("loopbook-inspec", "answers :tasks and its kin, whatever the cells do"),
        ("loopbook-link", "reads what the kernel says"),
        ("loopbook-pipes", "reads what other programs print"),
        ("loopbook-flush", "gets out what was printed"),
        ("loopbook-subshe", "runs a cell of a subshell"),
    ];
    let known = KNOWN.iter().find(|(beginning, _)| name.starts_with(beginning));
    match known {
        Some((_, does)) => does,
        // Linux gives a thread without a name that of the thread that started it.
        None if name == first_name => "was started without a name",
        None => "was started by a cell or a crate",
    }
}
