//! Figures about the loop as a whole: tasks by state, threads, and how long ready tasks wait.

use crate::event_loop::LoopSummary;
use crate::executor::pool;
use crate::facade::tokio_task;
use crate::inspect::resources;
use crate::support::clock::{self, Moment, ticks};
use crate::tasks::{
    registry,
    threads::{self, LAGS, Thread},
    watching,
};
use crate::{TaskId, event_loop};
use loopbook_channel::{TaskInfo, TaskKind, TaskState};
use serde::Serialize;
use std::time::Duration;

/// What the loop does, and how busy it is; see [`loop_stats`]. Durations are seconds in JSON.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct LoopStats {
    /// The threads that run tasks, and those that wait in a `block_on`.
    pub workers: Vec<WorkerStats>,
    /// Whether tasks that are started now are watched; see [`watch_tasks`](crate::watch_tasks).
    pub watched: bool,
    /// Tasks that have not ended.
    pub living: usize,
    /// Tasks that are being polled.
    pub running: usize,
    /// Tasks that are ready and wait for a thread.
    pub runnable: usize,
    /// Tasks that wait for something.
    pub idle: usize,
    /// Tasks that were ever started.
    pub started: u64,
    /// Of those that have ended, how many `finished_tasks()` no longer knows.
    pub forgotten: u64,
    /// Tasks that were started past this inspector so far, by crates that use async-std's or tokio's executor directly.
    pub untracked: u64,
    /// How long tasks that were ready had to wait for a thread, over all polls so far.
    pub lag: Lag,
    /// Tasks that sleep until a certain time.
    pub timers: usize,
    /// Sockets, pipes and the like that the reactors watch.
    pub sources: usize,
    /// The loops that cells have made and that are not closed; the rest of this is about the notebook's.
    pub loops: Vec<LoopSummary>,
    /// Since the loop began.
    #[serde(serialize_with = "seconds")]
    pub uptime: Duration,
}

/// One thread of the loop.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct WorkerStats {
    /// Its name.
    pub name: String,
    /// Part of the time since it polled first that it has spent in polls, from 0 to 1.
    pub utilization: f64,
    /// Time spent in polls.
    #[serde(serialize_with = "seconds")]
    pub busy: Duration,
    /// How many polls.
    pub polls: u64,
    /// The task that it polls now.
    pub task: Option<TaskId>,
    /// For how long it has been polling that.
    #[serde(serialize_with = "maybe_seconds")]
    pub polling_for: Option<Duration>,
}

/// How long something took, as far as it was counted: sizes are known to a factor of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Lag {
    /// How often it was counted.
    pub count: u64,
    /// Half of all were shorter than this.
    #[serde(serialize_with = "seconds")]
    pub median: Duration,
    /// One in a hundred was longer than this.
    #[serde(serialize_with = "seconds")]
    pub p99: Duration,
    /// All were shorter than this.
    #[serde(serialize_with = "seconds")]
    pub longest: Duration,
}

/// What the loop does at this moment, and how busy it has been. As the value of a cell it shows as a table.
///
/// ```
/// # use loopbook::facade::task;
/// let handle = task::spawn(task::sleep(std::time::Duration::from_secs(60)));
/// let stats = loopbook::loop_stats();
/// assert!(stats.living >= 1);
/// println!("{} tasks, 1 in 100 polls is late by {:?}", stats.living, stats.lag.p99);
/// # drop(handle);
/// ```
pub fn loop_stats() -> LoopStats {
    pool::start();
    let tasks = registry::all_tasks();
    let threads = threads::all();
    let now = Moment::now();
    let in_state = |state| tasks.iter().filter(|task| task.state == state).count();
    LoopStats {
        workers: workers(&threads, now),
        watched: watching::is_on(),
        living: tasks.len(),
        running: in_state(TaskState::Running),
        runnable: in_state(TaskState::Scheduled),
        idle: in_state(TaskState::Idle),
        started: registry::started(),
        forgotten: registry::forgotten_tasks(),
        untracked: untracked(&tasks),
        lag: lag(&threads),
        timers: resources::timers(&tasks).count(),
        sources: resources::sources(&tasks).len(),
        loops: event_loop::summaries(),
        uptime: now.since(clock::began()),
    }
}

/// The pool's threads, and others that are in a poll.
fn workers(threads: &[std::sync::Arc<Thread>], now: Moment) -> Vec<WorkerStats> {
    let stats = |thread: &Thread| {
        let work = thread.work();
        let polling_for = work.task.map(|(_, since)| now.since(since));
        let busy = ticks(work.busy) + polling_for.unwrap_or_default();
        WorkerStats {
            name: thread.name.clone(),
            utilization: (busy.as_secs_f64() / now.since(thread.began).as_secs_f64().max(1e-9)).min(1.0),
            busy,
            polls: work.polls,
            task: work.task.map(|(task, _)| task),
            polling_for,
        }
    };
    let mut workers: Vec<_> = threads
        .iter()
        .filter(|thread| threads::is_worker(&thread.name) || thread.work().task.is_some())
        .map(|thread| stats(thread))
        .collect();
    workers.sort_by(|one, other| one.name.cmp(&other.name));
    workers
}

/// async-std numbers its tasks, so a fresh number tells how many there were; tokio counts those that live.
fn untracked(tasks: &[TaskInfo]) -> u64 {
    static PROBES: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let probes = PROBES.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
    let ours = registry::started_on_async_std() + probes;
    let number = async_std::task::block_on(async { async_std::task::current().id().to_string() });
    let others = number.parse::<u64>().unwrap_or(0).saturating_sub(ours);
    let listed = tasks.iter().filter(|task| task.kind == TaskKind::Tokio).count();
    others + tokio_task::living().saturating_sub(listed) as u64
}

fn lag(threads: &[std::sync::Arc<Thread>]) -> Lag {
    let mut counts = [0; LAGS];
    for thread in threads {
        for (count, more) in counts.iter_mut().zip(thread.lags()) {
            *count += more;
        }
    }
    let all: u64 = counts.iter().sum();
    let below = |part: f64| {
        let mut seen = 0;
        let wanted = all as f64 * part;
        let size = counts.iter().position(|count| {
            seen += count;
            seen as f64 >= wanted && seen > 0
        });
        ticks(size.map_or(0, |size| 2 << size))
    };
    Lag { count: all, median: below(0.5), p99: below(0.99), longest: below(1.0) }
}

/// For `serialize_with`: a duration in seconds.
pub(crate) fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

/// For `serialize_with`: a duration in seconds, if there is one.
pub(crate) fn maybe_seconds<S: serde::Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64()).serialize(serializer)
}
