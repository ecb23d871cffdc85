//! The bodies of cells: futures that run to their end on the cell's thread, as the task `In[n]`.

use crate::executor::block_on::drive;
use crate::running::{cell, interrupts, subshells};
use crate::tasks::{panics, record::Record};
use loopbook_channel::{TaskKind, cell_label};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Name of the error type in evcxr's own `?` mode; a body that returns it was not rewritten by the kernel.
const EVCXR_ERROR: &str = "EvcxrUserCodeError";

/// Runs the body of the main shell's cell on this thread.
///
/// # Panics
/// With the payload of the body's panic, or with [`Interrupted`](cell::Interrupted): evcxr's generated code catches both.
pub(crate) fn run<F: Future>(body: F) -> F::Output {
    cell::body_begins(std::any::type_name::<F::Output>().contains(EVCXR_ERROR));
    // The kernel's own cells have no number.
    let start = if cell::latest() == 0 { Record::unlisted } else { Record::start };
    let result = drive(body, start(TaskKind::Cell, Some(cell_label(cell::latest_number())), None));
    cell::body_ends();
    match result {
        Ok(output) => output,
        Err(payload) => {
            let failure = panics::failure(payload.as_ref());
            cell::fail(if interrupts::is_interrupted(cell::latest()) { panics::interrupted() } else { failure });
            resume_unwind(payload)
        }
    }
}

/// Runs the body of a subshell's cell on this thread, as a task named after it.
#[doc(hidden)]
pub fn in_subshell<F: Future<Output = ()>>(body: F) {
    let Some(here) = subshells::here() else { return };
    let record = Record::start(TaskKind::Cell, Some(cell_label(here.number)), None);
    if let Err(payload) = drive(body, record) {
        let failure = panics::failure(payload.as_ref());
        let interrupted = interrupts::is_interrupted(here.cell);
        here.end_early(Some(if interrupted { panics::interrupted() } else { failure }));
        // Dropping what was thrown may throw again.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    }
}
