//! How the runtime's data looks: text for terminals, HTML for notebooks, JSON for programs. Nothing here asks for anything.

mod lints;
mod table;
mod tasks;
mod units;

#[cfg(test)]
mod tests;

pub(crate) use lints::lints;
pub(crate) use table::Escaped;
pub(crate) use tasks::tasks;
pub(crate) use units::duration;
