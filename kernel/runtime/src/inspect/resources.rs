//! Resources: timers, locks, channels and sockets that tasks may be waiting for.

use crate::support::{
    epoll::{self, Watched},
    units,
};
use crate::tasks::{
    objects::{self, Resource},
    registry,
};
use crate::{TaskId, TaskInfo, WaitingOn};
use std::collections::HashMap;

/// Timers that tasks sleep on; channels, and locks, condition variables and barriers for which a task has had to wait since
/// they were made (until then they are not listed, and cost nothing); sockets and the like that the reactors watch. As the
/// value of a cell it shows as a table.
///
/// ```
/// # use loopbook::facade::task;
/// let handle = task::spawn(task::sleep(std::time::Duration::from_secs(60)));
/// # task::block_on(task::sleep(std::time::Duration::from_millis(50)));
/// assert!(loopbook::resources().iter().any(|resource| resource.kind == "timer"));
/// # drop(handle);
/// ```
pub fn resources() -> Vec<Resource> {
    let tasks = registry::all_tasks();
    let mut resources: Vec<Resource> = timers(&tasks)
        .map(|(task, seconds)| Resource {
            kind: "timer".into(),
            what: format!("{} left", units::seconds(seconds)),
            waits: Some("to fire".into()),
            tasks: vec![task],
        })
        .collect();
    resources.extend(objects::resources(&tasks));
    resources.extend(sources(&tasks));
    resources
}

/// The tasks that sleep, and the seconds that are left.
pub(crate) fn timers(tasks: &[TaskInfo]) -> impl Iterator<Item = (TaskId, f64)> + '_ {
    tasks.iter().flat_map(|task| {
        task.waiting_on.iter().filter_map(|wait| match wait {
            WaitingOn::Sleep { seconds } | WaitingOn::Timeout { seconds } => Some((task.id, *seconds)),
            _ => None,
        })
    })
}

/// What the reactors of this process watch, but for what they wake themselves with.
pub(crate) fn sources(tasks: &[TaskInfo]) -> Vec<Resource> {
    let mut waiting: HashMap<i32, Vec<TaskId>> = HashMap::new();
    for task in tasks {
        for wait in &task.waiting_on {
            if let WaitingOn::Socket { descriptor, .. } = wait {
                waiting.entry(*descriptor).or_default().push(task.id);
            }
        }
    }
    let watched = epoll::watched_by_reactors().into_iter().filter(|watched| !watched.is_internal());
    let with_tasks = |watched: Watched| {
        let tasks = waiting.remove(&watched.fd).unwrap_or_default();
        Resource { tasks, ..resource(watched) }
    };
    watched.map(with_tasks).collect()
}

fn resource(watched: Watched) -> Resource {
    let what = match &watched.address {
        Some(address) => format!("{address} (descriptor {})", watched.fd),
        None => format!("descriptor {}", watched.fd),
    };
    let waits = match (watched.to_read, watched.to_write) {
        (true, true) => Some("to read and write"),
        (true, false) => Some("to read"),
        (false, true) => Some("to write"),
        (false, false) => None,
    };
    let kind = if watched.anonymous().is_some() { "anon_inode".to_owned() } else { watched.kind().to_owned() };
    Resource { kind, what, waits: waits.map(str::to_owned), tasks: Vec::new() }
}
