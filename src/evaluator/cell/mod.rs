//! One preprocessing pass over every cell: what the user typed becomes what evcxr gets.
//!
//! A cell goes through these steps (`prepared`):
//!
//! 1. `parse`: `head` (line ends, a shebang, notebook comments and leading `:` commands), `nesting` (brackets, strings and
//!    comments that do not end, and nesting that no parser survives), `syntax` (a real parse: what does not parse is refused,
//!    because evcxr would report it as success), `dangling` (attributes of nothing),
//! 2. `rewrites`: each only notes `edits`; what it writes calls a module of its own name in the runtime, mostly in `expansion`,
//! 3. `items`: what the cell defines, and `duplicates`: names that it defines twice,
//! 4. `map`: `source_map`, the way back from a place in evcxr's code to a place in the cell; `columns`, the same for code that
//!    runs; `import_lines`, for the lines that evcxr writes anew.
//!
//! If the compiler has something against it, one of the `second_tries` follows; if the cell has ended its process,
//! `only_items`. What evcxr gets in the end is the rewritten cell and `variable_types` behind it.
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
mod variable_types;

pub use items::layouts::{Layout, SlotName, UNKNOWN};
pub use items::{Binding, Item, ItemKind};
pub use map::source_map::SourceMap;
pub use notebook::Notebook;
pub use parse::blocks::is_in_block;
pub use parse::complete::is_complete;
pub use parse::head::{Command, command_lines, without_commands};
pub use parse::problem::{Problem, Span};
pub use prepared::{PreparedCell, prepare};
pub use rewrites::findings::{Finding, Why};
pub use rewrites::mutex_variable::{MUTEX, RENAMED_MUTEX};
pub use rewrites::unstored::Unstored;
pub(super) use rewrites::unstored::dropped_by;
