//! From text to a syntax tree, and what keeps a cell from getting there.

pub(super) mod blocks;
pub(super) mod complete;
pub(super) mod dangling;
pub(super) mod fault;
pub(super) mod head;
pub(super) mod nesting;
pub(super) mod problem;
pub(super) mod syntax;
