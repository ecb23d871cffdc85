//! A task that waits for a lock that it holds itself.
#![deny(warnings)]

use loopbook::facade::sync::{Arc, Mutex, RwLock};
use loopbook::facade::task;
use loopbook::{Lint, gather, lints};
use std::time::{Duration, Instant};

/// Lints of one name and place are one, and outside of cells there is one place: so each is looked for by its task.
fn deadlocks() -> Vec<Lint> {
    lints().into_iter().filter(|lint| lint.name == "deadlock").collect()
}

fn until(times: u64) -> Lint {
    let began = Instant::now();
    loop {
        if let Some(lint) = deadlocks().pop().filter(|lint| lint.times >= times) {
            return lint;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{:#?}", lints());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_task_that_waits_for_its_own_lock_is_told() {
    let mutex = Arc::new(Mutex::new(0));
    let (theirs, inside) = (Arc::clone(&mutex), Arc::new(Mutex::new(0)));
    let twice = task::Builder::new().name("twice".into()).spawn(async move {
        let first = theirs.lock().await;
        let second = theirs.lock().await;
        assert_eq!(*first, *second);
    });
    let lint = until(1);
    assert!(lint.message.contains("\"twice\"") && lint.message.contains("holds itself"), "{lint:?}");
    assert_eq!(lint.tasks.len(), 1, "{lint:?}");
    // Also through a branch.
    let around = task::spawn(async move {
        let guard = inside.lock().await;
        let (inner, ()) = gather!(inside.lock(), async {});
        assert_eq!(*guard, *inner);
    });
    until(2);
    // And who reads while somebody waits to write, and reads again.
    let lock = Arc::new(RwLock::new(()));
    let (reads, writes) = (Arc::clone(&lock), lock);
    let reader = task::spawn(async move {
        let first = reads.read().await;
        task::sleep(Duration::from_millis(300)).await;
        drop((reads.read().await, first));
    });
    let writer = task::spawn(async move {
        task::sleep(Duration::from_millis(100)).await;
        drop(writes.write().await);
    });
    until(3);
    drop((twice, around, reader, writer));
}
