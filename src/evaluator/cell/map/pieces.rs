//! Pieces of a cell in evcxr's code.

use loopbook_channel::Mark;
use std::ops::Range;

/// A stretch that was copied, or a token that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::evaluator::cell) struct Run {
    pub(in crate::evaluator::cell) out: Range<usize>,
    pub(in crate::evaluator::cell) source: Range<usize>,
}

/// A line mark in the rewritten cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::evaluator::cell) struct Placed {
    pub(in crate::evaluator::cell) mark: Mark,
    /// Where it begins.
    pub(in crate::evaluator::cell) at: usize,
    /// Where the line that holds it begins in evcxr's code: evcxr puts each statement on a line of its own.
    pub(in crate::evaluator::cell) piece: usize,
}
