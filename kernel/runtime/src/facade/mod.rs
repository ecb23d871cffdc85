//! The parts of async-std and tokio that cells see in our version; their crates under the same names re-export these.

pub mod runtime;
pub mod task;
pub mod tokio_task;
