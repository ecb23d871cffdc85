//! Gets unfinished lines out: `print!("50%\r")` stays in the buffer of Rust's stdout, `printf("x")` in C's.
//!
//! Flushing takes the lock of stdout, and user code may hold that lock for as long as it likes (`stdout().lock()` across
//! an `.await`, in a thread's loop). So one thread does all flushing, and nobody waits for it without a limit. What it
//! gets out is written on that thread, so it is told for which cell it flushes.

use crate::running::cell;
use crate::support::{clock::Moment, sync::lock};
use loopbook_channel::CellId;
use std::cell::Cell;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Between two flushes of what nobody asked for.
const TICK: Duration = Duration::from_millis(50);
/// A poll asks for a flush only if the last one is older than this, so that a busy loop does not pay for each poll.
const AFTER_POLL: Duration = Duration::from_millis(5);
/// How long a poll waits for its flush.
const SHORT: Duration = Duration::from_millis(5);
/// How long a message or the end of a cell waits for its flush: long enough for a machine that is busy.
const LONG: Duration = Duration::from_millis(250);

static STATE: Mutex<State> = Mutex::new(State { asked: 0, done: 0, given_up: 0, request: None });
static CHANGED: Condvar = Condvar::new();
static STARTED: AtomicBool = AtomicBool::new(false);
/// When the last flush was, in ticks of the clock.
static LAST_FLUSH: AtomicU64 = AtomicU64::new(0);
/// Cell of the task that was polled last and did not ask for a flush; 0 is none.
static LAST_POLLED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static FLUSHING_FOR: Cell<Option<CellId>> = const { Cell::new(None) };
}

struct State {
    asked: u64,
    done: u64,
    /// The last flush for which the wait ended without it.
    given_up: u64,
    request: Option<CellId>,
}

/// A poll has ended on this thread: what it printed without ending the line is its cell's.
pub(crate) fn after_poll(cell: CellId, now: Moment) {
    if !STARTED.load(Ordering::Relaxed) {
        return;
    }
    if now.since(Moment(LAST_FLUSH.load(Ordering::Relaxed))) < AFTER_POLL {
        // Threads that only read this do not take the cache line from each other.
        if LAST_POLLED.load(Ordering::Relaxed) != cell {
            LAST_POLLED.store(cell, Ordering::Relaxed);
        }
        return;
    }
    flush(cell, SHORT);
}

/// A message is about to go to the kernel that must stand behind what `cell` has printed.
pub(crate) fn before_message(cell: CellId) {
    flush(cell, LONG);
}

/// The cell is about to end.
pub(crate) fn at_end_of(cell: CellId) {
    flush(cell, LONG);
}

/// On the flusher's thread, the cell for which it flushes.
pub(crate) fn cell_being_flushed() -> Option<CellId> {
    FLUSHING_FOR.try_with(Cell::get).ok().flatten()
}

/// Starts the thread.
///
/// # Errors
/// If the system has no thread for it.
pub(crate) fn start() -> std::io::Result<()> {
    std::thread::Builder::new().name("loopbook-flush".into()).spawn(run)?;
    STARTED.store(true, Ordering::Relaxed);
    Ok(())
}

/// Has everything flushed on behalf of `cell`, and waits for it, but not longer than `limit`.
fn flush(cell: CellId, limit: Duration) {
    if !STARTED.load(Ordering::Relaxed) {
        return;
    }
    let mut state = lock(&STATE);
    // A flush that is stuck at a lock of user code is waited for once.
    let stuck = state.given_up > state.done;
    if stuck || (limit == SHORT && state.asked > state.done) {
        return;
    }
    state.asked += 1;
    state.request = Some(cell);
    let mine = state.asked;
    CHANGED.notify_all();
    let waited = CHANGED.wait_timeout_while(state, limit, |state| state.done < mine);
    let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
    if state.done < mine && limit == LONG {
        state.given_up = mine;
    }
}

fn run() {
    loop {
        let state = lock(&STATE);
        let waited = CHANGED.wait_timeout_while(state, TICK, |state| state.request.is_none());
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let request = state.request.take();
        let asked = state.asked;
        drop(state);
        let last_polled = LAST_POLLED.swap(0, Ordering::Relaxed);
        let cell = request.unwrap_or(if last_polled == 0 { cell::latest() } else { last_polled });
        flush_now(cell);
        LAST_FLUSH.store(Moment::now().0, Ordering::Relaxed);
        lock(&STATE).done = asked;
        CHANGED.notify_all();
    }
}

fn flush_now(cell: CellId) {
    FLUSHING_FOR.set(Some(cell));
    // Writing to our own hook cannot fail; a stdout that user code has closed is its own business.
    let _ = std::io::stdout().flush();
    // SAFETY: null means all streams.
    unsafe { libc::fflush(std::ptr::null_mut()) };
    FLUSHING_FOR.set(None);
}
