//! The loop as a whole, what it watches, and one task in full.

use super::awaits::path;
use super::table::{Column, Field, Table};
use super::tasks::{FOLD_ABOVE, kind, waiting_on, word};
use super::{bundle, duration};
use crate::counted::counted;
use crate::loop_stats::{LoopStats, WorkerStats};
use crate::resources::Resource;
use loopbook_channel::{MimeBundle, Site, TaskInfo, WokenBy, cell_label};
use std::collections::BTreeMap;

const fn left(title: &'static str) -> Column {
    Column { title, right: false, wraps: false }
}

const fn right(title: &'static str) -> Column {
    Column { title, right: true, wraps: false }
}

/// What `:loop` shows.
pub(crate) fn loop_stats(stats: &LoopStats) -> MimeBundle {
    let caption = format!(
        "{}: {} running, {} ready, {} waiting; {} started so far; up for {}",
        counted(stats.living, "task"),
        stats.running,
        stats.runnable,
        stats.idle,
        stats.started,
        duration(stats.uptime)
    );
    let row = |worker: &WorkerStats| {
        let now = match (worker.task, worker.polling_for) {
            (Some(task), Some(time)) => format!("task {task}, for {}", duration(time)),
            _ => "idle".to_owned(),
        };
        vec![
            worker.name.as_str().into(),
            format!("{:.0} %", 100.0 * worker.utilization).into(),
            duration(worker.busy).into(),
            worker.polls.to_string().into(),
            now.into(),
        ]
    };
    let mut footer = format!(
        "A task that is ready waits for a thread: half of the time less than {}, once in a hundred more than {}, never \
         more than {}. {}, {} and the like.",
        duration(stats.lag.median),
        duration(stats.lag.p99),
        duration(stats.lag.longest),
        counted(stats.timers, "timer"),
        counted(stats.sources, "socket")
    );
    if stats.untracked > 0 {
        let were = if stats.untracked == 1 { "was" } else { "were" };
        let tasks = counted(stats.untracked as usize, "task");
        footer += &format!(" {tasks} {were} started by crates past this inspector.");
    }
    if !stats.watched {
        footer += " New tasks are not watched (`:loop watch`).";
    }
    for own in &stats.loops {
        footer += &format!(" {own}.");
    }
    let columns = vec![left("thread"), right("in polls"), right("busy"), right("polls"), left("now")];
    bundle(&Table { caption, columns, rows: stats.workers.iter().map(row).collect(), footer: Some(footer) })
}

/// What `:resources` shows.
pub(crate) fn resources(resources: &[Resource]) -> MimeBundle {
    let caption = match resources.len() {
        0 => "no timer runs, no socket is watched, and there is no channel or lock to wait for".to_owned(),
        1 => "1 timer, lock, channel or socket".to_owned(),
        n => format!("{n} timers, locks, channels and sockets"),
    };
    let row = |resource: &Resource| {
        let tasks: Vec<String> = resource.tasks.iter().map(u64::to_string).collect();
        vec![
            resource.kind.as_str().into(),
            resource.what.as_str().into(),
            resource.waits.clone().unwrap_or_default().into(),
            tasks.join(", ").into(),
        ]
    };
    let columns = vec![left("kind"), left("what"), left("waits"), left("tasks")];
    let rows =
        if resources.len() > FOLD_ABOVE { folded(resources) } else { resources.iter().map(row).collect::<Vec<_>>() };
    bundle(&Table { caption, columns, rows, footer: None })
}

/// One row for each sort of resource and what is waited for.
fn folded(resources: &[Resource]) -> Vec<Vec<Field>> {
    let mut sorts: BTreeMap<_, Vec<&Resource>> = BTreeMap::new();
    for resource in resources {
        sorts.entry((&resource.kind, &resource.waits)).or_default().push(resource);
    }
    let rows = sorts.into_iter().map(|((kind, waits), same)| {
        let what = match same[..] {
            [one] => one.what.clone(),
            _ => format!("{}, from {} to {}", same.len(), same[0].what, same[same.len() - 1].what),
        };
        let tasks = same.iter().map(|resource| resource.tasks.len()).sum::<usize>();
        let tasks = if tasks == 0 { String::new() } else { counted(tasks, "task") };
        vec![kind.as_str().into(), what.into(), waits.clone().unwrap_or_default().into(), tasks.into()]
    });
    rows.collect()
}

/// What `:task ID` shows.
pub(crate) fn task(task: &TaskInfo) -> MimeBundle {
    let list = |ids: &[u64]| ids.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let site = task.site.map(|Site { cell, line, column }| {
        let column = column.map(|column| format!(", column {column}")).unwrap_or_default();
        format!("{}, line {line}{column}", cell_label(cell))
    });
    let woken_by = task.woken_by.as_ref().map(|by| match by {
        WokenBy::Task { id } if *id == task.id => "itself".to_owned(),
        WokenBy::Task { id } => format!("task {id}"),
        WokenBy::Reactor => "the reactor (a timer or a socket)".to_owned(),
        WokenBy::Thread { name } => format!("the thread {name}"),
    });
    let fields = [
        ("state", Some(word(task.state).to_owned())),
        ("name", task.name.clone()),
        ("kind", Some(kind(task.kind).to_owned())),
        ("caused by", task.cell.map(cell_label)),
        ("spawned at", site),
        ("parent", task.parent.map(|id| format!("task {id}"))),
        ("waits for", Some(waiting_on(&task.waiting_on))),
        ("stands at", Some(path(&task.awaits))),
        ("awaited by", Some(list(&task.awaited_by))),
        ("on thread", task.thread.clone()),
        ("woken by", woken_by),
        ("cancelled by", task.cancelled_by.clone()),
        ("started", Some(format!("{} after the loop", duration(task.created)))),
        ("busy", Some(duration(task.busy))),
        ("scheduled", Some(duration(task.scheduled))),
        ("idle", Some(duration(task.idle))),
        ("polls", Some(format!("{}, the longest {}", task.polls, duration(task.longest_poll)))),
        ("wakes", Some(format!("{}, {} by itself", task.wakes, task.self_wakes))),
    ];
    let known = fields.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
    let rows = known.map(|(name, value)| vec![name.into(), value.into()]).collect();
    let columns = vec![left("what"), Column { title: "value", right: false, wraps: true }];
    bundle(&Table { caption: format!("task {}", task.id), columns, rows, footer: None })
}
