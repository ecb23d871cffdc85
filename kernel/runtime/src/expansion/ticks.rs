//! Ending code of cells that computes and never comes to an `.await`.
//!
//! The kernel has every loop, function and closure of a cell begin with [`__tick!`](crate::__tick): one look at
//! [`PENDING`]. It is true while a cell is interrupted or a task is to end that is inside a poll. Then the code that
//! ticks finds out whether it is meant, and unwinds if so. Code of crates does not tick; what it calls back in a cell
//! does.
//!
//! | what ticks | ends |
//! |---|---|
//! | a task that was asked to end, or what it polls or blocks on | with [`Ended`], as cancelled |
//! | code on the thread of an interrupted cell, but for a local task of another cell | with [`Interrupted`] |
//! | a thread that was started while the cell ran, if the cell does not end by itself | with [`Interrupted`] |
//! | code that unwinds already, and what C functions and destructors call | goes on |
//!
//! An interrupt ends no task of the pool: in which round of its loop the task is at that moment would be chance.

use crate::connection;
use crate::running::{
    cell::{self, Interrupted},
    end_requests::{self, PENDING},
    interrupts,
};
use crate::tasks::{cancel::Ended, context, record::Record, threads};
use loopbook_channel::{CellId, Stream, TaskKind};
use std::cell::Cell;
use std::panic::resume_unwind;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;

/// The wish of which a user has been told why it has no effect.
static TOLD: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// The wish and the task for which this thread has found that it is not meant.
    static NOT_MEANT: Cell<(u32, *const Record)> = const { Cell::new((0, ptr::null())) };
    /// How many functions stand on this thread's stack through which nothing may unwind.
    static SHIELDS: Cell<u32> = const { Cell::new(0) };
}

/// Ends the code around it if its cell or task has been asked to end. A macro, so that the compiler of the cell
/// decides: at `:opt 2` and above a look in each round would keep loops from being optimised.
#[doc(hidden)]
#[macro_export]
macro_rules! __tick {
    () => {
        #[cfg(not(loopbook_no_ticks))]
        $crate::__private::tick();
    };
}

/// See [`__tick!`](crate::__tick).
///
/// Cells are not optimised, where `AtomicBool::load` is three calls and would double the time of a short loop. This is
/// three instructions, and no function of its own.
#[allow(clippy::inline_always)]
#[inline(always)]
pub fn tick() {
    // SAFETY: reads one byte of a static, which is what a relaxed load of an atomic is on this processor.
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    unsafe {
        std::arch::asm!(
            "cmp byte ptr [{wanted}], 0",
            "jne {look}",
            wanted = in(reg) &raw const PENDING,
            look = label { look() },
            options(nostack, readonly)
        );
    }
    #[cfg(any(not(target_arch = "x86_64"), miri))]
    if PENDING.load(std::sync::atomic::Ordering::Relaxed) {
        look();
    }
}

/// Until it is dropped, nothing that ticks on this thread ends.
pub fn shield() -> Shield {
    SHIELDS.set(SHIELDS.get() + 1);
    Shield(())
}

/// See [`shield`].
pub struct Shield(());

impl Drop for Shield {
    fn drop(&mut self) {
        SHIELDS.set(SHIELDS.get() - 1);
    }
}

/// Ends the code that ticks, if it is meant.
#[cold]
#[inline(never)]
fn look() {
    if thread::panicking() || SHIELDS.get() > 0 {
        return;
    }
    let now = (end_requests::count(), context::current_pointer());
    if NOT_MEANT.get() == now {
        return;
    }
    let task = context::current();
    if task.as_ref().is_some_and(is_to_end) {
        resume_unwind(Box::new(Ended));
    }
    if let Some(cell) = cell::of_this_thread() {
        if interrupts::is_interrupted(cell) && !cell::is_generated_code() && !is_guest(task.as_deref(), cell) {
            resume_unwind(Box::new(Interrupted));
        }
    } else if task.is_none() && !threads::is_loops() {
        if interrupts::holds_up_a_cell() {
            resume_unwind(Box::new(Interrupted));
        }
        // It may be meant later.
        return;
    }
    NOT_MEANT.set(now);
}

/// Whether the task was asked to end, or one that polls it or blocks on it on this thread.
fn is_to_end(task: &Arc<Record>) -> bool {
    let mut around = Some(Arc::clone(task));
    while let Some(task) = around {
        if task.is_to_end() {
            return true;
        }
        around = task.around_it();
    }
    false
}

/// Whether this is a local task of another cell than the one on whose thread it runs. It is not that cell's to end.
fn is_guest(task: Option<&Record>, cell: CellId) -> bool {
    let Some(guest) = task.filter(|task| task.kind == TaskKind::Local && task.cell != cell) else { return false };
    let wish = end_requests::count();
    if TOLD.swap(wish, SeqCst) != wish {
        let title = guest.title();
        let id = guest.id;
        let text =
            format!("{title} computes on the thread of this cell. `:cancel {id}` ends it, and then the cell ends.\n");
        connection::output(cell, Stream::Stderr, text.as_bytes());
    }
    true
}
