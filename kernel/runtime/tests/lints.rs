//! Each lint is provoked once, and what is close to it and harmless is not told.
#![deny(warnings)]

use loopbook::facade::task::{self, JoinHandle};
use loopbook::{Lint, lints};
use std::future::{Future, pending, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

fn named<T: Send + 'static>(name: &str, future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    task::Builder::new().name(name.to_owned()).spawn(future).expect("a thread for it")
}

/// Lints of one sort; as tests have no cells, all of a sort are one, so they are told apart by their messages.
fn of(name: &str) -> Vec<Lint> {
    lints().into_iter().filter(|lint| lint.name == name).collect()
}

fn until(name: &str) -> Lint {
    let began = Instant::now();
    loop {
        if let Some(lint) = of(name).pop() {
            return lint;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "no {name} among {:#?}", lints());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn compute(milliseconds: u64) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(milliseconds) {
        std::hint::spin_loop();
    }
}

/// One test, in this order: what is harmless comes before what is not, since a lint is told once for each place.
#[test]
fn what_is_wrong_is_told_and_what_is_not_is_not() {
    harmless();
    let quiet: Vec<String> = lints().into_iter().map(|lint| lint.message).collect();
    // A machine that is busy with something else may starve any task.
    assert!(
        quiet.iter().all(|message| message.contains("had to wait") || message.contains("kept its thread")),
        "{quiet:#?}"
    );
    polls();
    wakers();
    futures();
    circle();
}

fn harmless() {
    task::block_on(async {
        named("a few yields", async {
            for _ in 0..5 {
                task::yield_now().await;
            }
        })
        .await;
        named("sleeps", task::sleep(Duration::from_millis(600))).await;
        named("is small", async {
            let small = [1u8; 64];
            task::yield_now().await;
            assert_eq!(small.len(), 64);
        })
        .await;
        let cancelled = named("is cancelled", task::sleep(Duration::from_secs(60)));
        cancelled.cancel().await;
        let (first, second) = (named("first", async { 1 }), named("second", async { 2 }));
        assert_eq!(first.await + second.await, 3);
        assert_eq!(loopbook::keep(async { 7 }).await, 7);
        assert_eq!(task::spawn_blocking(|| compute(150)).await, ());
    });
}

fn polls() {
    task::block_on(async {
        named("slow", async {
            task::yield_now().await;
            compute(150);
        })
        .await;
        assert!(until("slow_poll").message.contains("\"slow\""));
        named("never", async { compute(1_800) }).await;
        let never = until("never_yielded");
        assert_eq!(never.names.len(), 1);
        assert!(never.message.contains("\"never\"") && never.message.contains("spawn_blocking"), "{never:?}");
        // More that compute than there are threads: some have to wait.
        let busy: Vec<_> = (0..130).map(|_| task::spawn(async { compute(20) })).collect();
        for task in busy {
            task.await;
        }
        assert!(until("starved").message.contains("ready to run"));
    });
}

fn wakers() {
    named("wakes itself", async {
        for _ in 0..40 {
            task::yield_now().await;
        }
    });
    assert!(until("self_wakes").message.contains("\"wakes itself\""));
    let lost = named("lost", poll_fn(|_| Poll::<()>::Pending));
    assert!(until("lost_waker").message.contains("\"lost\""));
    drop(lost);
    named("panics alone", async { panic!("on purpose") });
    assert!(until("panicked_detached").message.contains("on purpose"));
}

fn futures() {
    assert!(of("auto_boxed").is_empty(), "{:#?}", of("auto_boxed"));
    let boxed = named("boxed", async {
        let middling = [1u8; 2_500];
        pending::<()>().await;
        assert_eq!(middling.len(), 2_500);
    });
    assert!(until("auto_boxed").message.contains("\"boxed\""));
    assert!(of("large_future").is_empty(), "{:#?}", of("large_future"));
    drop(boxed);
    let large = named("large", async {
        let large = [1u8; 10_000];
        pending::<()>().await;
        assert_eq!(large.len(), 10_000);
    });
    assert!(until("large_future").message.contains("\"large\""));
    drop(large);
    drop(loopbook::keep(async {}));
    assert!(until("dropped_unpolled").message.contains("tests/lints.rs"));
}

fn circle() {
    let slot: Arc<Mutex<Option<JoinHandle<()>>>> = Arc::default();
    let other = Arc::clone(&slot);
    let one = named("one", async move {
        loop {
            let taken = other.lock().expect("no panic").take();
            match taken {
                Some(handle) => break handle.await,
                None => task::sleep(Duration::from_millis(5)).await,
            }
        }
    });
    *slot.lock().expect("no panic") = Some(named("two", one));
    let deadlock = until("deadlock");
    assert_eq!(deadlock.names.len(), 2, "{deadlock:?}");
    assert!(deadlock.message.contains("\"one\"") && deadlock.message.contains("\"two\""), "{deadlock:?}");
}
