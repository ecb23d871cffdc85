//! Process groups: what a build starts can be ended at once, and ends when the kernel does.

use super::state::State;
use rustix::process::{Pid, Signal, kill_process_group, set_parent_process_death_signal};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Says that this process and what it starts can be ended together, for as long as it is held.
#[derive(Debug)]
pub(super) struct Running {
    path: PathBuf,
    /// Locked: the number in it is still that of our group.
    _file: File,
}

/// Gives this process a group of its own that ends with the kernel.
pub(super) fn enter(state: &State) -> io::Result<Running> {
    // A process that leads its group already is refused, and needs no other.
    let _leads_a_group = rustix::process::setpgid(None, None);
    // SAFETY: the handler only calls `kill`, which signal handlers may.
    unsafe { libc::signal(libc::SIGTERM, end_group as *const () as libc::sighandler_t) };
    die_with_parent(Signal::TERM);
    let pid = std::process::id();
    let path = state.running().join(pid.to_string());
    let mut file = File::create(&path)?;
    file.lock()?;
    file.write_all(pid.to_string().as_bytes())?;
    Ok(Running { path, _file: file })
}

impl Drop for Running {
    fn drop(&mut self) {
        // If it stays it is not locked, so nobody trusts it.
        let _ignored = fs::remove_file(&self.path);
    }
}

/// Ends every build that runs for the kernel with this working directory: cargo, rustc, build scripts, linkers.
/// Returns how many there were.
pub fn kill_running(root: &Path) -> usize {
    let Ok(entries) = fs::read_dir(State::of(root).running()) else { return 0 };
    entries.flatten().filter(|entry| kill_group(&entry.path())).count()
}

/// Has the system send a signal to this process when the thread that started it ends.
pub(super) fn die_with_parent(signal: Signal) {
    // Fails only for a number that is no signal.
    let _ = set_parent_process_death_signal(Some(signal));
}

fn kill_group(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    // Not locked means that its process has ended; the number may be anybody's by now.
    if !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return false;
    }
    let Ok(text) = fs::read_to_string(path) else { return false };
    let group = text.parse().ok().filter(|&group: &i32| group > 1).and_then(Pid::from_raw);
    group.is_some_and(|group| kill_process_group(group, Signal::KILL).is_ok())
}

extern "C" fn end_group(_signal: libc::c_int) {
    // SAFETY: `kill` is async-signal-safe, and 0 means our own group, made by `enter`.
    unsafe { libc::kill(0, libc::SIGKILL) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_process_that_has_ended_is_not_trusted() {
        let root = tempfile::tempdir().unwrap();
        let running = root.path().join("state/running");
        fs::create_dir_all(&running).unwrap();
        // Our own number, not locked: killing it would end this test.
        fs::write(running.join("1"), std::process::id().to_string()).unwrap();
        assert_eq!(kill_running(root.path()), 0);
    }
}
