//! One preprocessing pass over every cell: what the user typed becomes what evcxr gets.
//!
//! A cell goes through these steps, each in its own file:
//!
//! 1. `clean`: line ends, a shebang, notebook comments and leading `:` commands,
//! 2. `scan`: brackets, strings and comments that do not end, and nesting that no parser survives,
//! 3. `syntax`: a real parse; what does not parse is refused, because evcxr would report it as success,
//! 4. the rewrites, which only note `edits`: `question`, `awaits`, `ticks`, `macros`, `carriers`, `rename`, `statics`,
//!    `thread_locals`, `imports`, `places`, `test_functions`, `main_function`, `spares`, `show`, `locals` (with `spent` and `foreseen`), `keep`,
//!    `marks`,
//! 5. `dangling`: attributes of nothing; `twice`: names that the cell defines twice; `items`: what it defines,
//! 6. `source_map`: the way back from a place in evcxr's code to a place in the cell; `columns`: the same for code that
//!    runs; `unmarked`: for the lines that evcxr writes anew,
//! 7. if the cell has ended its process: `only_items`.
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
pub use parse::head::{Command, command_lines, without_commands};
pub use parse::problem::{Problem, Span};
pub use prepared::{PreparedCell, prepare};
pub use rewrites::lessons::{Lesson, Why};
pub use rewrites::mutex_variable::{MUTEX, RENAMED_MUTEX};
pub use rewrites::unstored::Local;
pub(super) use rewrites::unstored::dropped_by;
