//! The table of tasks while several threads start and end tasks, and others look.
#![deny(warnings)]

use loopbook::facade::task;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const THREADS: usize = 8;
/// 8 × 125,000 are a million; a debug build has a tenth of it.
const EACH: usize = if cfg!(debug_assertions) { 12_500 } else { 125_000 };
/// Tasks that one thread has under way at a time.
const BATCH: usize = 50;

#[test]
fn no_task_is_lost_or_listed_twice_while_others_come_and_go() {
    loopbook::remember_finished(2 * THREADS * EACH);
    let staying: Vec<_> = (0..100).map(|_| task::spawn(std::future::pending::<()>())).collect();
    let mine: HashSet<u64> = loopbook::all_tasks().iter().map(|task| task.id).collect();
    assert_eq!(mine.len(), staying.len());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                let listed: Vec<u64> = loopbook::all_tasks().iter().map(|task| task.id).collect();
                assert!(listed.is_sorted(), "by number");
                let distinct: HashSet<u64> = listed.iter().copied().collect();
                assert_eq!(distinct.len(), listed.len(), "a task is listed twice");
                assert!(mine.is_subset(&distinct), "a task that never ended is missing");
                looks += 1;
            }
            looks
        });
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(start_and_end)).collect();
        let sums: Vec<usize> = workers.into_iter().map(|worker| worker.join().expect("no panic")).collect();
        assert_eq!(sums, [EACH * (EACH - 1) / 2; THREADS]);
        done.store(true, Ordering::Relaxed);
        assert!(looking.join().expect("no panic") > 0);
    });
    // Their own threads' `block_on`s are tasks too.
    let finished = loopbook::finished_tasks();
    let ids: HashSet<u64> = finished.iter().map(|task| task.id).collect();
    assert_eq!(ids.len(), finished.len(), "a task has ended twice");
    assert_eq!(finished.len(), THREADS * (EACH + EACH / BATCH), "a task was lost");
    assert!(finished.iter().all(|task| task.polls > 0));
    assert_eq!(loopbook::all_tasks().len(), staying.len());
}

/// The sum of what the tasks give.
fn start_and_end() -> usize {
    let starts = (0..EACH).step_by(BATCH);
    let batch = |first: usize| {
        let handles: Vec<_> = (first..first + BATCH).map(|n| task::spawn(async move { n })).collect();
        task::block_on(async move {
            let mut sum = 0;
            for handle in handles {
                sum += handle.await;
            }
            sum
        })
    };
    starts.map(batch).sum()
}
