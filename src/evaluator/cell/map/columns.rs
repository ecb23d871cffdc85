//! Which column of the cell stands in which column of its code as it is compiled, for the runtime: a `Location` is all that
//! running code knows of its place.
//!
//! A line of the cell may have many marks (`/*lb:3:1*/`, `/*lb:3:1:1*/`), because evcxr puts each statement on a line
//! of its own. So the child is told, for each marked line, which of its columns stand for which columns of the cell,
//! counted as wide as rustc counts them. The runtime's `site` looks them up.

use super::pieces::{Placed, Run};
use loopbook_channel::{CompiledLine, Stretch};
use std::ops::Range;
use unicode_width::UnicodeWidthChar;

/// How wide rustc takes a tabulator to be.
const TAB: u32 = 4;

/// Nobody looks further to the right.
const LONGEST: u32 = 10_000;

/// The lines of the code `out` that hold pieces of the cell `source`.
pub(in crate::evaluator::cell) fn compiled_lines(
    source: &str,
    out: &str,
    runs: &[Run],
    marks: &[Placed],
) -> Vec<CompiledLine> {
    let starts: Vec<usize> = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
    // Code is known by the first mark of its line.
    let firsts = marks.chunk_by(|one, other| one.piece == other.piece).filter_map(<[Placed]>::first);
    let ends = firsts.clone().skip(1).map(|next| next.piece).chain([out.len()]);
    let line = |(first, end): (&Placed, usize)| {
        let piece = &out[first.piece..end];
        let end = first.piece + piece.find('\n').unwrap_or(piece.len());
        let start = *starts.get(first.mark.line as usize - 1)?;
        let scan = Scan { source, out, runs, line: start, counted: (start, 1) };
        Some(CompiledLine { line: first.mark.line, nth: first.mark.nth, stretches: scan.stretches(first.piece..end) })
    };
    firsts.zip(ends).filter_map(line).collect()
}

struct Scan<'a> {
    source: &'a str,
    out: &'a str,
    runs: &'a [Run],
    /// Where the line of the cell begins.
    line: usize,
    /// A place in that line, and its column.
    counted: (usize, u32),
}

impl Scan<'_> {
    fn stretches(mut self, piece: Range<usize>) -> Vec<Stretch> {
        let mut next = self.runs.partition_point(|run| run.out.end <= piece.start);
        let mut stretches: Vec<Stretch> = Vec::new();
        let (mut from, mut before) = (1, ' ');
        for (at, c) in self.out[piece.clone()].char_indices() {
            let at = piece.start + at;
            next += self.runs[next..].iter().take_while(|run| run.out.end <= at).count();
            if from > LONGEST {
                stretches.push(Stretch { from, column: None, is_copy: false });
                break;
            }
            // Only where a token can begin, something can happen.
            if !(is_of_word(before) && is_of_word(c)) {
                let (column, is_copy) = self.origin(self.runs.get(next), at);
                if stretches.last().is_none_or(|last| last.is_copy != is_copy || last.column_at(from) != column) {
                    stretches.push(Stretch { from, column, is_copy });
                }
            }
            from += width(c);
            before = c;
        }
        stretches
    }

    /// The column in the cell of what stands at `at`, and whether it is a copy. What was inserted stands for what follows.
    fn origin(&mut self, run: Option<&Run>, at: usize) -> (Option<u32>, bool) {
        let Some(run) = run else { return (None, false) };
        let is_copy = run.out.start <= at && run.out.len() == run.source.len();
        (self.column(run.source.start + if is_copy { at - run.out.start } else { 0 }), is_copy)
    }

    /// The column of a byte of the cell; `None` if it is on another line.
    fn column(&mut self, at: usize) -> Option<u32> {
        if at < self.counted.0 {
            self.counted = (self.line, 1);
        }
        let (start, column) = self.counted;
        let between = self.source.get(start..at).filter(|text| !text.contains('\n'))?;
        self.counted = (at, column + between.chars().count() as u32);
        Some(self.counted.1)
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// How wide rustc takes a character to be when it counts the column of a `Location`.
fn width(c: char) -> u32 {
    match c {
        '\t' => TAB,
        _ => c.width().map_or(1, |width| width as u32),
    }
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Notebook, PreparedCell, prepare};
    use loopbook_channel::Mark;

    /// What of the cell stands at the first `part` of a line of evcxr's code, which begins with `start`: line and column.
    fn found(code: &str, start: &str, part: &str) -> (u32, Option<u32>) {
        let notebook = Notebook { ticks: true, local_slots: true, ..Notebook::default() };
        let PreparedCell { rust, map, .. } = prepare(1, code, &notebook).expect("a good cell");
        let line = rust.find(start).and_then(|at| rust[at..].lines().next()).unwrap_or_else(|| panic!("{rust}"));
        let (_, mark) = Mark::find(line).expect("a mark");
        let lines = map.compiled_lines();
        let compiled = lines.iter().find(|line| (line.line, line.nth) == (mark.line, mark.nth)).expect("a line");
        let before = &line[..line.find(part).expect("a part of the line")];
        (mark.line, compiled.column(before.chars().map(super::width).sum::<u32>() + 1))
    }

    #[test]
    fn each_statement_of_a_line_is_known_by_its_own_mark() {
        let code = "f(); panic!(1); let a = g(b?); panic!(2)";
        assert_eq!(found(code, "/*lb:1:1*/", "f"), (1, Some(1)));
        assert_eq!(found(code, "panic/*", "panic"), (1, Some(6)));
        assert_eq!(found(code, "let/*", "::loopbook::__try"), (1, Some(27)));
        assert_eq!(found(code, "::loopbook::__show", "panic"), (1, Some(32)));
        assert_eq!(found("a(\n); b(); c();", "b/*", "b"), (2, Some(4)));
        assert_eq!(found("{ a() } b(); c();", "b/*", "b"), (1, Some(9)));
        assert_eq!(found("a(); a();", "a/*", "a"), (1, Some(6)));
        let code = "thread_local! { static A: u8 = a(); static B: u8 = b() } c();";
        assert_eq!(found(code, "/*lb:1:1*/static", "a()"), (1, Some(32)));
        assert_eq!(found(code, "static/*", "b()"), (1, Some(52)));
    }

    #[test]
    fn columns_are_counted_as_rustc_counts_them() {
        assert_eq!(found("let ä = 1; f();", "f/*", "f"), (1, Some(12)));
        assert_eq!(found("\tlet a = (\"日本\", '🦀', f());", "\t", "f()"), (1, Some(22)));
        let code = "fn f() { loop { g(\"日本\"); h() } } k();";
        assert_eq!(found(code, "/*lb:1:1*/fn", "h()"), (1, Some(26)));
        assert_eq!(found(code, "k/*", "k"), (1, Some(34)));
    }

    #[test]
    fn what_is_too_far_to_the_right_is_unknown() {
        let code = format!("f(\"{}\", g());", "x".repeat(10_000));
        assert_eq!(found(&code, "/*lb", "g()"), (1, None));
        assert_eq!(found(&code, "/*lb", "\"x"), (1, Some(3)));
    }
}
