//! The threads that poll tasks, and what each of them is doing. Only the thread itself writes to its entry.

use crate::clock::Moment;
use crate::sync::lock;
use loopbook_channel::TaskId;
use std::cell::{Cell, OnceCell};
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;

static THREADS: Mutex<Vec<Arc<Thread>>> = Mutex::new(Vec::new());

thread_local! {
    /// This thread's entry, as soon as it has one and until it ends.
    static HERE: Cell<*const Thread> = const { Cell::new(ptr::null()) };
    static OWNER: OnceCell<Owner> = const { OnceCell::new() };
}

/// A thread that has polled something.
pub(crate) struct Thread {
    /// From 1, never reused.
    pub(crate) number: u32,
    pub(crate) name: String,
    /// When it was first seen.
    pub(crate) began: Moment,
    /// The task of the outermost poll; 0 if there is none.
    task: AtomicU64,
    /// When that poll began, in ticks.
    since: AtomicU64,
    /// Time in polls that have ended, in ticks.
    busy: AtomicU64,
    polls: AtomicU64,
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

/// The number of this thread; 0 if it has never polled anything.
pub(crate) fn here() -> u32 {
    // SAFETY: the entry belongs to this thread, which clears the pointer before it lets go of it.
    unsafe { HERE.get().as_ref() }.map_or(0, |thread| thread.number)
}

/// A poll of `task` begins on this thread. Until the guard is gone it occupies the thread, unless it is inside another.
pub(crate) fn occupy(task: TaskId, now: Moment) -> Occupied {
    let known = HERE.get();
    let thread = if known.is_null() { enter() } else { known };
    // SAFETY: as in `here`.
    let Some(entry) = (unsafe { thread.as_ref() }) else { return Occupied { thread: ptr::null(), number: 0 } };
    if entry.task.load(Relaxed) != 0 {
        return Occupied { thread: ptr::null(), number: entry.number };
    }
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
    /// The poll ends now.
    pub(crate) fn leave(mut self, now: Moment) {
        self.end(now);
        self.thread = ptr::null();
    }

    fn end(&self, now: Moment) {
        // SAFETY: the guard lives on the stack of the thread whose entry this is.
        let Some(thread) = (unsafe { self.thread.as_ref() }) else { return };
        let spent = now.0.saturating_sub(thread.since.load(Relaxed));
        thread.busy.store(thread.busy.load(Relaxed) + spent, Relaxed);
        thread.polls.store(thread.polls.load(Relaxed) + 1, Relaxed);
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
    pub(crate) fn work(&self) -> Work {
        let task = match self.task.load(Relaxed) {
            0 => None,
            task => Some((task, Moment(self.since.load(Relaxed)))),
        };
        Work { task, busy: self.busy.load(Relaxed), polls: self.polls.load(Relaxed) }
    }
}

/// Takes the entry out of the table when its thread ends.
struct Owner(Arc<Thread>);

impl Drop for Owner {
    fn drop(&mut self) {
        HERE.set(ptr::null());
        lock(&THREADS).retain(|thread| !Arc::ptr_eq(thread, &self.0));
    }
}

/// Gives this thread an entry; null if it is about to end.
#[cold]
fn enter() -> *const Thread {
    static NUMBERS: AtomicU32 = AtomicU32::new(1);
    let entered = OWNER.try_with(|owner| {
        let owner = owner.get_or_init(|| {
            let number = NUMBERS.fetch_add(1, Relaxed);
            let thread = Arc::new(Thread {
                number,
                name: thread::current().name().map_or_else(|| format!("thread {number}"), str::to_owned),
                began: Moment::now(),
                task: AtomicU64::new(0),
                since: AtomicU64::new(0),
                busy: AtomicU64::new(0),
                polls: AtomicU64::new(0),
            });
            lock(&THREADS).push(Arc::clone(&thread));
            Owner(thread)
        });
        Arc::as_ptr(&owner.0)
    });
    let entry = entered.unwrap_or(ptr::null());
    HERE.set(entry);
    entry
}
