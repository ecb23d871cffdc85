//! The table of all tasks: the living ones, and the last thousand that ended.

use crate::context;
use crate::record::Record;
use crate::sync::lock;
use loopbook_channel::{TaskId, TaskInfo};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// How many finished tasks are remembered.
const REMEMBERED: usize = 1_000;

static TABLE: Mutex<Table> = Mutex::new(Table { living: BTreeMap::new(), finished: VecDeque::new(), forgotten: 0 });
static LAST_ID: AtomicU64 = AtomicU64::new(0);
static LOOP_BEGAN: OnceLock<Instant> = OnceLock::new();

struct Table {
    living: BTreeMap<TaskId, Arc<Record>>,
    finished: VecDeque<TaskInfo>,
    forgotten: u64,
}

/// All tasks that have not ended, in the order in which they were started.
pub(crate) fn all_tasks() -> Vec<TaskInfo> {
    // Records are asked after the table is unlocked, so that a spawn never waits for a long answer.
    records().iter().map(|record| record.info()).collect()
}

/// The tasks that ended last, in the order in which they ended; at most a thousand.
pub(crate) fn finished_tasks() -> Vec<TaskInfo> {
    lock(&TABLE).finished.iter().cloned().collect()
}

/// How many finished tasks are no longer in [`finished_tasks`].
pub(crate) fn forgotten_tasks() -> u64 {
    lock(&TABLE).forgotten
}

/// A task by its number, also one that has ended lately.
pub(crate) fn task(id: TaskId) -> Option<TaskInfo> {
    let table = lock(&TABLE);
    let Some(record) = table.living.get(&id).cloned() else {
        return table.finished.iter().rev().find(|info| info.id == id).cloned();
    };
    drop(table);
    Some(record.info())
}

/// How many tasks have waited longer than `limit` for one of the pool's threads.
pub(crate) fn waiting_for_a_thread(limit: Duration) -> usize {
    records().iter().filter(|record| record.waits_for_a_thread(limit)).count()
}

/// The record of a task that has not ended.
pub(crate) fn record(id: TaskId) -> Option<Arc<Record>> {
    lock(&TABLE).living.get(&id).cloned()
}

/// The records of all tasks that have not ended, by number.
pub(crate) fn records() -> Vec<Arc<Record>> {
    lock(&TABLE).living.values().cloned().collect()
}

/// The task that asks.
pub(crate) fn current_task_info() -> Option<TaskInfo> {
    context::current().map(|record| record.info())
}

/// When the loop began: the moment that [`TaskInfo::created`] counts from.
pub(crate) fn loop_began() -> Instant {
    *LOOP_BEGAN.get_or_init(Instant::now)
}

/// A number for a new task.
pub(crate) fn next_id() -> TaskId {
    loop_began();
    LAST_ID.fetch_add(1, Ordering::Relaxed) + 1
}

/// Enters a task that starts.
pub(crate) fn insert(record: &Arc<Record>) {
    lock(&TABLE).living.insert(record.id, Arc::clone(record));
}

/// Moves a task that has ended to the finished ones.
pub(crate) fn retire(record: &Record) {
    let info = record.info();
    let mut table = lock(&TABLE);
    let living = table.living.remove(&record.id);
    table.finished.push_back(info);
    if table.finished.len() > REMEMBERED {
        table.finished.pop_front();
        table.forgotten += 1;
    }
    drop(table);
    // The last reference may be this one, and a record's drop is none of the table's business.
    drop(living);
}
