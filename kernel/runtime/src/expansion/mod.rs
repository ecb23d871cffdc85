//! What the kernel writes into cells in place of their `?`, `static`, `dbg!` and so on; `:expand-cell` shows a cell with it.
//!
//! Each module has the name of the rewriter in the kernel (`src/evaluator/cell/rewrites/`) that writes calls of it.

pub(crate) mod dbg;
pub(crate) mod generations;
pub(crate) mod lazy_futures;
pub(crate) mod old_values;
pub(crate) mod statics;
pub(crate) mod thread_locals;
pub(crate) mod ticks;
pub(crate) mod try_operator;
mod unstored;
