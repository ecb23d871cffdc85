//! Lints that are noticed where they happen: at the start and end of polls and tasks.

use super::{Show, found, found_at};
use crate::TaskKind;
use crate::support::{
    clock::{self, Moment},
    units,
};
use crate::tasks::{context, record::Record, site, threads};
use loopbook_channel::{cell_label, counted, grouped};
use std::panic::Location;
use std::sync::LazyLock;
use std::time::Duration;

const SLOW_POLL: Duration = Duration::from_millis(100);
const STARVED: Duration = Duration::from_millis(50);
/// What is slower than this gets a line under its cell. A busy machine makes anything slow for a moment.
const WORTH_A_LINE: Duration = Duration::from_secs(1);
/// Bytes.
const LARGE_FUTURE: usize = 4096;
/// Bytes from which on async-task puts a future into a box.
const BOXED: usize = 2048;
/// With fewer wakes than this nothing is said of them.
const WAKES: u64 = 20;

/// A poll of `record` has ended that was not inside another one.
#[inline]
pub(crate) fn poll_took(record: &Record, began: Moment, ended: Moment) {
    static LIMIT: LazyLock<u64> = LazyLock::new(|| clock::in_ticks(SLOW_POLL));
    let spent = ended.0.saturating_sub(began.0);
    if spent >= *LIMIT {
        slow_poll(record, clock::ticks(spent));
    }
}

#[cold]
fn slow_poll(record: &Record, spent: Duration) {
    // The first poll has been told of while it went on.
    if is_of_the_loop(record) {
        kept_its_thread(record, spent, spent >= WORTH_A_LINE && record.polls() > 1);
    }
}

/// A poll on a loop that a cell has made has ended.
#[inline]
pub(crate) fn poll_of_own_loop_took(record: &Record, began: Moment, ended: Moment) {
    let spent = ended.since(began);
    if spent >= SLOW_POLL {
        kept_its_thread(record, spent, spent >= WORTH_A_LINE);
    }
}

#[cold]
fn kept_its_thread(record: &Record, spent: Duration, show: bool) {
    let message = format!(
        "{} has kept its thread for {} without an `.await` that waits: nothing else ran there. Put what computes or blocks \
         into `task::spawn_blocking`, or write `task::yield_now().await` between its parts.",
        record.describe(),
        units::duration(spent)
    );
    let show = if show { Show::Once } else { Show::Never };
    found("slow_poll", &[record], record.line, message, show);
}

/// A poll of `record` begins for which it has been ready for so many ticks.
#[inline]
pub(crate) fn was_ready(record: &Record, waited: u64) {
    static LIMIT: LazyLock<u64> = LazyLock::new(|| clock::in_ticks(STARVED));
    if waited >= *LIMIT {
        starved(record, clock::ticks(waited));
    }
}

#[cold]
fn starved(record: &Record, waited: Duration) {
    if !is_of_the_loop(record) {
        return;
    }
    let message = format!(
        "{} was ready to run and had to wait {} for a thread: others have kept all threads of the loop. Other lints say \
         who.",
        record.describe(),
        units::duration(waited)
    );
    // The cells whose tasks keep the threads get the line.
    found("starved", &[record], record.line, message, Show::Never);
}

/// A task starts whose future has so many bytes.
#[inline]
pub(crate) fn spawned(record: &Record, size: usize) {
    if size >= BOXED && matches!(record.kind, TaskKind::Task | TaskKind::Local) {
        auto_boxed(record, size);
    }
    // A cell's own future is made once, and is as large as its code is long.
    if size >= LARGE_FUTURE && record.kind != TaskKind::Cell {
        large_future(record, size);
    }
}

#[cold]
fn auto_boxed(record: &Record, size: usize) {
    let message = format!(
        "the future of {} has {}, so the executor has put it into a box: one more piece of memory for each such task, \
         and nothing else. Smaller futures (under 2 KiB) live in the task itself.",
        record.describe(),
        counted(size, "byte")
    );
    found("auto_boxed", &[record], record.line, message, Show::Never);
}

#[cold]
fn large_future(record: &Record, size: usize) {
    let message = format!(
        "the future of {} has {}, which are copied whenever it is moved: it keeps large values over an `.await`. \
         Put them into a `Box` or a `Vec`, or drop them before the `.await`.",
        record.describe(),
        counted(size, "byte")
    );
    found("large_future", &[record], record.line, message, Show::Once);
}

/// The task has ended after so many wakes; `dropped` if it was dropped before its end.
pub(crate) fn ended(record: &Record, wakes: u64, self_wakes: u64, dropped: bool) {
    self_woken(record, wakes, self_wakes);
    if dropped && record.polls() == 0 && !record.was_asked_to_end() {
        let message = format!(
            "{} was dropped before it could run: nothing of it has happened. Await it, or keep its handle.",
            record.describe()
        );
        found("dropped_unpolled", &[record], record.line, message, Show::Once);
    }
}

/// Notes a task that wakes itself all the time.
pub(super) fn self_woken(record: &Record, wakes: u64, self_wakes: u64) {
    if wakes < WAKES || self_wakes * 2 <= wakes {
        return;
    }
    let message = format!(
        "{} has woken itself {} times of {}: it asks again and again instead of waiting. Wait for what it \
         needs: a channel, a `sleep`, a lock.",
        record.describe(),
        grouped(self_wakes),
        grouped(wakes)
    );
    found("self_wakes", &[record], record.line, message, Show::Once);
}

/// A task has panicked that nobody can await; its panic is shown anyway.
pub(crate) fn panicked_detached(record: &Record, panic: &str) {
    let message = format!(
        "{} has panicked, and nobody awaits it: {panic}. Await its handle, or catch the error inside.",
        record.describe()
    );
    found("panicked_detached", &[record], record.line, message, Show::Never);
}

/// A future that was kept for later is dropped and has never been polled.
pub(crate) fn dropped_unpolled(location: &'static Location<'static>) {
    let (here, elsewhere) = site::resolve(location);
    let place = match here {
        Some(site) => format!("{}, line {}", cell_label(site.cell), site.line),
        None => elsewhere.unwrap_or_default(),
    };
    let message = format!(
        "the future that was kept at {place} was dropped before anybody awaited it: nothing of it has happened. A future \
         does nothing until it is awaited."
    );
    let line = here.map(|site| site.line);
    let by = context::current();
    let cell = here.map(|site| site.cell).or(by.as_ref().and_then(|task| task.number));
    let tasks: Vec<&Record> = by.iter().map(AsRef::as_ref).collect();
    found_at(context::current_cell(), "dropped_unpolled", &tasks, (cell, line), message, Show::Once);
}

/// Whether the task keeps a thread of the pool, which others could use.
fn is_of_the_loop(record: &Record) -> bool {
    matches!(record.kind, TaskKind::Task)
        && threads::name(threads::here()).is_some_and(|name| threads::is_worker(&name))
}
