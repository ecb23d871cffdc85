//! Which cells run, and which of them are to end.

pub(crate) mod cell;
pub(crate) mod interrupts;
