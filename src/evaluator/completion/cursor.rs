//! The word, the path before it, or the command at the cursor.

use crate::evaluator::cell::command_lines;
use std::ops::Range;

/// Whether the cursor stands in a line that is one of our commands.
pub fn in_command(code: &str, cursor: usize) -> bool {
    command_line(code, cursor).is_some()
}

/// The line with a command in which the cursor stands, from its colon on.
pub(super) fn command_line(code: &str, cursor: usize) -> Option<Range<usize>> {
    let cursor = floor(code, cursor);
    command_lines(code).find(|line| (line.start..=line.end).contains(&cursor))
}

/// The identifier that the cursor touches; if it touches none, the function (or macro) whose arguments it stands in, or
/// the identifier before it in its line.
pub fn word_at(code: &str, cursor: usize) -> Option<&str> {
    let cursor = floor(code, cursor);
    let touched = word_around(code, cursor);
    if touched.is_some() {
        return touched;
    }
    let line = code[..cursor].rfind('\n').map_or(0, |newline| newline + 1);
    let before = &code[line..cursor];
    let function = open_parenthesis(before).and_then(|at| last_word(&before[..at]));
    function.or_else(|| last_word(before))
}

fn word_around(code: &str, cursor: usize) -> Option<&str> {
    let start = word_start(code, cursor);
    let end = code[cursor..].find(|c| !is_word(c)).map_or(code.len(), |length| cursor + length);
    let word = &code[start..end];
    (!word.is_empty() && !word.starts_with(|c: char| c.is_ascii_digit())).then_some(word)
}

/// The path whose colons stand at the end: `std::fs` for `let x = std::fs::`.
pub(super) fn path_before(before: &str) -> Option<&str> {
    let path = before.strip_suffix("::")?;
    let start = path
        .rfind(|c| !is_word(c) && c != ':')
        .map_or(0, |at| at + path[at..].chars().next().map_or(0, char::len_utf8));
    let path = path[start..].trim_start_matches("::");
    let is_path = path.split("::").all(|part| !part.is_empty() && part.chars().all(is_word));
    is_path.then_some(path)
}

/// Whether the statement that this is the beginning of is a `use`.
pub(in crate::evaluator) fn is_import(before: &str) -> bool {
    let statement = before.rsplit([';', '}']).next().unwrap_or_default().trim_start();
    statement.starts_with("use ") || statement.starts_with("pub use ")
}

fn last_word(text: &str) -> Option<&str> {
    let end = text.trim_end_matches(|c| !is_word(c)).len();
    word_around(&text[..end], end)
}

/// Where the last parenthesis stands that is not closed.
fn open_parenthesis(text: &str) -> Option<usize> {
    let mut closed = 0;
    text.char_indices().rev().find_map(|(at, c)| match c {
        ')' => {
            closed += 1;
            None
        }
        '(' if closed == 0 => Some(at),
        '(' => {
            closed -= 1;
            None
        }
        _ => None,
    })
}

pub(super) fn word_start(code: &str, cursor: usize) -> usize {
    code[..cursor].char_indices().rev().take_while(|(_, c)| is_word(*c)).last().map_or(cursor, |(at, _)| at)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The last offset at or before `cursor` that lies between two characters.
pub fn floor(code: &str, cursor: usize) -> usize {
    (0..=cursor.min(code.len())).rev().find(|at| code.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_that_in_or_behind_which_the_cursor_stands() {
        for (before, after, word) in [
            ("cou", "nt", "count"),
            ("count", "", "count"),
            ("", "count", "count"),
            ("count ", "", "count"),
            ("println!(", "", "println"),
            ("f(g(1), ", "2)", "f"),
            ("f(g(1", "), 2)", "g"),
            ("🦀 größe", ".x", "größe"),
            ("x + ", "", "x"),
        ] {
            assert_eq!(word_at(&format!("{before}{after}"), before.len()), Some(word), "{before}|{after}");
        }
        assert_eq!(word_at("a\n  ", 4), None);
    }

    #[test]
    fn a_path_ends_before_its_last_colons() {
        for (before, path) in [
            ("let x = std::fs::", Some("std::fs")),
            ("f(::std::", Some("std")),
            ("größe::", Some("größe")),
            ("{task::", Some("task")),
            ("x.collect::<Vec<_>>::", None),
            ("x", None),
            ("::", None),
        ] {
            assert_eq!(path_before(before), path, "{before}");
        }
    }

    #[test]
    fn an_import_is_a_statement_of_its_own() {
        assert!(is_import("use std::") && is_import("let x = 1;\nuse std::{") && is_import("pub use "));
        assert!(!is_import("let used = std::") && !is_import("use a; b::"));
    }
}
