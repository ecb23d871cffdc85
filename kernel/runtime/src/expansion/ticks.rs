//! Ending code of cells that computes and never comes to an `.await`.
//!
//! The kernel has every loop, function and closure of a cell begin with [`__tick!`](crate::__tick): one look at [`WANTED`].
//! It is true while a cell is interrupted or a task is to end that is inside a poll. Then the code that ticks finds out
//! whether it is meant, and unwinds if so. Code of crates does not tick; what it calls back in a cell does.
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
    interrupts,
};
use crate::support::sync::lock;
use crate::tasks::{context, panics, record::Record, threads};
use loopbook_channel::{CellId, Stream, TaskKind, TaskState, cell_label};
use std::any::Any;
use std::cell::Cell;
use std::panic::resume_unwind;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

/// Whether somebody is to end.
static WANTED: AtomicBool = AtomicBool::new(false);
/// How many; for a moment it may be too few.
static REASONS: Mutex<i64> = Mutex::new(0);
/// Counts the wishes.
static WISHES: AtomicU32 = AtomicU32::new(0);
/// The wish of which a user has been told why it has no effect.
static TOLD: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// The wish and the task for which this thread has found that it is not meant.
    static NOT_MEANT: Cell<(u32, *const Record)> = const { Cell::new((0, ptr::null())) };
    /// How many functions stand on this thread's stack through which nothing may unwind.
    static SHIELDS: Cell<u32> = const { Cell::new(0) };
}

/// Payload of the panic that takes a task off the stack which was asked to end.
pub(crate) struct Ended;

/// Ends the code around it if somebody wants that. A macro, so that the compiler of the cell decides: at `:opt 2` and above a
/// look in each round would keep loops from being optimised.
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
/// Cells are not optimised, where `AtomicBool::load` is three calls and would double the time of a short loop. This is three
/// instructions, and no function of its own.
#[allow(clippy::inline_always)]
#[inline(always)]
pub fn tick() {
    // SAFETY: reads one byte of a static, which is what a relaxed load of an atomic is on this processor.
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    unsafe {
        std::arch::asm!(
            "cmp byte ptr [{wanted}], 0",
            "jne {look}",
            wanted = in(reg) &raw const WANTED,
            look = label { look() },
            options(nostack, readonly)
        );
    }
    #[cfg(any(not(target_arch = "x86_64"), miri))]
    if WANTED.load(std::sync::atomic::Ordering::Relaxed) {
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

/// Has everybody look who ticks, until as many have been [`settled`].
pub(crate) fn want() {
    let mut reasons = lock(&REASONS);
    *reasons += 1;
    WISHES.fetch_add(1, SeqCst);
    WANTED.store(*reasons > 0, SeqCst);
}

/// Somebody has ended who was to end.
pub(crate) fn settled() {
    let mut reasons = lock(&REASONS);
    *reasons -= 1;
    WANTED.store(*reasons > 0, SeqCst);
}

/// How a task ends that has thrown this, and the payload that its awaiter gets.
pub(crate) fn ending(task: &Record, payload: Box<dyn Any + Send>) -> (TaskState, Box<dyn Any + Send>) {
    if payload.is::<Interrupted>() {
        if let (TaskKind::Local | TaskKind::Loop | TaskKind::Task, (_, Some(cell))) = (task.kind, cell::here()) {
            task.ended_by(format!("the interrupt of {}", cell_label(cell)));
        }
        return (TaskState::Cancelled, payload);
    }
    if !payload.is::<Ended>() {
        return (TaskState::Panicked, payload);
    }
    // What a task polls or blocks on has not been asked itself.
    let payload = if task.is_to_end() { panics::of_nowhere(task.end_message()) } else { payload };
    (TaskState::Cancelled, payload)
}

/// Ends the code that ticks, if it is meant.
#[cold]
#[inline(never)]
fn look() {
    if thread::panicking() || SHIELDS.get() > 0 {
        return;
    }
    let now = (WISHES.load(SeqCst), context::current_pointer());
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
    let wish = WISHES.load(SeqCst);
    if TOLD.swap(wish, SeqCst) != wish {
        let title = guest.title();
        let id = guest.id;
        let text =
            format!("{title} computes on the thread of this cell. `:cancel {id}` ends it, and then the cell ends.\n");
        connection::output(cell, Stream::Stderr, text.as_bytes());
    }
    true
}
