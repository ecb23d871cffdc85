//! The `tokio` that cells see: tokio itself, except for [`spawn`], [`runtime::Runtime`] and its builder. evcxr wraps
//! each cell in `tokio::runtime::Runtime::block_on`, and that call is where a cell meets Loopbook's loop. Runtimes that
//! the user makes are tokio's own.

pub use loopbook::facade::runtime;
pub use loopbook::facade::tokio_task::spawn;
pub use real_tokio::*;

/// tokio's `task`, with a [`spawn`](task::spawn) that the inspector knows.
pub mod task {
    pub use loopbook::facade::tokio_task::spawn;
    pub use real_tokio::task::*;
}
