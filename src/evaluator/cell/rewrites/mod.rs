//! What the kernel writes into a cell. What that calls in the runtime has the same name there: `expansion/statics` for `statics`,
//! `tasks/await_sites` for `await_sites`, `show` for `show`; `expansion/dbg` for `places`. The other rewriters call nothing of the runtime's.

pub(super) mod await_sites;
pub(super) mod edits;
pub(super) mod findings;
pub(super) mod impls;
pub(super) mod imports;
pub(super) mod lazy_futures;
pub(super) mod macro_arguments;
pub(super) mod macros;
pub(super) mod marks;
pub(super) mod mutex_variable;
pub(super) mod old_values;
pub(super) mod origin;
pub(super) mod places;
pub(super) mod show;
pub(super) mod statics;
pub(super) mod test_functions;
pub(super) mod thread_locals;
pub(super) mod ticks;
pub(super) mod try_operator;
pub(super) mod unstored;
