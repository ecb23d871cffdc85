//! Faults that keep a cell from being parsed, as `nesting` finds them.

use super::problem::Problem;
use std::ops::Range;

/// The first thing that keeps a cell from being parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::evaluator::cell) enum Fault {
    /// Text that must end in something and does not; the range is its beginning.
    Endless { what: &'static str, end: &'static str, at: Range<usize> },
    /// A bracket that nobody closes, and one behind it that is closed by what, by its indentation, closes another.
    Unclosed { open: char, at: usize, suspect: Option<usize> },
    /// A closing bracket that nobody opened.
    Unopened { close: char, at: usize },
    /// A closing bracket of another kind than the open one.
    Mismatch { open: char, opened: usize, close: char, at: usize },
    /// Too much nesting.
    TooDeep { at: usize },
}

impl Fault {
    /// Whether more text could help.
    pub(super) fn is_unfinished(&self) -> bool {
        matches!(self, Self::Endless { .. } | Self::Unclosed { .. })
    }

    pub(in crate::evaluator::cell) fn problem(&self, text: &str) -> Problem {
        match self {
            Self::Endless { what, end, at } => {
                Problem::new(format!("this {what} does not end"), text, at.clone(), format!("the {what} begins here"))
                    .with_help(format!("close it with `{end}`"))
            }
            Self::Unclosed { open, at, suspect } => {
                let message = format!("`{open}` is never closed");
                let problem = match suspect {
                    None => Problem::new(message, text, *at..at + 1, "opened here"),
                    Some(inner) => Problem::new(message, text, *inner..inner + 1, "by indentation, it is this one")
                        .with_span(text, *at..at + 1, "so nothing is left to close this one"),
                };
                problem.with_help(format!("add the missing `{}`", closing(*open)))
            }
            Self::Unopened { close, at } => Problem::new(
                format!("`{close}` closes nothing"),
                text,
                *at..at + 1,
                format!("there is no open `{}` before it", opening(*close)),
            ),
            Self::Mismatch { open, opened, close, at } => Problem::new(
                format!("`{open}` is closed by `{close}`"),
                text,
                *at..at + 1,
                format!("expected `{}`", closing(*open)),
            )
            .with_span(text, *opened..opened + 1, "opened here"),
            Self::TooDeep { at } => {
                Problem::new("this cell is nested too deeply to be compiled", text, *at..at + 1, "at this point")
                    .with_help("give parts of the expression names with `let`")
            }
        }
    }
}

/// The bracket that closes this one.
pub(super) fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

fn opening(close: char) -> char {
    match close {
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}
