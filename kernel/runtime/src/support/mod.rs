//! What every other room may use and that uses none of them: clocks, locks, words, and values written as text.

pub(crate) mod base64;
pub(crate) mod brief;
pub(crate) mod clock;
pub(crate) mod erased;
pub(crate) mod sync;
pub(crate) mod type_names;
