//! The current task of a thread, and through it the cell that caused what the thread does.

use crate::running::{cell, subshells};
use crate::tasks::record::Record;
use loopbook_channel::{CellId, Failure, TaskId};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

thread_local! {
    /// Null, or what an `Arc` points to that outlives the guard which [`enter`] has given for it.
    static CURRENT: Cell<*const Record> = const { Cell::new(ptr::null()) };
}

/// The cell to which whatever happens on this thread belongs: that of the current task, else the cell that runs, else
/// the last one.
pub(crate) fn current_cell() -> CellId {
    with_current(|record| record.cell).unwrap_or_else(|| cell::here().0)
}

/// The task that is polled on this thread, innermost first (a branch before the task around it).
pub(crate) fn current_task() -> Option<TaskId> {
    with_current(|record| record.id)
}

/// Marks the running cell as ended early: with a failed `?` (the failure) or a `return` (`None`). evcxr must then forget
/// the variables that the cell would have defined.
pub(crate) fn end_cell_early(failure: Option<Failure>) {
    match subshells::here() {
        Some(subshell) => subshell.end_early(failure),
        None => cell::end_early(failure),
    }
}

/// The record of [`current_task`], to compare it with; null if there is none.
pub(crate) fn current_pointer() -> *const Record {
    CURRENT.get()
}

/// The record of [`current_task`].
pub(crate) fn current() -> Option<Arc<Record>> {
    with_current(|record| {
        // SAFETY: the pointer is that of an `Arc` (see `enter`) which lives as long as it is the current one, that is,
        // at least until this function returns.
        unsafe {
            Arc::increment_strong_count(record);
            Arc::from_raw(record)
        }
    })
}

/// Makes a task the current one of this thread until the guard is dropped.
pub(crate) fn enter(record: &Arc<Record>) -> Entered<'_> {
    Entered { before: CURRENT.replace(Arc::as_ptr(record)), task: PhantomData }
}

/// Makes no task the current one of this thread until the guard is dropped.
pub(crate) fn leave() -> Entered<'static> {
    Entered { before: CURRENT.replace(ptr::null()), task: PhantomData }
}

/// Puts the task that was current before back; see [`enter`].
pub(crate) struct Entered<'a> {
    before: *const Record,
    /// The task stays borrowed, and so alive, while it is the current one.
    task: PhantomData<&'a Arc<Record>>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

/// Works at every moment of a thread's life: a pointer needs no destructor.
pub(crate) fn with_current<T>(look: impl FnOnce(&Record) -> T) -> Option<T> {
    // SAFETY: null, or borrowed by a guard of this thread that has not been dropped; guards are dropped in the reverse
    // order of their making, since each lives on the stack of the poll that it is for.
    unsafe { CURRENT.get().as_ref() }.map(look)
}
