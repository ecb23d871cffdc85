//! The orders in which tables can be sorted.

use loopbook_channel::{TaskInfo, TaskOrder, TaskState};
use std::cmp::{Ordering, Reverse};
use std::time::Duration;

/// Sorts tasks that are in the order of their numbers.
pub(super) fn sort(tasks: &mut [&TaskInfo], order: TaskOrder) {
    tasks.sort_by(|one, other| compare(&[one], &[other], order));
}

/// Sorts groups of tasks, each by the sum of its times and counts, else by its first task.
pub(super) fn sort_places(places: &mut [Vec<&TaskInfo>], order: TaskOrder) {
    places.sort_by_key(|tasks| tasks[0].id);
    places.sort_by(|one, other| compare(one, other, order));
}

fn compare(one: &[&TaskInfo], other: &[&TaskInfo], order: TaskOrder) -> Ordering {
    let (first, second) = (one[0], other[0]);
    let times = |time: fn(&TaskInfo) -> Duration| {
        let sum = |tasks: &[&TaskInfo]| tasks.iter().map(|task| time(task)).sum::<Duration>();
        Reverse(sum(one)).cmp(&Reverse(sum(other)))
    };
    let counts = |count: fn(&TaskInfo) -> u64| {
        let sum = |tasks: &[&TaskInfo]| tasks.iter().map(|task| count(task)).sum::<u64>();
        Reverse(sum(one)).cmp(&Reverse(sum(other)))
    };
    match order {
        TaskOrder::Id => first.id.cmp(&second.id),
        TaskOrder::Name => (first.name.is_none(), &first.name).cmp(&(second.name.is_none(), &second.name)),
        TaskOrder::State => rank(first.state).cmp(&rank(second.state)),
        TaskOrder::Cell => (first.cell, first.line).cmp(&(second.cell, second.line)),
        TaskOrder::Busy => times(|task| task.busy),
        TaskOrder::Scheduled => times(|task| task.scheduled),
        TaskOrder::Idle => times(|task| task.idle),
        TaskOrder::Polls => counts(|task| task.polls),
        TaskOrder::Wakes => counts(|task| task.wakes),
    }
}

fn rank(state: TaskState) -> u8 {
    match state {
        TaskState::Running => 0,
        TaskState::Scheduled => 1,
        TaskState::Idle => 2,
        TaskState::Frozen => 3,
        TaskState::Panicked => 4,
        TaskState::Cancelled => 5,
        TaskState::Completed => 6,
    }
}
