//! `block_on`, of the cell itself and of user code, also nested.
//!
//! async-std's own `block_on` drives neither local tasks nor the reactor when it is nested, and its count of nestings is
//! wrong after a panic. So the future runs in async-global-executor's `block_on`, which is re-entrant, inside of
//! async-std's, which makes it an async-std task; panics are carried out as values.

use crate::executor::{cell_body::CellBody, pool};
use crate::running::{
    cell::{self, Interrupted},
    interrupts,
};
use crate::tasks::{
    block_on_wakers::{self, BlockOnWakers},
    context,
    probe::Probe,
    record::Record,
    threads,
};
use async_std::task::Builder;
use loopbook_channel::CellId;
use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

/// Runs `future` as the task of `record` on this thread until it ends. On the cell's thread it ends early when the cell
/// is interrupted. The error is the payload of a panic, or [`Interrupted`].
pub(crate) fn drive<F: Future>(future: F, record: Arc<Record>) -> thread::Result<F::Output> {
    let mut output = None;
    drive_boxed(Box::pin(async { output = Some(future.await) }), record)?;
    Ok(output.expect("a future that has ended has an output"))
}

/// [`drive`], of a future whose type nothing here depends on, so that all of it is compiled once and not with each cell.
pub(crate) fn drive_boxed(future: CellBody<'_, ()>, record: Arc<Record>) -> thread::Result<()> {
    pool::start();
    let builder = match &record.name {
        Some(name) => Builder::new().name(name.clone()),
        None => Builder::new(),
    };
    let task = interruptible(future, record);
    // What the reactor does in here is nobody's doing, not even a task's that calls this.
    let (_nobody, _reactor) = (context::leave(), threads::block_on());
    builder.blocking(async move { async_global_executor::block_on(task) })
}

/// Watches `future` as the task of `record`, which ends early when the cell is interrupted on whose thread this is called
/// and polled. The error is that of [`drive`].
pub(crate) fn interruptible<F: Future>(
    future: F,
    record: Arc<Record>,
) -> impl Future<Output = thread::Result<F::Output>> {
    Interruptible { outside: Outside::here(), task: Some(Probe::new(future, record)) }
}

/// What wakes a `block_on` other than its future: an interrupt of the cell on whose thread it was made, and that
/// thread's local tasks.
pub(crate) struct Outside {
    key: u64,
    cell: Option<CellId>,
    block_ons: Option<Arc<BlockOnWakers>>,
}

impl Outside {
    /// That of a `block_on` on this thread.
    pub(crate) fn here() -> Self {
        Self::of(cell::of_this_thread())
    }

    /// That of a `block_on` for this cell.
    pub(crate) fn of(cell: Option<CellId>) -> Self {
        static KEYS: AtomicU64 = AtomicU64::new(1);
        Self { key: KEYS.fetch_add(1, Ordering::Relaxed), cell, block_ons: block_on_wakers::of_this_thread() }
    }

    /// Whether the cell is to end. If not, `waker` is woken when that changes, and when a local task is ready.
    pub(crate) fn is_interrupted(&self, waker: &Waker) -> bool {
        if let Some(block_ons) = &self.block_ons {
            block_ons.enter(self.key, waker);
        }
        self.cell.is_some_and(|cell| interrupts::poll(self.key, cell, waker))
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        interrupts::forget(self.key);
        if let Some(block_ons) = &self.block_ons {
            block_ons.leave(self.key);
        }
    }
}

pin_project_lite::pin_project! {
    struct Interruptible<F> {
        outside: Outside,
        #[pin]
        task: Option<Probe<F>>,
    }
}

impl<F: Future> Future for Interruptible<F> {
    type Output = thread::Result<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.outside.is_interrupted(cx.waker()) {
            return Poll::Ready(Err(stop(|| this.task.set(None))));
        }
        let Some(task) = this.task.as_pin_mut() else {
            panic!("`block_on` was polled after its end");
        };
        // The thread also wakes for its local tasks, and for the other `block_on`s on it.
        if task.sleeps(cx.waker()) { Poll::Pending } else { task.poll(cx) }
    }
}

/// Drops the future; a destructor that panics does not change how the cell ended.
fn stop(drop: impl FnOnce()) -> Box<dyn Any + Send> {
    let _ = catch_unwind(AssertUnwindSafe(drop));
    Box::new(Interrupted)
}
