//! The JSON messages of the channel.

use crate::{CellId, CompiledLine, Site, TaskId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// MIME type to content, as Jupyter shows it: text as a JSON string, JSON types as they are.
pub type MimeBundle = BTreeMap<String, serde_json::Value>;

/// A standard stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What the child tells the kernel. What cells print is not here: see [`crate::Frame::Output`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToKernel {
    /// First message. `pipes` are the numbers of [`crate::Api::stdout_pipe`] and its sibling in the child, so that the
    /// kernel can read what is left in them when the child has died.
    Hello {
        /// [`crate::VERSION`] of the child.
        version: u32,
        /// The child's process id.
        pid: u32,
        /// Descriptors of the read ends.
        pipes: [i32; 2],
        /// The same of the pipe that takes [`crate::LastWords`].
        last_words: i32,
    },
    /// A loaded cell asks whether it may run; the kernel answers [`ToChild::Begin`] at once.
    MayBegin,
    /// The main shell's cell cannot be loaded. The kernel sees to it that evcxr does not try again, and answers
    /// [`ToChild::Begin`], which does not let it run.
    NotLoaded {
        /// Why, as the loader says it.
        reason: String,
    },
    /// The cell has ended, and everything that it printed and showed has been sent.
    CellDone {
        /// The cell.
        cell: CellId,
        /// How it ended.
        outcome: CellOutcome,
        /// Variables that it was defining anew when it failed, and whose old values the runtime still has.
        old_values: Vec<String>,
    },
    /// Something to show.
    Display {
        /// The cell that caused it.
        cell: CellId,
        /// As what.
        kind: DisplayKind,
        /// The content.
        data: MimeBundle,
        /// Jupyter's display metadata.
        metadata: serde_json::Map<String, serde_json::Value>,
        /// Jupyter's `transient.display_id`.
        display_id: Option<String>,
    },
    /// The value of a cell shows itself: what `evcxr_display` prints from now on, or did until now, is the cell's result.
    ShowsItself {
        /// The cell.
        cell: CellId,
        /// Whether it begins; else it has ended.
        begins: bool,
    },
    /// Jupyter's `clear_output`.
    ClearOutput {
        /// The cell that asked.
        cell: CellId,
        /// Wait for the next output before clearing.
        wait: bool,
    },
    /// A task that nobody awaits has panicked.
    TaskFailed {
        /// The cell that caused the task.
        cell: CellId,
        /// The task.
        task: TaskId,
        /// Its name.
        name: Option<String>,
        /// What happened.
        failure: Failure,
    },
    /// User code asks for a line; answered by [`ToChild::InputReply`].
    Input {
        /// Number of the question.
        id: u64,
        /// The cell that asks.
        cell: CellId,
        /// Text to show.
        prompt: String,
        /// Whether the answer must not be shown.
        password: bool,
    },
    /// Answer to [`ToChild::Query`]: a bundle to show, or a sentence that says why not.
    Answer {
        /// Number of the query.
        id: u64,
        /// The answer.
        answer: Result<MimeBundle, String>,
        /// What the answer to [`Query::Tasks`] lists; of other queries, nothing is counted.
        living: Living,
    },
}

/// How many of the listed tasks have not ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Living {
    /// All of them.
    pub all: usize,
    /// Those that go on by themselves: no cells, and no branches, which go with their tasks.
    pub independent: usize,
}

/// What the kernel tells the child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToChild {
    /// Answer to [`ToKernel::MayBegin`].
    Begin {
        /// The cell that is loaded.
        cell: CellId,
        /// Its execution count.
        number: u32,
        /// False if it must not run: it was interrupted meanwhile, or `forget` comes first.
        run: bool,
        /// Variables that evcxr must give up before the cell may run, because their types have changed. evcxr then
        /// compiles the cell again without them.
        forget: Vec<String>,
        /// Statics that begin anew with this cell, because their types have changed.
        renew: Vec<String>,
    },
    /// Where the columns of a cell stand in its code as it is compiled. Comes before the cell may run, and again, for a new
    /// child, before any other cell may that holds its items.
    Columns {
        /// The cell's number.
        number: u32,
        /// Its lines.
        lines: Vec<CompiledLine>,
    },
    /// Load a cell of a subshell and run it on a thread of its own, beside the main shell's.
    RunInSubshell {
        /// The cell.
        cell: CellId,
        /// Its number, from [`crate::SUBSHELL`] on.
        number: u32,
        /// Path of its shared object, with the function [`crate::SUBSHELL_SYMBOL`]; removed when it is loaded.
        library: String,
        /// Path of the file that it was compiled from, for the line marks in it.
        source: String,
    },
    /// End this cell's execution early, if it runs.
    Interrupt {
        /// The cell.
        cell: CellId,
    },
    /// Ask the inspector.
    Query {
        /// Number of the query.
        id: u64,
        /// The question.
        query: Query,
        /// Whether the answer is to have `application/json`, which takes its time if there are many tasks. It has if
        /// nothing is said.
        #[serde(default = "yes")]
        data: bool,
    },
    /// Answer to [`ToKernel::Input`].
    InputReply {
        /// Number of the question.
        id: u64,
        /// The line, without its newline, or why there is none.
        reply: Result<String, InputError>,
    },
}

fn yes() -> bool {
    true
}

/// What a table of tasks is sorted by: names and the like from the first on, times and counts from the largest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskOrder {
    /// The task's number.
    Id,
    /// Its name; tasks without one come last.
    Name,
    /// Its state, those that run first.
    State,
    /// The cell and line that caused it.
    Cell,
    /// Time in polls.
    Busy,
    /// Time ready to run.
    Scheduled,
    /// Time waiting.
    Idle,
    /// Number of polls.
    Polls,
    /// Number of wakes.
    Wakes,
}

/// A question to the inspector. Answered on a thread of its own, also while every other thread is busy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "query", rename_all = "snake_case")]
pub enum Query {
    /// The task table (`:tasks`). The answer has `text/plain`, `text/html` and `application/json`.
    Tasks {
        /// Finished tasks too.
        #[serde(default)]
        all: bool,
        /// Only tasks of the cell with this execution count.
        #[serde(default)]
        cell: Option<u32>,
        /// In which order; by number if nothing is said.
        #[serde(default)]
        sort: Option<TaskOrder>,
    },
    /// One task with all that is known of it (`:task ID`). Answered like [`Query::Tasks`].
    Task {
        /// The task.
        id: TaskId,
    },
    /// Who waits for whom (`:pstree [ID]`): from this task down, or from all that nobody waits for. Answered like
    /// [`Query::Tasks`].
    Tree {
        /// The task.
        #[serde(default)]
        id: Option<TaskId>,
    },
    /// Threads, lag and numbers of the loop (`:loop`). Answered like [`Query::Tasks`].
    Loop,
    /// Gives the loop so many threads (`:loop threads N`). Answered like [`Query::Cancel`].
    Threads {
        /// At least 1.
        count: usize,
    },
    /// Turns the inspector on or off for tasks that are started from now on (`:loop watch`, `:loop unwatch`). Answered like
    /// [`Query::Cancel`].
    Watch {
        /// Whether it is on.
        on: bool,
    },
    /// Timers and sockets that something waits for (`:resources`). Answered like [`Query::Tasks`].
    Resources,
    /// When which task ran and waited (`:timeline`). Answered like [`Query::Tasks`], but for timelines of more than
    /// 50,000 parts without `application/json`.
    Timeline {
        /// Only tasks of the cell with this execution count.
        #[serde(default)]
        cell: Option<u32>,
        /// Only the last so many seconds.
        #[serde(default)]
        last: Option<f64>,
    },
    /// What was noticed of tasks that keep others from running (`:lints`). Answered like [`Query::Tasks`].
    Lints,
    /// Ends a task (`:cancel ID`). The answer says what came of it, as `text/plain`.
    Cancel {
        /// The task.
        id: TaskId,
    },
    /// Ends all that a cell has caused (`:cancel --cell N`). Answered like [`Query::Cancel`].
    CancelCell {
        /// The cell's execution count.
        cell: u32,
    },
}

/// How a display is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisplayKind {
    /// The value of the cell: `execute_result`.
    Result,
    /// `display_data`.
    Display,
    /// `update_display_data`.
    Update,
}

/// How a cell ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum CellOutcome {
    /// It ran to its end, or returned early without an error.
    Ok,
    /// It failed.
    Failed {
        /// How.
        failure: Failure,
    },
}

/// A failure in user code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What sort.
    pub kind: FailureKind,
    /// What the code said: the panic's message, the error's text.
    pub message: String,
    /// For a failed `?`: the sources of the error, outermost first.
    pub chain: Vec<String>,
    /// Where, if it is in a cell.
    pub site: Option<Site>,
    /// Where, if it is not in a cell: `file:line:column` in a dependency.
    pub location: Option<String>,
}

/// What sort of failure; each is an `ename` of the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// A panic.
    Panic,
    /// A failed `?` at cell level.
    Error,
    /// The user interrupted it.
    Interrupted,
}

/// Why there is no input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputError {
    /// The front end that runs this cell takes no input (`allow_stdin` is false).
    NotAllowed,
    /// The cell was interrupted while it waited.
    Interrupted,
    /// The kernel is shutting down.
    Closed,
}

impl std::fmt::Display for InputError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotAllowed => "nobody can be asked here: the program that runs this notebook takes no input",
            Self::Interrupted => "the cell was interrupted while it waited for input",
            Self::Closed => "the kernel shut down while the cell waited for input",
        })
    }
}

impl std::error::Error for InputError {}
