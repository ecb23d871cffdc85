//! asyncio's rules for loops, one by one, and what happens to those who break them.
#![deny(warnings)]

use loopbook::facade::task;
use loopbook::{Loop, LoopError, NoRunningLoop, TaskError, get_event_loop, get_running_loop, set_event_loop};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, what: impl Into<String>) {
        self.0.lock().expect("no panic while it is locked").push(what.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no panic while it is locked"))
    }

    fn note(&self, what: &str) -> impl FnOnce() + Send + 'static {
        let (log, what) = (self.clone(), what.to_owned());
        move || log.push(what)
    }

    /// Logs `name` and a count, so many times, and lets others run between.
    async fn steps(self, name: &'static str, count: u32) {
        for step in 1..=count {
            self.push(format!("{name}{step}"));
            task::yield_now().await;
        }
    }
}

/// Says so when it is dropped.
struct Tells(Log, &'static str);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.push(self.1);
    }
}

/// The message of a misuse.
fn told<T>(misuse: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(misuse)).err().expect("it panics");
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.unwrap_or_else(|| payload.downcast_ref::<String>().expect("a message").clone())
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// L1
#[test]
fn the_running_loop_is_known_inside_of_tasks_and_callbacks_and_nowhere_else() {
    let lab = Loop::new("lab");
    let (tell, names): (Sender<String>, Receiver<String>) = channel();
    let name = || get_running_loop().expect("inside of a loop").name();
    lab.create_task("asks", {
        let tell = tell.clone();
        async move { tell.send(name()).expect("somebody listens") }
    });
    lab.call_soon(move || tell.send(name()).expect("somebody listens"));
    assert_eq!(lab.run_until_complete(async { get_running_loop() }), Ok(lab.clone()));
    assert_eq!(names.iter().collect::<Vec<_>>(), ["lab", "lab"]);
    assert_eq!(get_running_loop(), Err(NoRunningLoop));
    let on_a_thread = std::thread::spawn(get_running_loop).join().expect("no panic");
    assert!(on_a_thread.expect_err("nothing runs there").to_string().contains("no running event loop"));
    let blocking = task::spawn_blocking(get_running_loop);
    assert_eq!(lab.run_until_complete(blocking), Err(NoRunningLoop));
    assert_eq!(
        task::block_on(task::spawn(async { get_running_loop().map(|notebook| notebook.name()) })),
        Ok("notebook".into())
    );
}

/// L2, L3
#[test]
fn the_event_loop_is_the_one_that_runs_else_the_one_that_is_set_else_the_notebooks() {
    let (set, runs) = (Loop::new("set"), Loop::new("runs"));
    assert_eq!(get_event_loop().name(), "notebook");
    set_event_loop(&set);
    assert_eq!(get_event_loop(), set);
    assert_eq!(runs.run_until_complete(async { get_event_loop() }), runs);
    assert_eq!(std::thread::spawn(|| get_event_loop().name()).join().expect("no panic"), "notebook");
    set_event_loop(None);
    assert_eq!(get_event_loop().name(), "notebook");
}

/// L4, C28
#[test]
fn a_new_loop_stands_still_until_it_is_run_and_then_goes_in_order() {
    let (lab, log) = (Loop::new("lab"), Log::default());
    assert!(!lab.is_running() && !lab.is_closed());
    for name in ["a", "b", "c"] {
        lab.create_task(name, log.clone().steps(name, 2));
    }
    assert!(log.take().is_empty());
    assert_eq!(lab.snapshot().ready.len(), 3);
    lab.run_until_complete(log.clone().steps("main", 3));
    assert_eq!(log.take(), ["a1", "b1", "c1", "main1", "a2", "b2", "c2", "main2", "main3"]);
    assert!(lab.snapshot().ready.is_empty() && !lab.is_running());
}

/// L5
#[test]
fn run_until_complete_gives_the_result_and_may_borrow() {
    let (lab, words, shared) = (Loop::new("lab"), vec!["one", "two"], std::rc::Rc::new(3));
    assert_eq!(lab.run_until_complete(async { words.len() + *shared }), 5);
    assert_eq!(
        lab.run_until_complete(async {
            task::sleep(ms(5)).await;
            "again"
        }),
        "again"
    );
    let told = told(|| lab.run_until_complete(async { panic!("the future's {}", "own") }));
    assert_eq!(told, "the future's own");
    assert_eq!(lab.run_until_complete(async { 1 }), 1, "a panic does not harm the loop");
}

/// L5, L7
#[test]
fn a_run_that_is_stopped_before_its_end_says_so_and_what_was_a_task_goes_on() {
    let (lab, log) = (Loop::new("lab"), Log::default());
    let mut task = lab.create_task("task", log.clone().steps("task", 4));
    lab.call_soon({
        let lab = lab.clone();
        move || lab.stop()
    });
    let dropped = Tells(log.clone(), "dropped");
    let message = told(|| {
        lab.run_until_complete(async {
            let _dropped = dropped;
            task::sleep(ms(60_000)).await
        })
    });
    assert!(message.starts_with("Event loop stopped before Future completed"), "{message}");
    assert_eq!(log.take(), ["task1", "dropped"]);
    lab.stop();
    assert_eq!(lab.try_run_until_complete(&mut task), Err(LoopError::StoppedEarly { name: "lab".into() }));
    lab.run_until_complete(&mut task);
    assert_eq!(log.take(), ["task2", "task3", "task4"]);
}

/// L5, L6: nested runs.
#[test]
fn a_loop_that_runs_cannot_be_run_again_nor_another_inside_of_it() {
    let (lab, other) = (Loop::new("lab"), Loop::new("other"));
    let inside = lab.run_until_complete(async {
        assert!(lab.is_running());
        let again = lab.try_run_forever();
        (again, lab.try_run_until_complete(async {}), other.try_run_until_complete(async {}))
    });
    assert_eq!(inside.0, Err(LoopError::AlreadyRunning { name: "lab".into() }));
    assert_eq!(inside.1, Err(LoopError::AlreadyRunning { name: "lab".into() }));
    assert_eq!(inside.2, Err(LoopError::AnotherLoopRuns { name: "other".into(), running: "lab".into() }));
    let on_another_thread = lab.run_until_complete(async {
        let lab = lab.clone();
        task::spawn_blocking(move || lab.try_run_forever()).await
    });
    assert_eq!(on_another_thread, Err(LoopError::AlreadyRunning { name: "lab".into() }));
    let elsewhere = lab.run_until_complete(task::spawn_blocking(move || other.run_until_complete(async { 5 })));
    assert_eq!(elsewhere, 5, "a thread of its own may run another");
}

/// L6, L7
#[test]
fn stop_lets_the_batch_finish_and_leaves_what_got_ready_since() {
    let (lab, log) = (Loop::new("lab"), Log::default());
    lab.call_soon({
        let (lab, log) = (lab.clone(), log.clone());
        move || {
            lab.stop();
            lab.call_soon(log.note("of the next batch"));
        }
    });
    lab.call_soon(log.note("of the same batch"));
    lab.run_forever();
    assert_eq!(log.take(), ["of the same batch"]);
    assert!(!lab.is_running());
    lab.stop();
    lab.run_forever();
    assert_eq!(log.take(), ["of the next batch"]);
}

/// L7
#[test]
fn stop_before_a_run_allows_one_batch() {
    let (lab, log) = (Loop::new("lab"), Log::default());
    lab.create_task("a", log.clone().steps("a", 3));
    lab.stop();
    lab.run_forever();
    assert_eq!(log.take(), ["a1"]);
    lab.call_later(ms(10), {
        let lab = lab.clone();
        move || lab.stop()
    });
    lab.run_forever();
    assert_eq!(log.take(), ["a2", "a3"], "the wish to stop was used up");
}

/// L6
#[test]
fn another_thread_can_stop_a_loop_and_give_it_tasks() {
    let (lab, log) = (Loop::new("lab"), Log::default());
    let helper = std::thread::spawn({
        let (lab, log) = (lab.clone(), log.clone());
        move || {
            while !lab.is_running() {
                std::thread::yield_now();
            }
            let task = lab.create_task("from outside", async move { log.push("ran") });
            task::block_on(task);
            lab.stop();
        }
    });
    lab.run_forever();
    helper.join().expect("no panic");
    assert_eq!(log.take(), ["ran"]);
}

/// L8, L9
#[test]
fn a_loop_knows_whether_it_runs_and_whether_it_is_closed() {
    let lab = Loop::new("lab");
    let seen = || (lab.is_running(), lab.is_closed());
    assert_eq!(seen(), (false, false));
    assert_eq!(lab.run_until_complete(async { seen() }), (true, false));
    assert_eq!(seen(), (false, false));
    lab.close();
    assert_eq!(seen(), (false, true));
}

/// L10
#[test]
fn close_drops_what_is_left_in_order_and_is_final() {
    let (lab, log) = (Loop::new("lab"), Log::default());
    let sleeps = {
        let tells = Tells(log.clone(), "sleeper");
        async move {
            let _tells = tells;
            task::sleep(ms(60_000)).await
        }
    };
    let never = {
        let tells = Tells(log.clone(), "never ran");
        async move {
            let _tells = tells;
        }
    };
    let sleeper = lab.create_task("sleeper", sleeps);
    lab.run_until_complete(task::yield_now());
    let never = lab.create_task("never ran", never);
    lab.call_soon({
        let tells = Tells(log.clone(), "callback");
        move || drop(tells)
    });
    let waiting = task::spawn(sleeper);
    lab.close();
    lab.close();
    assert_eq!(log.take(), ["callback", "sleeper", "never ran"]);
    assert!(never.cancelled() && never.done());
    let message = never.result().expect_err("it was cancelled").to_string();
    assert!(message.contains("\"never ran\" was cancelled by `close()` of the loop \"lab\""), "{message}");
    assert!(told(|| task::block_on(waiting)).contains("close()"), "whoever awaits a task hears of it");
}

/// L10
#[test]
fn a_closed_loop_refuses_everything_and_a_running_one_refuses_to_close() {
    let lab = Loop::new("lab");
    assert_eq!(
        lab.run_until_complete(async { lab.try_close() }),
        Err(LoopError::CannotCloseWhileRunning { name: "lab".into() })
    );
    lab.close();
    for message in [
        told(|| lab.create_task("late", async {})),
        told(|| lab.run_until_complete(async {})),
        told(|| lab.run_forever()),
        told(|| lab.call_soon(|| {})),
        told(|| lab.call_later(ms(1), || {})),
        told(|| lab.every(ms(1), || {})),
    ] {
        assert!(message.starts_with("Event loop is closed") && message.contains("\"lab\""), "{message}");
    }
    lab.stop();
}

/// L10
#[test]
fn the_last_handle_of_a_loop_takes_its_tasks_along() {
    let (lab, log) = (Loop::new("lab"), Log::default());
    let tells = Tells(log.clone(), "dropped");
    let task = lab.create_task("waits", async move {
        let _tells = tells;
        std::future::pending::<()>().await
    });
    let clone = lab.clone();
    drop(lab);
    assert!(log.take().is_empty());
    drop(clone);
    assert_eq!((log.take(), task.cancelled()), (vec!["dropped".to_owned()], true));
}

/// L10, L14
#[test]
fn closures_on_threads_go_on_when_the_loop_is_closed() {
    let lab = Loop::new("lab");
    let (release, released) = channel::<()>();
    let (tell, told) = channel();
    lab.create_task("waits", async move {
        task::spawn_blocking(move || {
            released.recv().expect("somebody releases it");
            tell.send("ended").expect("somebody listens");
        })
        .await;
    });
    lab.run_until_complete(task::yield_now());
    lab.close();
    release.send(()).expect("it goes on");
    assert_eq!(told.recv(), Ok("ended"));
}

/// L11
#[test]
fn a_task_tells_its_name_its_state_and_its_result_as_often_as_it_is_asked() {
    let lab = Loop::new("lab");
    let mut task = lab.create_task("adding", async {
        task::yield_now().await;
        1 + 2
    });
    assert_eq!((task.name(), task.done(), task.cancelled()), ("adding", false, false));
    assert!(task.result().expect_err("not run").to_string().starts_with("Result is not set"));
    lab.run_until_complete(log_nothing());
    lab.run_until_complete(log_nothing());
    assert_eq!((task.result(), task.result(), task.done()), (Ok(3), Ok(3), true));
    assert_eq!(lab.run_until_complete(&mut task), 3);
    assert!(matches!(task.result(), Err(TaskError::Taken { .. })));
}

async fn log_nothing() {
    task::yield_now().await;
}

/// L11
#[test]
fn a_cancelled_task_ends_when_the_loop_comes_to_it() {
    let (lab, log) = (Loop::new("lab"), Log::default());
    let tells = Tells(log.clone(), "destructor");
    let task = lab.create_task("sleeper", async move {
        let _tells = tells;
        task::sleep(ms(60_000)).await
    });
    lab.run_until_complete(task::yield_now());
    assert!(task.cancel() && !task.cancelled());
    lab.run_until_complete(task::yield_now());
    assert!(task.cancelled() && task.done() && !task.cancel());
    assert_eq!(log.take(), ["destructor"]);
    assert!(matches!(task.result(), Err(TaskError::Cancelled { .. })));
    assert!(told(|| lab.run_until_complete(task)).contains("was cancelled by"));
}

/// L11
#[test]
fn a_panic_is_the_business_of_whoever_awaits_the_task() {
    let lab = Loop::new("lab");
    let mut task = lab.create_task("panics", async { panic!("oh {}", "no") });
    lab.run_until_complete(task::yield_now());
    assert_eq!(task.result(), Err::<(), _>(TaskError::Panicked { message: "oh no".into() }));
    assert_eq!(told(|| lab.run_until_complete(&mut task)), "oh no");
    assert_eq!(loopbook::task(task.id()).expect("remembered").state, loopbook::TaskState::Panicked);
}
