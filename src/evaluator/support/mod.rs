//! Small modules that every other room may use.

pub mod prelude;
pub(super) mod process_state;
pub mod timing;
pub mod typename;
pub mod wording;
