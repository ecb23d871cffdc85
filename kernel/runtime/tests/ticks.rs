//! Tasks that compute and never come to an `.await` end when somebody cancels them.

use loopbook::facade::task;
use loopbook::{__tick, CancelOutcome, TaskId, TaskState, all_tasks, cancel, gather};
use std::future::Future;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};

/// Which task is the newest must not depend on another test.
static ONE_BY_ONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_BY_ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn spin() -> ! {
    loop {
        __tick!();
    }
}

/// Starts a task, and waits until `begun` was said in it.
fn started<F: Future<Output = ()> + Send + 'static>(
    make: impl FnOnce(mpsc::Sender<()>) -> F,
) -> (TaskId, task::JoinHandle<()>) {
    let (begun, begins) = mpsc::channel();
    let handle = task::Builder::new().name("spinner".into()).spawn(make(begun)).expect("spawned");
    begins.recv().expect("it begins");
    let spinner = all_tasks().into_iter().rev().find(|task| task.name.as_deref() == Some("spinner"));
    (spinner.expect("it runs").id, handle)
}

fn ends_when_cancelled(id: TaskId) {
    let outcome = task::block_on(async move {
        let outcome = cancel(id);
        outcome.await;
        outcome
    });
    assert!(matches!(outcome, CancelOutcome::InPoll(_)), "{outcome:?}");
    assert_eq!(loopbook::task(id).expect("remembered").state, TaskState::Cancelled);
}

#[test]
fn a_task_that_computes_ends_and_says_who_wanted_it() {
    let _alone = alone();
    let (id, handle) = started(|begun| async move {
        begun.send(()).unwrap();
        spin()
    });
    ends_when_cancelled(id);
    let message = catch_unwind(std::panic::AssertUnwindSafe(|| task::block_on(handle))).expect_err("it has no output");
    assert!(message.downcast_ref::<String>().expect("a text").contains("\"spinner\" was cancelled by"));
}

#[test]
fn whoever_catches_it_meets_it_again() {
    let _alone = alone();
    let caught = Arc::new(AtomicU32::new(0));
    let counter = caught.clone();
    let (id, _handle) = started(|begun| async move {
        begun.send(()).unwrap();
        for _ in 0..3 {
            let _ = catch_unwind(|| spin());
            counter.fetch_add(1, SeqCst);
        }
        spin()
    });
    ends_when_cancelled(id);
    assert_eq!(caught.load(SeqCst), 3);
}

#[test]
fn what_a_task_blocks_on_or_gathers_ends_with_it() {
    let _alone = alone();
    let (id, _handle) = started(|begun| async move {
        task::block_on(async move {
            begun.send(()).unwrap();
            spin()
        })
    });
    ends_when_cancelled(id);
    let (id, _handle) = started(|begun| async move {
        gather!(
            async move {
                begun.send(()).unwrap();
                spin()
            },
            std::future::pending::<()>()
        );
    });
    ends_when_cancelled(id);
}

#[test]
fn others_go_on() {
    let _alone = alone();
    let stop = Arc::new(AtomicBool::new(false));
    let stops = stop.clone();
    let (_, other) = started(|begun| async move {
        begun.send(()).unwrap();
        while !stops.load(SeqCst) {
            __tick!();
        }
    });
    let (id, _handle) = started(|begun| async move {
        begun.send(()).unwrap();
        spin()
    });
    ends_when_cancelled(id);
    stop.store(true, SeqCst);
    task::block_on(other);
}

#[test]
fn a_handle_ends_a_closure_that_computes() {
    let _alone = alone();
    let (begun, begins) = mpsc::channel();
    let handle = task::spawn_blocking(move || {
        begun.send(()).unwrap();
        spin()
    });
    begins.recv().unwrap();
    assert!(task::block_on(handle.cancel()).is_none());
}

#[test]
fn behind_a_shield_nothing_ends() {
    let _alone = alone();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let through = Arc::new(AtomicBool::new(false));
    let gets_through = through.clone();
    let (id, _handle) = started(|begun| async move {
        let shield = loopbook::__private::shield();
        begun.send(()).unwrap();
        goes_on.recv().unwrap();
        for _ in 0..10 {
            __tick!();
        }
        gets_through.store(true, SeqCst);
        drop(shield);
        spin()
    });
    task::block_on(async move {
        let outcome = cancel(id);
        go_on.send(()).unwrap();
        outcome.await;
    });
    assert!(through.load(SeqCst));
    assert_eq!(loopbook::task(id).expect("remembered").state, TaskState::Cancelled);
}
