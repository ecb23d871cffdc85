//! What a record counts: the states of a task, and how long it was in each.

use super::Record;
use crate::sync::lock;
use loopbook_channel::{TaskId, TaskState, WaitingOn};
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

/// Why a task waits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wait {
    /// For a timer.
    Until(Instant),
    /// For a task.
    Task(TaskId),
}

pub(super) struct Life {
    pub(super) state: TaskState,
    /// When it got into that state.
    pub(super) since: Instant,
    /// The thread that polls it, if one does.
    pub(super) thread: usize,
    pub(super) woken_while_running: bool,
    pub(super) polls: u64,
    pub(super) wakes: u64,
    pub(super) self_wakes: u64,
    pub(super) busy: Duration,
    pub(super) scheduled: Duration,
    pub(super) idle: Duration,
    pub(super) longest_poll: Duration,
    pub(super) waiting: Vec<(u64, Wait)>,
    pub(super) waits: u64,
    pub(super) awaited_by: Vec<TaskId>,
    /// The executor's waker: who polls this task.
    pub(super) waker: Option<Waker>,
    /// Who waits for its end without a handle.
    pub(super) end_wakers: Vec<Waker>,
    /// Who has asked it to end.
    pub(super) cancelled_by: Option<String>,
}

impl Life {
    /// A task is born ready to run.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            state: TaskState::Scheduled,
            since: now,
            thread: 0,
            woken_while_running: false,
            polls: 0,
            wakes: 0,
            self_wakes: 0,
            busy: Duration::ZERO,
            scheduled: Duration::ZERO,
            idle: Duration::ZERO,
            longest_poll: Duration::ZERO,
            waiting: Vec::new(),
            waits: 0,
            awaited_by: Vec::new(),
            waker: None,
            end_wakers: Vec::new(),
            cancelled_by: None,
        }
    }

    /// Notes the executor's waker. Gives the one before, to be dropped when nothing is locked.
    pub(super) fn set_waker(&mut self, waker: &Waker) -> Option<Waker> {
        if self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return None;
        }
        self.waker.replace(waker.clone())
    }

    /// Changes the state and books the time spent in the last one.
    pub(super) fn enter(&mut self, state: TaskState) {
        let now = Instant::now();
        let spent = now.saturating_duration_since(self.since);
        match self.state {
            TaskState::Running => {
                self.busy += spent;
                self.longest_poll = self.longest_poll.max(spent);
            }
            TaskState::Scheduled => self.scheduled += spent,
            TaskState::Idle => self.idle += spent,
            _ => {}
        }
        self.state = state;
        self.since = now;
    }
}

impl Wait {
    pub(super) fn describe(self, now: Instant) -> WaitingOn {
        match self {
            Self::Until(then) => WaitingOn::Sleep { seconds: then.saturating_duration_since(now).as_secs_f64() },
            Self::Task(id) => WaitingOn::Task { id },
        }
    }
}

/// A task waits for something; see [`Record::wait`].
pub(crate) struct Waiting {
    record: Arc<Record>,
    key: u64,
}

impl Waiting {
    pub(super) fn new(record: Arc<Record>, key: u64) -> Self {
        Self { record, key }
    }

    /// The task that waits.
    pub(crate) fn task(&self) -> TaskId {
        self.record.id
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        lock(&self.record.life).waiting.retain(|(key, _)| *key != self.key);
    }
}
