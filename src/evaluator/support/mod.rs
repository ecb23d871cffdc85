//! What all the other rooms stand on.

pub mod prelude;
pub(in crate::evaluator) mod process_state;
pub mod wording;
