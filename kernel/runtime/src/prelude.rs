//! What every cell can name without a path.

pub use crate::{display, gather, race, try_gather};
