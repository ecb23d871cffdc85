//! The kernel's side of the child process: the channel to it, and the executions that are going on there.

pub mod connection;
pub mod executions;
mod programs;
pub mod server;
