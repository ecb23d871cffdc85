//! How the runtime's data looks: text for terminals, HTML for notebooks, JSON for programs. Nothing here asks for anything.

mod lints;
mod loops;
mod table;
mod tasks;
mod tree;
mod units;

#[cfg(test)]
mod tests;

pub(crate) use lints::lints;
pub(crate) use loops::{loop_stats, resources, task};
pub(crate) use table::Escaped;
pub(crate) use tasks::{tasks, wait};
#[cfg(test)]
pub(crate) use tests::example_task;
pub(crate) use tree::{tree, trees};
pub(crate) use units::duration;
