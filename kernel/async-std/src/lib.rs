//! The `async_std` that cells see: async-std itself, except that tasks are started through Loopbook's runtime, so that
//! they have a name, a place and a state in `:tasks`. Signatures are async-std's.
//!
//! The macros of async-std (`task_local!`, `#[async_std::main]`) work unchanged.

pub use loopbook::facade::task;
pub use real_async_std::*;
