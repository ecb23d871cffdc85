//! The borders of the process: calls from the child program, messages and questions of the kernel, and what user code
//! prints and reads.

mod attach;
mod child_program;
mod evcxr_markers;
mod inspector;
mod output;
mod reader;
mod stdin;
mod subshells;
pub mod variables;
