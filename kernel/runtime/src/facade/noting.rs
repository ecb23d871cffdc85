//! Noting what a task waits for: from the first `Pending` of the future that waits until it is done or dropped.

use crate::tasks::{
    context,
    record::{Wait, Waiting},
};
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What one future waits for, known to the task that polls it.
///
/// It is dropped by a function of this library, or each cell with such a future would compile all that is in it.
#[derive(Default)]
pub(super) struct Noted(ManuallyDrop<Option<Waiting>>);

impl Drop for Noted {
    fn drop(&mut self) {
        // SAFETY: nothing uses it from here on.
        unsafe { ManuallyDrop::drop(&mut self.0) }
    }
}

impl Noted {
    /// The future has said `Pending`. The task is told, unless it knows.
    pub(super) fn pends(&mut self, wait: impl FnOnce() -> Wait) {
        if self.0.as_ref().map(Waiting::task) == context::current_task() {
            return;
        }
        // The old note goes first: it may be of a task that has ended.
        *self.0 = None;
        *self.0 = context::current().map(|record| record.wait(wait()));
    }

    /// A future that outlives its being awaited has said `Pending`: each time, the task is told that it still is.
    pub(super) fn pends_again(&mut self, wait: impl FnOnce(u64) -> Wait) {
        *self.0 = None;
        *self.0 = context::current().map(|record| record.wait(wait(record.polls())));
    }

    /// The future is done.
    pub(super) fn is_over(&mut self) {
        *self.0 = None;
    }
}

pin_project_lite::pin_project! {
    /// A future of which the task that awaits it knows what it waits for.
    pub(super) struct Noting<F, W> {
        #[pin]
        inner: F,
        wait: W,
        noted: Noted,
    }
}

impl<F: Future, W: Fn() -> Wait> Noting<F, W> {
    /// `wait` is asked at the first `Pending`.
    pub(super) fn new(inner: F, wait: W) -> Self {
        Self { inner, wait, noted: Noted::default() }
    }
}

impl<F: Future, W: Fn() -> Wait> Future for Noting<F, W> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = this.inner.poll(cx);
        if polled.is_pending() {
            this.noted.pends(this.wait);
        } else {
            this.noted.is_over();
        }
        polled
    }
}
