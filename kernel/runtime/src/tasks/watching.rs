//! The switch of the inspector: whether tasks get records.

use crate::tasks::await_sites;
use std::sync::atomic::{AtomicBool, Ordering};

static WATCHING: AtomicBool = AtomicBool::new(true);

/// Turns the inspector off, or on again, for tasks that are started from now on; it is on from the start.
///
/// A task that is started while it is off is async-std's own, and costs what it costs there: it is in no table and no
/// timeline, cannot be cancelled by its number, and what it prints belongs to the cell that runs, not to the one that
/// started it. The same holds for branches of `gather!`. Cells, tasks of a `Loop`, and tasks that were started before are
/// watched. `:loop` says when it is off.
///
/// ```
/// use loopbook::facade::task;
/// loopbook::watch_tasks(false);
/// let before = loopbook::all_tasks().len();
/// let unseen = task::spawn(std::future::pending::<()>());
/// assert_eq!(loopbook::all_tasks().len(), before);
/// loopbook::watch_tasks(true);
/// # drop(unseen);
/// ```
pub fn watch_tasks(on: bool) {
    WATCHING.store(on, Ordering::Relaxed);
    await_sites::watch_awaits(on);
}

/// Whether a task that is started now gets a record.
pub(crate) fn is_on() -> bool {
    WATCHING.load(Ordering::Relaxed)
}
