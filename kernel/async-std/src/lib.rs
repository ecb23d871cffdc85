//! The `async_std` that cells see: async-std itself, except that tasks, locks, channels and timeouts go through Loopbook's
//! runtime. So tasks have a name, a place and a state in `:tasks`, and what they wait for has a number. Signatures are
//! async-std's.
//!
//! The macros of async-std (`task_local!`, `#[async_std::main]`) work unchanged.

pub use loopbook::facade::{channel, future, io, prelude, sync, task};
pub use real_async_std::*;
