//! What the process is to the kernel and to the child program: where they meet, who answers, what user code prints and reads.

pub(crate) mod attach;
pub(crate) mod inspector;
mod markers;
mod output;
mod stdin;
