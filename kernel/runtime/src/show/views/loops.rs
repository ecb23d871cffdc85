//! The loop as a whole, what it watches, and one task in full.

use super::awaits::path;
use super::bundle;
use super::table::{Column, Field, Table};
use super::tasks::FOLD_ABOVE;
use crate::inspect::loop_stats::{Lag, LoopStats, WorkerStats};
use crate::support::{units::duration, words::waiting_on};
use crate::tasks::objects::Resource;
use loopbook_channel::{MimeBundle, Site, TaskInfo, WokenBy, cell_label, counted, grouped};
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
        grouped(stats.running as u64),
        grouped(stats.runnable as u64),
        grouped(stats.idle as u64),
        grouped(stats.started),
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
            grouped(worker.polls).into(),
            now.into(),
        ]
    };
    let mut footer = format!(
        "{} {}, {} and the like.",
        lag(&stats.lag),
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

/// How long tasks wait for a thread. What holds once in a hundred can be said only of a hundred.
fn lag(lag: &Lag) -> String {
    let longest = duration(lag.longest);
    match lag.count {
        0 => "No task has waited for a thread yet.".to_owned(),
        1..100 => format!("A task that is ready waits for a thread: never more than {longest} so far."),
        _ => format!(
            "A task that is ready waits for a thread: half of the time less than {}, once in a hundred more than {}, never \
             more than {longest}.",
            duration(lag.median),
            duration(lag.p99),
        ),
    }
}

/// What `:resources` shows.
pub(crate) fn resources(resources: &[Resource]) -> MimeBundle {
    let caption = match resources.len() {
        0 => "no timer runs, no socket is watched, and there is no channel or lock to wait for".to_owned(),
        1 => "1 timer, lock, channel or socket".to_owned(),
        n => format!("{} timers, locks, channels and sockets", grouped(n as u64)),
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
            _ => format!("{}, from {} to {}", grouped(same.len() as u64), same[0].what, same[same.len() - 1].what),
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
        ("state", Some(task.state.word().to_owned())),
        ("name", task.name.clone()),
        ("kind", Some(task.kind.word().to_owned())),
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
        ("polls", Some(format!("{}, the longest {}", grouped(task.polls), duration(task.longest_poll)))),
        ("wakes", Some(format!("{}, {} by itself", grouped(task.wakes), grouped(task.self_wakes)))),
    ];
    let known = fields.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
    let rows = known.map(|(name, value)| vec![name.into(), value.into()]).collect();
    let columns = vec![left("what"), Column { title: "value", right: false, wraps: true }];
    bundle(&Table { caption: format!("task {}", task.id), columns, rows, footer: None })
}

#[cfg(test)]
mod tests {
    use super::lag;
    use crate::inspect::loop_stats::Lag;
    use std::time::Duration;

    #[test]
    fn what_holds_once_in_a_hundred_is_said_of_a_hundred() {
        let of = |count| {
            let [median, p99, longest] = [1, 2, 4].map(Duration::from_millis);
            lag(&Lag { count, median, p99, longest })
        };
        assert_eq!(of(0), "No task has waited for a thread yet.");
        for few in [1, 99] {
            assert_eq!(of(few), "A task that is ready waits for a thread: never more than 4.0 ms so far.");
        }
        assert!(
            of(100).contains("half of the time less than 1.0 ms, once in a hundred more than 2.0 ms"),
            "{}",
            of(100)
        );
    }
}
