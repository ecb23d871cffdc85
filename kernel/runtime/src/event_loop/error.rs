//! Errors of a loop's methods. Where asyncio raises a `RuntimeError`, the message begins with asyncio's own text.

use std::error::Error;
use std::fmt;

/// Why a [`Loop`](super::Loop) refuses something.
///
/// The methods with asyncio's names panic with it, as asyncio raises; those that begin with `try_` give it.
///
/// ```
/// use loopbook::{Loop, LoopError};
/// let lab = Loop::new("lab");
/// lab.close();
/// let refused = lab.try_run_until_complete(async {});
/// assert_eq!(refused, Err(LoopError::LoopClosed { name: "lab".into() }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoopError {
    /// The loop was closed, which is for good.
    LoopClosed {
        /// The loop.
        name: String,
    },
    /// The loop runs already: one of its own tasks, or another thread, asks it to run once more.
    AlreadyRunning {
        /// The loop.
        name: String,
    },
    /// Another loop runs on this thread, and is waiting for the task that asks.
    AnotherLoopRuns {
        /// The loop that is to run.
        name: String,
        /// The loop that runs.
        running: String,
    },
    /// A loop that runs cannot be closed.
    CannotCloseWhileRunning {
        /// The loop.
        name: String,
    },
    /// `stop()` ended the run before the future had its output.
    StoppedEarly {
        /// The loop.
        name: String,
    },
    /// The notebook's own loop does not do that.
    NotebookLoop {
        /// What was asked for: `stop()`.
        what: &'static str,
    },
}

impl fmt::Display for LoopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoopClosed { name } => write!(
                f,
                "Event loop is closed: `close()` of the loop \"{name}\" was for good. Make another one with \
                 `Loop::new(\"{name}\")`."
            ),
            Self::AlreadyRunning { name } => write!(
                f,
                "This event loop is already running: a loop runs once at a time, and the loop \"{name}\" is running \
                 whoever asks. Inside of a task write `.await`, or `create_task` on the loop."
            ),
            Self::AnotherLoopRuns { name, running } => write!(
                f,
                "Cannot run the event loop while another loop is running: \"{running}\" runs on this thread and would \
                 stand still while \"{name}\" runs. Run \"{name}\" from a cell or on a thread of its own."
            ),
            Self::CannotCloseWhileRunning { name } => write!(
                f,
                "Cannot close a running event loop: call `stop()` on the loop \"{name}\", and `close()` when its `run_…` \
                 has returned."
            ),
            Self::StoppedEarly { name } => write!(
                f,
                "Event loop stopped before Future completed: `stop()` was called on the loop \"{name}\", so the future was \
                 dropped where it stood. What is to survive a `stop()` belongs into `create_task`: such a task goes on when \
                 the loop runs again."
            ),
            Self::NotebookLoop { what } => write!(
                f,
                "the notebook's own loop does not do `{what}`: it runs for as long as the kernel, on several threads, and \
                 every cell and every `task::spawn` needs it. Cells may `.await` at any time; for a loop that you start, \
                 stop and close yourself write `Loop::new(\"lab\")`."
            ),
        }
    }
}

impl Error for LoopError {}

/// There is no loop that runs on this thread; see [`get_running_loop`](super::get_running_loop).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRunningLoop;

impl fmt::Display for NoRunningLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no running event loop: `get_running_loop()` answers inside of cells, tasks and callbacks. This thread runs \
             neither; hand it a clone of the loop that it shall use.",
        )
    }
}

impl Error for NoRunningLoop {}

/// Why a [`Task`](super::Task) has no result to give.
///
/// ```
/// use loopbook::{Loop, TaskError};
/// let lab = Loop::new("lab");
/// let task = lab.create_task("late", async { 1 });
/// assert!(matches!(task.result(), Err(TaskError::NotDone { .. })));
/// lab.close();
/// assert!(matches!(task.result(), Err(TaskError::Cancelled { .. })));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskError {
    /// The task has not ended.
    NotDone {
        /// The task.
        task: String,
    },
    /// The task was cancelled.
    Cancelled {
        /// Which task, and by whom.
        message: String,
    },
    /// The task has panicked.
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// Somebody has awaited the task and has its output.
    Taken {
        /// The task.
        task: String,
    },
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDone { task } => {
                write!(f, "Result is not set: {task} has not ended. Await it, or ask `done()` first.")
            }
            Self::Cancelled { message } => f.write_str(message),
            Self::Panicked { message } => write!(f, "the task has panicked: {message}"),
            Self::Taken { task } => {
                write!(
                    f,
                    "the result of {task} is gone: whoever awaited the task has it. Ask for it before the `.await`."
                )
            }
        }
    }
}

impl Error for TaskError {}

/// The answer of a [`Promise`](super::Promise) that was cancelled.
///
/// ```
/// # use loopbook::facade::task;
/// use loopbook::{Cancelled, Promise};
/// let promise = Promise::<u32>::new();
/// promise.cancel();
/// # task::block_on(async {
/// assert_eq!(promise.await, Err(Cancelled));
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the promise was cancelled: it will never have a result")
    }
}

impl Error for Cancelled {}

/// What a [`Promise`](super::Promise) refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PromiseError {
    /// It has a result or was cancelled, and that is final.
    AlreadyDone,
    /// It has no result so far.
    NotDone,
    /// It was cancelled.
    Cancelled,
}

impl fmt::Display for PromiseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyDone => f.write_str(
                "invalid state: the promise is done, and its first result is final. Make a new `Promise` for another one.",
            ),
            Self::NotDone => f.write_str("Result is not set: await the promise, or ask `done()` first."),
            Self::Cancelled => Cancelled.fmt(f),
        }
    }
}

impl Error for PromiseError {}
