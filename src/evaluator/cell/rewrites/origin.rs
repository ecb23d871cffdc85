//! What a cell is made of: its text, and what a first try has shown to be necessary.

use super::findings::Why;
use crate::evaluator::cell::notebook::Notebook;
use std::collections::{BTreeMap, BTreeSet};

/// What a cell was prepared from, for a second try.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::evaluator::cell) struct Origin {
    pub(in crate::evaluator::cell) cell: u32,
    pub(in crate::evaluator::cell) code: String,
    pub(in crate::evaluator::cell) notebook: Notebook,
    /// Variables whose initialisers are boxed.
    pub(in crate::evaluator::cell) kept: Vec<String>,
    /// Variables that cannot be kept.
    pub(in crate::evaluator::cell) not_kept: BTreeMap<String, Why>,
    /// Variables whose types rust-analyzer may know in a `let` of their own.
    pub(in crate::evaluator::cell) typed_from_behind: BTreeSet<String>,
    /// Of those that cannot be kept, whether they are dropped before the others are stored.
    pub(in crate::evaluator::cell) ends: BTreeMap<String, bool>,
    /// Whether the value of the last expression is not looked at.
    pub(in crate::evaluator::cell) unshown: bool,
    /// Whether nobody is told at which `.await` it stands.
    pub(in crate::evaluator::cell) unwatched: bool,
}
