//! What rustc reads in the place of what evcxr wrote: the cell's `lib.rs`, with as much of its generated code as is the same
//! in every cell left to the runtime, which is compiled once.
//!
//! First its parts are put in one order. No other pass moves a line, and none moves a column of a line that the user has
//! written: errors keep their places.

use super::order;
use super::state::State;
use super::type_questions::Questions;
use super::variable_types::VariableTypes;
use super::{thin, unused_variables};
use std::fs;
use std::io;

/// Rewrites the cell that is about to be compiled. Gives what is to be asked about it, and for each of its lines which one it
/// was.
///
/// # Errors
/// If its file cannot be read or written, or is not as evcxr writes it.
pub(super) fn rewrite(state: &State) -> io::Result<(Questions, Vec<usize>)> {
    let file = state.cell();
    let text = fs::read_to_string(&file)?;
    let ordered = order::order(&text);
    let unknown = |_| io::Error::other("evcxr has written a cell in a way that this version does not know");
    let (typed, asked) = VariableTypes::load(state).rewrite(&ordered.text);
    let rewritten = unused_variables::leave(&thin::thin(&typed).map_err(unknown)?);
    if rewritten != text {
        fs::write(file, rewritten)?;
    }
    Ok((Questions::of(asked), ordered.lines))
}

/// Rewrites it once more so that it compiles in any case, for a build by cargo, which happens once.
///
/// # Errors
/// If its file cannot be read or written.
pub(super) fn rewrite_whole(state: &State) -> io::Result<()> {
    let file = state.cell();
    match unused_variables::bring_all_back(&fs::read_to_string(&file)?) {
        Some(text) => fs::write(file, text),
        None => Ok(()),
    }
}

/// Rewrites it once more if it can compile in another form than the one in which it has failed; says whether it has.
///
/// # Errors
/// If its file cannot be read or written.
pub(super) fn rewrite_after(state: &State, errors: &str) -> io::Result<bool> {
    let file = state.cell();
    match unused_variables::bring_back(&fs::read_to_string(&file)?, errors) {
        Some(text) => fs::write(file, text).map(|()| true),
        None => Ok(false),
    }
}
