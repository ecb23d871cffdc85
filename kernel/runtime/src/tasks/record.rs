//! The record of one task: who it is, and what it has been doing.
//!
//! A record is also the waker that the task's future sees. It is the same waker for the whole life of the task: async-io
//! wakes a waker that is replaced, so a fresh one per poll would wake itself for ever on any pending socket.
//!
//! Only the thread that polls the task writes its counters, so they are atomics without locked instructions; readers
//! look again when they meet a change (a seqlock, in `counters`). The table of tasks has 64 shards (`registry`), and
//! each thread keeps its last 131,072 events for timelines (`events`). A task that is started with `watch_tasks(false)`
//! has no record, and a poll of it costs one branch. What all this costs is measured in `benches/runtime`.
//!
//! The records and rings run under Miri:
//! `cargo +nightly miri test -p loopbook --lib -- record::counters what_is_read_while every_kind_of_event` in `kernel`,
//! with `MIRIFLAGS=-Zmiri-disable-isolation`. A million tasks of eight threads while others look:
//! `cargo test --release --test registry` there.

mod awaiting;
mod counters;
mod info;
mod rare;
mod waits;
mod waker;

use crate::connection;
use crate::running::cell;
use crate::support::{clock::Moment, sync::lock};
use crate::tasks::{
    block_on_wakers,
    cancel::CancelOutcome,
    context,
    events::{self, EventKind},
    lints, registry, site,
    threads::{self, Occupied},
};
use counters::{Counters, Look};
use loopbook_channel::{CellId, Failure, TaskId, TaskKind, TaskState, ToKernel};
use rare::Details;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::Waker;
use std::time::Duration;

pub(crate) use info::Past;
pub(crate) use rare::{Home, Wait, Waiting};

/// One task. Alive as long as the task, its handle or one of its wakers.
pub(crate) struct Record {
    pub(crate) id: TaskId,
    pub(crate) name: Option<String>,
    pub(crate) kind: TaskKind,
    /// The cell that caused it.
    pub(crate) cell: CellId,
    /// The execution count of that cell.
    pub(crate) number: Option<u32>,
    pub(crate) line: Option<u32>,
    location: Option<&'static Location<'static>>,
    parent: Option<TaskId>,
    created: Moment,
    counters: Counters,
    /// How many wakers of it there are; the one that its polls are lent is not counted.
    wakers: AtomicUsize,
    /// Whether it has tried a socket that was not ready.
    has_tried_sockets: AtomicBool,
    /// Who polls it: the executor's waker, which hardly ever changes.
    waker: OnceLock<Waker>,
    details: Mutex<Details>,
}

impl Record {
    /// Makes the record of a task that is about to start, and enters it in the registry. Its parent is the current task;
    /// its cell is its parent's.
    pub(crate) fn start(
        kind: TaskKind,
        name: Option<String>,
        location: Option<&'static Location<'static>>,
    ) -> Arc<Self> {
        let record = Self::unlisted(kind, name, location);
        registry::insert(&record);
        threads::note(record.created, EventKind::Started(kind), record.id, record.number);
        threads::note(record.created, EventKind::Parent, record.id, record.parent.map(events::short));
        record
    }

    /// Like [`Record::start`], but the registry does not list it.
    pub(crate) fn unlisted(
        kind: TaskKind,
        name: Option<String>,
        location: Option<&'static Location<'static>>,
    ) -> Arc<Self> {
        let parent = context::current();
        let (cell, number) = match &parent {
            Some(parent) => (parent.cell, parent.number),
            None => cell::here(),
        };
        let line = match location.and_then(site::in_cell) {
            Some(site) if Some(site.cell) == number => Some(site.line),
            _ => parent.as_ref().and_then(|parent| parent.line),
        };
        let mut details = Details::default();
        if kind == TaskKind::Local {
            details.rare().block_ons = block_on_wakers::of_this_thread();
        }
        // The loop begins with the first task, if not before.
        registry::loop_began();
        let now = Moment::now();
        Arc::new(Self {
            id: registry::next_id(),
            name,
            kind,
            cell,
            number,
            line,
            location,
            parent: parent.map(|parent| parent.id),
            created: now,
            counters: Counters::new(now),
            wakers: AtomicUsize::new(0),
            has_tried_sockets: AtomicBool::new(false),
            waker: OnceLock::new(),
            details: Mutex::new(details),
        })
    }

    /// The task is one of this loop's.
    pub(crate) fn belongs_to(&self, home: Weak<dyn Home>) {
        lock(&self.details).rare().home = Some(home);
    }

    /// A poll begins on the thread that `thread` stands for; `waker` is the executor's. If the task has been asked to
    /// end, this tells by whom, as the message of its awaiter's panic.
    pub(crate) fn poll_starts(&self, waker: Option<&Waker>, thread: &Occupied, now: Moment) -> Option<String> {
        if let Some(waker) = waker {
            self.set_waker(waker);
        }
        threads::note(now, EventKind::PollStarts, self.id, None);
        let (to_end, waited) = self.counters.poll_starts(thread.number, now);
        thread.lagged(waited);
        lints::was_ready(self, waited);
        if !to_end {
            return None;
        }
        Some(self.end_message())
    }

    /// Whether the task has not been woken since its last poll; if so, `waker` is whom it will wake.
    pub(crate) fn sleeps(&self, waker: &Waker) -> bool {
        if self.counters.state() != TaskState::Idle {
            return false;
        }
        self.set_waker(waker);
        // A wake in between has told the waker before.
        self.counters.state() == TaskState::Idle
    }

    /// The poll ends, and the task has not.
    pub(crate) fn poll_ends(&self, now: Moment) {
        let ready = self.counters.poll_ends(now);
        threads::note(now, if ready { EventKind::PollEndsReady } else { EventKind::PollEnds }, self.id, None);
    }

    /// The task has ended now. Only the first call counts.
    pub(crate) fn finish(&self, state: TaskState, now: Moment) {
        if !self.counters.finish(state, now) {
            return;
        }
        threads::note(now, EventKind::Ended(state), self.id, None);
        let mut details = lock(&self.details);
        let waits = details.clear_waits();
        let (end_wakers, waker) = match details.known() {
            Some(rare) => (std::mem::take(&mut rare.end_wakers), rare.waker.take()),
            None => (Vec::new(), None),
        };
        drop(details);
        // Dropping a waker runs the executor's code, which may want this record.
        drop((waker, waits));
        threads::has_ended(self.id);
        let (wakes, self_wakes) = self.counters.wakes();
        lints::ended(self, wakes, self_wakes, state == TaskState::Cancelled);
        registry::retire(self, now);
        end_wakers.into_iter().for_each(Waker::wake);
    }

    /// Has the task end at its next poll; `by` is who asks.
    pub(crate) fn ask_to_end(&self, by: &str) -> CancelOutcome {
        let outcome = self.end_state();
        if outcome != CancelOutcome::AlreadyFinished {
            lock(&self.details).rare().cancelled_by.get_or_insert_with(|| by.to_owned());
            self.counters.ask_to_end();
            self.wake_by_ref();
        }
        outcome
    }

    /// Notes who ends the task by dropping it.
    pub(crate) fn ended_by(&self, by: String) {
        lock(&self.details).rare().cancelled_by.get_or_insert(by);
    }

    /// What becomes of a request to end the task.
    pub(crate) fn end_state(&self) -> CancelOutcome {
        let look = self.look(Moment::now());
        match look.state {
            TaskState::Running => CancelOutcome::InPoll(look.since.elapsed()),
            state if state.is_finished() => CancelOutcome::AlreadyFinished,
            _ => CancelOutcome::Requested,
        }
    }

    /// Has `waker` woken when the task ends; false if it has ended.
    pub(crate) fn wake_at_end(&self, waker: &Waker) -> bool {
        let mut details = lock(&self.details);
        // Looked at under the lock that `finish` takes after it has changed the state.
        let waits = !self.is_finished();
        if waits {
            let wakers = &mut details.rare().end_wakers;
            if !wakers.iter().any(|known| known.will_wake(waker)) {
                wakers.push(waker.clone());
            }
        }
        waits
    }

    /// Whether it has been asked to end.
    pub(crate) fn was_asked_to_end(&self) -> bool {
        lock(&self.details).known().is_some_and(|rare| rare.cancelled_by.is_some())
    }

    /// Whether its next poll ends it, and the present one at its next tick.
    pub(crate) fn is_to_end(&self) -> bool {
        self.counters.is_to_end()
    }

    /// The task that started it, if that is what polls it on this thread.
    pub(crate) fn around_it(&self) -> Option<Arc<Self>> {
        registry::record(self.parent?).filter(|task| task.counters.is_polled_by(threads::here()))
    }

    /// The message of its awaiter's panic, when it ends because it was asked to.
    pub(crate) fn end_message(&self) -> String {
        let mut details = lock(&self.details);
        let by = details.rare().cancelled_by.get_or_insert_default();
        format!("{} was cancelled by {by}", self.title())
    }

    /// The task that started it.
    pub(crate) fn parent(&self) -> Option<TaskId> {
        self.parent
    }

    pub(crate) fn polls(&self) -> u64 {
        self.counters.polls()
    }

    /// How often it was woken, and how often by itself.
    pub(crate) fn wakes(&self) -> (u64, u64) {
        self.counters.wakes()
    }

    /// Its state, at once and without the rest.
    pub(crate) fn state_now(&self) -> TaskState {
        self.counters.state()
    }

    /// For how long it has been ready to run; zero if it is not.
    pub(crate) fn ready_for(&self) -> Duration {
        let look = self.look(Moment::now());
        if look.state == TaskState::Scheduled { look.since.elapsed() } else { Duration::ZERO }
    }

    /// Whether it has waited for so long, and nobody has a waker of it.
    pub(crate) fn is_lost(&self, limit: Duration) -> bool {
        let polls = self.polls();
        let look = self.look(Moment::now());
        // Wakers are made from wakers, and the first one is lent to polls only: when there is none but that, and no poll was
        // under way all the time, there will be none.
        look.state == TaskState::Idle
            && look.since.elapsed() >= limit
            && self.wakers.load(Ordering::Acquire) == 0
            && self.counters.state() == TaskState::Idle
            && self.polls() == polls
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.counters.is_finished()
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.counters.state() == TaskState::Cancelled
    }

    /// The task has panicked. Reports it if nobody can await the task any more.
    pub(crate) fn fail(&self, failure: Failure) {
        self.finish(TaskState::Panicked, Moment::now());
        let mut details = lock(&self.details);
        if !details.detached {
            details.rare().failure = Some(failure);
            return;
        }
        drop(details);
        self.report(failure);
    }

    /// The task's handle is gone without having been awaited to its end.
    pub(crate) fn detach(&self) {
        let mut details = lock(&self.details);
        details.detached = true;
        let Some(failure) = details.known().and_then(|rare| rare.failure.take()) else { return };
        drop(details);
        self.report(failure);
    }

    /// The panic of this task has reached its awaiter, who gets the failure.
    pub(crate) fn take_failure(&self) -> Option<Failure> {
        lock(&self.details).known()?.failure.take()
    }

    pub(crate) fn add_awaiter(&self, task: TaskId) {
        lock(&self.details).rare().awaited_by.push(task);
    }

    pub(crate) fn remove_awaiter(&self, task: TaskId) {
        let mut details = lock(&self.details);
        let Some(rare) = details.known() else { return };
        if let Some(index) = rare.awaited_by.iter().position(|&id| id == task) {
            rare.awaited_by.swap_remove(index);
        }
    }

    /// Whether it has been ready for longer than `limit`, and one of the pool's threads would have to run it.
    pub(crate) fn waits_for_a_thread(&self, limit: Duration) -> bool {
        if self.kind != TaskKind::Task || self.counters.state() != TaskState::Scheduled {
            return false;
        }
        let look = self.look(Moment::now());
        look.state == TaskState::Scheduled && look.since.elapsed() >= limit
    }

    fn look(&self, now: Moment) -> Look {
        self.counters.look(self.created, now)
    }

    /// Notes who polls the task from now on.
    fn set_waker(&self, waker: &Waker) {
        let first = self.waker.get_or_init(|| waker.clone());
        if first.will_wake(waker) && !self.counters.has_moved() {
            return;
        }
        let mut details = lock(&self.details);
        let known = &mut details.rare().waker;
        if known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return;
        }
        let replaced = known.replace(waker.clone());
        self.counters.moves();
        drop(details);
        // Dropping a waker runs the executor's code, which may want this record.
        drop(replaced);
    }

    fn report(&self, failure: Failure) {
        if self.is_cancelled() {
            // The one who cancelled it knows.
            return;
        }
        lints::panicked_detached(self, &failure.message);
        connection::send(&ToKernel::TaskFailed { cell: self.cell, task: self.id, name: self.name.clone(), failure });
    }
}

impl Record {
    /// Something has happened that the task waits for.
    pub(crate) fn wake_by_ref(&self) {
        let Some(woken) = self.counters.wake(threads::here()) else { return };
        if woken.tell {
            let cause = threads::waker(|ended| self.awaits(ended));
            self.counters.caused_by(cause);
            threads::note(woken.at, EventKind::Woken, self.id, threads::task_of(cause).map(events::short));
        }
        // Who was told once will poll, and then it sees this wake too.
        if woken.tell && !woken.moved {
            if let Some(waker) = self.waker.get() {
                waker.wake_by_ref();
            }
        } else if woken.tell {
            let waker = lock(&self.details).known().and_then(|rare| rare.waker.clone());
            if let Some(waker) = waker {
                waker.wake();
            }
        }
        if self.kind == TaskKind::Local {
            let block_ons = lock(&self.details).known().and_then(|rare| rare.block_ons.clone());
            if let Some(block_ons) = block_ons {
                block_ons.wake();
            }
        }
    }
}
