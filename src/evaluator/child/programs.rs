//! The programs that cells have started: they end with the process that runs the cells.
//!
//! That process stands in a group of its own, and what it starts stands there too, unless it is given another one. A
//! program that begins a session of its own (`setsid`, a daemon) says by that that it is to outlive who started it: it goes
//! on. Linux tells who is whose child in `/proc`; elsewhere only the group ends.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::collections::HashSet;
use std::fs;

/// A process, as `/proc/PID/stat` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    pid: i32,
    name: String,
    parent: i32,
    group: i32,
    session: i32,
}

/// Ends at once the process that runs the cells, and what it has started. Gives the programs that go on, as names and
/// numbers.
pub(super) fn end(child: u32) -> Vec<String> {
    let Ok(child) = i32::try_from(child) else { return Vec::new() };
    let processes = all();
    let session = processes.iter().find(|process| process.pid == child).map(|process| process.session);
    let started = descendants(child, &processes);
    end_group(child);
    let (ends, goes_on): (Vec<_>, Vec<_>) = started.into_iter().partition(|process| Some(process.session) == session);
    for process in ends.into_iter().filter(|process| process.group != child) {
        kill(process.pid);
    }
    goes_on.into_iter().map(|process| format!("{} ({})", process.name, process.pid)).collect()
}

/// Ends what stands in the group of a process that has died.
pub(super) fn end_group_of(child: u32) {
    if let Ok(child) = i32::try_from(child) {
        end_group(child);
    }
}

/// The number of a process or a group, as the calls of the system take it.
pub(super) fn pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

fn end_group(child: i32) {
    if let Some(child) = Some(child).filter(|&child| child > 1).and_then(Pid::from_raw) {
        // The child may not have made its group yet. Those that are gone need no more.
        let _ = kill_process(child, Signal::KILL);
        let _ = kill_process_group(child, Signal::KILL);
    }
}

fn kill(process: i32) {
    if let Some(process) = Pid::from_raw(process) {
        let _is_gone = kill_process(process, Signal::KILL);
    }
}

fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    stats.filter_map(|stat| Process::parse(&stat)).collect()
}

/// The children of a process, their children, and so on.
fn descendants(of: i32, processes: &[Process]) -> Vec<Process> {
    let mut family = HashSet::from([of]);
    let mut found = Vec::new();
    loop {
        let next: Vec<_> =
            processes.iter().filter(|one| family.contains(&one.parent) && !family.contains(&one.pid)).collect();
        if next.is_empty() {
            return found;
        }
        family.extend(next.iter().map(|process| process.pid));
        found.extend(next.into_iter().cloned());
    }
}

impl Process {
    /// `PID (NAME) STATE PARENT GROUP SESSION …`; the name may have blanks and brackets.
    fn parse(stat: &str) -> Option<Self> {
        let (pid, rest) = stat.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let mut numbers = rest.split_whitespace().skip(1).map_while(|number| number.parse().ok());
        let [parent, group, session] = [numbers.next()?, numbers.next()?, numbers.next()?];
        Some(Self { pid: pid.parse().ok()?, name: name.to_owned(), parent, group, session })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32) -> Process {
        Process { pid, name: "x".to_owned(), parent, group: pid, session: 1 }
    }

    #[test]
    fn a_name_with_brackets_is_read() {
        let process = Process::parse("12 (a) b (c) S 3 12 9 0 -1 4194304").unwrap();
        let expected = Process { pid: 12, name: "a) b (c".to_owned(), parent: 3, group: 12, session: 9 };
        assert_eq!(process, expected);
        assert_eq!(Process::parse("12 (cut"), None);
    }

    #[test]
    fn children_of_children_are_found_and_nobody_else() {
        let processes = [process(5, 4), process(2, 1), process(4, 2), process(7, 1), process(1, 1)];
        let pids: Vec<_> = descendants(2, &processes).iter().map(|process| process.pid).collect();
        assert_eq!(pids, [4, 5]);
    }
}
