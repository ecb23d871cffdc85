//! `async_std::future`, with a [`timeout`] that the inspector shows.

use super::noting::Noting;
use crate::tasks::record::Wait;
use std::time::{Duration, Instant};

pub use async_std::future::*;

/// Awaits a future, but no longer than `dur`.
///
/// ```
/// use loopbook::facade::{future, task};
/// use std::time::Duration;
/// let never = std::future::pending::<()>();
/// assert!(task::block_on(future::timeout(Duration::from_millis(5), never)).is_err());
/// assert_eq!(task::block_on(future::timeout(Duration::from_secs(60), async { 4 })), Ok(4));
/// ```
///
/// # Errors
/// If the time is up first.
pub fn timeout<F, T>(dur: Duration, f: F) -> impl Future<Output = Result<T, TimeoutError>>
where
    F: Future<Output = T>,
{
    let deadline = Deadline::new(dur);
    Noting::new(async_std::future::timeout(dur, f), move || deadline.wait())
}

/// When a timeout is over that begins to count when it is first awaited.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Duration);

impl Deadline {
    pub(super) fn new(duration: Duration) -> Self {
        Self(duration)
    }

    /// The wait of a task that begins to wait now.
    pub(super) fn wait(self) -> Wait {
        /// About as long as there have been people: later than that is never.
        const NEVER: Duration = Duration::from_secs(10_000_000_000);
        let now = Instant::now();
        Wait::Timeout(now.checked_add(self.0.min(NEVER)).unwrap_or(now))
    }
}
