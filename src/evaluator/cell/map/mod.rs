//! Maps between the cell as typed and the code that evcxr gets.

pub(super) mod columns;
pub(super) mod import_lines;
pub(super) mod pieces;
pub(super) mod source_map;
