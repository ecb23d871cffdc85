//! The event loop behind the cells of a notebook, and how cells look at it.
//!
//! Every cell is a shared object linked to this one: async-std's executor and reactor, the table of tasks and the
//! connection to the kernel exist once per process, whatever cell uses them. The folders, from the top down; each may use
//! some of those below it and none above (`tests/it/tidy/rooms.rs` has the list):
//!
//! - `prelude`: what cells have without a `use`,
//! - `process`: where the child program meets this library; what user code prints and reads; the thread that reads what the kernel
//!   says, and the one that answers its questions,
//! - `show`: how values and tasks look, `display`, `progress`, `input`,
//! - `lessons`: [`lab`] servers, `cost`, `predict!`,
//! - `inspect`: what cells learn of tasks: lists, graphs, counts, resources, timelines,
//! - `event_loop`: loops that cells make and run themselves, as asyncio has them,
//! - [`facade`]: the parts of async-std and tokio that cells see in our version,
//! - `gather`: `gather!`, `try_gather!`, `race!`,
//! - `executor`: the threads of the pool, `block_on`, and how the bodies of cells run,
//! - `expansion`: what the kernel writes into cells in place of their `?`, `static`, `thread_local!`, repeated `let` and
//!   so on,
//! - `tasks`: what is known of tasks: records, wakes, places of `.await`, locks and channels, sockets, lints, panics; how tasks
//!   and cells are ended,
//! - `connection`: the socket to the kernel, as all write to it,
//! - `running`: which cells run, and what has been asked to end,
//! - `support`: what every room may use.

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
pub use inspect::resources::resources;
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
pub use tasks::objects::Resource;
pub use tasks::watching::watch_tasks;

/// What the macros and the kernel's rewritten cells use. Not for people: it may change with every version.
#[doc(hidden)]
pub mod __private {
    pub use crate::__dbg as dbg;
    pub use crate::executor::cell_body::{in_subshell, run_cell, run_cell_with_errors};
    pub use crate::expansion::dbg::here;
    pub use crate::expansion::old_values::*;
    pub use crate::expansion::statics::Slot;
    pub use crate::expansion::thread_locals::LocalSlot;
    pub use crate::expansion::ticks::{Shield, shield, tick};
    pub use crate::expansion::try_operator::*;
    pub use crate::gather::branches::{join, race, try_join};
    pub use crate::lessons::predict::{Guess, predict};
    pub use crate::process::variables;
    pub use crate::show::evcxr_display::Showing;
    pub use crate::show::*;
    pub use crate::tasks::await_sites::{at, watch_awaits};
}
