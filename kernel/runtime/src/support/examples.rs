//! Example values for unit tests.

use loopbook_channel::{LockKind, ObjectId, Site, TaskId, TaskInfo, TaskKind, TaskState, WaitingOn};
use std::time::Duration;

/// An idle sort of task.
pub(crate) fn example_task(id: u64, name: &str, state: TaskState) -> TaskInfo {
    TaskInfo {
        id,
        name: Some(name.to_owned()),
        kind: TaskKind::Task,
        state,
        cell: Some(3),
        site: Some(Site { cell: 3, line: 2, column: Some(9) }),
        line: Some(2),
        parent: Some(1),
        awaited_by: vec![],
        waiting_on: vec![],
        awaits: vec![],
        polls: 3,
        wakes: 2,
        self_wakes: 1,
        busy: Duration::from_micros(1500),
        scheduled: Duration::from_micros(80),
        idle: Duration::from_secs(1),
        longest_poll: Duration::from_millis(1),
        created: Duration::from_secs(4),
        thread: None,
        woken_by: None,
        cancelled_by: None,
    }
}

/// One that waits for these tasks.
pub(crate) fn waiting(id: TaskId, on: &[TaskId]) -> TaskInfo {
    let waiting_on = on.iter().map(|&id| WaitingOn::Task { id }).collect();
    TaskInfo { waiting_on, ..example_task(id, "t", TaskState::Idle) }
}

/// One that waits for a lock, which these tasks hold.
pub(crate) fn locked(id: TaskId, lock: ObjectId, kind: LockKind, owners: &[TaskId]) -> TaskInfo {
    let (owner, owners) = (owners.first().copied(), owners.to_vec());
    let held = !owners.is_empty();
    let wait = WaitingOn::Lock { id: lock, kind, owner, owners, held, abandoned: false };
    TaskInfo { waiting_on: vec![wait], ..example_task(id, "t", TaskState::Idle) }
}
