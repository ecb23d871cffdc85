//! `async_std::prelude`, with a [`FutureExt::timeout`] that the inspector shows.

use super::future::{IntoFuture, TimeoutError};
use super::noting::Noting;
use crate::tasks::record::Wait;
use async_std::prelude::FutureExt as Real;
use std::time::{Duration, Instant};

pub use async_std::prelude::*;

/// What async-std adds to futures.
///
/// ```
/// use loopbook::facade::{prelude::*, task};
/// use std::time::Duration;
/// let (one, two) = task::block_on(async { 1 }.join(async { 2 }));
/// assert_eq!(one + two, 3);
/// assert!(task::block_on(std::future::pending::<()>().timeout(Duration::from_millis(5))).is_err());
/// ```
pub trait FutureExt: Future {
    /// Waits for `dur` before this future is polled.
    fn delay(self, dur: Duration) -> impl Future<Output = Self::Output>
    where
        Self: Sized,
    {
        Real::delay(self, dur)
    }

    /// Awaits this future, and then the future that it gives.
    fn flatten(self) -> impl Future<Output = <Self::Output as IntoFuture>::Output>
    where
        Self: Sized,
        Self::Output: IntoFuture,
    {
        Real::flatten(self)
    }

    /// Awaits whichever of both is done first.
    fn race<F>(self, other: F) -> impl Future<Output = Self::Output>
    where
        Self: Sized,
        F: Future<Output = Self::Output>,
    {
        Real::race(self, other)
    }

    /// Awaits whichever of both succeeds first; the error of the last if neither does.
    fn try_race<F, T, E>(self, other: F) -> impl Future<Output = Self::Output>
    where
        Self: Sized + Future<Output = Result<T, E>>,
        F: Future<Output = Self::Output>,
    {
        Real::try_race(self, other)
    }

    /// Awaits both.
    fn join<F>(self, other: F) -> impl Future<Output = (Self::Output, F::Output)>
    where
        Self: Sized,
        F: Future,
    {
        Real::join(self, other)
    }

    /// Awaits both, or the first that fails.
    fn try_join<F, A, B, E>(self, other: F) -> impl Future<Output = Result<(A, B), E>>
    where
        Self: Sized + Future<Output = Result<A, E>>,
        F: Future<Output = Result<B, E>>,
    {
        Real::try_join(self, other)
    }

    /// Awaits this future, but no longer than `dur` from now on.
    fn timeout(self, dur: Duration) -> impl Future<Output = Result<Self::Output, TimeoutError>>
    where
        Self: Sized,
    {
        let now = Instant::now();
        let end = now.checked_add(dur).unwrap_or(now);
        Noting::new(Real::timeout(self, dur), move || Wait::Timeout(end))
    }
}

impl<T: Future + ?Sized> FutureExt for T {}
