//! A cell that has just failed to compile, and is to be compiled once more as it is.
//!
//! evcxr compiles a cell with an error a second time, without the `catch_unwind` around it, for the sake of clearer errors. `thin`
//! has taken that away in both: the second text is the first one, and what rustc said of it is said again.

use super::analysis_cache::Answer;
use super::state::{State, replace};
use serde::{Deserialize, Serialize};
use std::fs;
use std::time::{Duration, SystemTime};

/// How old a failure may be: evcxr asks again at once, and files that a cell includes change later.
const LATEST: Duration = Duration::from_secs(2);

#[derive(Serialize, Deserialize)]
struct Failure {
    text: String,
    answer: Answer,
    at: SystemTime,
}

/// Notes what rustc said of the cell.
pub(super) fn remember(state: &State, text: &str, answer: &Answer) {
    let failure = Failure { text: text.to_owned(), answer: answer.clone(), at: SystemTime::now() };
    let saved = serde_json::to_vec(&failure).map(|failure| replace(&state.failure(), &failure));
    // Without the note rustc says it once more.
    drop(saved);
}

/// What rustc has just said of this text, once.
pub(super) fn take(state: &State, text: &str) -> Option<Answer> {
    let failure: Failure = serde_json::from_slice(&fs::read(state.failure()).ok()?).ok()?;
    fs::remove_file(state.failure()).ok()?;
    let is_recent = failure.at.elapsed().is_ok_and(|age| age < LATEST);
    (is_recent && failure.text == text).then_some(failure.answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_again_once_and_only_of_the_same_text() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("state")).unwrap();
        let state = State::of(root.path());
        let answer = Answer { status: 101, stdout: "x".into(), stderr: String::new() };
        assert_eq!(take(&state, "a"), None);
        remember(&state, "a", &answer);
        assert_eq!(take(&state, "a"), Some(answer.clone()));
        assert_eq!(take(&state, "a"), None);
        remember(&state, "a", &answer);
        assert_eq!(take(&state, "b"), None);
        assert_eq!(take(&state, "a"), None);
    }
}
