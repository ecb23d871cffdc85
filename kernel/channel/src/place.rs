//! Places in cells: the marks in compiled code that name them, and the way back from its columns.

use serde::{Deserialize, Serialize};
use std::fmt;

const START: &str = "/*lb:";

/// A line mark in code that was made of a cell: `/*lb:CELL:LINE*/`, or `/*lb:CELL:LINE:NTH*/` if it is not the first of its
/// line. So code that stands on lines of its own when it is compiled is known again by its mark alone.
///
/// ```
/// use loopbook_channel::Mark;
/// let mark = Mark { cell: 3, line: 14, nth: 1 };
/// assert_eq!(Mark::find("fn/*lb:3:14:1*/ f() {"), Some((2, mark)));
/// assert_eq!(Mark { nth: 0, ..mark }.to_string(), "/*lb:3:14*/");
/// assert_eq!(Mark::find("fn f() { /* lb */ /*lb:x:1*/"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Execution count of the cell.
    pub cell: u32,
    /// Line in that cell, from 1.
    pub line: u32,
    /// Which of the marks of this line it is, from 0.
    pub nth: u32,
}

impl Mark {
    /// The first mark in a text, and where it begins.
    pub fn find(text: &str) -> Option<(usize, Self)> {
        text.match_indices(START).find_map(|(at, _)| {
            let rest = &text[at + START.len()..];
            let mut numbers = rest[..rest.find("*/")?].split(':').map(|number| number.parse().ok());
            let mark = Self { cell: numbers.next()??, line: numbers.next()??, nth: numbers.next().unwrap_or(Some(0))? };
            numbers.next().is_none().then_some((at, mark))
        })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cell, line, nth } = self;
        write!(f, "{START}{cell}:{line}")?;
        if *nth > 0 {
            write!(f, ":{nth}")?;
        }
        f.write_str("*/")
    }
}

/// A line of a cell's code as it was compiled, by its first mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompiledLine {
    /// [`Mark::line`].
    pub line: u32,
    /// [`Mark::nth`].
    pub nth: u32,
    /// What stands in it, from left to right.
    pub stretches: Vec<Stretch>,
}

/// A stretch of a compiled line, up to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Where it begins, as rustc counts columns in a `Location`: from 1, as wide as characters are shown.
    pub from: u32,
    /// What stands there in the cell: a column in characters, from 1. `None` if nobody knows.
    pub column: Option<u32>,
    /// Whether it is the user's text; else all of it stands for one place.
    pub is_copy: bool,
}

impl CompiledLine {
    /// The column of the cell that stands in a column of a `Location`.
    pub fn column(&self, compiled: u32) -> Option<u32> {
        self.stretches.iter().rev().find(|stretch| stretch.from <= compiled)?.column_at(compiled)
    }
}

impl Stretch {
    /// The column of the cell that stands in a column of a `Location`, which lies in this stretch.
    pub fn column_at(&self, compiled: u32) -> Option<u32> {
        let inside = if self.is_copy { compiled - self.from } else { 0 };
        Some(self.column? + inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stretch_that_begins_before_a_column_counts() {
        let stretch = |from, column, is_copy| Stretch { from, column, is_copy };
        let stretches = vec![stretch(1, Some(5), true), stretch(4, Some(8), false), stretch(20, None, false)];
        let line = CompiledLine { line: 1, nth: 0, stretches };
        assert_eq!([1, 3, 4, 19, 20].map(|column| line.column(column)), [Some(5), Some(7), Some(8), Some(8), None]);
        assert_eq!(CompiledLine { stretches: Vec::new(), ..line }.column(1), None);
    }
}
