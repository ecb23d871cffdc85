//! What rustc reads in the place of what evcxr wrote: the cell's `lib.rs`, with as much of its generated code as is the same
//! in every cell left to the runtime, which is compiled once.
//!
//! No pass moves a line, and none moves a column of a line that the user has written: errors keep their places.

use super::state::State;
use super::thin;
use std::fs;
use std::io;

/// Rewrites the cell that is about to be compiled.
///
/// # Errors
/// If its file cannot be read or written, or is not as evcxr writes it.
pub(super) fn rewrite(state: &State) -> io::Result<()> {
    let file = state.crate_dir().join("src/lib.rs");
    let text = fs::read_to_string(&file)?;
    let unknown = |_| io::Error::other("evcxr has written a cell in a way that this version does not know");
    let rewritten = thin::thin(&text).map_err(unknown)?;
    if rewritten == text { Ok(()) } else { fs::write(file, rewritten) }
}
