//! Records of tasks, kept while they live and a while after: states, wakes, locks, places of `.await`, lints.

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
