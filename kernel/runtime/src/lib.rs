//! The event loop behind the cells of a notebook, and how cells look at it.
//!
//! Every cell is a shared object linked to this one: async-std's executor and reactor, the table of tasks and the
//! connection to the kernel exist once per process, whatever cell uses them. In reading order:
//!
//! - `attach`: where the child program meets this library; what happens around each cell,
//! - `cell`: the cell that runs, its body; `beside`: cells of subshells; `interrupts`, `ticks`: how either is ended,
//! - `link`: the socket to the kernel; `output`, `markers`, `stdin`, `flusher`: what user code prints and reads,
//! - `pool`: the threads that run tasks, and what keeps them running; `local`: tasks of one thread,
//! - `record`, `registry`, `instrument`, `context`, `site`, `sockets`, `threads`, `events`, `clock`, `panics`: what is known of tasks;
//!   `objects`: the locks and channels that they wait for; `watching`: the switch for all of that,
//! - `awaits`: at which `.await`s of cells a task stands,
//! - `event_loop`: loops that cells make and run themselves, as asyncio has them,
//! - `gather`, `branches`, `keep`, `json`: what cells do with futures; `tasks`, `cancel`, `lints`, `graph`, `loop_stats`,
//!   `resources`, `reactor`, `timeline`: what they learn of tasks and do to them,
//! - [`lab`], `cost`, `predict`, `about`: what lessons need,
//! - `show`, `showing`, `display`, `forms`, `progress`, `rich`, `brief`, `seen`, `names`, `counted`, `views`: how values and tasks look;
//!   `input`: asking,
//! - `question`, `dbg`, `slot`, `local_slot`, `generations`, `spares`, `hidden`: what the kernel puts in place of a cell's
//!   `?`, `dbg!`, `static`, `thread_local!`, repeated `let`, and of a `let` that no later cell needs,
//! - [`facade`]: the parts of async-std and tokio that cells see in our version.

mod connection;
mod event_loop;
mod executor;
mod expansion;
pub mod facade;
mod gather;
mod inspect;
mod lessons;
pub mod prelude;
mod process;
mod running;
mod shell;
mod show;
mod support;
mod tasks;

pub use loopbook_channel::{
    AwaitSite, InputError, LockKind, ObjectId, Operation, Site, TaskId, TaskInfo, TaskKind, TaskState, WaitingOn,
    WokenBy,
};

pub use event_loop::{
    CallHandle, Cancelled, Loop, LoopError, LoopSnapshot, LoopSummary, NoRunningLoop, Priority, Promise, PromiseError,
    Task, TaskError, get_event_loop, get_running_loop, set_event_loop,
};
pub use expansion::lazy_futures::{keep, keep_local};
pub use gather::{Awaitable, gather_all, try_gather_all};
pub use inspect::graph::{CallGraph, call_graph};
pub use inspect::loop_stats::{Lag, LoopStats, WorkerStats, loop_stats};
pub use inspect::reactor::{Descriptor, Interest, Reactor, reactor};
pub use inspect::resources::{Resource, resources};
pub use inspect::tasks::{all_tasks, current_task, finished_tasks, remember_finished, task};
pub use inspect::timeline::{Lane, Span, Timeline, Wake, Worker, record_timeline, timeline, trace};
pub use lessons::about::{About, about};
pub use lessons::cost::{Cost, cost, cost_of};
pub use lessons::lab;
pub use lessons::predict::{Prediction, predictions};
pub use show::display::{Content, DisplayHandle, Displayable, clear_output, display, display_as};
pub use show::forms::{Html, Markdown, Png, Svg};
pub use show::input::{input, password};
pub use show::json::json;
pub use show::progress::{ByCount, ByIterator, IntoProgress, Progress, progress};
pub use support::brief::{Whole, whole};
pub use tasks::cancel::{CancelOutcome, cancel, cancel_cell};
pub use tasks::lints::{Lint, lints, show_lints};
pub use tasks::watching::watch_tasks;

/// What the macros and the kernel's rewritten cells use. Not for people: it may change with every version.
#[doc(hidden)]
pub mod __private {
    pub use crate::__dbg as dbg;
    pub use crate::expansion::dbg::here;
    pub use crate::expansion::old_values::*;
    pub use crate::expansion::statics::Slot;
    pub use crate::expansion::thread_locals::LocalSlot;
    pub use crate::expansion::ticks::{Shield, shield, tick};
    pub use crate::expansion::try_operator::*;
    pub use crate::gather::branches::{join, race, try_join};
    pub use crate::lessons::predict::{Guess, predict};
    pub use crate::shell::subshell::beside;
    pub use crate::show::showing::Showing;
    pub use crate::show::*;
    pub use crate::tasks::await_sites::{at, watch_awaits};
}
