//! The waits of a task: noted by the futures that wait, read by lints.

use super::{Record, Wait, Waiting};
use crate::support::{clock::Moment, sync::lock};
use crate::tasks::{
    events::{self, EventKind, WaitKind},
    sockets::Tried,
    threads,
};
use loopbook_channel::{TaskId, TaskState};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl Record {
    /// Notes what the task waits for, until the guard is dropped.
    pub(crate) fn wait(self: &Arc<Self>, wait: Wait) -> Waiting {
        threads::note(Moment::now(), EventKind::Waits(wait.wait_kind()), self.id, wait.number().map(events::short));
        let key = lock(&self.details).add_wait(wait);
        Waiting::new(Arc::clone(self), key)
    }

    /// Whether [`Record::tried_socket`] has something to forget.
    pub(crate) fn has_tried_sockets(&self) -> bool {
        self.has_tried_sockets.load(Ordering::Relaxed)
    }

    /// It has tried a socket, which was not ready (`waits`) or was.
    pub(crate) fn tried_socket(&self, tried: Tried, waits: bool) {
        let mut details = lock(&self.details);
        let sockets = &mut details.rare().sockets;
        sockets.retain(|known| *known != tried);
        if waits {
            sockets.push(tried);
        }
        self.has_tried_sockets.store(!sockets.is_empty(), Ordering::Relaxed);
    }

    /// Whether it waits for tasks and locks only, which other tasks can end. Each known wait holds one waker of it, and
    /// each of its `branches` was lent one; if there are more wakers, it also waits for something unknown.
    pub(crate) fn waits_for_tasks_only(&self, branches: usize) -> bool {
        if self.counters.state() != TaskState::Idle {
            return false;
        }
        let details = lock(&self.details);
        let mut known = branches;
        for wait in details.waits(self.polls()) {
            if !matches!(wait.wait_kind(), WaitKind::Task | WaitKind::Lock) {
                return false;
            }
            known += 1;
        }
        known > 0 && self.wakers.load(Ordering::Acquire) <= known
    }

    /// Whether it has waited for a lock for as long as `limit`.
    pub(crate) fn waits_for_a_lock(&self, limit: Duration) -> bool {
        if self.counters.state() != TaskState::Idle {
            return false;
        }
        let locked = lock(&self.details).waits(self.polls()).any(|wait| wait.wait_kind() == WaitKind::Lock);
        locked && self.look(Moment::now()).since.elapsed() >= limit
    }

    pub(super) fn awaits(&self, task: TaskId) -> bool {
        lock(&self.details).waits(self.polls()).any(|wait| matches!(wait, Wait::Task(id) if *id == task))
    }
}
