//! The way between a cell as typed and what evcxr gets.

pub(super) mod columns;
pub(super) mod import_lines;
pub(super) mod pieces;
pub(super) mod source_map;
