//! Small modules that every other room may use.

pub(in crate::evaluator) mod html;
pub mod prelude;
pub(in crate::evaluator) mod process_state;
pub mod wording;
