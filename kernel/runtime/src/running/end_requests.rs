//! How many cells and tasks have been asked to end and have not: what code that computes looks at in each round of a loop.

use crate::support::sync::lock;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

/// Whether anything has been asked to end and has not. Read as one byte by what the kernel writes into loops.
pub(crate) static PENDING: AtomicBool = AtomicBool::new(false);
/// How many; for a moment it may be too few.
static OPEN: Mutex<i64> = Mutex::new(0);
/// How many there have ever been.
static ALL: AtomicU32 = AtomicU32::new(0);

/// Something has been asked to end. Until as many have [`settled`], [`PENDING`] is true.
pub(crate) fn add() {
    let mut open = lock(&OPEN);
    *open += 1;
    ALL.fetch_add(1, SeqCst);
    PENDING.store(*open > 0, SeqCst);
}

/// Something has ended that had been asked to.
pub(crate) fn settled() {
    let mut open = lock(&OPEN);
    *open -= 1;
    PENDING.store(*open > 0, SeqCst);
}

/// How many requests there have been: who has looked at the last one need not look again.
pub(crate) fn count() -> u32 {
    ALL.load(SeqCst)
}
