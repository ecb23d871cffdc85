//! The counters of one task, step by step.

use super::Counters;
use crate::support::clock::Moment;
use loopbook_channel::TaskState;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

const CREATED: Moment = Moment(0);

#[test]
fn a_task_is_scheduled_until_it_is_polled() {
    let counters = Counters::new(CREATED);
    let look = counters.look(CREATED, Moment(1_000));
    assert_eq!((look.state, look.polls, look.wakes), (TaskState::Scheduled, 0, 0));
    assert!(look.idle == 0 && look.busy == 0 && look.scheduled > 0);
    assert_eq!(counters.poll_starts(1, Moment(1_000)), (false, 1_000));
    assert_eq!(counters.look(CREATED, Moment(1_000)).state, TaskState::Running);
    counters.poll_ends(Moment(3_000));
    let look = counters.look(CREATED, Moment(6_000));
    assert_eq!((look.state, look.polls), (TaskState::Idle, 1));
    assert_eq!(look.longest_poll, look.busy);
    assert!(look.idle > look.busy && look.busy > look.scheduled);
}

#[test]
fn only_the_first_wake_is_passed_on_and_all_are_counted() {
    let counters = Counters::new(CREATED);
    counters.poll_starts(1, Moment(1));
    assert!(counters.wake(1).expect("not ended").tell);
    assert!(!counters.wake(2).expect("not ended").tell);
    counters.poll_ends(Moment(2));
    let look = counters.look(CREATED, Moment(3));
    assert_eq!((look.state, look.wakes, look.self_wakes), (TaskState::Scheduled, 2, 1));
    counters.finish(TaskState::Cancelled, Moment(4));
    assert!(counters.wake(2).is_none());
}

#[test]
fn a_task_ends_once() {
    let counters = Counters::new(CREATED);
    counters.poll_starts(1, Moment(1));
    assert!(counters.finish(TaskState::Completed, Moment(5)));
    assert!(!counters.finish(TaskState::Cancelled, Moment(6)));
    let look = counters.look(CREATED, Moment(1_000_000));
    assert_eq!(look.state, TaskState::Completed);
    assert_eq!(look.idle, 0);
}

#[test]
fn whoever_looks_never_sees_half_a_change() {
    let counters = Counters::new(CREATED);
    let done = AtomicBool::new(false);
    let rounds = if cfg!(miri) { 50 } else { 100_000 };
    thread::scope(|scope| {
        scope.spawn(|| {
            // Ten ticks in a poll, ten ready to run.
            for round in 0..rounds {
                counters.poll_starts(1, Moment(20 * round + 10));
                counters.wake(1);
                counters.poll_ends(Moment(20 * round + 20));
            }
            done.store(true, Relaxed);
        });
        while !done.load(Relaxed) {
            let look = counters.look(CREATED, Moment(0));
            let polls = look.polls - u64::from(look.state == TaskState::Running);
            assert_eq!(look.busy, 10 * polls, "{look:?}");
        }
    });
    assert_eq!(counters.look(CREATED, Moment(0)).wakes, rounds);
}
