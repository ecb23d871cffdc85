//! `async_std::io`, with a [`timeout`] that the inspector shows.

use super::future::Deadline;
use super::noting::Noting;
use std::future::Future;
use std::io;
use std::time::Duration;

pub use async_std::io::*;

/// Awaits a future that does I/O, but no longer than `dur`.
///
/// ```
/// use loopbook::facade::{io, task};
/// use std::time::Duration;
/// let never = std::future::pending::<std::io::Result<()>>();
/// let result = task::block_on(io::timeout(Duration::from_millis(5), never));
/// assert_eq!(result.expect_err("too late").kind(), std::io::ErrorKind::TimedOut);
/// ```
///
/// # Errors
/// Those of the future, and [`io::ErrorKind::TimedOut`].
pub fn timeout<F, T>(dur: Duration, f: F) -> impl Future<Output = io::Result<T>>
where
    F: Future<Output = io::Result<T>>,
{
    let deadline = Deadline::new(dur);
    Noting::new(async_std::io::timeout(dur, f), move || deadline.wait())
}
