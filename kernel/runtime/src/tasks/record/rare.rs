//! The parts of a record that most tasks do not need: waits beyond the first, awaiters, a panic. They are behind a lock,
//! and allocated when there is something to keep.

use super::Record;
use crate::support::sync::lock;
use crate::tasks::{
    await_sites::Tree, events::WaitKind, local_drivers::BlockOnWakers, objects::Object, sockets::Tried,
};
use loopbook_channel::{Failure, TaskId, WaitingOn};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Instant;

/// Why a task waits.
#[derive(Clone)]
pub(crate) enum Wait {
    /// For a timer.
    Until(Instant),
    /// For a timer, if nothing else comes before it.
    Timeout(Instant),
    /// For a task.
    Task(TaskId),
    /// For an object (a lock, a channel), and how: a code that only the object can read.
    Object(Arc<dyn Object>, u32),
    /// Like `Object`, for a future that outlives its `.await` (a `Recv` in a `select!`). Counts only until the next
    /// poll of the task, or until something else that it waits for is over; the last field is the number of the poll
    /// that noted it.
    Passing(Arc<dyn Object>, u32, u64),
}

impl Wait {
    pub(super) fn describe(&self, now: Instant) -> WaitingOn {
        let left = |then: &Instant| then.saturating_duration_since(now).as_secs_f64();
        match self {
            Self::Until(then) => WaitingOn::Sleep { seconds: left(then) },
            Self::Timeout(then) => WaitingOn::Timeout { seconds: left(then) },
            Self::Task(id) => WaitingOn::Task { id: *id },
            Self::Object(object, how) | Self::Passing(object, how, _) => object.waiting(*how),
        }
    }

    fn is_passing(&self) -> bool {
        matches!(self, Self::Passing(..))
    }

    /// How timelines call it.
    pub(super) fn wait_kind(&self) -> WaitKind {
        match self {
            Self::Until(_) => WaitKind::Sleep,
            Self::Timeout(_) => WaitKind::Timeout,
            Self::Task(_) => WaitKind::Task,
            Self::Object(object, how) | Self::Passing(object, how, _) => object.wait_kind(*how),
        }
    }

    /// What it waits for, if that has a number.
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Until(_) | Self::Timeout(_) => None,
            Self::Task(id) => Some(*id),
            Self::Object(object, _) | Self::Passing(object, ..) => Some(object.number().id),
        }
    }
}

/// Most tasks wait for at most one thing and have nothing else in here.
#[derive(Default)]
pub(super) struct Details {
    /// Nobody can await the task any more.
    pub(super) detached: bool,
    /// The `.await`s of code in cells at which it stands: not rare, whatever waits in a cell has one.
    pub(super) awaits: Tree,
    waits: u32,
    wait: Option<(u32, Wait)>,
    rare: Option<Box<Rare>>,
}

/// A loop that cells run themselves, as the records of its tasks know it.
pub(crate) trait Home: Send + Sync {
    /// Whether the task is one of this loop's and nothing runs the loop. Takes the loop's lock: not to be asked under
    /// another.
    fn holds_still(&self, task: TaskId) -> bool;
}

#[derive(Default)]
pub(super) struct Rare {
    /// What it waits for besides [`Details::wait`].
    waits: Vec<(u32, Wait)>,
    pub(super) awaited_by: Vec<TaskId>,
    /// Wakers of those who wait for its end without a handle (`cancel(id).await`).
    pub(super) end_wakers: Vec<Waker>,
    /// Who has asked it to end.
    pub(super) cancelled_by: Option<String>,
    /// Its panic, until it has been reported.
    pub(super) failure: Option<Failure>,
    /// The waker of the executor that polls it, if that is no longer the first one.
    pub(super) waker: Option<Waker>,
    /// The sockets that it has tried and that were not ready.
    pub(super) sockets: Vec<Tried>,
    /// Of a local task: the `block_on`s that poll its thread's local tasks.
    pub(super) block_ons: Option<Arc<BlockOnWakers>>,
    /// The loop whose task it is.
    pub(super) home: Option<Weak<dyn Home>>,
}

impl Details {
    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// The rare parts if there are any; allocates nothing.
    pub(super) fn known(&mut self) -> Option<&mut Rare> {
        self.rare.as_deref_mut()
    }

    /// What the task waits for, in the order in which it began to; it has been polled so many times.
    pub(super) fn waits(&self, polls: u64) -> impl Iterator<Item = &Wait> + '_ {
        let others = self.rare.iter().flat_map(|rare| &rare.waits);
        let waits = self.wait.iter().chain(others).map(|(_, wait)| wait);
        waits.filter(move |wait| !matches!(wait, Wait::Passing(_, _, poll) if *poll != polls))
    }

    /// Gives the waits to the caller to drop.
    pub(super) fn clear_waits(&mut self) -> Vec<(u32, Wait)> {
        let mut waits = self.rare.as_mut().map(|rare| std::mem::take(&mut rare.waits)).unwrap_or_default();
        self.awaits.clear();
        // Nothing is allocated for a task that waits for nothing.
        waits.extend(self.wait.take());
        if let Some(rare) = &mut self.rare {
            rare.sockets.clear();
        }
        waits
    }

    /// Gives the key that [`Details::remove_wait`] wants.
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

    /// Gives the waits that are over to the caller to drop: that may be the end of a lock or a channel.
    fn remove_wait(&mut self, key: u32) -> Vec<(u32, Wait)> {
        let is_it = |(known, _): &mut (u32, Wait)| *known == key;
        let mut over = Vec::new();
        over.extend(self.wait.take_if(is_it));
        if let Some(rare) = &mut self.rare {
            over.extend(rare.waits.extract_if(.., is_it));
        }
        // Whatever was awaited beside it may be awaited no longer. If it still is, the next poll tells.
        if over.iter().any(|(_, wait)| !wait.is_passing()) {
            over.extend(self.wait.take_if(|(_, wait)| wait.is_passing()));
            if let Some(rare) = &mut self.rare {
                over.extend(rare.waits.extract_if(.., |(_, wait)| wait.is_passing()));
            }
        }
        over
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
        let wait = lock(&self.record.details).remove_wait(self.key);
        drop(wait);
    }
}
