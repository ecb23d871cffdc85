//! The task table.

use super::{
    awaits::reason,
    order,
    table::{Column, Field, Table},
};
use crate::support::units::duration;
use loopbook_channel::{MimeBundle, Site, TaskInfo, TaskOrder, TaskState, cell_label, counted, grouped, line_label};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// With more tasks than this, those that were spawned at one place share a row; and of the places no more than this are
/// shown.
pub(super) const FOLD_ABOVE: usize = 50;

/// The table of these tasks, by number if no other order is asked for, as `text/plain` and `text/html`.
pub(crate) fn tasks(tasks: &[TaskInfo], order: Option<TaskOrder>) -> MimeBundle {
    let order = order.unwrap_or(TaskOrder::Id);
    let mut sorted: Vec<&TaskInfo> = tasks.iter().collect();
    sorted.sort_by_key(|task| task.id);
    let caption = summary(&sorted);
    let table = if sorted.len() > FOLD_ABOVE {
        folded(&sorted, order, caption)
    } else {
        order::sort(&mut sorted, order);
        let rows = sorted.iter().copied().map(row).collect();
        Table { caption, columns: columns(), rows, footer: None }
    };
    MimeBundle::from([
        ("text/plain".to_owned(), Value::String(table.text())),
        ("text/html".to_owned(), Value::String(table.html())),
    ])
}

fn columns() -> Vec<Column> {
    let left = |title| Column { title, right: false, wraps: false };
    let right = |title| Column { title, right: true, wraps: false };
    vec![
        right("id"),
        left("state"),
        left("name"),
        left("kind"),
        left("cell:line"),
        left("waiting on"),
        right("busy"),
        right("scheduled"),
        right("idle"),
        right("polls"),
        right("wakes"),
    ]
}

fn row(task: &TaskInfo) -> Vec<Field> {
    vec![
        task.id.to_string().into(),
        Field { hint: task.cancelled_by.as_ref().map(|by| format!("by {by}")), ..state(task.state) },
        task.name.clone().unwrap_or_default().into(),
        task.kind.word().into(),
        place(task),
        reason(task).into(),
        Field { hint: Some(format!("longest poll {}", duration(task.longest_poll))), ..duration(task.busy).into() },
        duration(task.scheduled).into(),
        duration(task.idle).into(),
        grouped(task.polls).into(),
        Field { hint: Some(format!("{} by itself", grouped(task.self_wakes))), ..grouped(task.wakes).into() },
    ]
}

/// One row for each place at which tasks were spawned.
fn folded(tasks: &[&TaskInfo], order: TaskOrder, caption: String) -> Table {
    let mut places: BTreeMap<Place, Vec<&TaskInfo>> = BTreeMap::new();
    for &task in tasks {
        let site = task.site.map(|site| (site.cell, site.line, site.column));
        places.entry((task.cell, task.line, site, task.kind.word())).or_default().push(task);
    }
    let mut places: Vec<Vec<&TaskInfo>> = places.into_values().collect();
    let left_out = places.len().saturating_sub(FOLD_ABOVE);
    places.sort_by_key(|tasks| std::cmp::Reverse(tasks.len()));
    places.truncate(FOLD_ABOVE);
    order::sort_places(&mut places, order);
    let footer = (left_out > 0).then(|| format!("and {} with fewer tasks", counted(left_out, "more place")));
    let left = |title| Column { title, right: false, wraps: false };
    let right = |title| Column { title, right: true, wraps: false };
    let columns = vec![
        right("tasks"),
        right("ids"),
        left("states"),
        left("name"),
        left("kind"),
        left("cell:line"),
        right("busy"),
        right("scheduled"),
        right("idle"),
        right("polls"),
        right("wakes"),
    ];
    Table { caption, columns, rows: places.iter().map(|tasks| folded_row(tasks)).collect(), footer }
}

/// Cell and line that caused a task, where the spawn stands, and the kind of task.
type Place = (Option<u32>, Option<u32>, Option<(u32, u32, Option<u32>)>, &'static str);

fn folded_row(tasks: &[&TaskInfo]) -> Vec<Field> {
    let (first, last) = (tasks[0], tasks[tasks.len() - 1]);
    let total = |part: fn(&TaskInfo) -> Duration| duration(tasks.iter().map(|task| part(task)).sum());
    let count = |part: fn(&TaskInfo) -> u64| grouped(tasks.iter().map(|task| part(task)).sum::<u64>());
    let same_name = tasks.iter().all(|task| task.name == first.name);
    let name = first.name.clone().unwrap_or_default();
    let ids = if first.id == last.id { first.id.to_string() } else { format!("{}…{}", first.id, last.id) };
    vec![
        grouped(tasks.len() as u64).into(),
        ids.into(),
        states(tasks).into(),
        if same_name { name } else { format!("{name} …") }.into(),
        first.kind.word().into(),
        place(first),
        total(|task| task.busy).into(),
        total(|task| task.scheduled).into(),
        total(|task| task.idle).into(),
        count(|task| task.polls).into(),
        count(|task| task.wakes).into(),
    ]
}

fn summary(tasks: &[&TaskInfo]) -> String {
    match tasks.len() {
        0 => "no tasks".to_owned(),
        n => format!("{}: {}", counted(n, "task"), states(tasks)),
    }
}

fn states(tasks: &[&TaskInfo]) -> String {
    const ORDER: [TaskState; 7] = [
        TaskState::Running,
        TaskState::Scheduled,
        TaskState::Idle,
        TaskState::Frozen,
        TaskState::Completed,
        TaskState::Cancelled,
        TaskState::Panicked,
    ];
    let counted = ORDER.iter().filter_map(|&state| {
        let count = tasks.iter().filter(|task| task.state == state).count();
        (count > 0).then(|| format!("{} {}", grouped(count as u64), state.word()))
    });
    counted.collect::<Vec<_>>().join(", ")
}

/// The colours are dark enough for a white background and light enough for a black one.
fn state(state: TaskState) -> Field {
    let color = match state {
        TaskState::Running => "#2e9e4f",
        TaskState::Scheduled => "#c77f00",
        TaskState::Idle => "#3b82d6",
        TaskState::Frozen => "#9a6ad6",
        TaskState::Completed | TaskState::Cancelled => "#848484",
        TaskState::Panicked => "#e0463e",
    };
    Field { color: Some(color), ..state.word().into() }
}

/// The cell that caused the task and the line in it; where the spawn itself stands is the hint, if that is elsewhere.
fn place(task: &TaskInfo) -> Field {
    let text = match (task.cell, task.line) {
        (Some(cell), Some(line)) => line_label(cell, line),
        (Some(cell), None) => cell_label(cell),
        (None, _) => task.site.map(|Site { cell, line, .. }| line_label(cell, line)).unwrap_or_default(),
    };
    let elsewhere = task.site.filter(|site| task.cell != Some(site.cell) || task.line != Some(site.line));
    let hint = elsewhere.map(|Site { cell, line, column }| {
        let column = column.map(|column| format!(":{column}")).unwrap_or_default();
        format!("spawned at {}{column}", line_label(cell, line))
    });
    Field { text, hint, color: None }
}
