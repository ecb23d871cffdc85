//! The threads that run tasks, and the monitor that keeps them from being used up.
//!
//! A task that blocks its thread, by a `block_on` inside a task for example, takes that thread from all others. When every
//! thread has been taken for a second and tasks wait for one, the monitor adds a thread and tells the cells whose tasks
//! those are. So the loop goes on, whatever a task does.

use crate::record::Record;
use crate::{lints, registry, threads};
use async_global_executor::GlobalExecutorConfig;
use loopbook_channel::CellId;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::thread::{self, available_parallelism};
use std::time::Duration;

/// Threads that the pool may grow to.
const MOST: usize = 64;
/// A poll that takes longer has its thread stuck.
const STUCK: Duration = Duration::from_secs(1);
/// Between two looks of the monitor. A task that has waited this long for a thread really waits.
const TICK: Duration = Duration::from_millis(250);
/// What the names of the pool's threads begin with.
const NAME: &str = "loop-";
/// Tasks that a message names.
const NAMED: usize = 3;

/// How many threads there are.
static THREADS: AtomicUsize = AtomicUsize::new(0);
/// Starts the pool, once. The first configuration wins, so this comes before async-std's own.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let config = GlobalExecutorConfig::default()
            .with_env_var("ASYNC_STD_THREAD_COUNT")
            .with_min_threads(available_parallelism().map_or(1, usize::from))
            .with_max_threads(MOST)
            .with_thread_name_fn(|| format!("{NAME}{}", THREADS.fetch_add(1, Ordering::Relaxed) + 1));
        async_global_executor::init_with_config(config);
        // Without a thread for the monitor there is no help for a stuck pool, and everything else works.
        let _ = thread::Builder::new().name("loopbook-pool".into()).spawn(watch);
    });
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
    // An error means that the system has no more threads.
    let added = futures::executor::block_on(async_global_executor::spawn_more_threads(1)).unwrap_or(0);
    let cells: Vec<CellId> = stuck.iter().map(|record| record.cell).filter(|cell| told.insert(*cell)).collect();
    for cell in cells {
        lints::workers_blocked(cell, &stuck, message(&stuck, waiting, before, added));
    }
}

/// The tasks that have had their thread for too long.
fn stuck() -> Vec<Arc<Record>> {
    let workers = threads::all().into_iter().filter(|thread| is_worker(&thread.name));
    let polls = workers.filter_map(|worker| worker.work().task);
    let long = polls.filter(|(_, since)| since.elapsed() >= STUCK);
    long.filter_map(|(task, _)| registry::record(task)).collect()
}

/// How many threads run tasks.
pub(crate) fn size() -> usize {
    THREADS.load(Ordering::Relaxed)
}

/// Whether the thread of this name is one of the pool's.
pub(crate) fn is_worker(thread: &str) -> bool {
    thread.starts_with(NAME)
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
    let remedy = if added == 0 {
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
