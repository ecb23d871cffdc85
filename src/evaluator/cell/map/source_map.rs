//! The way back from evcxr's code to the cell as typed.
//!
//! evcxr takes the rewritten cell apart and puts the pieces somewhere into its `lib.rs`. A piece keeps its text, and a
//! line [`Mark`] in each of its lines; a place is found again by its distance from the mark.

use super::columns::compiled_lines;
use super::import_lines::Unmarked;
use super::pieces::{Placed, Run};
use crate::evaluator::cell::parse::problem::position;
use loopbook_channel::{CompiledLine, Mark};
use std::ops::Range;

/// Maps places of the rewritten cell to the cell as typed. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceMap {
    source: String,
    out: String,
    runs: Vec<Run>,
    marks: Vec<Placed>,
    unmarked: Vec<Unmarked>,
}

impl SourceMap {
    /// The map of a cell without code.
    pub(in crate::evaluator::cell) fn empty(source: String) -> Self {
        Self::new(source, String::new(), Vec::new(), Vec::new())
    }

    pub(in crate::evaluator::cell) fn new(source: String, out: String, runs: Vec<Run>, marks: Vec<Placed>) -> Self {
        Self { source, out, runs, marks, unmarked: Vec::new() }
    }

    pub(in crate::evaluator::cell) fn with_unmarked(self, unmarked: Vec<Unmarked>) -> Self {
        Self { unmarked, ..self }
    }

    /// The cell as typed, without carriage returns and with blanks for what is not Rust; lines and columns are the
    /// user's.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What evcxr gets.
    pub fn rewritten(&self) -> &str {
        &self.out
    }

    /// What stands in which column of the cell's lines as they are compiled.
    pub fn compiled_lines(&self) -> Vec<CompiledLine> {
        compiled_lines(&self.source, &self.out, &self.runs, &self.marks)
    }

    /// Where something stands in the cell that stands at `column` of `output_line`, a whole line of evcxr's code with
    /// its mark.
    ///
    /// ```
    /// use loopbook_kernel::evaluator::cell::{Notebook, prepare};
    /// let prepared = prepare(3, "let a = 1; let b = a;", &Notebook::default()).unwrap();
    /// // evcxr puts the second statement on a line of its own.
    /// let line = "let/*lb:3:1:1*/ b = a;";
    /// assert_eq!(prepared.map.locate(line, 21), Some((1, 20)));
    /// ```
    pub fn locate(&self, output_line: &str, column: u32) -> Option<(u32, u32)> {
        self.place(output_line, column).map(|at| self.source_position(at, false))
    }

    /// [`SourceMap::locate`] for the end of a stretch: an end inside of inserted text is the end of the text before it.
    pub fn locate_end(&self, output_line: &str, column: u32) -> Option<(u32, u32)> {
        self.place(output_line, column).map(|at| self.source_position(at, true))
    }

    /// The bytes of the cell that stand between two columns of a line without a mark; `None` if the line is not one of this
    /// cell's imports and inner attributes.
    pub fn locate_unmarked(&self, output_line: &str, start: u32, end: u32) -> Option<Range<usize>> {
        self.unmarked.iter().find_map(|line| line.locate(output_line, start, end))
    }

    /// Line and column of a byte of the cell.
    pub fn position(&self, source_offset: usize) -> (u32, u32) {
        position(&self.source, source_offset)
    }

    /// Where the byte at this offset of the rewritten cell comes from; for inserted text, what follows it.
    pub fn source_offset(&self, out_offset: usize) -> usize {
        self.to_source(out_offset, false)
    }

    fn place(&self, output_line: &str, column: u32) -> Option<usize> {
        let (start, mark) = Mark::find(output_line)?;
        let head = &output_line[..start];
        let tail = output_line[start..].trim_end();
        let fits = |placed: &&Placed| {
            placed.mark == mark && self.out[placed.at..].starts_with(tail) && self.out[..placed.at].ends_with(head)
        };
        // The mark of an earlier run of the cell, or of another text under the same number, fits nowhere.
        let placed = self.marks.iter().find(fits)?;
        self.at_column(placed.at - start, column)
    }

    /// The offset of a column (from 1) of the line that begins at `start`; the end of the line is a column too.
    fn at_column(&self, start: usize, column: u32) -> Option<usize> {
        let line = self.out[start..].lines().next().unwrap_or_default();
        let ends = std::iter::once(line.len());
        let offset = line.char_indices().map(|(at, _)| at).chain(ends).nth(column.checked_sub(1)? as usize)?;
        Some(start + offset)
    }

    fn source_position(&self, out_offset: usize, is_end: bool) -> (u32, u32) {
        position(&self.source, self.to_source(out_offset, is_end))
    }

    fn to_source(&self, out_offset: usize, is_end: bool) -> usize {
        let next = self.runs.partition_point(|run| run.out.end <= out_offset - usize::from(is_end && out_offset > 0));
        let Some(run) = self.runs.get(next) else { return self.runs.last().map_or(0, |run| run.source.end) };
        if out_offset < run.out.start {
            return match next.checked_sub(1) {
                Some(previous) if is_end => self.runs[previous].source.end,
                _ => run.source.start,
            };
        }
        if run.out.len() == run.source.len() {
            return run.source.start + (out_offset - run.out.start);
        }
        if is_end || out_offset >= run.out.end { run.source.end } else { run.source.start }
    }
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Notebook, prepare};

    #[test]
    fn inserted_text_maps_to_what_it_surrounds() {
        let prepared = prepare(1, "let a = f()?;", &Notebook::default()).expect("a good cell");
        assert_eq!(prepared.rust, "/*lb:1:1*/let a = ::loopbook::__try!(f());");
        let (start, end) = (prepared.rust.find("::").expect("q"), prepared.rust.find(");").expect("end") + 1);
        let column = |at: usize| at as u32 + 1;
        assert_eq!(prepared.map.locate(&prepared.rust, column(start)), Some((1, 9)));
        assert_eq!(prepared.map.locate_end(&prepared.rust, column(end)), Some((1, 13)));
    }

    #[test]
    fn columns_count_characters_and_survive_marks() {
        let prepared = prepare(1, "let ä = \"ö\"; // ü\nlet b = ä + c;", &Notebook::default()).expect("a good cell");
        let line = prepared.rust.lines().nth(1).expect("two lines");
        assert_eq!(line, "let/*lb:1:2*/ b = ä + c;");
        assert_eq!(prepared.map.locate(line, 23), Some((2, 13)));
        assert_eq!(prepared.map.locate("let/*lb:1:2*/ other = 1;", 3), None);
    }
}
