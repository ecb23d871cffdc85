//! What lessons need: servers to talk to, costs, predictions.

pub(crate) mod about;
pub(crate) mod cost;
pub mod lab;
pub(crate) mod predict;
