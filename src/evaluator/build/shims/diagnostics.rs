//! The compiler's messages about the last cell, which evcxr throws away when a build succeeds.

use super::state::{State, replace};
use crate::evaluator::build::built_in::CELL_CRATE;
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

/// rustc's code of the use of a variable that was moved.
const USE_OF_MOVED: &str = "E0382";

/// rustc's messages about the last cell that was compiled for the kernel with this working directory, warnings included:
/// objects as `rustc --error-format=json` writes them. Empty if there are none.
pub fn last_diagnostics(root: &Path) -> Vec<Value> {
    kept(&State::of(root))
}

/// The code of the first error among them that has one.
pub(super) fn first_error(state: &State) -> Option<String> {
    let kept = kept(state);
    let errors = kept.iter().filter(|message| message["level"] == "error");
    errors.filter_map(|error| error["code"]["code"].as_str()).next().map(str::to_owned)
}

fn kept(state: &State) -> Vec<Value> {
    let text = fs::read_to_string(state.diagnostics()).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What rustc has said, since this was asked last, about variables that evcxr wanted to store and that had been moved:
/// evcxr keeps it to itself and compiles once more without them.
pub fn take_moves(root: &Path) -> Vec<Value> {
    let path = State::of(root).moves();
    let text = fs::read_to_string(&path).unwrap_or_default();
    let _it_need_not_exist = fs::remove_file(path);
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Keeps the messages about the cell that are in cargo's output.
pub(super) fn keep(state: &State, cargo_stdout: &[u8]) {
    let (mut kept, mut moves) = (String::new(), String::new());
    for line in String::from_utf8_lossy(cargo_stdout).lines() {
        // Most lines are about dependencies that were ready; they need no parsing.
        if !line.starts_with(r#"{"reason":"compiler-message""#) {
            continue;
        }
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        if message["target"]["name"] == CELL_CRATE {
            kept += &format!("{}\n", message["message"]);
            if message["message"]["code"]["code"] == USE_OF_MOVED {
                moves += &format!("{}\n", message["message"]);
            }
        }
    }
    // Without the file a cell's warnings are not shown; its result is.
    let _ignored = replace(&state.diagnostics(), kept.as_bytes());
    if !moves.is_empty() {
        let file = OpenOptions::new().create(true).append(true).open(state.moves());
        // Without the file nobody is told where a variable went.
        let _ignored = file.and_then(|mut file| file.write_all(moves.as_bytes()));
    }
}

/// What cargo has said, without warnings. evcxr would take one about an earlier cell's item for an error of this
/// cell's, and keep quiet about what is really wrong. The kernel has them from [`last_diagnostics`].
pub(super) fn without_warnings(cargo_stdout: &str) -> String {
    let is_warning = |line: &str| {
        line.starts_with(r#"{"reason":"compiler-message""#)
            && serde_json::from_str::<Value>(line).is_ok_and(|line| line["message"]["level"] == "warning")
    };
    cargo_stdout.split_inclusive('\n').filter(|line| !is_warning(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evcxr_hears_of_errors_only() {
        let error = "{\"reason\":\"compiler-message\",\"message\":{\"level\":\"error\",\"children\":[{\"level\":\"warning\"}]}}\n";
        let warning = "{\"reason\":\"compiler-message\",\"message\":{\"level\":\"warning\"}}\n";
        let end = "{\"reason\":\"build-finished\",\"success\":false}";
        assert_eq!(without_warnings(&format!("{warning}{error}{warning}{end}")), format!("{error}{end}"));
    }

    #[test]
    fn messages_about_the_cell_are_kept_and_those_about_dependencies_are_not() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("state")).unwrap();
        assert!(last_diagnostics(root.path()).is_empty());
        let output = concat!(
            r#"{"reason":"compiler-message","target":{"name":"dep"},"message":{"message":"old"}}"#,
            "\n",
            r#"{"reason":"compiler-message","target":{"name":"ctx"},"message":{"message":"unused"}}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        keep(&State::of(root.path()), output.as_bytes());
        let kept = last_diagnostics(root.path());
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0]["message"], "unused");
        assert!(take_moves(root.path()).is_empty());
    }

    #[test]
    fn what_was_moved_is_gathered_over_several_builds() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("state")).unwrap();
        let moved = r#"{"reason":"compiler-message","target":{"name":"ctx"},"message":{"code":{"code":"E0382"}}}"#;
        keep(&State::of(root.path()), moved.as_bytes());
        keep(&State::of(root.path()), moved.as_bytes());
        keep(&State::of(root.path()), b"");
        assert_eq!(take_moves(root.path()).len(), 2);
        assert!(take_moves(root.path()).is_empty());
    }
}
