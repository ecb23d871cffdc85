//! Condition variables and barriers: where tasks wait for what other tasks do.

use super::{Number, Object};
use crate::tasks::{events::WaitKind, objects::Resource};
use loopbook_channel::{TaskId, WaitingOn};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What sort of meeting it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Condvar,
    /// With how many tasks it takes.
    Barrier(usize),
}

/// The shared half of a condition variable or a barrier.
pub(crate) struct CondvarBarrier {
    number: Number,
    sort: Sort,
    /// How many wait there; of barriers only.
    pub(crate) waiting: AtomicUsize,
}

impl CondvarBarrier {
    /// One at which nobody waits yet.
    pub(crate) fn new(number: Number, sort: Sort) -> Self {
        Self { number, sort, waiting: AtomicUsize::new(0) }
    }
}

impl Object for CondvarBarrier {
    fn number(&self) -> &Number {
        &self.number
    }

    fn waiting(&self, _how: u32) -> WaitingOn {
        let id = self.number.id;
        match self.sort {
            Sort::Condvar => WaitingOn::Condvar { id },
            Sort::Barrier(needed) => WaitingOn::Barrier { id, waiting: self.waiting.load(Ordering::Relaxed), needed },
        }
    }

    fn wait_kind(&self, _how: u32) -> WaitKind {
        match self.sort {
            Sort::Condvar => WaitKind::Condvar,
            Sort::Barrier(_) => WaitKind::Barrier,
        }
    }

    fn resource(&self, waiters: Vec<TaskId>) -> Resource {
        let waiting = self.waiting.load(Ordering::Relaxed);
        let (kind, what, wish) = match self.sort {
            Sort::Condvar => ("condvar", format!("{} waiting", waiters.len()), "to be notified"),
            Sort::Barrier(needed) => ("barrier", format!("{waiting} of {needed} are there"), "for the others"),
        };
        Resource {
            kind: kind.into(),
            what: format!("#{}, {what}, made at {}", self.number.id, self.number.place()),
            waits: (!waiters.is_empty()).then(|| wish.into()),
            tasks: waiters,
        }
    }
}
