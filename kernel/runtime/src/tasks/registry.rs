//! The table of all tasks: the living ones, and the last that ended.
//!
//! It is cut into shards, so that tasks that start and end on several threads do not wait for each other, nor for a look
//! at all of them. A task that ends is among the finished before it leaves the living, so a look at the living first
//! and then at the finished misses none.

use crate::support::{
    clock::{self, Moment},
    sync::lock,
};
use crate::tasks::{
    context,
    record::{Past, Record},
    sockets::Watched,
};
use loopbook_channel::{TaskId, TaskInfo, TaskKind};
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// How many finished tasks are remembered if nobody says otherwise.
const REMEMBERED: usize = 1_000;
const SHARDS: usize = 64;

static LIVING: LazyLock<[Shard; SHARDS]> = LazyLock::new(|| std::array::from_fn(|_| Shard::default()));
static FINISHED: Mutex<Finished> = Mutex::new(Finished { tasks: VecDeque::new(), capacity: REMEMBERED, forgotten: 0 });
static NOT_OF_ASYNC_STD: AtomicU64 = AtomicU64::new(0);
static LAST_ID: AtomicU64 = AtomicU64::new(0);

/// On a cache line of its own, or threads would wait for each other's locks after all.
#[derive(Default)]
#[repr(align(64))]
struct Shard(Mutex<HashMap<TaskId, Arc<Record>, BuildHasherDefault<Spread>>>);

struct Finished {
    tasks: VecDeque<Past>,
    capacity: usize,
    forgotten: u64,
}

/// All tasks that have not ended, in the order in which they were started.
pub(crate) fn all_tasks() -> Vec<TaskInfo> {
    // Records are asked when no shard is locked, so that a spawn never waits for a long answer.
    let watched = Watched::default();
    records().iter().map(|record| record.info(&watched)).collect()
}

/// The tasks that ended last, in the order in which they ended.
pub(crate) fn finished_tasks() -> Vec<TaskInfo> {
    lock(&FINISHED).tasks.iter().map(Past::info).collect()
}

/// The finished tasks that are remembered, and then those that have not ended: each once, whatever ends meanwhile.
pub(crate) fn finished_and_living() -> Vec<TaskInfo> {
    let living = all_tasks();
    let mut tasks = finished_tasks();
    let finished: HashSet<TaskId> = tasks.iter().map(|task| task.id).collect();
    tasks.extend(living.into_iter().filter(|task| !finished.contains(&task.id)));
    tasks
}

/// How many finished tasks are no longer in [`finished_tasks`].
pub(crate) fn forgotten_tasks() -> u64 {
    lock(&FINISHED).forgotten
}

/// Remembers at most this many finished tasks from now on.
pub(crate) fn remember(capacity: usize) {
    let mut finished = lock(&FINISHED);
    finished.capacity = capacity;
    let too_many = finished.tasks.len().saturating_sub(capacity);
    finished.tasks.drain(..too_many);
    finished.forgotten += too_many as u64;
}

/// A task by its number, also one that has ended lately.
pub(crate) fn task(id: TaskId) -> Option<TaskInfo> {
    match record(id) {
        Some(record) => Some(record.info(&Watched::default())),
        None => lock(&FINISHED).tasks.iter().rev().find(|past| past.id == id).map(Past::info),
    }
}

/// How many tasks have waited longer than `limit` for one of the pool's threads.
pub(crate) fn waiting_for_a_thread(limit: Duration) -> usize {
    records().iter().filter(|record| record.waits_for_a_thread(limit)).count()
}

/// The record of a task that has not ended.
pub(crate) fn record(id: TaskId) -> Option<Arc<Record>> {
    lock(&shard(id).0).get(&id).cloned()
}

/// The records of all tasks that have not ended, by number.
pub(crate) fn records() -> Vec<Arc<Record>> {
    let mut records: Vec<(TaskId, Arc<Record>)> = Vec::new();
    for shard in LIVING.iter() {
        records.extend(lock(&shard.0).iter().map(|(id, record)| (*id, Arc::clone(record))));
    }
    records.sort_unstable_by_key(|(id, _)| *id);
    records.into_iter().map(|(_, record)| record).collect()
}

/// The task that asks.
pub(crate) fn current_task_info() -> Option<TaskInfo> {
    context::current().map(|record| record.info(&Watched::default()))
}

/// When the loop began: the moment that [`TaskInfo::created`] counts from.
pub(crate) fn loop_began() -> Moment {
    clock::began()
}

/// A record is about to be made of something that async-std does not count among its tasks.
pub(crate) fn not_of_async_std() {
    NOT_OF_ASYNC_STD.fetch_add(1, Ordering::Relaxed);
}

/// How many of async-std's tasks have a record, of those that were ever started.
pub(crate) fn started_on_async_std() -> u64 {
    LAST_ID.load(Ordering::Relaxed).saturating_sub(NOT_OF_ASYNC_STD.load(Ordering::Relaxed))
}

/// How many tasks were ever started.
pub(crate) fn started() -> u64 {
    LAST_ID.load(Ordering::Relaxed)
}

/// A number for a new task.
pub(crate) fn next_id() -> TaskId {
    LAST_ID.fetch_add(1, Ordering::Relaxed) + 1
}

/// Enters a task that starts.
pub(crate) fn insert(record: &Arc<Record>) {
    lock(&shard(record.id).0).insert(record.id, Arc::clone(record));
}

/// Moves a task that has ended now to the finished ones.
pub(crate) fn retire(record: &Record, now: Moment) {
    // Only cells may be unlisted, and they are few.
    if record.kind == TaskKind::Cell && self::record(record.id).is_none() {
        return;
    }
    let past = record.past(now);
    let mut finished = lock(&FINISHED);
    let forgotten = finished.make_room();
    if finished.capacity > 0 {
        finished.tasks.push_back(past);
    } else {
        finished.forgotten += 1;
    }
    drop(finished);
    let living = lock(&shard(record.id).0).remove(&record.id);
    // The last reference may be this one, and the drop of a record or a name is none of the table's business.
    drop((living, forgotten));
}

fn shard(id: TaskId) -> &'static Shard {
    &LIVING[id as usize % SHARDS]
}

impl Finished {
    /// Forgets the oldest if there is no room for another; gives it to the caller to drop.
    fn make_room(&mut self) -> Option<Past> {
        if self.tasks.len() < self.capacity.max(1) {
            return None;
        }
        self.forgotten += 1;
        self.tasks.pop_front()
    }
}

/// Task numbers are dense, so that they need no more than to be spread over the bits of a hash.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(self.0 << 8 | u64::from(byte)));
    }

    fn write_u64(&mut self, id: u64) {
        // The odd number nearest to 2^64 divided by the golden ratio.
        self.0 = id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
