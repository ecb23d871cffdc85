//! Which cells run, which of them have been interrupted, and whom an interrupt wakes.
//!
//! Ids of cells are never reused, so an interrupt hits the cell that it is meant for or none.

use crate::sync::lock;
use loopbook_channel::CellId;
use std::sync::Mutex;
use std::task::Waker;

static STATE: Mutex<State> = Mutex::new(State { running: Vec::new(), interrupted: Vec::new(), sleepers: Vec::new() });

struct State {
    /// The main shell's cell, and one for each subshell at most.
    running: Vec<CellId>,
    interrupted: Vec<CellId>,
    sleepers: Vec<Sleeper>,
}

/// Somebody who waits on a cell's thread.
struct Sleeper {
    key: u64,
    cell: CellId,
    waker: Waker,
}

/// The cell begins to run.
pub(crate) fn begin(cell: CellId) {
    lock(&STATE).running.push(cell);
}

/// The cell has ended: an interrupt that comes now does nothing.
pub(crate) fn end(cell: CellId) {
    let mut state = lock(&STATE);
    state.running.retain(|&known| known != cell);
    state.interrupted.retain(|&known| known != cell);
    let gone: Vec<_> = state.sleepers.extract_if(.., |sleeper| sleeper.cell == cell).collect();
    drop(state);
    // Dropping a waker runs its executor's code.
    drop(gone);
}

/// Ends the execution of `cell`. False if it does not run.
pub(crate) fn interrupt(cell: CellId) -> bool {
    let mut state = lock(&STATE);
    if !state.running.contains(&cell) {
        return false;
    }
    state.interrupted.push(cell);
    let woken: Vec<_> = state.sleepers.extract_if(.., |sleeper| sleeper.cell == cell).collect();
    drop(state);
    for sleeper in woken {
        sleeper.waker.wake();
    }
    true
}

/// Whether the cell runs.
pub(crate) fn is_running(cell: CellId) -> bool {
    lock(&STATE).running.contains(&cell)
}

/// Whether the cell is to end.
pub(crate) fn is_interrupted(cell: CellId) -> bool {
    lock(&STATE).interrupted.contains(&cell)
}

/// Whether the cell is to end; if not, its interrupt will wake `waker`. `key` is the asker's, who may ask again with
/// another waker.
pub(crate) fn poll(key: u64, cell: CellId, waker: &Waker) -> bool {
    let mut state = lock(&STATE);
    if state.interrupted.contains(&cell) {
        return true;
    }
    match state.sleepers.iter_mut().find(|sleeper| sleeper.key == key) {
        Some(known) => known.waker.clone_from(waker),
        None => state.sleepers.push(Sleeper { key, cell, waker: waker.clone() }),
    }
    false
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
