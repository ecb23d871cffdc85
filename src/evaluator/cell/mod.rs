//! One preprocessing pass over every cell: what the user typed becomes what evcxr gets.
//!
//! `prepared` takes a cell through these steps:
//!
//! 1. `parse/head`: line ends, a shebang, notebook comments and leading `:` commands,
//! 2. `parse/nesting`: brackets, strings and comments that do not end, and nesting that no parser survives,
//! 3. `parse/syntax`: a real parse; what does not parse is refused, because evcxr would report it as success,
//! 4. `rewrites`: what evcxr or the runtime needs otherwise than people write it. Each only notes `edits`,
//! 5. `items`: what the cell defines, and what it must not define twice,
//! 6. `map`: the way back from a place in evcxr's code to a place in the cell,
//! 7. `second_tries`: the cell once more, with what a compilation has shown; `only_items` if the cell has ended its process.
//!
//! Everything here is pure: no I/O, no clock, no state between cells but [`Notebook`].

pub mod changed_types;
mod items;
mod map;
mod notebook;
mod only_items;
mod parse;
mod prepared;
mod rewrites;
mod second_tries;
pub mod subshell;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod time_tests;

pub use items::layouts::{Layout, SlotName, UNKNOWN};
pub use items::{Binding, Item, ItemKind};
pub use map::source_map::SourceMap;
pub use notebook::Notebook;
pub use parse::blocks::is_in_block;
pub use parse::complete::is_complete;
pub use parse::head::Command;
pub use parse::problem::{Problem, Span};
pub use prepared::{PreparedCell, prepare};
pub use rewrites::lessons::{Lesson, Why};
pub use rewrites::mutex_variable::{MUTEX, RENAMED_MUTEX};
pub use rewrites::unstored::Local;
pub(super) use rewrites::unstored::dropped_by;
