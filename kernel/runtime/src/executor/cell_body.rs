//! The bodies of cells: futures that run to their end on the cell's thread, as the task `In[n]`.
//!
//! They come boxed, so that nothing of this is compiled with each cell.

use crate::executor::block_on::drive_boxed;
use crate::running::{cell, interrupts, subshells};
use crate::tasks::{panics, record::Record};
use loopbook_channel::{TaskKind, cell_label};
use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

/// The body of a cell. It may borrow from the function around it.
pub(crate) type CellBody<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Runs the body of the main shell's cell on this thread. A panic ends here; how the cell has ended is known by
/// [`cell::end`].
#[doc(hidden)]
pub fn run_cell(body: CellBody<'_, ()>) {
    cell::body_begins(false);
    run(body);
}

/// [`run_cell`], of a body with evcxr's own `?`, which the kernel has not rewritten: one in a macro.
#[doc(hidden)]
pub fn run_cell_with_errors<E>(body: CellBody<'_, Result<(), E>>) {
    cell::body_begins(true);
    // What went wrong has been printed.
    run(Box::pin(async { drop(body.await) }));
}

/// Runs the body of a subshell's cell on this thread, as a task named after it.
#[doc(hidden)]
pub fn in_subshell(body: CellBody<'_, ()>) {
    let Some(here) = subshells::here() else { return };
    let record = Record::start(TaskKind::Cell, Some(cell_label(here.number)), None);
    if let Err(payload) = drive_boxed(body, record) {
        let failure = panics::failure(payload.as_ref());
        let interrupted = interrupts::is_interrupted(here.cell);
        here.end_early(Some(if interrupted { panics::interrupted() } else { failure }));
        forget(payload);
    }
}

fn run(body: CellBody<'_, ()>) {
    // The kernel's own cells have no number.
    let start = if cell::latest() == 0 { Record::unlisted } else { Record::start };
    let result = drive_boxed(body, start(TaskKind::Cell, Some(cell_label(cell::latest_number())), None));
    cell::body_ends();
    if let Err(payload) = result {
        let failure = panics::failure(payload.as_ref());
        cell::fail(if interrupts::is_interrupted(cell::latest()) { panics::interrupted() } else { failure });
        forget(payload);
    }
}

/// Dropping what was thrown may throw again.
fn forget(payload: Box<dyn Any + Send>) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
}
