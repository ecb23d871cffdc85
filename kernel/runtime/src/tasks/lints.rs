//! Lints: mistakes of tasks, noticed while they happen, said once under the cell, and kept for `:lints`.
//!
//! | name | rule |
//! |---|---|
//! | `nested_block_on` | a `block_on` begins inside of a task |
//! | `worker_blocked` | all threads of the loop have been in one poll for 1 s, and tasks wait for a thread |
//! | `never_yielded` | a task's first poll has taken 1 s and goes on, on a thread of the loop |
//! | `slow_poll` | a poll on a thread of the loop, or on a `Loop`, took 100 ms; shown under the cell from 1 s on |
//! | `starved` | a task was ready for 50 ms before a thread of the loop polled it; never shown |
//! | `self_wakes` | of at least 20 wakes, more than half were by the task itself, while it was polled |
//! | `lost_waker` | a task has waited for 250 ms, and nobody has a waker of it: nothing can ever wake it |
//! | `auto_boxed` | the future of a spawned task has at least 2 KiB, which async-task puts into a box; never shown |
//! | `large_future` | the future of a task that is no cell has at least 4 KiB |
//! | `frozen_local` | a local task is ready and has not been polled for 1 s, because no cell runs |
//! | `panicked_detached` | a task has panicked that nobody awaits |
//! | `leak` | one line has at least 100 tasks that have not ended, more with each of the last three cells |
//! | `deadlock` | tasks wait for each other, or for locks that they hold, in a circle; or one for its own lock |
//! | `lock_not_released` | a task has waited for 1 s for a lock whose holder has ended |
//! | `dropped_unpolled` | a task or a kept future was dropped before its first poll |

use crate::support::{bundle, sync::lock};
use crate::tasks::{context, outbox, record::Record, site};
use loopbook_channel::{CellId, DisplayKind, Escaped, TaskId, TaskKind, ToKernel, cell_label};
use serde::Serialize;
use serde_json::Value;
use std::collections::VecDeque;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) mod cycles;
mod deadlock;
mod rules;
mod watch;

pub(crate) use rules::{
    dropped_unpolled, ended, panicked_detached, poll_of_own_loop_took, poll_took, spawned, was_ready,
};
pub(crate) use watch::Watch;

/// How many are remembered.
const REMEMBERED: usize = 100;

static SHOWN: AtomicBool = AtomicBool::new(true);
static FOUND: Mutex<VecDeque<Lint>> = Mutex::new(VecDeque::new());

/// Something that tasks have done and that they had better not do.
///
/// ```
/// for lint in loopbook::lints() {
///     println!("{} ({} times): {}", lint.name, lint.times, lint.message);
///     assert!(lint.times >= 1);
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Lint {
    /// What sort: `slow_poll`, `deadlock` and so on; see [`lints`].
    pub name: String,
    /// The tasks that did it.
    pub tasks: Vec<TaskId>,
    /// How they are called: `task 7 "fetch"`, or `In[3]` for a cell.
    pub names: Vec<String>,
    /// What happened, where, and what to do about it.
    pub message: String,
    /// Execution count of the cell that caused it.
    pub cell: Option<u32>,
    /// The line in that cell, from 1.
    pub line: Option<u32>,
    /// How often it was seen at this place.
    pub times: u64,
    /// Whether it has had its line under the cell.
    #[serde(skip)]
    shown: bool,
}

/// What was noticed so far, the oldest first. At most 100 are remembered. As the value of a cell it shows as a table.
///
/// What is looked for: `nested_block_on`, `worker_blocked` (all threads of the loop are taken), `never_yielded` (the
/// first poll takes over 1 s), `slow_poll` (over 100 ms), `starved` (ready for over 50 ms), `self_wakes` (more than
/// half of at least 20), `lost_waker` (nothing can wake it any more), `auto_boxed` (2 KiB), `large_future` (4 KiB),
/// `frozen_local` (ready for 1 s while no cell runs), `panicked_detached`, `leak` (over 100 tasks of one line, growing
/// for three cells), `deadlock` (tasks wait for each other or for each other's locks), `lock_not_released` (by a task
/// that has ended), `dropped_unpolled`.
///
/// ```
/// use loopbook::facade::task;
/// task::block_on(async { task::block_on(async {}) });
/// assert!(loopbook::lints().iter().any(|lint| lint.name == "nested_block_on"));
/// ```
pub fn lints() -> Vec<Lint> {
    lock(&FOUND).iter().cloned().collect()
}

/// Turns the lines under cells on or off that tell of lints; they are on from the start. [`lints`] has them either way.
///
/// ```
/// loopbook::show_lints(false);
/// # loopbook::show_lints(true);
/// ```
pub fn show_lints(on: bool) {
    SHOWN.store(on, Ordering::Relaxed);
}

/// A `block_on` begins at `location`. Inside of a task it stops whatever else runs on that thread.
pub(crate) fn block_on_begins(location: &'static Location<'static>) {
    let Some(task) = context::current() else { return };
    if matches!(task.kind, TaskKind::Cell | TaskKind::Blocking) {
        return;
    }
    let here = site::resolve(location).0;
    let at = here.map_or_else(String::new, |site| format!(" in {}, line {},", cell_label(site.cell), site.line));
    let message = format!(
        "{} waits in a `block_on`{at} and keeps its thread until that has ended: no other task runs there. In an \
         `async fn` or an `async` block write `.await` instead.",
        task.describe()
    );
    let line = here.filter(|site| Some(site.cell) == task.number).map(|site| site.line).or(task.line);
    found("nested_block_on", &[&task], line, message, Show::Once);
}

/// All threads of the loop are taken by these tasks while others wait.
pub(crate) fn workers_blocked(cell: CellId, stuck: &[Arc<Record>], message: String) {
    let tasks: Vec<&Record> = stuck.iter().filter(|record| record.cell == cell).map(AsRef::as_ref).collect();
    let line = tasks.first().and_then(|task| task.line);
    found("worker_blocked", &tasks, line, message, Show::Always);
}

/// Whether a lint gets a line under its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Always,
    /// If it is the first of its name at that place.
    Once,
    /// It is told on request only.
    Never,
}

/// Notes it, and shows it under the cell.
fn found(name: &str, tasks: &[&Record], line: Option<u32>, message: String, show: Show) {
    let Some(first) = tasks.first() else { return };
    found_at(first.cell, name, tasks, (first.number, line), message, show);
}

/// Like [`found`] when the place is known and a task need not be; `under` is the cell that gets the line.
fn found_at(
    under: CellId,
    name: &str,
    tasks: &[&Record],
    (cell, line): (Option<u32>, Option<u32>),
    message: String,
    show: Show,
) {
    let mut found = lock(&FOUND);
    let known = found.iter_mut().find(|lint| lint.name == name && lint.cell == cell && lint.line == line);
    if let Some(known) = known {
        known.times += 1;
        if show != Show::Always && (show == Show::Never || known.shown) {
            return;
        }
        known.shown = true;
    } else {
        if found.len() == REMEMBERED {
            found.pop_front();
        }
        found.push_back(Lint {
            name: name.to_owned(),
            tasks: tasks.iter().map(|task| task.id).collect(),
            names: tasks.iter().map(|task| task.title()).collect(),
            message: message.clone(),
            cell,
            line,
            times: 1,
            shown: show != Show::Never,
        });
    }
    drop(found);
    if show == Show::Never || !SHOWN.load(Ordering::Relaxed) {
        return;
    }
    let html = format!("<div><b>lint {name}</b>: {}</div>", Escaped(&message));
    let mut data = bundle::text(format!("lint {name}: {message}"));
    data.insert("text/html".to_owned(), Value::String(html));
    outbox::send(&ToKernel::Display {
        cell: under,
        kind: DisplayKind::Display,
        data,
        metadata: serde_json::Map::new(),
        display_id: None,
    });
}
