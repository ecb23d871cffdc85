//! Snapshots of a loop: its queue, its waiting tasks and its callbacks at one moment.

use crate::TaskId;
use loopbook_channel::counted;
use serde::Serialize;
use std::fmt;

/// The queue of a loop, its waiting tasks and its callbacks at one moment; see [`Loop::snapshot`](super::Loop::snapshot).
///
/// ```
/// use loopbook::Loop;
/// use std::time::Duration;
/// let lab = Loop::new("lab");
/// lab.call_soon(|| println!("soon"));
/// lab.call_later(Duration::from_secs(60), || println!("later"));
/// let now = lab.snapshot();
/// assert_eq!((now.callbacks, now.timers, now.is_running), (1, 1, false));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoopSnapshot {
    /// The name of the loop.
    pub name: String,
    /// Whether it runs.
    pub is_running: bool,
    /// Whether it was closed.
    pub is_closed: bool,
    /// The task that is being polled.
    pub running: Option<TaskId>,
    /// The tasks that are ready, in the order in which they will be polled. On a loop that does not run they are `frozen`.
    pub ready: Vec<TaskId>,
    /// The tasks that wait for something.
    pub waiting: Vec<TaskId>,
    /// Callbacks that are ready.
    pub callbacks: usize,
    /// Callbacks whose time has not come.
    pub timers: usize,
}

/// How much a loop has to do; see [`loop_stats`](crate::loop_stats).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoopSummary {
    /// The name of the loop.
    pub name: String,
    /// Whether it runs.
    pub is_running: bool,
    /// Tasks and callbacks that are ready.
    pub ready: usize,
    /// Tasks that have not ended.
    pub tasks: usize,
    /// Callbacks whose time has not come.
    pub timers: usize,
}

impl fmt::Display for LoopSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (self.is_closed, self.is_running) {
            (true, _) => "closed",
            (_, true) => "running",
            _ => "not running",
        };
        write!(f, "loop \"{}\", {state}: queue {:?}, running ", self.name, self.ready)?;
        match self.running {
            Some(task) => write!(f, "{task}")?,
            None => f.write_str("none")?,
        }
        write!(f, ", waiting {:?}", self.waiting)?;
        match self.callbacks + self.timers {
            0 => Ok(()),
            calls => write!(f, ", {}", counted(calls, "callback")),
        }
    }
}

impl fmt::Display for LoopSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_running { "running" } else { "not running" };
        write!(
            f,
            "loop \"{}\", {state}: {}, {} ready, {}",
            self.name,
            counted(self.tasks, "task"),
            self.ready,
            counted(self.timers, "timer")
        )
    }
}
