//! Which crate is being compiled, from the shim to the kernel: lines of JSON through a named pipe, which unlike a
//! socket has no limit on the length of its path.

use super::state::State;
use rustix::fs::{CWD, FileType, Mode};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread::JoinHandle;

/// Stands for the name of a crate while crates are fetched.
pub(in crate::evaluator) const FETCHING: &str = "crates.io";

/// A line in the pipe.
#[derive(Serialize, Deserialize)]
struct Line {
    /// The number of the build: that of the process.
    build: u32,
    progress: BuildProgress,
}

/// How far a build is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildProgress {
    /// The crate that is being compiled; [`FETCHING`] while crates are fetched.
    pub krate: String,
    /// How many steps are done.
    pub done: usize,
    /// How many there are; those that were done before this build are not counted.
    pub total: usize,
}

/// Listens to the builds of one kernel until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    pipe: File,
    thread: Option<JoinHandle<()>>,
}

/// Calls `on_progress` with the number of a build, on a thread of its own, while crates and cells are compiled for the
/// kernel with this working directory.
///
/// # Errors
/// If the pipe or the thread cannot be made.
pub fn watch(root: &Path, mut on_progress: impl FnMut(u32, BuildProgress) + Send + 'static) -> io::Result<Watcher> {
    let path = State::of(root).progress();
    make_pipe(&path)?;
    // Open for both, so that there is no end of file whenever no build runs.
    let pipe = OpenOptions::new().read(true).write(true).open(&path)?;
    let lines = BufReader::new(pipe.try_clone()?);
    let thread = std::thread::Builder::new().name("build-progress".into()).spawn(move || {
        for line in lines.lines() {
            match line {
                // An empty line is the watcher's own, and the last.
                Ok(line) if line.is_empty() => return,
                Ok(line) => {
                    if let Ok(Line { build, progress }) = serde_json::from_str(&line) {
                        on_progress(build, progress);
                    }
                }
                Err(error) => return tracing::warn!("no more progress of builds: {error}"),
            }
        }
    })?;
    Ok(Watcher { pipe, thread: Some(thread) })
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if self.pipe.write_all(b"\n").is_ok()
            && let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that shows the progress of builds has panicked");
        }
    }
}

/// The shim's end of the pipe.
#[derive(Debug)]
pub(super) struct Reporter {
    pipe: Option<File>,
}

impl Reporter {
    /// A reporter that says nothing if nobody listens.
    pub(super) fn new(state: &State) -> Self {
        let pipe = OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(state.progress());
        Self { pipe: pipe.ok() }
    }

    /// Says how far the build is. What the kernel is too busy to read is left out.
    pub(super) fn report(&mut self, progress: BuildProgress) {
        if let Some(pipe) = &mut self.pipe
            && let Ok(mut line) = serde_json::to_vec(&Line { build: std::process::id(), progress })
        {
            line.push(b'\n');
            let _ignored = pipe.write_all(&line);
        }
    }
}

/// Reads a line of cargo's progress bar: `    Building [==>    ] 3/12: serde, libc(build)`.
pub(super) fn parse_bar(line: &str) -> Option<BuildProgress> {
    let line = line.trim();
    let (verb, rest) = line.split_once(" [")?;
    let (_, rest) = rest.split_once("] ")?;
    let (count, names) = rest.split_once(": ").unwrap_or((rest, ""));
    let (done, total) = count.split_once('/')?;
    let krate = match verb {
        "Building" => names.split([',', '(', ' ']).next().unwrap_or_default(),
        _ => FETCHING,
    };
    Some(BuildProgress {
        krate: krate.trim_end_matches("...").to_owned(),
        done: done.parse().ok()?,
        total: total.parse().ok()?,
    })
}

fn make_pipe(path: &Path) -> io::Result<()> {
    match rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn progress(krate: &str, done: usize, total: usize) -> BuildProgress {
        BuildProgress { krate: krate.into(), done, total }
    }

    #[test]
    fn the_bar_of_cargo_is_understood() {
        let bar = "    Building [=====>      ] 4/12: zmij(build.rs), serde_core   ";
        assert_eq!(parse_bar(bar), Some(progress("zmij", 4, 12)));
        assert_eq!(parse_bar(" Downloading [==>  ] 1/3: rand-core..."), Some(progress("crates.io", 1, 3)));
        assert_eq!(parse_bar("    Building [==>  ] 11/12"), Some(progress("", 11, 12)));
        assert_eq!(parse_bar("   Compiling serde v1.0.0"), None);
        assert_eq!(parse_bar("warning: see [x] 1"), None);
    }

    #[test]
    fn what_is_reported_arrives_and_a_dropped_watcher_ends() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("state")).unwrap();
        let state = State::of(root.path());
        Reporter::new(&state).report(progress("nobody listens", 0, 1));
        let (sender, receiver) = mpsc::channel();
        let watcher = watch(root.path(), move |build, progress| sender.send((build, progress)).unwrap()).unwrap();
        for build in 0..2 {
            Reporter::new(&state).report(progress("serde", build, 2));
            assert_eq!(receiver.recv().unwrap(), (std::process::id(), progress("serde", build, 2)));
        }
        drop(watcher);
        assert!(receiver.recv().is_err());
    }
}
