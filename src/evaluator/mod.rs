//! The evaluator, which runs cells. The dispatcher knows only the trait [`Evaluator`] and the [`Event`]s that come back.

pub mod build;
pub mod cell;
pub mod child;
pub mod commands;
pub mod completion;
pub mod errors;
#[cfg(test)]
mod fuzz_tests;
pub mod reference;
#[cfg(feature = "rust")]
pub mod rust;
pub mod support;
pub mod toy;

use futures::future::BoxFuture;
use loopbook_channel::{CellId, DisplayKind, InputError, MimeBundle, Query, Stream};
use serde_json::{Map, Value};

/// evcxr's version, as Cargo.toml has it: people see it, and it decides what the manifests of cells look like.
pub const EVCXR_VERSION: &str = "0.22.0";

/// A language behind the kernel.
///
/// No method blocks: what takes time answers by an [`Event`] (on the channel that the evaluator was made with) or by a
/// future. Cells of one shell run one after the other, in the order in which they were started; shells do not wait for
/// each other, but what only one of them can have (the compiler) they have in turn.
pub trait Evaluator: Send + Sync + 'static {
    /// Takes a cell and returns at once. [`Event`]s with its id follow; exactly one [`Event::Done`] per cell.
    fn start(&self, cell: Cell);

    /// Ends this execution early: its [`Event::Done`] comes soon, with an error named `Interrupted`. A cell that has not
    /// begun never runs. Does nothing if the cell is done.
    fn interrupt(&self, cell: CellId);

    /// Answers [`Event::Input`].
    fn reply_to_input(&self, id: u64, reply: Result<String, InputError>);

    /// Completions of `code` with the cursor at this byte offset.
    fn complete(&self, code: String, cursor: usize) -> BoxFuture<'static, Completions>;

    /// What is known of the token at or before this byte offset; `None` if nothing.
    fn inspect(&self, code: String, cursor: usize, detailed: bool) -> BoxFuture<'static, Option<MimeBundle>>;

    /// Whether `code` would run as it is. Pure and quick.
    fn is_complete(&self, code: &str) -> Completeness;

    /// Asks the loop inspector; the error is a sentence for the user.
    fn query(&self, query: Query) -> BoxFuture<'static, Result<MimeBundle, String>>;

    /// Ends whatever runs and releases all resources (processes, directories). No event follows. Blocks for at most a
    /// second. Called at shutdown, and once more as the process's last act: what still worked in between may have made
    /// something anew.
    fn shutdown(&self);
}

/// A shell: a queue of cells.
pub type ShellId = u32;

/// The shell that every kernel has. All others are subshells (JEP 91).
pub const MAIN_SHELL: ShellId = 0;

/// One cell to execute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Counted up by the dispatcher, never reused.
    pub id: CellId,
    /// The shell that runs it.
    pub shell: ShellId,
    /// The execution count that the user sees; 0 for a user expression.
    pub number: u32,
    /// The text, as the front end sent it.
    pub code: String,
    /// Whether the front end answers input requests.
    pub allow_stdin: bool,
    /// Whether results and displays are unwanted.
    pub silent: bool,
}

/// What an evaluator reports. Events of one cell come in the order in which the user should see them; events of a
/// cell's background tasks may come after its `Done`.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The evaluator is warm; the text says how long it took.
    Ready {
        /// For the log.
        message: String,
    },
    /// Something was printed. Need not be whole lines, nor UTF-8.
    Output {
        /// Who caused it.
        cell: CellId,
        /// Where.
        stream: Stream,
        /// What.
        bytes: Vec<u8>,
    },
    /// Something to show.
    Display {
        /// Who caused it.
        cell: CellId,
        /// As what.
        kind: DisplayKind,
        /// The content.
        data: MimeBundle,
        /// Display metadata.
        metadata: Map<String, Value>,
        /// `transient.display_id`.
        display_id: Option<String>,
    },
    /// `:output`: a wish about what cells print.
    Printing {
        /// Who asked.
        cell: CellId,
        /// For what.
        wish: Printing,
    },
    /// The value of a cell shows itself by printing.
    ShowsItself {
        /// The cell.
        cell: CellId,
        /// Whether it begins; else it has ended.
        begins: bool,
    },
    /// `clear_output`.
    ClearOutput {
        /// Who asked.
        cell: CellId,
        /// Wait for the next output first.
        wait: bool,
    },
    /// A page for the front end's pager: documentation, help.
    Page {
        /// Who asked.
        cell: CellId,
        /// The content.
        data: MimeBundle,
    },
    /// User code wants a line; answer with [`Evaluator::reply_to_input`].
    Input {
        /// Number of the question.
        id: u64,
        /// Who asks.
        cell: CellId,
        /// Text to show.
        prompt: String,
        /// Whether to hide the answer.
        password: bool,
    },
    /// The cell has ended. Everything that it printed came before.
    Done {
        /// The cell.
        cell: CellId,
        /// How it ended.
        outcome: Outcome,
    },
}

impl Event {
    /// Something to show, without display metadata.
    pub fn display(cell: CellId, kind: DisplayKind, data: MimeBundle, display_id: Option<String>) -> Self {
        Self::Display { cell, kind, data, metadata: Map::new(), display_id }
    }
}

/// What can be wished of what cells print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printing {
    /// To see what was not shown of the cell with this number, or of the latest of which something was not.
    Rest(Option<u32>),
    /// That so many lines of each cell are shown; all if there is no number.
    Limit(Option<u64>),
}

/// How a cell ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Without an error.
    Ok,
    /// With an error of the user's code, or of the process that runs it.
    Error(Report),
}

/// An error as Jupyter shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// `CompileError`, `Panic`, `Error`, `Interrupted`, `ChildDied` or `CommandError`.
    pub ename: String,
    /// One line.
    pub evalue: String,
    /// Lines with ANSI colour.
    pub traceback: Vec<String>,
}

/// Answer of [`Evaluator::complete`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completions {
    /// Byte offset of the first character that a completion replaces.
    pub start: usize,
    /// Byte offset behind the last one.
    pub end: usize,
    /// In the order to show.
    pub items: Vec<Completion>,
}

impl Completions {
    /// Whether each of `others` is among these.
    #[cfg(feature = "rust")]
    pub(crate) fn has_all_of(&self, others: &Self) -> bool {
        others.items.iter().all(|other| self.items.iter().any(|item| item.text == other.text))
    }
}

/// One completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What to insert.
    pub text: String,
    /// `function`, `macro`, `class`, `trait`, `module`, `instance`, `keyword` or `magic`.
    pub kind: &'static str,
    /// Signature, if known.
    pub signature: Option<String>,
}

/// Answer of [`Evaluator::is_complete`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// Ready to run.
    Complete,
    /// Needs more text; the indent of the next line.
    Incomplete {
        /// Spaces to begin the next line with.
        indent: String,
    },
    /// Broken: more text will not help.
    Invalid,
}
