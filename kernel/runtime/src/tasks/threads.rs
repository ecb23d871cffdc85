//! The threads that poll tasks, and what each of them is doing. Only the thread itself writes to its entry.

use crate::support::{clock::Moment, sync::lock};
use crate::tasks::{
    context,
    events::{self, Event, EventKind, NOBODY, Ring},
};
use loopbook_channel::{TaskId, WokenBy};
use std::cell::{Cell, OnceCell};
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the names of the pool's threads begin with.
pub(crate) const POOL: &str = "loop-";
/// Names of so many threads are remembered, also of those that have ended.
const NAMED: usize = 1_000;
/// What happened on so many threads that have ended is remembered.
const REMEMBERED: usize = 32;
/// Sizes of lags: each is twice the one before.
pub(crate) const LAGS: usize = 48;
/// In a cause of a wake: no task, but the reactor.
const REACTOR: u64 = 1 << 63;
/// In a cause of a wake: no task, but the thread with the number that follows.
const THREAD: u64 = 1 << 62;

static THREADS: Mutex<Vec<Arc<Thread>>> = Mutex::new(Vec::new());
/// Threads that have ended, for what happened on them.
static GONE: Mutex<VecDeque<Arc<Thread>>> = Mutex::new(VecDeque::new());
static NAMES: Mutex<VecDeque<(u32, String)>> = Mutex::new(VecDeque::new());

thread_local! {
    /// This thread's entry, as soon as it has one and until it ends.
    static HERE: Cell<*const Thread> = const { Cell::new(ptr::null()) };
    static OWNER: OnceCell<Owner> = const { OnceCell::new() };
    /// The task that has ended on this thread, until the next poll begins: its end is what wakes others then.
    static ENDED: Cell<TaskId> = const { Cell::new(0) };
    /// How many `block_on`s are under way on this thread: between their polls it waits for timers and sockets itself.
    static BLOCK_ONS: Cell<u32> = const { Cell::new(0) };
}

/// A thread that has polled something.
pub(crate) struct Thread {
    /// From 1, never reused.
    pub(crate) number: u32,
    pub(crate) name: String,
    /// One of the loop's own, or the one on which cells run: what wakes tasks there and is no task is the reactor.
    is_loops: bool,
    /// When it was first seen.
    pub(crate) began: Moment,
    /// The task of the outermost poll; 0 if there is none.
    task: AtomicU64,
    /// When that poll began, in ticks.
    since: AtomicU64,
    /// Time in polls that have ended, in ticks.
    busy: AtomicU64,
    polls: AtomicU64,
    /// How often a task was ready for so long before it was polled: at least two to the power of the index, in ticks.
    lags: [AtomicU64; LAGS],
    ring: Ring,
}

/// What a thread does at the moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    /// The task that it polls, and since when.
    pub(crate) task: Option<(TaskId, Moment)>,
    /// Time in polls so far, in ticks.
    pub(crate) busy: u64,
    /// Polls so far.
    pub(crate) polls: u64,
}

/// All threads that have polled something and have not ended.
pub(crate) fn all() -> Vec<Arc<Thread>> {
    lock(&THREADS).clone()
}

/// Those and the ones that ended last.
pub(crate) fn all_and_gone() -> Vec<Arc<Thread>> {
    let mut threads: Vec<_> = lock(&GONE).iter().cloned().collect();
    threads.extend(all());
    threads
}

/// Notes for timelines what happens to a task, on this thread.
pub(crate) fn note(at: Moment, what: EventKind, task: TaskId, with: Option<u32>) {
    if !events::is_recording() {
        return;
    }
    // SAFETY: as in `here`.
    if let Some(thread) = unsafe { entry().as_ref() } {
        thread.ring.push(Event { at, what, task: events::short(task), with: with.unwrap_or(NOBODY) });
    }
}

/// The number of this thread; 0 if it has never polled anything.
pub(crate) fn here() -> u32 {
    // SAFETY: the entry belongs to this thread, which clears the pointer before it lets go of it.
    unsafe { HERE.get().as_ref() }.map_or(0, |thread| thread.number)
}

/// Whether this is one of the loop's own threads, or the one on which cells run.
pub(crate) fn is_loops() -> bool {
    // SAFETY: as in `here`.
    unsafe { HERE.get().as_ref() }.is_some_and(|thread| thread.is_loops)
}

/// The name of the thread with this number.
pub(crate) fn name(number: u32) -> Option<String> {
    let names = lock(&NAMES);
    names.iter().rev().find(|(known, _)| *known == number).map(|(_, name)| name.clone())
}

/// Whether the thread of this name is one of the pool's.
pub(crate) fn is_worker(thread: &str) -> bool {
    thread.starts_with(POOL)
}

/// A task has ended on this thread.
pub(crate) fn has_ended(task: TaskId) {
    ENDED.set(task);
}

/// What it is that wakes a task on this thread. `awaits` tells whether that task awaits the one that has just ended here.
pub(crate) fn waker(awaits: impl FnOnce(TaskId) -> bool) -> u64 {
    if let Some(task) = context::current_task() {
        return task;
    }
    let ended = ENDED.get();
    if ended != 0 && awaits(ended) {
        return ended;
    }
    // SAFETY: as in `here`.
    match unsafe { entry().as_ref() } {
        Some(thread) if thread.is_loops || BLOCK_ONS.get() > 0 => REACTOR,
        Some(thread) => THREAD | u64::from(thread.number),
        None => THREAD,
    }
}

/// A `block_on` begins on this thread, and goes on until the guard is gone.
pub(crate) fn block_on() -> BlocksOn {
    BLOCK_ONS.set(BLOCK_ONS.get() + 1);
    BlocksOn(PhantomData)
}

/// See [`block_on`]. It stays on its thread.
pub(crate) struct BlocksOn(PhantomData<*const ()>);

impl Drop for BlocksOn {
    fn drop(&mut self) {
        BLOCK_ONS.set(BLOCK_ONS.get() - 1);
    }
}

/// The task among what [`waker`] tells.
pub(crate) fn task_of(cause: u64) -> Option<TaskId> {
    (cause & (REACTOR | THREAD) == 0 && cause != 0).then_some(cause)
}

/// What [`waker`] has told, for people.
pub(crate) fn describe(cause: u64) -> Option<WokenBy> {
    if cause == 0 {
        return None;
    }
    if cause == REACTOR {
        return Some(WokenBy::Reactor);
    }
    if cause & THREAD == 0 {
        return Some(WokenBy::Task { id: cause });
    }
    let name = u32::try_from(cause & !THREAD).ok().and_then(name);
    Some(WokenBy::Thread { name: name.unwrap_or_else(|| "a thread that has ended".to_owned()) })
}

/// A poll of `task` begins on this thread. Until the guard is gone it occupies the thread, unless it is inside another.
pub(crate) fn occupy(task: TaskId, now: Moment) -> Occupied {
    let thread = entry();
    // SAFETY: as in `here`.
    let Some(entry) = (unsafe { thread.as_ref() }) else { return Occupied { thread: ptr::null(), number: 0 } };
    if entry.task.load(Relaxed) != 0 {
        return Occupied { thread: ptr::null(), number: entry.number };
    }
    ENDED.set(0);
    entry.since.store(now.0, Relaxed);
    entry.task.store(task, Relaxed);
    Occupied { thread, number: entry.number }
}

/// See [`occupy`].
pub(crate) struct Occupied {
    /// Null for a poll inside another.
    thread: *const Thread,
    /// The number of the thread.
    pub(crate) number: u32,
}

impl Occupied {
    /// The task was ready for so many ticks before this poll.
    pub(crate) fn lagged(&self, ticks: u64) {
        // SAFETY: the guard lives on the stack of the thread whose entry this is.
        let Some(thread) = (unsafe { self.thread.as_ref() }) else { return };
        let size = (u64::BITS - ticks.leading_zeros()).saturating_sub(1) as usize;
        add(&thread.lags[size.min(LAGS - 1)], 1);
    }

    /// The poll ends now. True if it was not inside another.
    pub(crate) fn leave(mut self, now: Moment) -> bool {
        self.end(now);
        !std::mem::replace(&mut self.thread, ptr::null()).is_null()
    }

    fn end(&self, now: Moment) {
        // SAFETY: the guard lives on the stack of the thread whose entry this is.
        let Some(thread) = (unsafe { self.thread.as_ref() }) else { return };
        add(&thread.busy, now.0.saturating_sub(thread.since.load(Relaxed)));
        add(&thread.polls, 1);
        thread.task.store(0, Relaxed);
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        if !self.thread.is_null() {
            self.end(Moment::now());
        }
    }
}

impl Thread {
    /// What it does, and has done.
    pub(crate) fn work(&self) -> Work {
        let task = match self.task.load(Relaxed) {
            0 => None,
            task => Some((task, Moment(self.since.load(Relaxed)))),
        };
        Work { task, busy: self.busy.load(Relaxed), polls: self.polls.load(Relaxed) }
    }

    /// What has happened on it, as far as it is remembered, and how much is not.
    pub(crate) fn events(&self) -> (Vec<Event>, u64) {
        self.ring.read()
    }

    /// How often each size of lag was met.
    pub(crate) fn lags(&self) -> [u64; LAGS] {
        std::array::from_fn(|size| self.lags[size].load(Relaxed))
    }
}

/// Takes the entry out of the table when its thread ends.
struct Owner(Arc<Thread>);

impl Drop for Owner {
    fn drop(&mut self) {
        HERE.set(ptr::null());
        lock(&THREADS).retain(|thread| !Arc::ptr_eq(thread, &self.0));
        let mut gone = lock(&GONE);
        if gone.len() == REMEMBERED {
            gone.pop_front();
        }
        gone.push_back(Arc::clone(&self.0));
    }
}

/// The entry of this thread; null if it is about to end.
fn entry() -> *const Thread {
    let known = HERE.get();
    if known.is_null() { enter() } else { known }
}

#[cold]
fn enter() -> *const Thread {
    static NUMBERS: AtomicU32 = AtomicU32::new(1);
    let entered = OWNER.try_with(|owner| {
        let owner = owner.get_or_init(|| {
            let thread = Arc::new(Thread::new(NUMBERS.fetch_add(1, Relaxed)));
            let mut names = lock(&NAMES);
            if names.len() == NAMED {
                names.pop_front();
            }
            names.push_back((thread.number, thread.name.clone()));
            drop(names);
            lock(&THREADS).push(Arc::clone(&thread));
            Owner(thread)
        });
        Arc::as_ptr(&owner.0)
    });
    let entry = entered.unwrap_or(ptr::null());
    HERE.set(entry);
    entry
}

impl Thread {
    fn new(number: u32) -> Self {
        let name = thread::current().name().map_or_else(|| format!("thread {number}"), str::to_owned);
        Self {
            number,
            is_loops: is_worker(&name) || matches!(name.as_str(), "main" | "async-io"),
            name,
            began: Moment::now(),
            task: AtomicU64::new(0),
            since: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            lags: std::array::from_fn(|_| AtomicU64::new(0)),
            ring: Ring::new(),
        }
    }
}

/// Adds to a counter that only this thread writes.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed) + more, Relaxed);
}
