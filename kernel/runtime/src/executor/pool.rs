//! The threads that run tasks, and the monitor that keeps them from being used up.
//!
//! A task that blocks its thread, by a `block_on` inside a task for example, takes that thread from all others. When every
//! thread has been taken for a second and tasks wait for one, the monitor adds a thread and tells the cells whose tasks
//! those are. So the loop goes on, whatever a task does.

use crate::tasks::{
    lints,
    record::Record,
    registry,
    threads::{self, POOL},
};
use async_global_executor::GlobalExecutorConfig;
use loopbook_channel::CellId;
use std::collections::HashSet;
use std::env;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::thread::{self, available_parallelism};
use std::time::Duration;

/// The most threads that the pool grows to.
const MOST: usize = 64;
/// A thread whose poll takes longer counts as stuck.
const STUCK: Duration = Duration::from_secs(1);
/// The time between two looks of the monitor, and how long a task must have waited for a thread to count as waiting.
const TICK: Duration = Duration::from_millis(250);
/// Tasks that a message names.
const NAMED: usize = 3;

/// With how many threads the pool begins, and never fewer; else with one per processor.
const COUNT: &str = "ASYNC_STD_THREAD_COUNT";

/// How many threads there are, not counting those that have been told to end.
static THREADS: AtomicUsize = AtomicUsize::new(0);
/// Somebody has said how many threads there are to be, so the monitor adds none.
static FIXED: AtomicBool = AtomicBool::new(false);

/// Starts the pool, once. The first configuration wins, so this comes before async-std's own.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    static LAST_NAME: AtomicUsize = AtomicUsize::new(0);
    STARTED.call_once(|| {
        let config = GlobalExecutorConfig::default()
            .with_env_var(COUNT)
            .with_min_threads(1)
            .with_max_threads(MOST)
            .with_thread_name_fn(|| format!("{POOL}{}", LAST_NAME.fetch_add(1, Ordering::Relaxed) + 1));
        async_global_executor::init_with_config(config);
        THREADS.store(fewest(), Ordering::Relaxed);
        if env::var_os(COUNT).is_none() {
            add(available_parallelism().map_or(1, usize::from) - 1);
        }
        // Without a thread for the monitor there is no help for a stuck pool, and everything else works.
        let _ = thread::Builder::new().name("loopbook-pool".into()).spawn(watch);
    });
}

/// Gives the pool `count` threads from now on, and says what came of it.
pub(crate) fn resize(count: usize) -> String {
    start();
    if count > MOST {
        return format!("the loop can have {MOST} threads at most; it has {}", THREADS.load(Ordering::Relaxed));
    }
    FIXED.store(true, Ordering::Relaxed);
    let wanted = count.max(fewest());
    let before = THREADS.load(Ordering::Relaxed);
    add(wanted.saturating_sub(before));
    for _ in wanted..before {
        THREADS.fetch_sub(1, Ordering::Relaxed);
        // A thread that is in a poll cannot take this task, so it is an idle one that leaves.
        async_global_executor::stop_thread().detach();
    }
    let now = THREADS.load(Ordering::Relaxed);
    let threads = if now == 1 { "thread" } else { "threads" };
    let why = match now {
        _ if now == count => "",
        _ if now > count => " (ASYNC_STD_THREAD_COUNT asks for as many)",
        _ => " (the system has no more)",
    };
    format!("the loop has {now} {threads} now{why}, besides the one on which cells run")
}

/// The least number of threads that async-global-executor lets the pool have.
fn fewest() -> usize {
    env::var(COUNT).ok().and_then(|count| count.parse().ok()).map_or(1, |count: usize| count.max(1))
}

/// Starts threads, and gives how many were started. An error means that the system has no more.
fn add(count: usize) -> usize {
    let added = futures::executor::block_on(async_global_executor::spawn_more_threads(count)).unwrap_or(0);
    THREADS.fetch_add(added, Ordering::Relaxed);
    added
}

fn watch() {
    let mut told = HashSet::new();
    let mut lints = lints::Watch::default();
    loop {
        thread::park_timeout(TICK);
        look(&mut told);
        lints.look();
    }
}

/// Adds a thread if none is left for the tasks that wait. `told` are the cells that know, until all threads are free.
fn look(told: &mut HashSet<CellId>) {
    let stuck = stuck();
    if stuck.is_empty() {
        told.clear();
    }
    let before = THREADS.load(Ordering::Relaxed);
    // A thread that was just added is not among the workers before its first poll.
    if stuck.len() < before {
        return;
    }
    let waiting = registry::waiting_for_a_thread(TICK);
    if waiting == 0 {
        return;
    }
    let added = if FIXED.load(Ordering::Relaxed) { 0 } else { add(1) };
    let cells: Vec<CellId> = stuck.iter().map(|record| record.cell).filter(|cell| told.insert(*cell)).collect();
    for cell in cells {
        lints::workers_blocked(cell, &stuck, message(&stuck, waiting, before, added));
    }
}

/// The tasks that have had their thread for too long.
fn stuck() -> Vec<Arc<Record>> {
    let workers = threads::all().into_iter().filter(|thread| threads::is_worker(&thread.name));
    let polls = workers.filter_map(|worker| worker.work().task);
    let long = polls.filter(|(_, since)| since.elapsed() >= STUCK);
    long.filter_map(|(task, _)| registry::record(task)).collect()
}

/// How many threads run tasks.
pub(crate) fn size() -> usize {
    THREADS.load(Ordering::Relaxed)
}

fn message(stuck: &[Arc<Record>], waiting: usize, before: usize, added: usize) -> String {
    let mut names: Vec<String> = stuck.iter().take(NAMED).map(|record| record.describe()).collect();
    if stuck.len() > NAMED {
        names.push(format!("{} more", stuck.len() - NAMED));
    }
    let threads = if before == 1 {
        "the only thread of the loop has".to_owned()
    } else {
        format!("all {before} threads of the loop have")
    };
    let remedy = if FIXED.load(Ordering::Relaxed) {
        format!("and `:loop threads {before}` has set their number: it stands still until one of them is free")
    } else if added == 0 {
        format!("and the loop has as many threads as it can get ({before}): it stands still until one of them is free")
    } else {
        format!("so the loop got one more ({} of at most {MOST})", before + added)
    };
    format!(
        "{threads} been blocked for over {} s, by {}. {waiting} {} for a thread, {remedy}. Inside a task \
         use `.await` in place of `block_on`, and `task::spawn_blocking` for what blocks or computes for long.",
        STUCK.as_secs(),
        names.join(", "),
        if waiting == 1 { "task waits" } else { "tasks wait" },
    )
}
