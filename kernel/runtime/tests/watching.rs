//! With the inspector off, tasks do what they do with it, and nothing is written down. In a program of its own, because the
//! switch is for the whole process.
#![deny(warnings)]

use loopbook::facade::task;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

#[test]
fn tasks_that_are_not_watched_work_as_async_stds_do() {
    let watched = task::spawn(pending::<()>());
    loopbook::watch_tasks(false);
    let before = loopbook::loop_stats();
    assert!(!before.watched);
    let output = task::block_on(async {
        let sum = task::spawn(async {
            task::sleep(Duration::from_millis(5)).await;
            task::spawn_blocking(|| 20).await
                + task::Builder::new().name("b".into()).spawn(async { 1 }).expect("spawned").await
        });
        let doubled = async { 2 * loopbook::gather!(sum, task::spawn(async {})).0 };
        assert_eq!(task::spawn(async {}).cancel().await.unwrap_or(()), ());
        assert_eq!(task::spawn(pending::<u8>()).cancel().await, None);
        doubled.await
    });
    assert_eq!(output, 42);
    let panicking = task::spawn(async move { assert!(output > 42, "{output} is too little") });
    let payload = catch_unwind(AssertUnwindSafe(|| task::block_on(panicking))).expect_err("it panics");
    assert_eq!(payload.downcast_ref::<String>().map(String::as_str), Some("42 is too little"));

    let after = loopbook::loop_stats();
    // The two `block_on`s are watched, since an interrupt has to find them.
    assert_eq!((after.started - before.started, after.living), (2, before.living));
    assert!(after.untracked >= before.untracked + 7, "{} then {}", before.untracked, after.untracked);
    let names: Vec<_> = loopbook::finished_tasks().into_iter().filter_map(|task| task.name).collect();
    assert!(!names.contains(&"b".to_owned()), "{names:?}");

    loopbook::watch_tasks(true);
    let seen = task::spawn(pending::<()>());
    assert_eq!(loopbook::all_tasks().len(), 2);
    drop((watched, seen));
}
