//! The counters of a record: the state of its task, and how long it was in each.
//!
//! A task is polled by one thread at a time, and only that thread writes the counters: they are atomics so that others may
//! read them meanwhile, not so that several may write. A reader that meets a change in the middle of it looks again
//! (`changes` is odd then). What others do to a task, wake it and ask it to end, is one word with everything in it.

use crate::running::end_requests;
use crate::support::clock::Moment;
use crate::tasks::events;
use loopbook_channel::TaskState;
use std::hint::spin_loop;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64, fence};
use std::thread;

/// Inside a poll.
const RUNNING: u64 = 1;
/// Woken since the last poll began; so is a task that was never polled.
const WOKEN: u64 = 1 << 1;
/// Somebody has asked it to end.
const TO_END: u64 = 1 << 2;
/// Another executor polls it than at first: its waker is in the side table.
const MOVED: u64 = 1 << 3;
/// The poll that is under way is to end at its next tick.
const HURRIED: u64 = 1 << 6;
const COMPLETED: u64 = 1 << 4;
const CANCELLED: u64 = 2 << 4;
const PANICKED: u64 = 3 << 4;
const FINISHED: u64 = 3 << 4;
/// The rest of the word counts the wakes.
const ONE_WAKE: u64 = 1 << 8;

/// A reader that has met this many changes in a row lets others run: the owner may have lost its processor in the middle.
const TRIES: u32 = 32;

/// State and counters of one task. Times are in ticks of the clock.
pub(super) struct Counters {
    word: AtomicU64,
    /// Odd while its owner changes what follows.
    changes: AtomicU32,
    /// The thread that polls it, or polled it last.
    thread: AtomicU32,
    /// When a poll last began or ended.
    since: AtomicU64,
    /// What woke it last, as `threads::waker` says it.
    cause: AtomicU64,
    /// When it was woken; counts if that is later than `since`.
    woken: AtomicU64,
    busy: AtomicU64,
    scheduled: AtomicU64,
    longest_poll: AtomicU64,
    polls: AtomicU64,
    self_wakes: AtomicU64,
}

/// One look at a [`Counters`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) state: TaskState,
    /// When it got into that state.
    pub(super) since: Moment,
    pub(super) thread: u32,
    pub(super) cause: u64,
    pub(super) polls: u64,
    pub(super) wakes: u64,
    pub(super) self_wakes: u64,
    /// In ticks.
    pub(super) busy: u64,
    /// In ticks.
    pub(super) scheduled: u64,
    /// In ticks.
    pub(super) idle: u64,
    /// In ticks.
    pub(super) longest_poll: u64,
}

/// What a wake found.
pub(super) struct Woken {
    /// The waker of the task's executor has to be called.
    pub(super) tell: bool,
    /// It has another waker than at first.
    pub(super) moved: bool,
    /// When, if the waker has to be called.
    pub(super) at: Moment,
}

impl Counters {
    /// A task is born ready to run.
    pub(super) fn new(now: Moment) -> Self {
        Self {
            word: AtomicU64::new(WOKEN),
            changes: AtomicU32::new(0),
            thread: AtomicU32::new(0),
            since: AtomicU64::new(now.0),
            cause: AtomicU64::new(0),
            woken: AtomicU64::new(now.0),
            busy: AtomicU64::new(0),
            scheduled: AtomicU64::new(0),
            longest_poll: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            self_wakes: AtomicU64::new(0),
        }
    }

    /// A poll begins on the thread with this number. Tells whether the task has been asked to end, and how long it was
    /// ready to run, in ticks.
    pub(super) fn poll_starts(&self, thread: u32, now: Moment) -> (bool, u64) {
        self.change(|| {
            let before = self.update(|word| (word & !WOKEN) | RUNNING);
            let mut waited = 0;
            if before & (RUNNING | WOKEN) == WOKEN {
                waited = now.0.saturating_sub(self.ready_since());
                add(&self.scheduled, waited);
            }
            self.since.store(now.0, Relaxed);
            self.thread.store(thread, Relaxed);
            add(&self.polls, 1);
            (before & TO_END != 0, waited)
        })
    }

    /// The poll ends, and the task has not. True if it was woken meanwhile.
    pub(super) fn poll_ends(&self, now: Moment) -> bool {
        self.change(|| {
            self.book_poll(now);
            let before = self.word.fetch_and(!(RUNNING | HURRIED), AcqRel);
            settle(before);
            before & WOKEN != 0
        })
    }

    /// The task ends; false if it had ended before.
    pub(super) fn finish(&self, state: TaskState, now: Moment) -> bool {
        let mark = match state {
            TaskState::Completed => COMPLETED,
            TaskState::Panicked => PANICKED,
            _ => CANCELLED,
        };
        if self.is_finished() {
            return false;
        }
        self.change(|| {
            let before = self.update(|word| (word & !(RUNNING | WOKEN | HURRIED)) | mark);
            settle(before);
            if before & RUNNING != 0 {
                self.book_poll(now);
            } else if before & WOKEN != 0 {
                add(&self.scheduled, now.0.saturating_sub(self.ready_since()));
            }
            self.since.store(now.0, Relaxed);
        });
        true
    }

    /// Something wakes the task on the thread with this number; `None` if it has ended.
    pub(super) fn wake(&self, thread: u32) -> Option<Woken> {
        let mut word = self.word.load(Relaxed);
        let mut at = Moment(0);
        loop {
            if word & FINISHED != 0 {
                return None;
            }
            if word & WOKEN == 0 && (word & RUNNING == 0 || events::is_recording()) {
                at = Moment::now();
            }
            if word & (RUNNING | WOKEN) == 0 {
                // Before the word says so, so that whoever reads that it is woken reads when.
                self.woken.store(at.0, Relaxed);
            }
            match self.word.compare_exchange_weak(word, (word | WOKEN) + ONE_WAKE, AcqRel, Relaxed) {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        if word & RUNNING != 0 && self.thread.load(Relaxed) == thread {
            add(&self.self_wakes, 1);
        }
        Some(Woken { tell: word & WOKEN == 0, moved: word & MOVED != 0, at })
    }

    /// Notes what has woken it.
    pub(super) fn caused_by(&self, cause: u64) {
        self.cause.store(cause, Relaxed);
    }

    /// Has its next poll end it, and the one that is under way as soon as it ticks.
    pub(super) fn ask_to_end(&self) {
        let runs = |word| word & (RUNNING | FINISHED) == RUNNING;
        let before = self.update(|word| word | TO_END | if runs(word) { HURRIED } else { 0 });
        if runs(before) && before & HURRIED == 0 {
            end_requests::add();
        }
    }

    /// Whether it has been asked to end.
    pub(super) fn is_to_end(&self) -> bool {
        self.word.load(Acquire) & TO_END != 0
    }

    /// Whether the thread with this number is inside a poll of it.
    pub(super) fn is_polled_by(&self, thread: u32) -> bool {
        self.word.load(Acquire) & (RUNNING | FINISHED) == RUNNING && self.thread.load(Relaxed) == thread
    }

    /// Its waker is no longer the first one.
    pub(super) fn moves(&self) {
        self.word.fetch_or(MOVED, AcqRel);
    }

    pub(super) fn has_moved(&self) -> bool {
        self.word.load(Acquire) & MOVED != 0
    }

    /// How often it was polled.
    pub(super) fn polls(&self) -> u64 {
        self.polls.load(Relaxed)
    }

    /// How often it was woken, and how often by itself.
    pub(super) fn wakes(&self) -> (u64, u64) {
        (self.word.load(Relaxed) / ONE_WAKE, self.self_wakes.load(Relaxed))
    }

    pub(super) fn state(&self) -> TaskState {
        state(self.word.load(Acquire))
    }

    pub(super) fn is_finished(&self) -> bool {
        self.word.load(Acquire) & FINISHED != 0
    }

    /// All of it, as of `now`, for a task that was created at `created`.
    pub(super) fn look(&self, created: Moment, now: Moment) -> Look {
        let mut tries = 0u32;
        loop {
            let changes = self.changes.load(Acquire);
            let look = self.glance(created, now);
            fence(Acquire);
            if changes.is_multiple_of(2) && self.changes.load(Relaxed) == changes {
                return look;
            }
            tries = tries.wrapping_add(1);
            if tries.is_multiple_of(TRIES) { thread::yield_now() } else { spin_loop() }
        }
    }

    fn glance(&self, created: Moment, now: Moment) -> Look {
        let word = self.word.load(Acquire);
        let state = state(word);
        let since = self.since.load(Relaxed);
        let since = if state == TaskState::Scheduled { since.max(self.woken.load(Relaxed)) } else { since };
        let so_far = now.0.saturating_sub(since);
        let during = |of, so_far| if state == of { so_far } else { 0 };
        let busy = self.busy.load(Relaxed) + during(TaskState::Running, so_far);
        let scheduled = self.scheduled.load(Relaxed) + during(TaskState::Scheduled, so_far);
        let end = if state.is_finished() { since } else { now.0 };
        let total = end.saturating_sub(created.0);
        let longest_poll = self.longest_poll.load(Relaxed).max(during(TaskState::Running, so_far));
        Look {
            state,
            since: Moment(since),
            thread: self.thread.load(Relaxed),
            cause: self.cause.load(Relaxed),
            polls: self.polls.load(Relaxed),
            wakes: word / ONE_WAKE,
            self_wakes: self.self_wakes.load(Relaxed),
            busy,
            scheduled,
            idle: total.saturating_sub(busy + scheduled),
            longest_poll,
        }
    }

    /// Since when it has been ready to run.
    fn ready_since(&self) -> u64 {
        self.since.load(Relaxed).max(self.woken.load(Relaxed))
    }

    fn book_poll(&self, now: Moment) {
        let spent = now.0.saturating_sub(self.since.load(Relaxed));
        add(&self.busy, spent);
        if spent > self.longest_poll.load(Relaxed) {
            self.longest_poll.store(spent, Relaxed);
        }
        self.since.store(now.0, Relaxed);
    }

    /// Runs `change` such that readers look again.
    fn change<T>(&self, change: impl FnOnce() -> T) -> T {
        let changes = self.changes.load(Relaxed);
        self.changes.store(changes.wrapping_add(1), Relaxed);
        fence(Release);
        let result = change();
        self.changes.store(changes.wrapping_add(2), Release);
        result
    }

    /// Changes the word. Gives what it was.
    fn update(&self, change: impl Fn(u64) -> u64) -> u64 {
        let mut word = self.word.load(Relaxed);
        loop {
            match self.word.compare_exchange_weak(word, change(word), AcqRel, Relaxed) {
                Ok(_) => return word,
                Err(now) => word = now,
            }
        }
    }
}

/// A poll has ended; `before` is what the word was.
fn settle(before: u64) {
    if before & HURRIED != 0 {
        end_requests::settled();
    }
}

/// Adds to a counter that only this thread writes.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed) + more, Relaxed);
}

fn state(word: u64) -> TaskState {
    match word & FINISHED {
        COMPLETED => TaskState::Completed,
        CANCELLED => TaskState::Cancelled,
        PANICKED => TaskState::Panicked,
        _ if word & RUNNING != 0 => TaskState::Running,
        _ if word & WOKEN != 0 => TaskState::Scheduled,
        _ => TaskState::Idle,
    }
}

#[cfg(test)]
mod tests;
