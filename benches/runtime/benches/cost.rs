//! The table in `src/lib.rs`: processor time, which a busy machine changes less than wall-clock time. One thread in the
//! pool; of several runs the best counts, since everything that disturbs a run makes it longer.

use loopbook::facade::task;
use loopbook_runtime_benches::yield_often;
use std::future::{Future, pending};
use std::time::{Duration, Instant};

const RUNS: usize = 15;
const POLLS: u64 = 1_000_000;
const SPAWNS: u64 = 200_000;

fn main() {
    // SAFETY: no other thread exists yet.
    unsafe { std::env::set_var("ASYNC_STD_THREAD_COUNT", "1") };
    loopbook::record_timeline(false);
    polls();
    spawns();
    snapshots();
}

fn polls() {
    let raw = best(POLLS, || async_std::task::block_on(async_std::task::spawn(yield_often(POLLS))));
    let ours = || async_std::task::block_on(async { task::spawn(yield_often(POLLS)).await });
    let watched = best(POLLS, ours);
    loopbook::record_timeline(true);
    let recorded = best(POLLS, ours);
    loopbook::record_timeline(false);
    loopbook::watch_tasks(false);
    let off = best(POLLS, ours);
    loopbook::watch_tasks(true);
    println!("a wake and the poll after it: async-std {raw:.1} ns");
    println!("  more if watched {:.1} ns, with timeline {:.1} ns, off {:.1} ns", watched - raw, recorded - raw, off - raw);
}

fn spawns() {
    let raw = best(SPAWNS, || in_a_task(async { repeat(|| async_std::task::spawn(async {})).await }));
    let ours = || in_a_task(async { repeat(|| task::spawn(async {})).await });
    let watched = best(SPAWNS, ours);
    loopbook::watch_tasks(false);
    let off = best(SPAWNS, ours);
    loopbook::watch_tasks(true);
    println!("start and end of a task that is awaited: async-std {raw:.0} ns");
    println!("  more if watched {:.0} ns, off {:.0} ns", watched - raw, off - raw);
}

fn snapshots() {
    let mut waiting = Vec::new();
    for number in [100_000, 1_000_000] {
        waiting.extend((waiting.len()..number).map(|_| task::spawn(pending::<()>())));
        let looks = (0..6).map(|_| {
            let began = Instant::now();
            let tasks = loopbook::all_tasks();
            let took = began.elapsed();
            assert!(tasks.len() >= number);
            took
        });
        let best = looks.min().unwrap_or_default();
        println!("a look at {number} tasks: {:.1} ms", best.as_secs_f64() * 1e3);
    }
}

async fn repeat<F: Future>(start: impl Fn() -> F) {
    for _ in 0..SPAWNS {
        start().await;
    }
}

fn in_a_task(future: impl Future<Output = ()> + Send + 'static) {
    async_std::task::block_on(async_std::task::spawn(future));
}

/// Nanoseconds of the process per time, in the best of all runs.
fn best(times: u64, run: impl Fn()) -> f64 {
    let runs = (0..RUNS).map(|_| {
        let before = processor_time();
        run();
        processor_time() - before
    });
    runs.min().unwrap_or_default().as_secs_f64() * 1e9 / times as f64
}

fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the place is ours.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
