//! Edits: the rewrites only note them, and one function applies them all.
//!
//! A rewrite never moves text: it inserts, or replaces a token. So all of them work on the same parse, in any order, and
//! what the user typed stays a sequence of stretches that the source map knows.

use crate::evaluator::cell::map::pieces::{Placed, Run};
use crate::evaluator::cell::map::source_map::SourceMap;
use loopbook_channel::Mark;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// Everything that is to change in a cell.
#[derive(Debug, Default)]
pub(in crate::evaluator::cell) struct Edits {
    edits: Vec<Edit>,
    opened: BTreeSet<usize>,
    preceded: BTreeSet<usize>,
}

#[derive(Debug)]
struct Edit {
    range: Range<usize>,
    order: Order,
    text: String,
    /// The cell and line that a mark names.
    mark: Option<(u32, u32)>,
    /// Where the inserted text stands once more.
    copied: Option<Range<usize>>,
}

/// How edits at one place are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    /// A mark belongs to the token that it follows.
    MarkBehind,
    /// Inner ends come before outer ones.
    Close(std::cmp::Reverse<usize>),
    /// The mark of the cell's first line.
    MarkFirst,
    /// A statement of its own before another one.
    Before,
    /// evcxr begins a new line of its own here.
    Begin,
    /// Outer beginnings come before inner ones.
    Open(usize),
    /// A mark in front of a token.
    MarkAhead,
    Replace,
}

impl Edits {
    /// Wraps a stretch. `depth` is larger for what is further inside.
    pub(in crate::evaluator::cell) fn wrap(&mut self, range: Range<usize>, depth: usize, open: &str, close: &str) {
        self.open(range.start, depth, open);
        self.close(range.end, depth, close);
    }

    /// Inserts the beginning of something that goes on behind `at`.
    pub(in crate::evaluator::cell) fn open(&mut self, at: usize, depth: usize, text: impl Into<String>) {
        self.opened.insert(at);
        self.insert(at, Order::Open(depth), text.into());
    }

    /// Inserts the end of something that began before `at`.
    pub(in crate::evaluator::cell) fn close(&mut self, at: usize, depth: usize, text: impl Into<String>) {
        self.insert(at, Order::Close(std::cmp::Reverse(depth)), text.into());
    }

    /// Inserts a statement of its own before the one at `at`.
    pub(in crate::evaluator::cell) fn before(&mut self, at: usize, text: impl Into<String>) {
        self.preceded.insert(at);
        self.insert(at, Order::Before, text.into());
    }

    /// Replaces a stretch; nothing may be inserted inside of it.
    pub(in crate::evaluator::cell) fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.edits.push(Edit { range, order: Order::Replace, text: text.into(), mark: None, copied: None });
    }

    /// Says that a statement or item begins at `at`: evcxr puts it on a line of its own.
    pub(in crate::evaluator::cell) fn begin(&mut self, at: usize) {
        self.insert(at, Order::Begin, String::new());
    }

    /// Whether something is opened here.
    pub(super) fn opens(&self, at: usize) -> bool {
        self.opened.contains(&at)
    }

    /// Whether a statement is inserted here.
    pub(super) fn precedes(&self, at: usize) -> bool {
        self.preceded.contains(&at)
    }

    /// Inserts a mark of a cell's line in front of everything else at `at`.
    pub(super) fn mark_first(&mut self, at: usize, line: (u32, u32)) {
        self.mark(at, Order::MarkFirst, line);
    }

    /// Inserts a line mark in front of a token, behind what is opened there.
    pub(super) fn mark_ahead(&mut self, at: usize, line: (u32, u32)) {
        self.mark(at, Order::MarkAhead, line);
    }

    /// Inserts a line mark behind a token that ends at `at`.
    pub(super) fn mark_behind(&mut self, at: usize, line: (u32, u32)) {
        self.mark(at, Order::MarkBehind, line);
    }

    /// Inserts a line mark among what is inserted behind `at` by [`Edits::close`] at depth 0.
    pub(super) fn mark_close(&mut self, at: usize, line: (u32, u32)) {
        self.mark(at, Order::Close(std::cmp::Reverse(0)), line);
    }

    /// Inserts `text` behind `at`, as [`Edits::close`] at depth 0, for the name that stands at `name`.
    pub(in crate::evaluator::cell) fn copy(&mut self, at: usize, name: Range<usize>, text: &str) {
        let order = Order::Close(std::cmp::Reverse(0));
        self.edits.push(Edit { range: at..at, order, text: text.to_owned(), mark: None, copied: Some(name) });
    }

    fn mark(&mut self, at: usize, order: Order, line: (u32, u32)) {
        self.edits.push(Edit { range: at..at, order, text: String::new(), mark: Some(line), copied: None });
    }

    fn insert(&mut self, at: usize, order: Order, text: String) {
        self.edits.push(Edit { range: at..at, order, text, mark: None, copied: None });
    }

    /// Makes the changes.
    pub(in crate::evaluator::cell) fn render(mut self, source: String) -> SourceMap {
        self.edits.sort_by_key(|edit| (edit.range.start, edit.order));
        let mut out = String::with_capacity(source.len() + 32 * self.edits.len());
        let mut runs = Vec::new();
        let mut marks = Vec::new();
        let mut cursor = 0;
        let (mut begin, mut line_start, mut searched) = (0, 0, 0);
        let mut counts: HashMap<u32, u32> = HashMap::new();
        let copy = |out: &mut String, runs: &mut Vec<Run>, range: Range<usize>| {
            if !range.is_empty() {
                runs.push(Run { out: out.len()..out.len() + range.len(), source: range.clone() });
                out.push_str(&source[range]);
            }
        };
        for edit in self.edits {
            if edit.range.start < cursor {
                continue;
            }
            copy(&mut out, &mut runs, cursor..edit.range.start);
            cursor = edit.range.end;
            if edit.order == Order::Begin {
                begin = out.len();
            }
            if let Some((cell, line)) = edit.mark {
                // Searched from the mark before: a line may be long and hold many.
                line_start = out[searched..].rfind('\n').map_or(line_start, |newline| searched + newline + 1);
                searched = out.len();
                let count = counts.entry(line).or_default();
                let mark = Mark { cell, line, nth: *count };
                *count += 1;
                marks.push(Placed { mark, at: out.len(), piece: line_start.max(begin) });
                out.push_str(&mark.to_string());
            }
            let stands_for = edit.copied.or_else(|| (!edit.range.is_empty()).then_some(edit.range));
            if let Some(source) = stands_for {
                runs.push(Run { out: out.len()..out.len() + edit.text.len(), source });
            }
            out.push_str(&edit.text);
        }
        copy(&mut out, &mut runs, cursor..source.len());
        SourceMap::new(source, out, runs, marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_nest() {
        let mut edits = Edits::default();
        edits.wrap(0..1, 2, "b(", ")b");
        edits.wrap(0..1, 1, "a(", ")a");
        edits.mark_ahead(0, (7, 1));
        edits.before(0, "enum E {} ");
        edits.close(0, 9, ";");
        assert_eq!(edits.render("x y".into()).rewritten(), ";enum E {} a(b(/*lb:7:1*/x)b)a y");
    }

    #[test]
    fn a_replaced_token_swallows_what_is_inside() {
        let mut edits = Edits::default();
        edits.replace(0..3, "z");
        edits.open(1, 0, "!");
        assert_eq!(edits.render("abc d".into()).rewritten(), "z d");
    }
}
