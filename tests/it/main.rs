//! The fast tests: the whole dispatcher against the toy evaluator, over in-memory links, and the rules of the source.

mod answers;
mod execution;
mod expressions;
mod fuzz;
mod harness;
mod input;
mod malformed;
mod output;
mod prerequisites;
mod prose;
mod schema;
mod subshells;
mod support;
mod tidy;
mod transcript;
