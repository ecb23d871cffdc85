//! What is known of tasks while they live and for a while after, and how they are ended.
//!
//! - `record`, `registry`: each task, and the table of all; `probe` is the wrapper through which every poll goes,
//! - `context`: which task, and so which cell, runs on a thread; `outbox`: what goes to the kernel in its name,
//! - `threads`, `events`: who polls, and what happened when,
//! - `await_sites`, `objects`, `socket_waits`, `block_on_wakers`: what tasks wait for,
//! - `site`: from a place in compiled code to cell and line,
//! - `lints`: a new lint is a rule in `lints/rules.rs` (noticed at a spawn, a poll or an end) or in `lints/watch.rs` (noticed by looking at
//!   all tasks), and a line in the tables of the docs of `lints.rs`,
//! - `panics`, `cancel`: how tasks end otherwise; `watching`: the switch for all of this.

pub(crate) mod await_sites;
pub(crate) mod block_on_wakers;
pub(crate) mod cancel;
pub(crate) mod context;
pub(crate) mod events;
pub(crate) mod lints;
pub(crate) mod objects;
pub(crate) mod outbox;
pub(crate) mod panics;
pub(crate) mod probe;
pub(crate) mod record;
pub(crate) mod registry;
pub(crate) mod site;
pub(crate) mod socket_waits;
pub(crate) mod threads;
pub(crate) mod watching;
