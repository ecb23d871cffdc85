//! What all the other rooms stand on.

pub(super) mod html;
pub mod prelude;
pub(super) mod process_state;
pub mod wording;
