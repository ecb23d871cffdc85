//! The handle of a task.

use super::body::BoxedBody;
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
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::panic::{RefUnwindSafe, UnwindSafe, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What a panic carries.
pub(super) type Payload = Box<dyn Any + Send>;

/// How a task ended.
pub(super) type Finished = Result<BoxedBody, Payload>;

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
    handle: Handle,
    /// As for async-std's handle, it counts as an owner of the output.
    output: PhantomData<Box<T>>,
}

// SAFETY: as async-std's, which gives the output only to its owner.
unsafe impl<T> Sync for JoinHandle<T> {}
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// That of a task whose output is a `T`.
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle, output: PhantomData }
    }

    /// The task's async-std handle: its name and async-std's number.
    pub fn task(&self) -> &Task {
        &self.handle.parts.task
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
        let body = self.handle.cancel().await?;
        let mut output = MaybeUninit::<T>::uninit();
        // SAFETY: the task has ended with a `T`, which nobody has taken.
        unsafe {
            body.take(output.as_mut_ptr().cast());
            Some(output.assume_init())
        }
    }

    /// What it is, how far the task is, and what to do with it.
    pub(crate) fn describe(&self) -> String {
        self.handle.describe()
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = T;

    // Compiled with each cell: see `Handle`.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut output = MaybeUninit::<T>::uninit();
        // SAFETY: there is room for a `T`, which is the output of this task.
        if unsafe { self.handle.poll(cx, output.as_mut_ptr().cast()) } {
            // SAFETY: it has been written.
            Poll::Ready(unsafe { output.assume_init() })
        } else {
            Poll::Pending
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.parts.fmt(f)
    }
}

/// What of a handle does not depend on the output's type. Its parts are dropped by a function of this library: what drops a
/// value is compiled wherever one is dropped, with all that is in the value.
pub(super) struct Handle {
    parts: ManuallyDrop<Parts>,
}

struct Parts {
    inner: Option<async_std::task::JoinHandle<Finished>>,
    task: Task,
    /// None if the inspector was off when the task was started.
    record: Option<Arc<Record>>,
    edge: Option<Edge>,
}

impl Handle {
    pub(super) fn new(inner: async_std::task::JoinHandle<Finished>, record: Option<Arc<Record>>) -> Self {
        let task = inner.task().clone();
        Self { parts: ManuallyDrop::new(Parts { task, inner: Some(inner), record, edge: None }) }
    }

    /// Whether the task is done; then its output is where it is wanted.
    ///
    /// # Safety
    /// `to` has room for the task's output.
    unsafe fn poll(&mut self, cx: &mut Context<'_>, to: *mut ()) -> bool {
        match self.parts.poll(cx) {
            Poll::Pending => false,
            Poll::Ready(body) => {
                // SAFETY: the task is done, and gives its body once.
                unsafe { body.take(to) };
                true
            }
        }
    }

    async fn cancel(&mut self) -> Option<BoxedBody> {
        let inner = self.parts.inner.take()?;
        if let Some(record) = &self.parts.record {
            record.ask_to_end(&context::current().map_or_else(|| "its handle".into(), |record| record.describe()));
        }
        let finished = inner.cancel().await;
        if self.parts.record.as_ref().is_some_and(|record| record.is_cancelled()) {
            return None;
        }
        finished.map(|finished| self.parts.unwrap(finished))
    }

    fn describe(&self) -> String {
        let parts = &self.parts;
        let Some((record, state)) = parts.record.as_ref().zip(parts.state()) else {
            let name = parts.task.name().map(|name| format!(" \"{name}\"")).unwrap_or_default();
            return format!("JoinHandle of a task{name} that is not watched: write `.await` behind it for its value");
        };
        let advice = match state {
            TaskState::Panicked => "to await it is to panic with it",
            TaskState::Cancelled => "to await it is to panic, since it has no value",
            _ => "write `.await` behind it for its value",
        };
        format!("JoinHandle of {}, {}: {advice}", record.describe(), state.word())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(record) = &self.parts.record {
            record.detach();
        }
        // SAFETY: nothing uses the parts from here on.
        unsafe { ManuallyDrop::drop(&mut self.parts) }
    }
}

impl Parts {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<BoxedBody> {
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

    /// Raises the panic of the task here, in its awaiter.
    fn unwrap(&self, finished: Finished) -> BoxedBody {
        finished.unwrap_or_else(|payload| {
            if let Some(failure) = self.record.as_ref().and_then(|record| record.take_failure()) {
                panics::remember(&failure);
            }
            resume_unwind(payload)
        })
    }

    fn state(&self) -> Option<TaskState> {
        self.record.as_ref().map(|record| record.past(Moment::now()).info().state)
    }

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
