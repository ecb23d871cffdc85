//! Local servers for lessons that need a network and have none, and small programs to keep a processor busy.
//!
//! ```
//! use loopbook::lab;
//! use std::time::Duration;
//! # use loopbook::facade as async_std;
//! # async_std::task::block_on(async {
//! let server = lab::server();
//! let url = server.url("/delay/50");
//! let (first, second) = loopbook::gather!(lab::get(&url), lab::get(&url));
//! assert_eq!(first?.text(), "Waited 50 ms.\n");
//! assert_eq!(second?.status, 200);
//! assert_eq!(server.max_in_flight(), 2);
//! # Ok::<(), std::io::Error>(()) }).unwrap();
//! ```
//!
//! A server plays the part of another computer. It runs on a thread of its own with a reactor of its own, so it takes no
//! part in the notebook's loop: it is in no table of tasks, in no timeline, and not among [`resources`](crate::resources).
//! What it counts is the truth about requests that overlapped, whatever the client believes. It ends when it is dropped.
//!
//! In reading order: `server` (the handle), `serve` (what its thread does), `routes` (what it answers), `tally` (what
//! it counts), `trace` (what went over the wire), `http` (just enough of it), `client`, `database`, `limits`, `burn`,
//! `threads`.

mod burn;
mod client;
mod database;
mod http;
mod limits;
mod routes;
mod serve;
mod server;
mod tally;
mod threads;
mod trace;

pub use burn::{fib, spin};
pub use client::{Get, Response, Target, get, get_blocking, post};
pub use database::{Book, Database, database};
pub use limits::connection_limit;
pub use server::{Server, common, echo, server};
pub use tally::{Arrival, ServerStats};
pub use threads::{Thread, threads};
pub use trace::{Piece, Side, Trace};

pub(crate) use burn::process_time;
