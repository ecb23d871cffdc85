//! The `tokio` that cells see: tokio itself, except for [`spawn`], [`runtime::Runtime`] and its builder. Runtimes that the
//! user makes are tokio's own, and the inspector knows what they block on.

pub use loopbook::facade::runtime;
pub use loopbook::facade::tokio_task::spawn;
pub use real_tokio::*;

/// tokio's `task`, with a [`spawn`](task::spawn) that the inspector knows.
pub mod task {
    pub use loopbook::facade::tokio_task::spawn;
    pub use real_tokio::task::*;
}
