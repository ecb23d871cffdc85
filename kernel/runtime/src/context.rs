//! Who is running on this thread: the current task, and through it the cell that caused it.

use crate::{beside, cell, record::Record};
use loopbook_channel::{CellId, Failure, TaskId};
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Record>>> = const { RefCell::new(None) };
}

/// The cell to which whatever happens on this thread belongs: that of the current task, else the cell that runs, else
/// the last one.
pub(crate) fn current_cell() -> CellId {
    with_current(|record| record.map(|record| record.cell)).unwrap_or_else(|| cell::here().0)
}

/// The task that is polled on this thread, innermost first (a branch before the task around it).
pub(crate) fn current_task() -> Option<TaskId> {
    with_current(|record| record.map(|record| record.id))
}

/// Marks the running cell as ended early: with a failed `?` (the failure) or a `return` (`None`). evcxr must then forget
/// the variables that the cell would have defined.
pub(crate) fn end_cell_early(failure: Option<Failure>) {
    match beside::here() {
        Some(beside) => beside.end_early(failure),
        None => cell::end_early(failure),
    }
}

/// The record of [`current_task`].
pub(crate) fn current() -> Option<Arc<Record>> {
    with_current(|record| record.cloned())
}

/// Makes a task the current one of this thread until the guard is dropped.
pub(crate) fn enter(record: &Arc<Record>) -> Entered {
    let before = CURRENT.try_with(|current| current.replace(Some(Arc::clone(record)))).ok().flatten();
    Entered { before }
}

/// Puts the task that was current before back; see [`enter`].
pub(crate) struct Entered {
    before: Option<Arc<Record>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let before = self.before.take();
        // The replaced record is dropped here, outside of the cell's borrow. A thread that is ending has no current task.
        drop(CURRENT.try_with(|current| current.replace(before)));
    }
}

/// Works at every moment of a thread's life: `None` while its thread-locals are being destroyed.
fn with_current<T>(look: impl FnOnce(Option<&Arc<Record>>) -> Option<T>) -> Option<T> {
    let mut look = Some(look);
    CURRENT
        .try_with(|current| {
            let current = current.try_borrow().ok()?;
            look.take().and_then(|look| look(current.as_ref()))
        })
        .ok()
        .flatten()
}
