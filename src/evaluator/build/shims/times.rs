//! When the shims did what for a cell, for `:timing`: a file that is there only while somebody wants to know, and that every
//! shim adds a line to.

use super::diagnostics;
use super::state::{Mode, State};
use crate::evaluator::support::timing::{Span, Step};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const STEPS: [(&str, Step); 6] = [
    ("build", Step::Build),
    ("check", Step::Check),
    ("cargo", Step::Cargo),
    ("rustc", Step::Rustc),
    ("link", Step::Link),
    ("cache", Step::Cache),
];

/// Has the shims of the kernel with this working directory note what they do from now on.
///
/// # Errors
/// If that cannot be written down.
pub fn begin_times(root: &Path) -> io::Result<()> {
    fs::write(State::of(root).times(), "")
}

/// What they have done since, in the order in which it ended. They stop to note it.
pub fn take_times(root: &Path) -> Vec<Span> {
    let path = State::of(root).times();
    let text = fs::read_to_string(&path).unwrap_or_default();
    let _a_line_more_is_read_by_nobody = fs::remove_file(path);
    text.lines().filter_map(span).collect()
}

/// Notes that a step that has begun then has ended now.
pub(super) fn note(state: &State, step: Step, begin: SystemTime) {
    note_with(state, step, begin, None);
}

/// Notes a round of the compiler that has begun then, and the first error of the cell's if there is one.
pub(super) fn note_round(state: &State, mode: Option<Mode>, begin: SystemTime) {
    let Some(mode) = mode.filter(|_| state.times().exists()) else { return };
    let step = if mode == Mode::Build { Step::Build } else { Step::Check };
    note_with(state, step, begin, diagnostics::first_error(state).as_deref());
}

fn note_with(state: &State, step: Step, begin: SystemTime, error: Option<&str>) {
    let Ok(mut file) = OpenOptions::new().append(true).open(state.times()) else { return };
    let Some((name, _)) = STEPS.iter().find(|(_, known)| *known == step) else { return };
    let micros = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let (begin, end, error) = (micros(begin), micros(SystemTime::now()), error.unwrap_or_default());
    let _the_table_has_a_row_less = file.write_all(format!("{name} {begin} {end} {error}\n").as_bytes());
}

fn span(line: &str) -> Option<Span> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let (_, step) = STEPS.iter().find(|(known, _)| *known == name)?;
    let mut time = || Some(UNIX_EPOCH + Duration::from_micros(words.next()?.parse().ok()?));
    let (begin, end) = (time()?, time()?);
    let error = words.next().filter(|code| !code.is_empty()).map(str::to_owned);
    Some(Span { step: *step, begin, end, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_noted_only_while_somebody_wants_to_know() {
        let root = tempfile::tempdir().unwrap();
        let state = State::of(root.path());
        fs::create_dir_all(root.path().join("state")).unwrap();
        let begin = SystemTime::now() - Duration::from_millis(20);
        note(&state, Step::Link, begin);
        begin_times(root.path()).unwrap();
        note(&state, Step::Link, begin);
        note_round(&state, Some(Mode::Check), begin);
        let moved = r#"{"level":"error","code":{"code":"E0382"}}"#;
        fs::write(
            state.diagnostics(),
            format!("{{\"level\":\"warning\",\"code\":{{\"code\":\"unused\"}}}}\n{moved}\n"),
        )
        .unwrap();
        note_round(&state, Some(Mode::Build), begin);
        note_round(&state, None, begin);
        let spans = take_times(root.path());
        let seen: Vec<_> = spans.iter().map(|span| (span.step, span.error.as_deref())).collect();
        assert_eq!(seen, [(Step::Link, None), (Step::Check, None), (Step::Build, Some("E0382"))]);
        assert!(spans.iter().all(|span| span.end > span.begin), "{spans:?}");
        assert_eq!(take_times(root.path()), []);
    }
}
