//! Example values for unit tests.

use loopbook_channel::{Site, TaskInfo, TaskKind, TaskState};
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
