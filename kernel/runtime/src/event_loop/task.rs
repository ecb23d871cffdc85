//! The handle of a task of a loop.

use super::error::TaskError;
use super::job::{Outcome, Taken};
use crate::facade::task::Edge;
use crate::support::clock::Moment;
use crate::tasks::{cancel, context, panics, record::Record};
use crate::{CancelOutcome, TaskId};
use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A task of a [`Loop`](super::Loop): a future of what the task gives, and what is known of it meanwhile.
///
/// Dropping it lets the task go on; if such a task panics, the error is shown under the cell that started it.
///
/// ```
/// use loopbook::Loop;
/// let lab = Loop::new("lab");
/// let mut task = lab.create_task("adding", async { 1 + 2 });
/// assert!(!task.done());
/// assert_eq!(lab.run_until_complete(&mut task), 3);
/// assert!(task.done() && !task.cancelled());
/// ```
///
/// # Panics
/// Awaiting a task that panicked panics with the same message, and awaiting one that was cancelled with who cancelled it.
pub struct Task<T> {
    outcome: Arc<Outcome<T>>,
    record: Arc<Record>,
    edge: Option<Edge>,
}

impl<T> Task<T> {
    pub(super) fn new(outcome: Arc<Outcome<T>>, record: Arc<Record>) -> Self {
        Self { outcome, record, edge: None }
    }

    /// Its number, as in `:tasks`, [`crate::task`] and [`crate::cancel`].
    ///
    /// ```
    /// let lab = loopbook::Loop::new("lab");
    /// let fetch = lab.create_task("fetch", async {});
    /// assert_eq!(loopbook::task(fetch.id()).and_then(|info| info.name), Some(fetch.name().to_owned()));
    /// ```
    pub fn id(&self) -> TaskId {
        self.record.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.record.name.as_deref().unwrap_or_default()
    }

    /// Whether it has ended: with an output, by a panic, or because it was cancelled.
    pub fn done(&self) -> bool {
        self.outcome.is_settled()
    }

    /// Whether it was cancelled, and has ended of it.
    pub fn cancelled(&self) -> bool {
        self.outcome.is_cancelled()
    }

    /// Asks the task to end. It does so when its loop comes to it, and its destructors run then; a loop that does not run
    /// comes to nothing. False if the task has ended already.
    ///
    /// ```
    /// use loopbook::{Loop, facade::task};
    /// let lab = Loop::new("lab");
    /// let sleeper = lab.create_task("sleeper", task::sleep(std::time::Duration::from_secs(3600)));
    /// assert!(sleeper.cancel());
    /// lab.run_until_complete(task::yield_now());
    /// assert!(sleeper.cancelled() && !sleeper.cancel());
    /// ```
    #[track_caller]
    pub fn cancel(&self) -> bool {
        !self.done() && cancel::cancel(self.record.id) != CancelOutcome::AlreadyFinished
    }

    /// What the task has given, without waiting. It can be asked for many times.
    ///
    /// ```
    /// use loopbook::{Loop, TaskError, facade::task};
    /// let lab = Loop::new("lab");
    /// let task = lab.create_task("adding", async { 1 + 2 });
    /// assert!(matches!(task.result(), Err(TaskError::NotDone { .. })));
    /// lab.run_until_complete(task::yield_now());
    /// assert_eq!(task.result(), Ok(3));
    /// ```
    ///
    /// # Errors
    /// [`TaskError::NotDone`] if it runs on, [`TaskError::Panicked`], [`TaskError::Cancelled`], and [`TaskError::Taken`] if
    /// somebody has awaited the task before.
    pub fn result(&self) -> Result<T, TaskError>
    where
        T: Clone,
    {
        let result = self.outcome.look(&self.record);
        if result.is_err() && self.done() {
            // Somebody knows of its panic now.
            self.record.take_failure();
        }
        result
    }
}

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match self.outcome.poll(cx.waker()) {
            Poll::Pending => {
                let awaiter = context::current();
                if self.edge.as_ref().map(Edge::awaiter) != awaiter.as_ref().map(|awaiter| awaiter.id) {
                    // The old edge goes first: both may name the same tasks.
                    self.edge = None;
                    self.edge = awaiter.map(|awaiter| Edge::new(&awaiter, &self.record));
                }
                Poll::Pending
            }
            Poll::Ready(taken) => {
                self.edge = None;
                match taken {
                    Taken::Output(output) => Poll::Ready(output),
                    Taken::Panic(payload) => {
                        if let Some(failure) = self.record.take_failure() {
                            panics::remember(&failure);
                        }
                        resume_unwind(payload)
                    }
                }
            }
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.record.detach();
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.record.past(Moment::now()).info();
        f.debug_struct("Task").field("id", &info.id).field("name", &info.name).field("state", &info.state).finish()
    }
}
