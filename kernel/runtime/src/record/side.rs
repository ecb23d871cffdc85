//! What few tasks have: kept beside the counters, behind a lock, and only when there is something.

use super::Record;
use crate::awaits::Tree;
use crate::local::Drivers;
use crate::sockets::Tried;
use crate::sync::lock;
use loopbook_channel::{Failure, TaskId, WaitingOn};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

/// Why a task waits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wait {
    /// For a timer.
    Until(Instant),
    /// For a task.
    Task(TaskId),
}

impl Wait {
    pub(super) fn describe(self, now: Instant) -> WaitingOn {
        match self {
            Self::Until(then) => WaitingOn::Sleep { seconds: then.saturating_duration_since(now).as_secs_f64() },
            Self::Task(id) => WaitingOn::Task { id },
        }
    }
}

/// Most tasks wait for at most one thing and have nothing else in here.
#[derive(Default)]
pub(super) struct Side {
    /// Nobody can await the task any more.
    pub(super) detached: bool,
    /// The `.await`s of code in cells at which it stands: not rare, whatever waits in a cell has one.
    pub(super) awaits: Tree,
    waits: u32,
    wait: Option<(u32, Wait)>,
    rare: Option<Box<Rare>>,
}

#[derive(Default)]
pub(super) struct Rare {
    /// What it waits for besides [`Side::wait`].
    waits: Vec<(u32, Wait)>,
    pub(super) awaited_by: Vec<TaskId>,
    /// Who waits for its end without a handle.
    pub(super) end_wakers: Vec<Waker>,
    /// Who has asked it to end.
    pub(super) cancelled_by: Option<String>,
    /// Its panic, until somebody is told.
    pub(super) failure: Option<Failure>,
    /// Who polls it, if that is no longer who did first.
    pub(super) waker: Option<Waker>,
    /// The sockets that it has tried and that were not ready.
    pub(super) sockets: Vec<Tried>,
    /// Of a local task: who polls its thread's local tasks.
    pub(super) drivers: Option<Arc<Drivers>>,
}

impl Side {
    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// What there is, without making anything.
    pub(super) fn known(&mut self) -> Option<&mut Rare> {
        self.rare.as_deref_mut()
    }

    /// What the task waits for, in the order in which it began to.
    pub(super) fn waits(&self) -> impl Iterator<Item = Wait> + '_ {
        let others = self.rare.iter().flat_map(|rare| &rare.waits);
        self.wait.iter().chain(others).map(|(_, wait)| *wait)
    }

    /// Whether one of them is a task.
    pub(super) fn awaits_a_task(&self) -> bool {
        self.waits().any(|wait| matches!(wait, Wait::Task(_)))
    }

    pub(super) fn clear_waits(&mut self) {
        self.wait = None;
        self.awaits.clear();
        if let Some(rare) = &mut self.rare {
            rare.waits.clear();
            rare.sockets.clear();
        }
    }

    /// Gives the key that [`Side::remove_wait`] wants.
    pub(super) fn add_wait(&mut self, wait: Wait) -> u32 {
        self.waits = self.waits.wrapping_add(1);
        let key = self.waits;
        if self.wait.is_none() {
            self.wait = Some((key, wait));
        } else {
            self.rare().waits.push((key, wait));
        }
        key
    }

    fn remove_wait(&mut self, key: u32) {
        if self.wait.is_some_and(|(known, _)| known == key) {
            self.wait = None;
        } else if let Some(rare) = &mut self.rare {
            rare.waits.retain(|(known, _)| *known != key);
        }
    }
}

/// A task waits for something; see [`Record::wait`].
pub(crate) struct Waiting {
    record: Arc<Record>,
    key: u32,
}

impl Waiting {
    pub(super) fn new(record: Arc<Record>, key: u32) -> Self {
        Self { record, key }
    }

    /// The task that waits.
    pub(crate) fn task(&self) -> TaskId {
        self.record.id
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        lock(&self.record.side).remove_wait(self.key);
    }
}
