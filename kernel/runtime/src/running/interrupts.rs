//! Which cells run, which of them have been interrupted, and whom an interrupt wakes.
//!
//! Ids of cells are never reused, so an interrupt hits the cell that it is meant for or none.

use crate::running::end_requests;
use crate::support::sync::lock;
use loopbook_channel::CellId;
use std::cell::OnceCell;
use std::fs;
use std::sync::Mutex;
use std::task::Waker;
use std::time::{Duration, Instant};

/// How long a cell may take to end by itself before the threads end for which it may be waiting.
const PATIENCE: Duration = Duration::from_millis(100);

static STATE: Mutex<State> = Mutex::new(State { running: Vec::new(), interrupted: Vec::new(), sleepers: Vec::new() });

struct State {
    /// The main shell's cell, and one for each subshell at most.
    running: Vec<Running>,
    interrupted: Vec<Interrupted>,
    sleepers: Vec<Sleeper>,
}

struct Running {
    cell: CellId,
    /// In the system's ticks.
    began: u64,
}

struct Interrupted {
    cell: CellId,
    at: Instant,
}

/// Somebody who waits on a cell's thread.
struct Sleeper {
    key: u64,
    cell: CellId,
    waker: Waker,
}

/// The cell begins to run.
pub(crate) fn begin(cell: CellId) {
    lock(&STATE).running.push(Running { cell, began: ticks_since_boot() });
}

/// The cell has ended: an interrupt that comes now does nothing.
pub(crate) fn end(cell: CellId) {
    let mut state = lock(&STATE);
    state.running.retain(|known| known.cell != cell);
    let was_interrupted = state.interrupted.extract_if(.., |known| known.cell == cell).count() > 0;
    let gone: Vec<_> = state.sleepers.extract_if(.., |sleeper| sleeper.cell == cell).collect();
    drop(state);
    if was_interrupted {
        end_requests::settled();
    }
    // Dropping a waker runs its executor's code.
    drop(gone);
}

/// Ends the execution of `cell`. False if it does not run.
pub(crate) fn interrupt(cell: CellId) -> bool {
    let mut state = lock(&STATE);
    if !state.is_running(cell) {
        return false;
    }
    if !state.is_interrupted(cell) {
        state.interrupted.push(Interrupted { cell, at: Instant::now() });
        end_requests::add();
    }
    let woken: Vec<_> = state.sleepers.extract_if(.., |sleeper| sleeper.cell == cell).collect();
    drop(state);
    for sleeper in woken {
        sleeper.waker.wake();
    }
    true
}

/// Whether the cell runs.
pub(crate) fn is_running(cell: CellId) -> bool {
    lock(&STATE).is_running(cell)
}

/// Whether the cell is to end.
pub(crate) fn is_interrupted(cell: CellId) -> bool {
    lock(&STATE).is_interrupted(cell)
}

/// Whether the cell is to end; if not, its interrupt will wake `waker`. `key` is the caller's, which may ask again with
/// another waker.
pub(crate) fn poll(key: u64, cell: CellId, waker: &Waker) -> bool {
    let mut state = lock(&STATE);
    if state.is_interrupted(cell) {
        return true;
    }
    match state.sleepers.iter_mut().find(|sleeper| sleeper.key == key) {
        Some(known) => known.waker.clone_from(waker),
        None => state.sleepers.push(Sleeper { key, cell, waker: waker.clone() }),
    }
    false
}

/// Whether a cell was interrupted and has not ended for a while, and this thread was started while it ran: then the cell is
/// likely to wait for it.
pub(crate) fn holds_up_a_cell() -> bool {
    let state = lock(&STATE);
    let late: Vec<_> = state.interrupted.iter().filter(|known| known.at.elapsed() >= PATIENCE).collect();
    let mut late = state.running.iter().filter(|running| late.iter().any(|known| known.cell == running.cell));
    let first = late.by_ref().map(|running| running.began).min();
    drop(state);
    first.zip(this_thread_began()).is_some_and(|(cell, thread)| cell <= thread)
}

impl State {
    fn is_running(&self, cell: CellId) -> bool {
        self.running.iter().any(|known| known.cell == cell)
    }

    fn is_interrupted(&self, cell: CellId) -> bool {
        self.interrupted.iter().any(|known| known.cell == cell)
    }
}

/// When this thread was started, in the system's ticks.
fn this_thread_began() -> Option<u64> {
    thread_local!(static BEGAN: OnceCell<Option<u64>> = const { OnceCell::new() });
    BEGAN.with(|began| {
        *began.get_or_init(|| {
            let stat = fs::read_to_string("/proc/thread-self/stat").ok()?;
            // The name, in brackets, may hold anything. What follows begins with the third field; this is the 22nd.
            stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
        })
    })
}

fn ticks_since_boot() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the calls write into the struct, and ask for a constant of the system.
    let per_second = unsafe {
        libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time);
        libc::sysconf(libc::_SC_CLK_TCK)
    };
    let per_second = u64::try_from(per_second).unwrap_or(100).max(1);
    let whole = u64::try_from(time.tv_sec).unwrap_or_default() * per_second;
    whole + u64::try_from(time.tv_nsec).unwrap_or_default() * per_second / 1_000_000_000
}

/// Takes [`poll`] back.
pub(crate) fn forget(key: u64) {
    let mut state = lock(&STATE);
    let gone = state.sleepers.iter().position(|sleeper| sleeper.key == key);
    let gone = gone.map(|index| state.sleepers.swap_remove(index));
    drop(state);
    drop(gone);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn an_interrupt_wakes_the_sleepers_of_its_cell_only() {
        let (mine, other) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
        begin(71);
        begin(72);
        assert!(!poll(1001, 71, &mine.clone().into()) && !poll(1002, 72, &other.clone().into()));
        assert!(interrupt(71) && !interrupt(73));
        assert_eq!((mine.0.load(Ordering::Relaxed), other.0.load(Ordering::Relaxed)), (1, 0));
        assert!(poll(1001, 71, &mine.into()) && !is_interrupted(72));
        end(71);
        end(72);
        assert!(!interrupt(71) && !is_interrupted(71), "a cell that has ended cannot be interrupted");
    }
}
