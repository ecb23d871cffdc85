//! Problems of a cell, as people read them.

use std::ops::Range;

/// The most problems that are reported of one cell: more are mostly echoes of the first.
pub(in crate::evaluator::cell) const MOST: usize = 5;

/// Something that keeps a cell from running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// rustc's code of the error, if it has one.
    pub code: Option<String>,
    /// Where, the place to look at first comes first. Never empty.
    pub spans: Vec<Span>,
    /// What to do about it, a sentence each.
    pub help: Vec<String>,
    /// Whether it is a line for another kernel or shell, rather than broken Rust.
    pub is_command: bool,
}

/// A stretch of the cell as typed. Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// First line.
    pub line: u32,
    /// First column.
    pub col: u32,
    /// Last line.
    pub end_line: u32,
    /// Column behind the last character.
    pub end_col: u32,
    /// What to say about it; may be empty.
    pub label: String,
}

impl Problem {
    /// A problem at a range of bytes of `text`, with a word about the place.
    pub fn new(message: impl Into<String>, text: &str, range: Range<usize>, label: impl Into<String>) -> Self {
        let spans = vec![Span::new(text, range, label)];
        Self { message: message.into(), code: None, spans, help: Vec::new(), is_command: false }
    }

    pub(super) fn of_command(mut self) -> Self {
        self.is_command = true;
        self
    }

    pub(in crate::evaluator::cell) fn with_span(
        mut self,
        text: &str,
        range: Range<usize>,
        label: impl Into<String>,
    ) -> Self {
        self.spans.push(Span::new(text, range, label));
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Line and column of the place to look at first.
    pub(in crate::evaluator::cell) fn place(&self) -> (u32, u32) {
        self.spans.first().map_or((0, 0), |span| (span.line, span.col))
    }
}

impl Span {
    fn new(text: &str, range: Range<usize>, label: impl Into<String>) -> Self {
        let (line, col) = position(text, range.start);
        let (end_line, mut end_col) = position(text, range.end.max(range.start));
        if (end_line, end_col) == (line, col) {
            end_col += 1;
        }
        Self { line, col, end_line, end_col, label: label.into() }
    }
}

/// Line and column of a byte offset, both from 1, the column in characters.
pub(in crate::evaluator::cell) fn position(text: &str, offset: usize) -> (u32, u32) {
    let before = &text[..text.floor_char_boundary(offset)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line as u32, before[line_start..].chars().count() as u32 + 1)
}

/// Where the lines of a text begin.
pub(in crate::evaluator::cell) struct Lines {
    newlines: Vec<usize>,
}

impl Lines {
    pub(in crate::evaluator::cell) fn new(text: &str) -> Self {
        Self { newlines: text.match_indices('\n').map(|(at, _)| at).collect() }
    }

    /// The line of a byte offset, from 1.
    pub(in crate::evaluator::cell) fn of(&self, offset: usize) -> u32 {
        self.newlines.partition_point(|newline| *newline < offset) as u32 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        assert_eq!(position("a\näöü x", "a\näöü ".len()), (2, 5));
        assert_eq!(position("", 0), (1, 1));
    }

    #[test]
    fn an_empty_span_covers_one_character() {
        let problem = Problem::new("m", "ab", 1..1, "here");
        assert_eq!((problem.spans[0].col, problem.spans[0].end_col), (2, 3));
    }
}
