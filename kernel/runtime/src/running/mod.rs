//! Which cells run, and what has been asked to end.

pub(crate) mod cell;
pub(crate) mod end_requests;
pub(crate) mod interrupts;
pub(crate) mod subshells;
