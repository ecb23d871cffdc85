//! The state of the process that runs the cells, as the system sees it: one that is stopped (SIGSTOP) answers nothing.

use std::fs;
use std::path::Path;

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessState {
    /// It runs, waits for something that a signal can end, or is gone.
    Runs,
    /// A signal has stopped it, as `kill -STOP` does or Ctrl-Z.
    Stopped,
    /// A debugger has stopped it.
    Traced,
    /// It waits inside the system for something that no signal can end.
    Blocked,
}

impl ProcessState {
    /// Of the process with this number. If one of its threads is stopped, all are; it is blocked if its first one is,
    /// on which the cells of the main shell run.
    pub fn of(pid: u32) -> Self {
        Self::in_directory(&Path::new("/proc").join(pid.to_string()))
    }

    /// The message for a question to the process `pid` that it cannot answer in this state; `None` if it can.
    pub fn answers_nobody(self, pid: u32) -> Option<String> {
        let who = "the process that runs the cells is stopped";
        match self {
            Self::Stopped => Some(format!(
                "{who} (state T), as by `kill -STOP`, and answers nobody; `kill -CONT {pid}` in a terminal lets it go on"
            )),
            Self::Traced => {
                Some(format!("{who} by a debugger (state t), and answers nobody until the debugger lets it go on"))
            }
            Self::Blocked | Self::Runs => None,
        }
    }

    fn in_directory(directory: &Path) -> Self {
        let Ok(stat) = fs::read_to_string(directory.join("stat")) else { return Self::Runs };
        // The program's name, in brackets, may hold anything.
        let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
        match state {
            Some('T') => Self::Stopped,
            Some('t') => Self::Traced,
            Some('D') => Self::Blocked,
            _ => Self::Runs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_stopped_answers_nobody_and_says_how_to_go_on() {
        let said = ProcessState::Stopped.answers_nobody(7).unwrap();
        assert!(said.contains("is stopped (state T)") && said.contains("`kill -CONT 7`"), "{said}");
        assert!(ProcessState::Traced.answers_nobody(7).unwrap().contains("debugger"));
        assert_eq!(ProcessState::Runs.answers_nobody(7).or(ProcessState::Blocked.answers_nobody(7)), None);
    }

    #[test]
    fn the_state_stands_behind_the_name() {
        let directory = tempfile::tempdir().unwrap();
        for (stat, state) in [
            ("7 (child) R 1 7", ProcessState::Runs),
            ("7 (child) T 1 7", ProcessState::Stopped),
            ("7 (child) t 1 7", ProcessState::Traced),
            ("7 (child) D 1 7", ProcessState::Blocked),
            ("7 (a) T b) S 1 7", ProcessState::Runs),
            ("", ProcessState::Runs),
        ] {
            fs::write(directory.path().join("stat"), stat).unwrap();
            assert_eq!(ProcessState::in_directory(directory.path()), state, "{stat}");
        }
        assert_eq!(ProcessState::in_directory(&directory.path().join("nobody")), ProcessState::Runs);
        assert_eq!(ProcessState::of(std::process::id()), ProcessState::Runs);
    }
}
