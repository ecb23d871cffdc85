//! `tokio::spawn` as cells see it: tokio's own, on tokio's threads, but known to the inspector, and what the task prints
//! belongs to the cell that started it. Tasks that are started in other ways (`JoinSet`, a `Handle`) are only counted.

use crate::tasks::{probe::Probe, record::Record, registry, watching};
use loopbook_channel::TaskKind;
use std::future::Future;
use std::panic::{Location, resume_unwind};
use std::sync::OnceLock;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Starts a task on tokio's threads. Unlike tokio's, this works on every thread.
///
/// ```
/// use loopbook::facade::{task, tokio_task};
/// let handle = tokio_task::spawn(async { 1 + 2 });
/// assert_eq!(task::block_on(handle).expect("no panic"), 3);
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let probe = if watching::is_on() {
        registry::not_of_async_std();
        Probe::new(future, Record::start(TaskKind::Tokio, None, Some(Location::caller())))
    } else {
        Probe::unwatched(future)
    };
    // The panic of a task is its `JoinError`.
    let task = async move { probe.await.unwrap_or_else(|payload| resume_unwind(payload)) };
    Handle::try_current().unwrap_or_else(|_| shared().clone()).spawn(task)
}

/// How many tasks live on the runtime that all cells share.
pub(crate) fn living() -> usize {
    shared().metrics().num_alive_tasks()
}

/// The runtime in whose context async-global-executor runs everything.
fn shared() -> &'static Handle {
    static SHARED: OnceLock<Handle> = OnceLock::new();
    SHARED.get_or_init(|| async_global_executor::block_on(async { Handle::current() }))
}
