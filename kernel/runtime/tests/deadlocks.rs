//! Locks that nobody can get any more are told of, and those that somebody will get are not.
#![deny(warnings)]

use loopbook::facade::future::timeout;
use loopbook::facade::sync::{Arc, Mutex, RwLock};
use loopbook::facade::task::{self, JoinHandle};
use loopbook::{Lint, gather, lints, race};
use std::future::Future;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(20);

fn named<T: Send + 'static>(name: &str, future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    task::Builder::new().name(name.to_owned()).spawn(future).expect("a thread for it")
}

/// Waits for a lint of this name that tells of a task; lints of one name and place are one, so there is one test for each.
fn until(name: &str, task: &str) -> Lint {
    let began = Instant::now();
    loop {
        let mut found = lints().into_iter().filter(|lint| lint.name == name);
        if let Some(lint) = found.find(|lint| lint.message.contains(&format!("\"{task}\""))) {
            return lint;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "no {name} of {task} among {:#?}", lints());
        std::thread::sleep(SHORT);
    }
}

/// Takes two mutexes with a pause between.
async fn take_both(first: Arc<Mutex<()>>, second: Arc<Mutex<()>>) {
    let _first = first.lock().await;
    task::sleep(SHORT).await;
    let _second = second.lock().await;
}

/// One test, in this order, as outside of cells all lints of one name are at one place.
#[test]
fn who_waits_for_ever_is_told_and_who_does_not_is_not() {
    task::block_on(harmless());
    assert!(
        lints().iter().all(|lint| !["deadlock", "lock_not_released"].contains(&lint.name.as_str())),
        "{:#?}",
        lints()
    );
    opposite_order();
    task::block_on(forgotten());
}

async fn harmless() {
    let (a, b) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
    // The same order is no deadlock, however many there are.
    let tasks: Vec<_> = (0..8).map(|_| task::spawn(take_both(a.clone(), b.clone()))).collect();
    for task in tasks {
        task.await;
    }
    // Neither is the opposite order with a timeout, for as long as it lasts.
    let limited = task::spawn(timeout(Duration::from_secs(2), take_both(a.clone(), b.clone())));
    let other = task::spawn(take_both(b.clone(), a.clone()));
    assert!(limited.await.is_err());
    other.await;
    // Nor a lock of its own that a task gives up, or that its own branch lets go of.
    let own = Mutex::new(());
    let guard = own.lock().await;
    race!(async { drop(own.lock().await) }, task::sleep(Duration::from_secs(1)));
    drop(guard);
    let guard = own.lock().await;
    gather!(
        async move {
            task::sleep(Duration::from_secs(1)).await;
            drop(guard);
        },
        async { drop(own.lock().await) }
    );
    let several = RwLock::new(());
    let (one, two) = (several.read().await, several.read().await);
    drop((one, two));
    drop(several.write().await);
    // A lock that is held for long by a task that lives.
    let held = Arc::new(Mutex::new(()));
    let theirs = Arc::clone(&held);
    let holder = task::spawn(async move {
        let _guard = theirs.lock().await;
        task::sleep(Duration::from_secs(2)).await;
    });
    task::sleep(SHORT).await;
    drop(held.lock().await);
    holder.await;
}

fn opposite_order() {
    let (a, b) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
    let tasks = [named("left", take_both(a.clone(), b.clone())), named("right", take_both(b, a))];
    let lint = until("deadlock", "left");
    assert_eq!((lint.tasks.len(), lint.names.len()), (2, 2), "{lint:?}");
    assert!(lint.message.contains("\"right\"") && lint.message.contains("in the same order"), "{lint:?}");
    assert_eq!(lint.message.matches("deadlocks.rs:").count(), 2, "{lint:?}");
    let graph = loopbook::call_graph(lint.tasks[0]).expect("it lives");
    assert_eq!(graph.awaits[0].awaits[0].cycle.as_deref(), Some(&lint.tasks[..]), "{graph}");
    drop(tasks);
}

async fn forgotten() {
    let mutex = Arc::new(Mutex::new(()));
    let theirs = Arc::clone(&mutex);
    named("forgets", async move { std::mem::forget(theirs.lock_arc().await) }).await;
    let waits = named("waits in vain", async move { drop(mutex.lock().await) });
    let lint = until("lock_not_released", "waits in vain");
    assert!(lint.message.contains("\"forgets\"") && lint.message.contains("is over"), "{lint:?}");
    drop(waits);
}
