//! Loopbook: a Jupyter kernel for async Rust. The modules, in reading order:
//!
//! - [`wire`]: Jupyter's messages as data,
//! - [`transport`]: the seam between sockets and dispatcher,
//! - [`sockets`]: the five ZeroMQ sockets,
//! - [`dispatcher`]: who owns the kernel's state and answers every request,
//! - [`evaluator`]: what runs cells,
//! - [`kernel`]: one kernel process, put together from these; [`watch`] knows when it must end,
//! - [`cli`]: the command line; [`home`] and [`image`] know what is installed where.

pub mod cli;
pub mod dispatcher;
pub mod evaluator;
pub mod home;
pub mod image;
pub mod kernel;
pub mod sockets;
pub mod transport;
pub mod watch;
pub mod wire;
