//! What every other room may use and that uses none of them: clocks, locks, words, and values written as text.

pub(crate) mod base64;
pub(crate) mod brief;
pub(crate) mod bundle;
pub(crate) mod clock;
pub(crate) mod epoll;
pub(crate) mod erased;
#[cfg(test)]
pub(crate) mod examples;
pub(crate) mod sync;
pub(crate) mod type_names;
pub(crate) mod units;
pub(crate) mod words;
