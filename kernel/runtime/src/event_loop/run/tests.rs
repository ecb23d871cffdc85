//! Interrupts of cells that run a loop.

use super::*;
use crate::event_loop::{Loop, Priority};
use crate::running::interrupts;
use loopbook_channel::CellId;
use std::sync::mpsc::channel;

/// Runs `run` as a cell that is interrupted as soon as its loop runs and has told so. Gives whether it has ended of that.
fn interrupted(cell: CellId, core: &Arc<Core>, run: impl FnOnce(Outside)) -> bool {
    let (tell, told) = channel();
    let watched = Arc::clone(core);
    let record = Record::unlisted(TaskKind::Loop, Some("tells".into()), None);
    let outcome = watched.spawn(record, Priority::NORMAL, async move { tell.send(()).expect("somebody listens") });
    drop(outcome);
    interrupts::begin(cell);
    let user = std::thread::spawn(move || {
        told.recv().expect("it runs");
        assert!(interrupts::interrupt(cell));
    });
    let ended = catch_unwind(AssertUnwindSafe(|| run(Outside::of(Some(cell)))));
    user.join().expect("no panic");
    interrupts::end(cell);
    ended.is_err_and(|payload| payload.is::<Interrupted>())
}

fn core(of: &Loop) -> &Arc<Core> {
    of.own("").expect("not the notebook's")
}

#[test]
fn an_interrupt_ends_run_forever_and_leaves_the_queue_as_it_is() {
    let lab = Loop::new("lab");
    let sleeper = lab.create_task("sleeper", std::future::pending::<()>());
    let busy = lab.create_task("busy", async {
        loop {
            async_std::task::yield_now().await;
        }
    });
    lab.call_later(Duration::from_secs(3600), || {});
    assert!(interrupted(9_101, core(&lab), |outside| forever(core(&lab), outside).expect("it can run")));
    let now = lab.snapshot();
    assert_eq!((now.is_running, now.is_closed, now.timers), (false, false, 1));
    assert_eq!((now.ready, now.waiting), (vec![busy.id()], vec![sleeper.id()]));
    lab.run_until_complete(async_std::task::yield_now());
    assert!(!busy.done() && !sleeper.done(), "the loop goes on where it was");
}

#[test]
fn an_interrupt_ends_a_loop_that_waits() {
    let lab = Loop::new("lab");
    assert!(interrupted(9_102, core(&lab), |outside| forever(core(&lab), outside).expect("it can run")));
    assert!(!lab.is_running());
}

#[test]
fn an_interrupt_of_run_until_complete_drops_its_future_and_no_task() {
    let lab = Loop::new("lab");
    let task = lab.create_task("stays", std::future::pending::<()>());
    let (tells, told) = channel::<()>();
    let future = async move {
        let _tells = tells;
        std::future::pending::<()>().await;
    };
    assert!(interrupted(9_103, core(&lab), |outside| {
        until_complete(core(&lab), future, outside, Location::caller()).expect("it is not stopped");
    }));
    assert!(told.recv().is_err(), "the future is gone");
    assert_eq!((task.done(), lab.snapshot().waiting), (false, vec![task.id()]));
}
