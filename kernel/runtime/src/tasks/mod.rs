//! What is known of tasks while they live and for a while after, and how they are ended.
//!
//! - `record`, `registry`: each task, and the table of all; `probe` is the wrapper through which every poll goes,
//! - `context`: which task, and so which cell, runs on a thread; `outbox`: what goes to the kernel in its name,
//! - `threads`, `events`: who polls, and what happened when,
//! - `await_sites`, `objects`, `sockets`, `local_drivers`: what tasks wait for,
//! - `site`: from a place in compiled code to cell and line,
//! - `lints`: a new lint is a row in the table of `lints.rs` and a rule in `lints/rules.rs` (seen at a poll) or `lints/watch.rs` (seen
//!   by looking at all tasks),
//! - `panics`, `cancel`: how tasks end otherwise; `watching`: the switch for all of this.

pub(crate) mod await_sites;
pub(crate) mod cancel;
pub(crate) mod context;
pub(crate) mod events;
pub(crate) mod lints;
pub(crate) mod local_drivers;
pub(crate) mod objects;
pub(crate) mod outbox;
pub(crate) mod panics;
pub(crate) mod probe;
pub(crate) mod record;
pub(crate) mod registry;
pub(crate) mod site;
pub(crate) mod sockets;
pub(crate) mod threads;
pub(crate) mod watching;
