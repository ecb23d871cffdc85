//! A build of nothing, in the place of a cell.
//!
//! evcxr gives up variables only while it runs a cell, and repeats their types in that cell: if one of them does not exist
//! any more, no cell compiles. So for that purpose it gets a library that does nothing. So it does for its own first cell.

use super::state::State;
use std::fs;
use std::io;
use std::path::Path;

/// The name of a cell's function begins so.
const FUNCTION: &str = "run_user_code_";

/// The function of the first cell of all.
const FIRST: &str = " fn run_user_code_0(";

/// As long as this lives, what evcxr builds does nothing.
#[derive(Debug)]
pub struct EmptyBuilds(State);

impl EmptyBuilds {
    /// For the kernel with this working directory.
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub fn of(root: &Path) -> io::Result<Self> {
        let state = State::of(root);
        fs::write(state.builds_nothing(), "")?;
        Ok(Self(state))
    }
}

impl Drop for EmptyBuilds {
    fn drop(&mut self) {
        let _it_goes_with_the_directory = fs::remove_file(self.0.builds_nothing());
    }
}

/// Writes an empty cell in the place of the one that evcxr has written, if that is wanted; says whether it is.
pub(super) fn write(state: &State) -> io::Result<bool> {
    let source = state.cell();
    let text = fs::read_to_string(&source)?;
    if !state.builds_nothing().exists() && !is_first(&text) {
        return Ok(false);
    }
    let Some(cell) = cell(&text) else { return Ok(false) };
    fs::write(source, cell)?;
    Ok(true)
}

/// Whether it is the cell that evcxr runs first, for itself: `42`. It would be compiled twice, because a number cannot show
/// itself in the first way that evcxr tries.
fn is_first(text: &str) -> bool {
    text.contains(FIRST) && text.contains(".evcxr_display();") && text.contains("42")
}

/// A cell that gives back what it gets, under the name that evcxr will call.
fn cell(text: &str) -> Option<String> {
    let start = text.rfind(FUNCTION)?;
    let end = text[start..].find('(')? + start;
    Some(format!(
        "#[unsafe(no_mangle)]\npub extern \"C\" fn {}(store: *mut u8) -> *mut u8 {{\nstore\n}}\n",
        &text[start..end]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_cell_takes_the_place_of_the_written_one_while_it_is_wanted() {
        let root = tempfile::tempdir().unwrap();
        let state = State::of(root.path());
        let source = state.crate_dir().join("src/lib.rs");
        fs::create_dir_all(source.parent().unwrap()).unwrap();
        fs::create_dir_all(root.path().join("state")).unwrap();
        let text = "fn a(x: Gone) {}\n#[unsafe(no_mangle)] pub extern \"C\" fn run_user_code_12( mut evcxr) -> x { y }";
        fs::write(&source, text).unwrap();
        assert!(!write(&state).unwrap());
        let wanted = EmptyBuilds::of(root.path()).unwrap();
        assert!(write(&state).unwrap());
        let written = fs::read_to_string(&source).unwrap();
        assert!(written.contains("fn run_user_code_12(") && !written.contains("Gone"), "{written}");
        drop(wanted);
        assert!(!write(&state).unwrap());
    }
}
