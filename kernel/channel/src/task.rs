//! What is known of a task: the one definition that the runtime fills, cells read and the kernel passes on.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;

/// A cell's execution in the kernel: counted up by the kernel, never reused. 0 is "before the first cell".
pub type CellId = u64;

/// A task's number in the runtime: counted up, never reused.
pub type TaskId = u64;

/// The number of a lock, a channel or the like: counted up, never reused.
pub type ObjectId = u64;

/// Cells of subshells are numbered from here on: this times the number of the subshell, plus the subshell's own count.
pub const SUBSHELL: u32 = 1_000_000;

/// How messages call a cell with this number.
///
/// ```
/// use loopbook_channel::{SUBSHELL, cell_label};
/// assert_eq!(cell_label(3), "In[3]");
/// assert_eq!(cell_label(2 * SUBSHELL + 1), "In[1] of subshell 2");
/// ```
pub fn cell_label(number: u32) -> String {
    match (number / SUBSHELL, number % SUBSHELL) {
        (0, count) => format!("In[{count}]"),
        (subshell, count) => format!("In[{count}] of subshell {subshell}"),
    }
}

/// How tables call a line of a cell: `In[3]:7`.
pub fn line_label(number: u32, line: u32) -> String {
    cell_label(number).replacen(']', &format!("]:{line}"), 1)
}

/// One task, at the moment it was asked for. Durations are seconds (floating point) in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskInfo {
    /// The task's number.
    pub id: TaskId,
    /// Its name, if it was given one (`Builder::name`). A cell's own task is named `In[n]`.
    pub name: Option<String>,
    /// What sort of work it is.
    pub kind: TaskKind,
    /// What it is doing.
    pub state: TaskState,
    /// Execution count of the cell that caused it (inherited from its parent); those of subshells are counted from
    /// [`SUBSHELL`] on.
    pub cell: Option<u32>,
    /// Where the spawn stands.
    pub site: Option<Site>,
    /// `site.line` if the site stands in `cell`, else the line of `cell` that called in.
    pub line: Option<u32>,
    /// The task that spawned it.
    pub parent: Option<TaskId>,
    /// Tasks that wait for it.
    pub awaited_by: Vec<TaskId>,
    /// What it waits for.
    pub waiting_on: Vec<WaitingOn>,
    /// The `.await`s of code in cells at which it stands, each before those inside of it; the first hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaits: Vec<AwaitSite>,
    /// How often it was polled.
    pub polls: u64,
    /// How often it was woken.
    pub wakes: u64,
    /// How often it woke itself while it was being polled.
    pub self_wakes: u64,
    /// Time spent in polls.
    #[serde(with = "seconds")]
    pub busy: Duration,
    /// Time spent ready to run but not running, from the spawn on.
    #[serde(with = "seconds")]
    pub scheduled: Duration,
    /// Time spent waiting.
    #[serde(with = "seconds")]
    pub idle: Duration,
    /// The longest single poll.
    #[serde(with = "seconds")]
    pub longest_poll: Duration,
    /// When it was spawned, since the kernel's loop began.
    #[serde(with = "seconds")]
    pub created: Duration,
    /// The thread that polls it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// What woke it last; nothing has if it was only started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub woken_by: Option<WokenBy>,
    /// Who cancelled it, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_by: Option<String>,
}

/// What sort of work a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    /// A cell itself.
    Cell,
    /// `task::spawn`.
    Task,
    /// A branch of `gather!` and its kin: polled inside its parent.
    Branch,
    /// `task::spawn_local`.
    Local,
    /// `task::spawn_blocking`.
    Blocking,
    /// A task of a `Loop`.
    Loop,
    /// `tokio::spawn`: on tokio's own threads.
    Tokio,
}

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    /// Inside a poll.
    Running,
    /// Woken (or new), waiting for a thread.
    Scheduled,
    /// Waiting for something.
    Idle,
    /// Ready, but nobody drives its executor (a local task between cells).
    Frozen,
    /// Done.
    Completed,
    /// Cancelled, or dropped before it was done.
    Cancelled,
    /// Its code panicked.
    Panicked,
}

impl TaskKind {
    /// The word for it, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cell => "cell",
            Self::Task => "task",
            Self::Branch => "branch",
            Self::Local => "local",
            Self::Blocking => "blocking",
            Self::Loop => "loop",
            Self::Tokio => "tokio",
        }
    }
}

impl TaskState {
    /// The word for it, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Scheduled => "scheduled",
            Self::Idle => "idle",
            Self::Frozen => "frozen",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panicked",
        }
    }

    /// Whether the task has ended.
    ///
    /// ```
    /// use loopbook_channel::TaskState;
    /// assert!(TaskState::Panicked.is_finished() && !TaskState::Idle.is_finished());
    /// ```
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Panicked)
    }
}

/// A place in a cell. Lines and columns count from 1, as rustc's do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Site {
    /// Execution count of the cell in which the text stands.
    pub cell: u32,
    /// Line in that cell.
    pub line: u32,
    /// Column (characters) in that line, as typed; `None` if nobody knows.
    pub column: Option<u32>,
}

/// An `.await` in a cell at which a task stands. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AwaitSite {
    /// Execution count of the cell in which it stands.
    pub cell: u32,
    /// Line of the awaited expression in that cell.
    pub line: u32,
    /// Column (characters) of the awaited expression in that line, as typed.
    pub column: u32,
    /// The awaited expression, shortened to what fits into a line of a table.
    pub text: Cow<'static, str>,
    /// How many of the task's other awaits it is inside of. The one right around it is the last before it in
    /// [`TaskInfo::awaits`] with a smaller depth.
    pub depth: u32,
    /// For how long it has been waiting.
    #[serde(with = "seconds")]
    pub since: Duration,
}

/// Something that a task waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "lowercase")]
pub enum WaitingOn {
    /// A timer; `seconds` until it fires when asked.
    Sleep {
        /// Seconds left.
        seconds: f64,
    },
    /// The end of another task.
    Task {
        /// That task.
        id: TaskId,
    },
    /// Whatever it waits for besides this has so long; `seconds` until the time is up when asked.
    Timeout {
        /// Seconds left.
        seconds: f64,
    },
    /// A lock that somebody else holds.
    Lock {
        /// The number of the lock.
        id: ObjectId,
        /// What is wanted of it.
        kind: LockKind,
        /// The task that has locked it; of several that read, the first. `None` if no task has.
        owner: Option<TaskId>,
        /// All tasks that hold it and are in the way.
        owners: Vec<TaskId>,
        /// Whether a holder is in the way; else a task that waits to write comes first.
        held: bool,
        /// Whether the owner has ended without letting go.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        abandoned: bool,
    },
    /// A channel that is empty, or full.
    Channel {
        /// The number of the channel.
        id: ObjectId,
        /// What the task wants to do.
        operation: Operation,
        /// How many messages are in it.
        length: usize,
        /// How many it has room for; `None` if there is no limit.
        capacity: Option<usize>,
    },
    /// A condition variable that nobody has notified.
    Condvar {
        /// The number of the condition variable.
        id: ObjectId,
    },
    /// A barrier that others have yet to reach.
    Barrier {
        /// The number of the barrier.
        id: ObjectId,
        /// How many tasks wait there.
        waiting: usize,
        /// How many it takes.
        needed: usize,
    },
    /// A socket.
    Socket {
        /// What it waits to do: `read`, `write` or `accept`.
        operation: String,
        /// The other end's address, or the socket's own if it has no other end (a listener, UDP); none for Unix sockets.
        address: Option<String>,
        /// The descriptor.
        descriptor: i32,
    },
    /// Something the runtime can put a word to.
    Other {
        /// The word.
        what: String,
    },
}

/// What a task wants of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LockKind {
    /// To lock a mutex.
    #[serde(rename = "mutex")]
    Mutex,
    /// To read, with others.
    #[serde(rename = "rwlock read")]
    Read,
    /// To read, with others, and perhaps to write later.
    #[serde(rename = "rwlock upgradable read")]
    UpgradableRead,
    /// To write, alone.
    #[serde(rename = "rwlock write")]
    Write,
    /// To write, having read until now.
    #[serde(rename = "rwlock upgrade")]
    Upgrade,
}

impl LockKind {
    /// The words for it, as in JSON: `mutex`, `rwlock read`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mutex => "mutex",
            Self::Read => "rwlock read",
            Self::UpgradableRead => "rwlock upgradable read",
            Self::Write => "rwlock write",
            Self::Upgrade => "rwlock upgrade",
        }
    }
}

/// What a task wants of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// To put a message into it.
    Send,
    /// To take a message out of it.
    Receive,
}

/// What woke a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum WokenBy {
    /// Another task, or itself: it sent something, let go of a lock, or ended.
    Task {
        /// That task.
        id: TaskId,
    },
    /// The reactor: a timer fired, or a socket is ready.
    Reactor,
    /// A thread that is not the loop's.
    Thread {
        /// Its name.
        name: String,
    },
}

mod seconds {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(value.as_secs_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_json() {
        use TaskKind::{Blocking, Branch, Cell, Local, Loop, Task, Tokio};
        use TaskState::{Cancelled, Completed, Frozen, Idle, Panicked, Running, Scheduled};
        for state in [Running, Scheduled, Idle, Frozen, Completed, Cancelled, Panicked] {
            assert_eq!(serde_json::to_value(state).expect("a word"), state.word());
        }
        for kind in [Cell, Task, Branch, Local, Blocking, Loop, Tokio] {
            assert_eq!(serde_json::to_value(kind).expect("a word"), kind.word());
        }
    }
}
