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

mod about;
mod attach;
mod awaits;
mod base64;
mod beside;
mod block_on;
mod branches;
mod brief;
mod cancel;
mod cell;
mod clock;
mod context;
mod cost;
mod dbg;
mod display;
mod event_loop;
mod events;
pub mod facade;
mod flusher;
mod forms;
mod gather;
mod generations;
mod graph;
mod handles;
mod hidden;
mod input;
mod inspector;
mod instrument;
mod interrupts;
mod json;
mod keep;
pub mod lab;
mod link;
mod lints;
mod local;
mod local_slot;
mod loop_stats;
mod markers;
mod names;
mod objects;
mod output;
mod panics;
mod pool;
mod predict;
pub mod prelude;
mod progress;
mod question;
mod reactor;
mod record;
mod registry;
mod resources;
mod rich;
mod seen;
mod show;
mod showing;
mod site;
mod slot;
mod sockets;
mod spares;
mod stdin;
mod sync;
mod tasks;
mod threads;
mod ticks;
mod timeline;
mod views;
mod watching;

pub use loopbook_channel::{
    AwaitSite, InputError, LockKind, ObjectId, Operation, Site, TaskId, TaskInfo, TaskKind, TaskState, WaitingOn,
    WokenBy,
};

pub use about::{About, about};
pub use brief::{Whole, whole};
pub use cancel::{CancelOutcome, cancel, cancel_cell};
pub use cost::{Cost, cost, cost_of};
pub use display::{Content, DisplayHandle, Displayable, clear_output, display, display_as};
pub use event_loop::{
    CallHandle, Cancelled, Loop, LoopError, LoopSnapshot, LoopSummary, NoRunningLoop, Priority, Promise, PromiseError,
    Task, TaskError, get_event_loop, get_running_loop, set_event_loop,
};
pub use forms::{Html, Markdown, Png, Svg};
pub use gather::{Awaitable, gather_all, try_gather_all};
pub use graph::{CallGraph, call_graph};
pub use input::{input, password};
pub use json::json;
pub use keep::{keep, keep_local};
pub use lints::{Lint, lints, show_lints};
pub use loop_stats::{Lag, LoopStats, WorkerStats, loop_stats};
pub use predict::{Prediction, predictions};
pub use progress::{ByCount, ByIterator, IntoProgress, Progress, progress};
pub use reactor::{Descriptor, Interest, Reactor, reactor};
pub use resources::{Resource, resources};
pub use tasks::{all_tasks, current_task, finished_tasks, remember_finished, task};
pub use timeline::{Lane, Span, Timeline, Wake, Worker, record_timeline, timeline, trace};
pub use watching::watch_tasks;

/// What the macros and the kernel's rewritten cells use. Not for people: it may change with every version.
#[doc(hidden)]
pub mod __private {
    pub use crate::__dbg as dbg;
    pub use crate::awaits::{at, watch_awaits};
    pub use crate::beside::beside;
    pub use crate::branches::{join, race, try_join};
    pub use crate::dbg::here;
    pub use crate::local_slot::LocalSlot;
    pub use crate::predict::{Guess, predict};
    pub use crate::question::*;
    pub use crate::show::*;
    pub use crate::showing::Showing;
    pub use crate::slot::Slot;
    pub use crate::spares::*;
    pub use crate::ticks::{Shield, shield, tick};
}
