//! Compiling a cell, unless one that is the same in everything that rustc looks at was compiled on this machine before.
//!
//! - `key`: what is known before rustc runs: the cell's text, the call, the crates, the compiler;
//! - `inputs`: what only rustc finds out: the files and variables that the text asks for.
//!
//! Whoever calls gets the same in both cases: rustc's own words, and the library in its place, as a file of its own.

mod inputs;
mod key;

use super::rustc_alone::{SavedCommand, is_worth_telling};
use super::state::State;
use super::times;
use super::type_questions::Questions;
use crate::evaluator::build::built_in::CELL_CRATE;
use crate::evaluator::build::cell_cache::{CellCache, Entry};
use crate::evaluator::build::files::remove;
use crate::evaluator::support::timing::Step;
use inputs::Inputs;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// Stands in what rustc has said for the kernel's working directory.
const DIRECTORY: &str = "@working-directory@";

/// Errors that have to do with more than the text and the crates: files that are not there.
const ABOUT_FILES: [&str; 9] = ["E0460", "E0461", "E0462", "E0463", "E0464", "E0514", "E0583", "E0584", "E0786"];

/// rustc's exit status for a cell that does not compile.
const DOES_NOT_COMPILE: i32 = 1;

/// What rustc has said, now or when it compiled the same cell.
pub(super) struct Compiled {
    /// Its exit status; `None` if it was killed.
    pub(super) status: Option<i32>,
    /// What it wrote to stderr.
    pub(super) said: Vec<u8>,
    /// What evcxr would say of a variable that cannot be stored.
    pub(super) refused: Option<String>,
}

/// Makes the call, or does what rustc would do. What was asked is known then.
///
/// # Errors
/// If rustc cannot be started, or has failed itself.
pub(super) fn compile(state: &State, call: &SavedCommand, rustc: &Path, questions: &Questions) -> io::Result<Compiled> {
    let begin = SystemTime::now();
    let cache = CellCache::open(state.cache()).ok().flatten();
    let kept = cache.and_then(|cache| Some((key::of(state, call, rustc)?, cache)));
    if let Some((key, cache)) = &kept
        && let Some(entry) = cache.get(key)
        && inputs::are_as_they_were(&entry, call)
        && put_in_place(state, call, &entry).is_ok()
        && (entry.refused.is_some() || !entry.success || questions.learn(state, &entry.types).is_ok())
    {
        cache.touch(key);
        let _only_tests_count = state.log_compilation("cache");
        times::note(state, Step::Cache, begin);
        let status = if entry.success { 0 } else { DOES_NOT_COMPILE };
        return Ok(Compiled {
            status: Some(status),
            said: from_placeholder(state, &entry.said),
            refused: entry.refused.clone(),
        });
    }
    let started = SystemTime::now();
    remove_old(call)?;
    let _only_tests_count = (state.log_rustc(CELL_CRATE), state.log_compilation("rustc"));
    let compiled = match questions.compile(state, call, rustc)? {
        Ok(output) => Compiled { status: output.status.code(), said: output.stderr, refused: None },
        Err(refused) => Compiled { status: Some(DOES_NOT_COMPILE), said: Vec::new(), refused: Some(refused) },
    };
    times::note(state, Step::Rustc, started);
    if let Some((key, cache)) = kept
        && let Some(entry) = entry(state, call, &compiled, questions, started)
    {
        // The next kernel compiles the cell itself.
        let _ignored = cache.put(&key, &entry);
    }
    Ok(compiled)
}

/// A cell that is loaded may be another name of the very file that is going to be made: it must not be written into. And
/// what rustc says about files must be of this time.
fn remove_old(call: &SavedCommand) -> io::Result<()> {
    for file in [call.library(), call.dep_info()].into_iter().flatten() {
        remove(&file)?;
    }
    Ok(())
}

/// Puts what was kept where rustc would have written it.
fn put_in_place(state: &State, call: &SavedCommand, entry: &Entry) -> io::Result<()> {
    remove_old(call)?;
    let (Some(library), Some(dep_info)) = (call.library(), call.dep_info()) else {
        return Err(io::Error::other("rustc was not told where to write"));
    };
    // cargo reads it.
    fs::write(dep_info, Inputs::of(entry).to_dep_info(&library))?;
    match &entry.library {
        Some(content) if call.links() => fs::write(library, content),
        None if !call.links() || !entry.success => Ok(()),
        _ => Err(io::Error::other(format!("what is kept is not what {} needs", state.crate_dir().display()))),
    }
}

/// What is to be kept of what rustc has done; `None` if it may be otherwise next time.
fn entry(
    state: &State,
    call: &SavedCommand,
    compiled: &Compiled,
    questions: &Questions,
    started: SystemTime,
) -> Option<Entry> {
    let success = match compiled.status? {
        0 => true,
        _ if compiled.refused.is_some() => false,
        DOES_NOT_COMPILE if depends_on_text_only(&compiled.said) => false,
        _ => return None,
    };
    let inputs = Inputs::parse(&fs::read_to_string(call.dep_info()?).ok()?);
    let library = (success && call.links()).then(|| fs::read(call.library()?).ok());
    if library.as_ref().is_some_and(Option::is_none) {
        return None;
    }
    Some(Entry {
        files: inputs.digests(call, started)?,
        variables: inputs.variables,
        types: if success { questions.answers(state) } else { Vec::new() },
        refused: compiled.refused.clone(),
        success,
        said: to_placeholder(state, &compiled.said),
        library: library.flatten(),
    })
}

/// Whether a cell does not compile because of its text, and not because of a file that may be there next time.
fn depends_on_text_only(said: &[u8]) -> bool {
    let said = String::from_utf8_lossy(said);
    let mut errors = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["level"] == "error" && is_worth_telling(message))
        .peekable();
    // The long name of a type is written to a file, which only this kernel has.
    !said.contains("long-type-")
        && errors.peek().is_some()
        && errors.all(|error| error["code"]["code"].as_str().is_some_and(|code| !ABOUT_FILES.contains(&code)))
}

fn to_placeholder(state: &State, said: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(said).replace(&*state.root().to_string_lossy(), DIRECTORY).into_bytes()
}

fn from_placeholder(state: &State, said: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(said).replace(DIRECTORY, &state.root().to_string_lossy()).into_bytes()
}

#[cfg(test)]
mod tests;
