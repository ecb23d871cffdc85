//! What the kernel writes into cells in place of their `?`, `static`, `dbg!` and so on. `:expand-cell` shows it; each
//! module has the name of the rewriter in the kernel (`src/evaluator/cell/rewrites`) whose other half it is.

pub(crate) mod dbg;
pub(crate) mod generations;
pub(crate) mod lazy_futures;
pub(crate) mod old_values;
pub(crate) mod statics;
pub(crate) mod thread_locals;
pub(crate) mod ticks;
pub(crate) mod try_operator;
mod unstored;
