//! What the kernel writes into cells in place of their `?`, `static`, `dbg!` and so on; `:expand-cell` shows a cell with it.
//!
//! The rewriter in the kernel that writes calls of a module has the module's name (`src/evaluator/cell/rewrites/`), but that of `dbg`
//! is `places`; `generations` is a part of `statics`. Two rewriters write calls of other folders: `awaits` of `tasks/await_sites`,
//! `show` of `show`.

pub(crate) mod dbg;
pub(crate) mod generations;
pub(crate) mod lazy_futures;
pub(crate) mod old_values;
pub(crate) mod statics;
pub(crate) mod thread_locals;
pub(crate) mod ticks;
pub(crate) mod try_operator;
mod unstored;
