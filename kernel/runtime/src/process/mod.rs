//! What the process is to the kernel and to the child program: where they meet, who answers, what user code prints and reads.

mod attach;
mod child_program;
mod inspector;
mod markers;
mod output;
mod reader;
mod stdin;
mod subshells;
