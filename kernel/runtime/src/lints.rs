//! What tasks do that keeps others from running: noticed while it happens, said once under the cell, kept for `:lints`.

use crate::context;
use crate::link;
use crate::record::Record;
use crate::site;
use crate::sync::lock;
use crate::views;
use loopbook_channel::{CellId, DisplayKind, MimeBundle, TaskId, TaskKind, ToKernel, cell_label};
use serde::Serialize;
use serde_json::Value;
use std::collections::VecDeque;
use std::panic::Location;
use std::sync::{Arc, Mutex};

/// How many are remembered.
const REMEMBERED: usize = 100;

static FOUND: Mutex<VecDeque<Lint>> = Mutex::new(VecDeque::new());

/// Something that tasks have done and that they had better not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Lint {
    /// What sort: `nested_block_on`, `worker_blocked`.
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
}

/// What was noticed so far, the oldest first. At most 100 are remembered. As the value of a cell it shows as a table.
///
/// ```
/// use loopbook::facade::task;
/// task::block_on(async { task::block_on(async {}) });
/// assert!(loopbook::lints().iter().any(|lint| lint.name == "nested_block_on"));
/// ```
pub fn lints() -> Vec<Lint> {
    lock(&FOUND).iter().cloned().collect()
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
    found("nested_block_on", &[task], line, message, true);
}

/// All threads of the loop are taken by these tasks while others wait.
pub(crate) fn workers_blocked(cell: CellId, stuck: &[Arc<Record>], message: String) {
    let tasks: Vec<_> = stuck.iter().filter(|record| record.cell == cell).cloned().collect();
    let line = tasks.first().and_then(|task| task.line);
    found("worker_blocked", &tasks, line, message, false);
}

/// Notes it, and shows it under the cell; with `once`, only if it is the first of its name at that place.
fn found(name: &str, tasks: &[Arc<Record>], line: Option<u32>, message: String, once: bool) {
    let Some(first) = tasks.first() else { return };
    let mut found = lock(&FOUND);
    let known = found.iter_mut().find(|lint| lint.name == name && lint.cell == first.number && lint.line == line);
    if let Some(known) = known {
        known.times += 1;
        if once {
            return;
        }
    } else {
        if found.len() == REMEMBERED {
            found.pop_front();
        }
        found.push_back(Lint {
            name: name.to_owned(),
            tasks: tasks.iter().map(|task| task.id).collect(),
            names: tasks.iter().map(|task| task.title()).collect(),
            message: message.clone(),
            cell: first.number,
            line,
            times: 1,
        });
    }
    drop(found);
    let text = Value::String(format!("\x1b[33mlint {name}\x1b[0m: {message}"));
    link::send(&ToKernel::Display {
        cell: first.cell,
        kind: DisplayKind::Display,
        data: MimeBundle::from([("text/plain".to_owned(), text)]),
        metadata: serde_json::Map::new(),
        display_id: None,
    });
}

/// What `:lints` shows.
pub(crate) fn table() -> MimeBundle {
    views::lints(&lints())
}
