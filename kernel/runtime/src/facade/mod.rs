//! The parts of async-std and tokio that cells see in our version; their crates under the same names re-export these.

pub mod channel;
pub mod future;
pub mod io;
mod noting;
pub mod prelude;
pub mod runtime;
pub mod sync;
pub mod task;
pub mod tokio_task;
