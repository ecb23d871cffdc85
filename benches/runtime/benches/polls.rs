//! Time: a wake and the poll that follows, the start and end of a task, a look at many tasks.
//!
//! What the inspector costs is the difference between `ours` and `raw`, which is async-std itself.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use loopbook::facade::task;
use loopbook_runtime_benches::yield_often;
use std::future::pending;
use std::time::{Duration, Instant};

/// Wakes and polls of one task on the pool.
fn wake_and_poll(c: &mut Criterion) {
    let mut group = c.benchmark_group("wake_and_poll");
    group.bench_function("raw", |b| {
        b.iter_custom(|times| {
            let began = Instant::now();
            async_std::task::block_on(async_std::task::spawn(yield_often(times)));
            began.elapsed()
        });
    });
    group.bench_function("ours", |b| {
        b.iter_custom(|times| {
            let began = Instant::now();
            async_std::task::block_on(async move { task::spawn(yield_often(times)).await });
            began.elapsed()
        });
    });
    group.finish();
}

/// Tasks that end at once, started and awaited one after the other.
fn spawn_and_finish(c: &mut Criterion) {
    let mut group = c.benchmark_group("spawn_and_finish");
    group.bench_function("raw", |b| {
        b.iter_custom(|times| {
            async_std::task::block_on(async_std::task::spawn(async move {
                let began = Instant::now();
                for _ in 0..times {
                    async_std::task::spawn(async {}).await;
                }
                began.elapsed()
            }))
        });
    });
    group.bench_function("ours", |b| {
        b.iter_custom(|times| {
            async_std::task::block_on(async_std::task::spawn(async move {
                let began = Instant::now();
                for _ in 0..times {
                    task::spawn(async {}).await;
                }
                began.elapsed()
            }))
        });
    });
    group.finish();
}

/// `all_tasks()` while that many tasks wait.
fn snapshot(c: &mut Criterion) {
    let mut group = c.benchmark_group("snapshot");
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    let mut waiting = Vec::new();
    for number in [1_000, 100_000, 1_000_000] {
        group.bench_function(BenchmarkId::from_parameter(number), |b| {
            waiting.extend((waiting.len()..number).map(|_| task::spawn(pending::<()>())));
            b.iter_with_large_drop(loopbook::all_tasks);
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = wake_and_poll, spawn_and_finish, snapshot
}
criterion_main!(benches);
