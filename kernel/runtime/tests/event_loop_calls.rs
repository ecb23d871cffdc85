//! Callbacks, timers, priorities and promises of loops; the loop of the notebook.
#![deny(warnings)]

use loopbook::facade::task;
use loopbook::{Cancelled, Loop, LoopError, Priority, Promise, PromiseError, TaskState, get_event_loop};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Log = Arc<Mutex<Vec<String>>>;

fn push(log: &Log, what: impl Into<String>) {
    log.lock().expect("no panic while it is locked").push(what.into());
}

fn take(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().expect("no panic while it is locked"))
}

fn note(log: &Log, what: &str) -> impl Fn() + Send + 'static {
    let (log, what) = (log.clone(), what.to_owned());
    move || push(&log, what.as_str())
}

fn stop(lab: &Loop) -> impl Fn() + Send + 'static {
    let lab = lab.clone();
    move || lab.stop()
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The message of a misuse.
fn told<T>(misuse: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(misuse)).err().expect("it panics");
    payload.downcast_ref::<String>().expect("a message").clone()
}

/// L12
#[test]
fn callbacks_come_in_the_order_of_their_times_and_equal_times_in_the_order_of_the_calls() {
    let (lab, log) = (Loop::new("lab"), Log::default());
    let base = lab.time();
    lab.call_at(base + ms(30), note(&log, "30"));
    lab.call_at(base + ms(10), note(&log, "10, first"));
    lab.call_at(base + ms(10), note(&log, "10, second"));
    lab.call_later(ms(20), note(&log, "later"));
    lab.call_at(Duration::ZERO, note(&log, "of the past"));
    lab.call_soon(note(&log, "soon"));
    lab.call_at(base + ms(40), stop(&lab));
    lab.run_forever();
    let order = ["soon", "of the past", "10, first", "10, second", "later", "30"];
    assert_eq!(take(&log), order);
    assert!(lab.time() >= base + ms(40));
}

/// L12
#[test]
fn a_callback_that_is_taken_back_is_never_called() {
    let (lab, log) = (Loop::new("lab"), Log::default());
    let soon = lab.call_soon(note(&log, "soon"));
    let later = lab.call_later(ms(1), note(&log, "later"));
    assert_eq!((soon.when(), later.when().is_some()), (None, true));
    soon.cancel();
    later.cancel();
    later.cancel();
    lab.call_later(ms(20), stop(&lab));
    assert_eq!((lab.snapshot().timers, soon.cancelled(), later.cancelled()), (1, true, true));
    lab.run_forever();
    assert!(take(&log).is_empty());
}

/// L12
#[test]
fn the_panic_of_a_callback_is_known_and_stops_nothing() {
    let (lab, log) = (Loop::new("lab"), Log::default());
    let inside = Arc::new(Mutex::new(0));
    lab.call_soon({
        let inside = inside.clone();
        move || {
            *inside.lock().expect("no panic while it is locked") = loopbook::current_task().expect("the callback").id;
            panic!("of a callback");
        }
    });
    lab.call_soon(note(&log, "the next one"));
    lab.run_until_complete(task::yield_now());
    assert_eq!(take(&log), ["the next one"]);
    let id = *inside.lock().expect("no panic while it is locked");
    assert_eq!(loopbook::task(id).expect("remembered").state, TaskState::Panicked);
}

/// C20
#[test]
fn what_is_periodic_comes_again_until_it_is_taken_back() {
    let (lab, log) = (Loop::new("lab"), Log::default());
    let (times, period) = (Arc::new(Mutex::new(Vec::new())), ms(40));
    let began = lab.time();
    let tick = lab.every(period, {
        let (lab, log, times) = (lab.clone(), log.clone(), times.clone());
        move || {
            push(&log, "tick");
            times.lock().expect("no panic while it is locked").push(lab.time() - began);
        }
    });
    lab.run_until_complete(async {
        while times.lock().expect("no panic while it is locked").len() < 4 {
            task::sleep(ms(5)).await;
        }
        tick.cancel();
        task::sleep(3 * period).await;
    });
    assert_eq!(take(&log), ["tick"; 4]);
    let times = times.lock().expect("no panic while it is locked");
    let periods = |time: Duration| time.as_secs_f64() / period.as_secs_f64();
    assert!(times.iter().zip(1..).all(|(time, n)| periods(*time) >= f64::from(n) * 0.99), "{times:?}");
}

/// C20
#[test]
fn the_more_urgent_goes_first_and_equals_take_turns() {
    let (lab, log) = (Loop::new("lab"), Log::default());
    let work = |name: &'static str| {
        let log = log.clone();
        async move {
            for step in 1..=2 {
                push(&log, format!("{name}{step}"));
                task::yield_now().await;
            }
        }
    };
    let low = lab.spawn_with_priority("low", Priority::LOW, work("low"));
    lab.create_task("a", work("a"));
    lab.spawn_with_priority("b", 0, work("b"));
    lab.spawn_with_priority("high", Priority::HIGH, work("high"));
    lab.spawn_with_priority("highest", 10, work("highest"));
    lab.run_until_complete(low);
    let order = ["highest1", "highest2", "high1", "high2", "a1", "b1", "a2", "b2", "low1", "low2"];
    assert_eq!(take(&log), order);
}

/// L13
#[test]
fn a_promise_gives_everybody_the_same_result_before_and_after_it_is_set() {
    let lab = Loop::new("lab");
    let promise = Promise::<String>::new();
    assert_eq!((promise.done(), promise.result()), (false, Err(PromiseError::NotDone)));
    let waiting: Vec<_> = (0..3).map(|n| lab.create_task(format!("waits {n}"), promise.clone())).collect();
    lab.call_later(ms(5), {
        let promise = promise.clone();
        move || promise.set_result("done".into())
    });
    let results = lab.run_until_complete(loopbook::gather_all(waiting));
    assert!(results.iter().all(|result| result.as_deref() == Ok("done")), "{results:?}");
    assert_eq!(lab.run_until_complete(async { ((&promise).await, promise.clone().await) }).0, Ok("done".into()));
    assert_eq!((promise.done(), promise.cancelled(), promise.result()), (true, false, Ok("done".into())));
    assert_eq!(promise.try_set_result("again".into()), Err(PromiseError::AlreadyDone));
    assert!(!promise.cancel());
    let panics = std::panic::catch_unwind(|| promise.set_result("again".into()));
    assert!(panics.expect_err("refused").downcast_ref::<String>().expect("a message").contains("final"));
}

/// L13
#[test]
fn a_promise_that_is_cancelled_tells_everybody() {
    let lab = Loop::new("lab");
    let promise = Promise::<u32>::new();
    let waiting = lab.create_task("waits", promise.clone());
    lab.call_soon({
        let promise = promise.clone();
        move || assert!(promise.cancel())
    });
    assert_eq!(lab.run_until_complete(waiting), Err(Cancelled));
    assert_eq!(lab.run_until_complete(promise.clone()), Err(Cancelled));
    assert_eq!((promise.cancelled(), promise.result()), (true, Err(PromiseError::Cancelled)));
    assert_eq!(promise.try_set_result(1), Err(PromiseError::AlreadyDone));
}

#[test]
fn a_waiter_that_is_gone_is_forgotten() {
    let promise = Promise::<u32>::new();
    task::block_on(async {
        let waits = task::spawn(promise.clone());
        task::sleep(ms(20)).await;
        waits.cancel().await;
    });
    assert_eq!(format!("{promise:?}"), "Promise(not set, 0 waiting)");
}

/// L2, L8 to L10, of the loop that is not ours to stop.
#[test]
fn the_notebooks_loop_answers_and_explains_why_it_cannot_be_stopped() {
    let notebook = get_event_loop();
    assert!(notebook.is_running() && !notebook.is_closed());
    let task = notebook.create_task("on the pool", async { 7 });
    assert_eq!((task.name().to_owned(), task::block_on(task)), ("on the pool".to_owned(), 7));
    let (tell, called) = channel();
    let at = notebook.time() + ms(10);
    notebook.call_at(at, {
        let tell = tell.clone();
        move || tell.send("later").expect("somebody listens")
    });
    notebook.call_soon(move || tell.send("soon").expect("somebody listens"));
    assert_eq!(called.iter().collect::<Vec<_>>(), ["soon", "later"]);
    for message in [
        told(|| notebook.stop()),
        told(|| notebook.close()),
        told(|| notebook.spawn_with_priority("first", 1, async {})),
    ] {
        assert!(message.contains("notebook") && message.contains("Loop::new"), "{message}");
    }
    assert!(told(|| notebook.run_forever()).contains("already running"));
    assert!(told(|| notebook.run_until_complete(async {})).contains("already running"));
    assert_eq!(notebook.try_close(), Err(LoopError::NotebookLoop { what: "close()" }));
}
