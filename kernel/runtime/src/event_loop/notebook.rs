//! The notebook's own loop, which is async-std's pool, behind the methods that it has in common with loops of cells.

use super::calls::{Call, CallHandle, What};
use super::job;
use super::snapshot::LoopSnapshot;
use super::task::Task;
use crate::TaskState;
use crate::executor::pool;
use crate::support::clock;
use crate::tasks::{record::Record, registry};
use loopbook_channel::{TaskInfo, TaskKind};
use std::future::Future;
use std::panic::Location;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// What it is called.
pub(super) const NAME: &str = "notebook";

/// The time since it began.
pub(super) fn time() -> Duration {
    clock::began().elapsed()
}

/// Like `task::spawn`, with a handle of the other kind.
pub(super) fn create_task<F>(name: String, future: F, location: &'static Location<'static>) -> Task<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    pool::start();
    let record = Record::start(TaskKind::Task, Some(name.clone()), Some(location));
    let (job, outcome) = job::new(future, Arc::clone(&record), Weak::new());
    let spawned = async_std::task::Builder::new().name(name).spawn(job);
    drop(spawned.expect("async-std's spawn does not fail"));
    Task::new(outcome, record)
}

/// Calls back on one of the pool's threads, at once or at `when`.
pub(super) fn call(name: &str, what: What, when: Option<Duration>, location: &'static Location<'static>) -> CallHandle {
    pool::start();
    let call = Call::new(name, what, when, location);
    let handle = CallHandle::new(Arc::clone(&call), Weak::new());
    async_std::task::spawn(async move {
        let mut due = when;
        loop {
            if let Some(when) = due {
                async_std::task::sleep(when.saturating_sub(time())).await;
            }
            due = call.run(time);
            if due.is_none() {
                break;
            }
        }
    });
    handle
}

/// What it has to do.
pub(super) fn snapshot() -> LoopSnapshot {
    let tasks = registry::all_tasks();
    let mine = || tasks.iter().filter(|task| matches!(task.kind, TaskKind::Cell | TaskKind::Task));
    let in_state = |state| mine().filter(move |task: &&TaskInfo| task.state == state).map(|task| task.id);
    LoopSnapshot {
        name: NAME.to_owned(),
        is_running: true,
        is_closed: false,
        // More than one may run: this is the latest.
        running: in_state(TaskState::Running).next_back(),
        ready: in_state(TaskState::Scheduled).collect(),
        waiting: in_state(TaskState::Idle).collect(),
        callbacks: 0,
        timers: 0,
    }
}
