//! The handle of a task.

use crate::support::clock::Moment;
use crate::tasks::{
    context, panics,
    record::{Record, Wait, Waiting},
};
use async_std::task::Task;
use loopbook_channel::TaskState;
use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What a panic carries.
pub(super) type Payload = Box<dyn Any + Send>;

/// How a task ended.
pub(super) type Finished<T> = Result<T, Payload>;

/// A handle that awaits a task. Dropping it lets the task go on; if such a task panics, the error is shown under the cell
/// that started it.
///
/// ```
/// use loopbook::facade::task;
/// let handle = task::spawn(async { "done" });
/// task::block_on(async { assert_eq!(handle.await, "done") });
/// ```
///
/// # Panics
/// Awaiting a task that panicked panics with the same message.
pub struct JoinHandle<T> {
    inner: Option<async_std::task::JoinHandle<Finished<T>>>,
    task: Task,
    /// None if the inspector was off when the task was started.
    record: Option<Arc<Record>>,
    edge: Option<Edge>,
}

impl<T> JoinHandle<T> {
    pub(super) fn new(inner: async_std::task::JoinHandle<Finished<T>>, record: Option<Arc<Record>>) -> Self {
        Self { task: inner.task().clone(), inner: Some(inner), record, edge: None }
    }

    /// The task's async-std handle: its name and async-std's number.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// Ends the task at its next `.await`, or in the next round of a loop of a cell, and waits until it has ended.
    /// Gives its output if it was quicker.
    ///
    /// ```
    /// use loopbook::facade::task;
    /// use std::time::Duration;
    /// let sleeper = task::spawn(task::sleep(Duration::from_secs(3600)));
    /// assert_eq!(task::block_on(sleeper.cancel()), None);
    /// ```
    ///
    /// # Panics
    /// If the task has panicked.
    pub async fn cancel(mut self) -> Option<T> {
        let inner = self.inner.take()?;
        if let Some(record) = &self.record {
            record.ask_to_end(&context::current().map_or_else(|| "its handle".into(), |record| record.describe()));
        }
        let finished = inner.cancel().await;
        if self.record.as_ref().is_some_and(|record| record.is_cancelled()) {
            return None;
        }
        finished.map(|finished| self.unwrap(finished))
    }

    /// What it is, how far the task is, and what to do with it.
    pub(crate) fn describe(&self) -> String {
        let Some((record, state)) = self.record.as_ref().zip(self.state()) else {
            let name = self.task.name().map(|name| format!(" \"{name}\"")).unwrap_or_default();
            return format!("JoinHandle of a task{name} that is not watched: write `.await` behind it for its value");
        };
        let advice = match state {
            TaskState::Panicked => "to await it is to panic with it",
            TaskState::Cancelled => "to await it is to panic, since it has no value",
            _ => "write `.await` behind it for its value",
        };
        format!("JoinHandle of {}, {}: {advice}", record.describe(), state.word())
    }

    fn state(&self) -> Option<TaskState> {
        self.record.as_ref().map(|record| record.past(Moment::now()).info().state)
    }

    /// Raises the panic of the task here, in its awaiter.
    fn unwrap(&self, finished: Finished<T>) -> T {
        finished.unwrap_or_else(|payload| {
            if let Some(failure) = self.record.as_ref().and_then(|record| record.take_failure()) {
                panics::remember(&failure);
            }
            resume_unwind(payload)
        })
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(inner) = self.inner.as_mut() else {
            panic!("a `JoinHandle` was polled after it had given its output");
        };
        match Pin::new(inner).poll(cx) {
            Poll::Pending => {
                if self.record.is_some() && self.edge.as_ref().map(Edge::awaiter) != context::current_task() {
                    // The old edge goes first: both may name the same tasks.
                    self.edge = None;
                    let both = context::current().zip(self.record.as_ref());
                    self.edge = both.map(|(awaiter, record)| Edge::new(&awaiter, record));
                }
                Poll::Pending
            }
            Poll::Ready(finished) => {
                self.edge = None;
                Poll::Ready(self.unwrap(finished))
            }
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Some(record) = &self.record {
            record.detach();
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("JoinHandle");
        // The numbers of `:tasks`, which are not async-std's.
        match self.record.as_ref().zip(self.state()) {
            Some((record, state)) => {
                fields.field("task", &record.id);
                record.name.as_ref().map(|name| fields.field("name", name));
                fields.field("state", &format_args!("{}", state.word())).finish()
            }
            None => fields.field("task", &self.task).finish_non_exhaustive(),
        }
    }
}

/// One task awaits another, for as long as this lives.
pub(crate) struct Edge {
    target: Arc<Record>,
    waiting: Waiting,
}

impl Edge {
    pub(crate) fn new(awaiter: &Arc<Record>, target: &Arc<Record>) -> Self {
        target.add_awaiter(awaiter.id);
        Self { target: Arc::clone(target), waiting: awaiter.wait(Wait::Task(target.id)) }
    }

    pub(crate) fn awaiter(&self) -> u64 {
        self.waiting.task()
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.target.remove_awaiter(self.waiting.task());
    }
}
