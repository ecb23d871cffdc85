//! `about`: the versions and threads that this kernel is made of.

use crate::executor::pool;
use loopbook_channel::counted;
use serde::Serialize;
use std::fmt;

/// The lockfile with which the runtime was compiled.
const LOCKFILE: &str = include_str!("../../../Cargo.lock");

/// What this kernel is made of; see [`about`].
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct About {
    /// Version of Loopbook's runtime.
    pub loopbook: String,
    /// Version of async-std, whose tasks, sockets and timers cells use.
    pub async_std: String,
    /// Version of async-executor, which decides what task runs next.
    pub executor: String,
    /// Version of async-io, which waits for sockets and timers.
    pub async_io: String,
    /// Version of tokio, for what needs it.
    pub tokio: String,
    /// How the operating system tells that a socket is ready.
    pub reactor: String,
    /// Threads that run tasks.
    pub workers: usize,
    /// Processors that this process may use.
    pub processors: usize,
    /// The process in which cells run.
    pub process: u32,
}

/// What this kernel is made of: the crates that make a runtime, since Rust's language has none, and the threads.
///
/// ```
/// let about = loopbook::about();
/// assert!(about.async_std.starts_with("1.13"));
/// println!("{} threads run tasks", about.workers);
/// ```
pub fn about() -> About {
    pool::start();
    About {
        loopbook: env!("CARGO_PKG_VERSION").to_owned(),
        async_std: version("async-std"),
        executor: version("async-executor"),
        async_io: version("async-io"),
        tokio: version("tokio"),
        reactor: "epoll".to_owned(),
        workers: pool::size(),
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        process: std::process::id(),
    }
}

/// The version of a package in the lockfile.
fn version(package: &str) -> String {
    let entry = format!("name = \"{package}\"\nversion = \"");
    let version = LOCKFILE.split_once(&entry).and_then(|(_, rest)| rest.split('"').next());
    version.unwrap_or("of unknown version").to_owned()
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Loopbook {}: cells run in process {}", self.loopbook, self.process)?;
        writeln!(
            f,
            "async-std {}, which is async-executor {} and async-io {}",
            self.async_std, self.executor, self.async_io
        )?;
        writeln!(f, "tokio {}, for crates that need it", self.tokio)?;
        let run = if self.workers == 1 { "runs" } else { "run" };
        let (threads, processors) = (counted(self.workers, "thread"), counted(self.processors, "processor"));
        write!(f, "{threads} {run} tasks, on {processors}; ")?;
        write!(f, "the operating system tells by {} which socket is ready", self.reactor)
    }
}

/// The same as its `Display`, for it is there to be read.
impl fmt::Debug for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
