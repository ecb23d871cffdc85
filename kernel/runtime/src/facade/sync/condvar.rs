//! A condition variable whose waiting tasks the inspector knows.

use super::mutex::MutexGuard;
use crate::facade::{future::timeout, noting::Noting};
use crate::tasks::{
    objects::{self, CondvarBarrier, Sort},
    record::Wait,
};
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// async-std's condition variable.
///
/// ```
/// use loopbook::facade::{sync::{Arc, Condvar, Mutex}, task};
/// let ready = Arc::new((Mutex::new(false), Condvar::new()));
/// let other = Arc::clone(&ready);
/// task::spawn(async move {
///     *other.0.lock().await = true;
///     other.1.notify_one();
/// });
/// task::block_on(async {
///     let guard = ready.1.wait_until(ready.0.lock().await, |ready| *ready).await;
///     assert!(*guard);
/// });
/// ```
pub struct Condvar {
    real: async_std::sync::Condvar,
    shared: OnceLock<Arc<CondvarBarrier>>,
    made_at: &'static Location<'static>,
}

/// Whether a wait has ended because its time was up.
#[derive(Debug, PartialEq, Eq, Copy, Clone)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was up.
    pub fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    /// One that nobody waits for.
    #[track_caller]
    pub fn new() -> Self {
        Condvar { real: async_std::sync::Condvar::new(), shared: OnceLock::new(), made_at: Location::caller() }
    }

    /// Lets go of the lock, waits for a notification, and takes the lock again.
    ///
    /// ```
    /// use loopbook::{facade::sync::{Condvar, Mutex}, facade::task, gather};
    /// let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    /// task::block_on(async {
    ///     let waits = async {
    ///         let mut number = mutex.lock().await;
    ///         while *number == 0 {
    ///             number = condvar.wait(number).await;
    ///         }
    ///         *number
    ///     };
    ///     let sets = async {
    ///         *mutex.lock().await = 7;
    ///         condvar.notify_all();
    ///     };
    ///     assert_eq!(gather!(waits, sets).0, 7);
    /// });
    /// ```
    pub async fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        let mutex = MutexGuard::source(&guard);
        self.notified(guard).await;
        mutex.lock().await
    }

    /// Waits until a notification finds that the condition holds.
    ///
    /// ```
    /// use loopbook::{facade::sync::{Condvar, Mutex}, facade::task, gather};
    /// let (queue, arrived) = (Mutex::new(Vec::new()), Condvar::new());
    /// task::block_on(async {
    ///     let takes = async { arrived.wait_until(queue.lock().await, |queue| !queue.is_empty()).await.pop() };
    ///     let puts = async {
    ///         queue.lock().await.push("parcel");
    ///         arrived.notify_one();
    ///     };
    ///     assert_eq!(gather!(takes, puts).0, Some("parcel"));
    /// });
    /// ```
    pub async fn wait_until<'a, T, F>(&self, mut guard: MutexGuard<'a, T>, mut condition: F) -> MutexGuard<'a, T>
    where
        F: FnMut(&mut T) -> bool,
    {
        while !condition(&mut *guard) {
            guard = self.wait(guard).await;
        }
        guard
    }

    /// Like [`Condvar::wait`], but no longer than `dur`, and then as long as it takes to get the lock.
    ///
    /// ```
    /// use loopbook::facade::{sync::{Condvar, Mutex}, task};
    /// use std::time::Duration;
    /// let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    /// task::block_on(async {
    ///     let (_guard, result) = condvar.wait_timeout(mutex.lock().await, Duration::from_millis(5)).await;
    ///     assert!(result.timed_out(), "nobody notifies it");
    /// });
    /// ```
    pub async fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
    ) -> (MutexGuard<'a, T>, WaitTimeoutResult) {
        let mutex = MutexGuard::source(&guard);
        match timeout(dur, self.wait(guard)).await {
            Ok(guard) => (guard, WaitTimeoutResult(false)),
            Err(_) => (mutex.lock().await, WaitTimeoutResult(true)),
        }
    }

    /// Like [`Condvar::wait_until`], but no longer than `dur`, and then as long as it takes to get the lock.
    pub async fn wait_timeout_until<'a, T, F>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
        condition: F,
    ) -> (MutexGuard<'a, T>, WaitTimeoutResult)
    where
        F: FnMut(&mut T) -> bool,
    {
        let mutex = MutexGuard::source(&guard);
        match timeout(dur, self.wait_until(guard, condition)).await {
            Ok(guard) => (guard, WaitTimeoutResult(false)),
            Err(_) => (mutex.lock().await, WaitTimeoutResult(true)),
        }
    }

    /// Wakes one that waits.
    pub fn notify_one(&self) {
        self.real.notify_one();
    }

    /// Wakes all that wait.
    pub fn notify_all(&self) {
        self.real.notify_all();
    }

    /// Lets go of the lock, once a notification cannot be missed any more, and waits for one.
    async fn notified<T>(&self, guard: MutexGuard<'_, T>) {
        // async-std's own takes a guard of its own mutex, of which it lets go when it is first polled. This one is for that.
        let nothing = async_std::sync::Mutex::new(());
        let mut held = Some(guard);
        let mut notified = pin!(self.real.wait(nothing.lock().await));
        let waiting = poll_fn(|cx| {
            let polled = notified.as_mut().poll(cx).map(drop);
            held = None;
            polled
        });
        Noting::new(waiting, || Wait::Object(self.shared(), 0)).await;
    }

    /// The half that the inspector has; made when it is first needed.
    fn shared(&self) -> Arc<CondvarBarrier> {
        let make = || objects::enter(self.made_at, |number| CondvarBarrier::new(number, Sort::Condvar));
        Arc::clone(self.shared.get_or_init(make))
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.real.fmt(f)
    }
}
