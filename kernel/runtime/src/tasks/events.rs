//! Events of tasks, with times: a ring of them on each thread, from which timelines are drawn afterwards.
//!
//! Only its own thread writes to a ring; a reader leaves out what may have been overwritten meanwhile. The oldest
//! events are overwritten first, and counted.

use crate::support::clock::Moment;
use loopbook_channel::{TaskId, TaskKind, TaskState};
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64, fence};

/// Rings grow by so many events at a time.
const CHUNK: usize = 1024;
const CHUNKS: usize = 128;
/// The most events that a thread remembers: 2 MiB.
const CAPACITY: u64 = (CHUNK * CHUNKS) as u64;

static RECORDING: AtomicBool = AtomicBool::new(true);

/// What happens to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// It is started. With the execution count of its cell, or [`NOBODY`].
    Started(TaskKind),
    /// Follows that. With its parent, or [`NOBODY`].
    Parent,
    /// A poll begins.
    PollStarts,
    /// The poll ends, and the task waits.
    PollEnds,
    /// The poll ends, and the task was woken meanwhile.
    PollEndsReady,
    /// It is woken. With the task that did it, or [`NOBODY`].
    Woken,
    /// It begins to wait. With the number of what it waits for, if that has one.
    Waits(WaitKind),
    /// It has ended, in this state.
    Ended(TaskState),
}

/// What a task waits for in the end, by sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitKind {
    Sleep,
    Timeout,
    Task,
    Lock,
    Send,
    Receive,
    Condvar,
    Barrier,
}

/// In place of a task or cell: there is none.
pub(crate) const NOBODY: u32 = u32::MAX;

/// Something that has happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) at: Moment,
    pub(crate) what: EventKind,
    /// The lower half of the task's number.
    pub(crate) task: u32,
    /// See [`EventKind`].
    pub(crate) with: u32,
}

/// Whether anything is recorded.
pub(crate) fn is_recording() -> bool {
    RECORDING.load(Relaxed)
}

/// Turns recording on or off.
pub(crate) fn set_recording(on: bool) {
    RECORDING.store(on, Relaxed);
}

/// The lower half of a task's number: enough to tell apart those that one ring remembers.
pub(crate) fn short(task: TaskId) -> u32 {
    task as u32
}

/// The events of one thread.
pub(crate) struct Ring {
    chunks: [OnceLock<Box<[Slot]>>; CHUNKS],
    /// How many there were.
    written: AtomicU64,
}

/// Time and kind, task and partner.
#[derive(Default)]
struct Slot(AtomicU64, AtomicU64);

impl Ring {
    pub(crate) const fn new() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS], written: AtomicU64::new(0) }
    }

    /// Adds an event. Only for the thread whose ring this is.
    pub(crate) fn push(&self, event: Event) {
        let written = self.written.load(Relaxed);
        let at = (written % CAPACITY) as usize;
        let chunk = self.chunks[at / CHUNK].get_or_init(|| (0..CHUNK).map(|_| Slot::default()).collect());
        // A reader that sees what follows sees that so much was written before.
        fence(Release);
        let slot = &chunk[at % CHUNK];
        slot.0.store(event.at.0 << 8 | code(event.what), Relaxed);
        slot.1.store(u64::from(event.task) << 32 | u64::from(event.with), Relaxed);
        self.written.store(written + 1, Release);
    }

    /// The events that are remembered, the oldest first, and how many are not.
    pub(crate) fn read(&self) -> (Vec<Event>, u64) {
        let written = self.written.load(Acquire);
        let oldest = written.saturating_sub(CAPACITY);
        let mut words = Vec::with_capacity((written - oldest) as usize);
        for number in oldest..written {
            let at = (number % CAPACITY) as usize;
            let Some(chunk) = self.chunks[at / CHUNK].get() else { break };
            let slot = &chunk[at % CHUNK];
            words.push((slot.0.load(Relaxed), slot.1.load(Relaxed)));
        }
        fence(Acquire);
        // The one after the last may be half written, in the place of the oldest.
        let now = self.written.load(Relaxed);
        let overwritten = if now < CAPACITY { 0 } else { now + 1 - CAPACITY };
        let torn = overwritten.saturating_sub(oldest) as usize;
        let events = words.into_iter().skip(torn).filter_map(|(when, who)| {
            let (task, with) = ((who >> 32) as u32, who as u32);
            Some(Event { at: Moment(when >> 8), what: event_kind(when & 0xff)?, task, with })
        });
        (events.collect(), overwritten.max(oldest))
    }
}

const KINDS: [TaskKind; 7] = [
    TaskKind::Cell,
    TaskKind::Task,
    TaskKind::Branch,
    TaskKind::Local,
    TaskKind::Blocking,
    TaskKind::Loop,
    TaskKind::Tokio,
];
const WAIT_KINDS: [WaitKind; 8] = [
    WaitKind::Sleep,
    WaitKind::Timeout,
    WaitKind::Task,
    WaitKind::Lock,
    WaitKind::Send,
    WaitKind::Receive,
    WaitKind::Condvar,
    WaitKind::Barrier,
];
const OTHERS: [EventKind; 7] = [
    EventKind::Parent,
    EventKind::PollStarts,
    EventKind::PollEnds,
    EventKind::PollEndsReady,
    EventKind::Woken,
    EventKind::Ended(TaskState::Completed),
    EventKind::Ended(TaskState::Cancelled),
];
const PANICKED: u64 = 32;
const FIRST_WAIT: u64 = 64;

fn code(what: EventKind) -> u64 {
    match what {
        EventKind::Parent => 8,
        EventKind::PollStarts => 9,
        EventKind::PollEnds => 10,
        EventKind::PollEndsReady => 11,
        EventKind::Woken => 12,
        EventKind::Ended(TaskState::Completed) => 13,
        EventKind::Ended(TaskState::Panicked) => PANICKED,
        EventKind::Ended(_) => 14,
        EventKind::Waits(kind) => FIRST_WAIT + kind as u64,
        EventKind::Started(kind) => match kind {
            TaskKind::Cell => 1,
            TaskKind::Task => 2,
            TaskKind::Branch => 3,
            TaskKind::Local => 4,
            TaskKind::Blocking => 5,
            TaskKind::Loop => 6,
            TaskKind::Tokio => 7,
        },
    }
}

fn event_kind(code: u64) -> Option<EventKind> {
    match code {
        1..=7 => Some(EventKind::Started(KINDS[code as usize - 1])),
        8..=14 => Some(OTHERS[code as usize - 8]),
        FIRST_WAIT.. => WAIT_KINDS.get((code - FIRST_WAIT) as usize).map(|kind| EventKind::Waits(*kind)),
        PANICKED => Some(EventKind::Ended(TaskState::Panicked)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u64) -> Event {
        Event { at: Moment(number), what: EventKind::Woken, task: number as u32, with: NOBODY }
    }

    #[test]
    fn every_kind_of_event_survives_the_ring() {
        let ring = Ring::new();
        let all = KINDS.map(EventKind::Started).into_iter().chain(OTHERS).chain(WAIT_KINDS.map(EventKind::Waits));
        let all: Vec<_> = all.chain([EventKind::Ended(TaskState::Panicked)]).collect();
        all.iter().for_each(|&what| ring.push(Event { what, ..event(7) }));
        let (events, lost) = ring.read();
        assert_eq!((events.iter().map(|event| event.what).collect::<Vec<_>>(), lost), (all, 0));
        assert!(events.iter().all(|event| event.at == Moment(7) && event.task == 7 && event.with == NOBODY));
    }

    #[test]
    fn a_full_ring_forgets_the_oldest_and_says_how_many() {
        let ring = Ring::new();
        (0..CAPACITY + 10).for_each(|number| ring.push(event(number)));
        let (events, lost) = ring.read();
        assert_eq!(events.len() as u64 + lost, CAPACITY + 10);
        assert_eq!(events.first().map(|event| event.at.0), Some(lost));
        assert_eq!(events.last().map(|event| event.at.0), Some(CAPACITY + 9));
    }

    #[test]
    fn what_is_read_while_it_is_overwritten_is_whole() {
        let ring = Ring::new();
        let rounds = if cfg!(miri) { 2_000 } else { 4 * CAPACITY };
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| (0..rounds).for_each(|number| ring.push(event(number))));
            while !writing.is_finished() {
                let (events, _) = ring.read();
                assert!(events.iter().all(|event| event.at.0 as u32 == event.task));
                assert!(events.windows(2).all(|pair| pair[0].at.0 + 1 == pair[1].at.0));
            }
        });
    }
}
