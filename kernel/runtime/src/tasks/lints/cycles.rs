//! Circles of tasks that wait for each other.

use crate::{LockKind, ObjectId, TaskId, TaskInfo, TaskKind, WaitingOn};
use std::collections::{BTreeMap, BTreeSet};

/// Every circle of tasks that wait for each other, each once, beginning with its smallest number.
///
/// Only tasks of which nothing that they wait for can ever come are looked at: who sleeps, has a timeout or waits for a
/// task that goes on is in no circle.
pub(crate) fn cycles(tasks: &[TaskInfo]) -> Vec<Vec<TaskId>> {
    let targets = stuck(tasks);
    let mut cycles = BTreeSet::new();
    let mut cleared = BTreeSet::new();
    for &task in targets.keys() {
        search(task, &targets, &mut Vec::new(), &mut cleared, &mut cycles);
    }
    cycles.into_iter().collect()
}

/// Goes on from `task`, to which `path` leads.
fn search(
    task: TaskId,
    targets: &BTreeMap<TaskId, Vec<TaskId>>,
    path: &mut Vec<TaskId>,
    cleared: &mut BTreeSet<TaskId>,
    cycles: &mut BTreeSet<Vec<TaskId>>,
) {
    /// Deeper than this is no circle that anybody could read.
    const DEEPEST: usize = 1_000;
    if let Some(at) = path.iter().position(|&id| id == task) {
        cycles.insert(from_smallest(&path[at..]));
        return;
    }
    if path.len() >= DEEPEST || !cleared.insert(task) {
        return;
    }
    path.push(task);
    for &next in targets.get(&task).into_iter().flatten() {
        search(next, targets, path, cleared, cycles);
    }
    path.pop();
}

/// The tasks that wait for each other only, with those that each waits for.
fn stuck(tasks: &[TaskInfo]) -> BTreeMap<TaskId, Vec<TaskId>> {
    let waits = Waits::new(tasks);
    let mut stuck: BTreeMap<TaskId, Vec<Vec<TaskId>>> =
        tasks.iter().filter_map(|task| Some((task.id, waits.of(task)?))).collect();
    loop {
        let free = |waits: &Vec<Vec<TaskId>>| {
            // For each wait, a task in the way must be stuck as well.
            waits.is_empty() || waits.iter().any(|wait| !wait.iter().any(|id| stuck.contains_key(id)))
        };
        let freed: Vec<TaskId> = stuck.iter().filter(|(_, waits)| free(waits)).map(|(id, _)| *id).collect();
        if freed.is_empty() {
            break;
        }
        for id in freed {
            stuck.remove(&id);
        }
    }
    let known: BTreeSet<TaskId> = stuck.keys().copied().collect();
    let flat = |waits: Vec<Vec<TaskId>>| waits.into_iter().flatten().filter(|id| known.contains(id)).collect();
    stuck.into_iter().map(|(id, waits)| (id, flat(waits))).collect()
}

/// Who is in the way of whom.
pub(crate) struct Waits {
    /// The branches of each task.
    pub(crate) branches: BTreeMap<TaskId, Vec<TaskId>>,
    /// Who waits to write, by lock: readers wait behind them.
    writers: BTreeMap<ObjectId, Vec<TaskId>>,
}

impl Waits {
    /// Looks at all these tasks once.
    pub(crate) fn new<'a>(tasks: impl IntoIterator<Item = &'a TaskInfo>) -> Self {
        let (mut branches, mut writers) = (BTreeMap::new(), BTreeMap::new());
        for task in tasks {
            if task.kind == TaskKind::Branch {
                branches.entry(task.parent.unwrap_or(0)).or_insert_with(Vec::new).push(task.id);
            }
            for wait in &task.waiting_on {
                if let WaitingOn::Lock { id, kind: LockKind::Write, .. } = wait {
                    writers.entry(*id).or_insert_with(Vec::new).push(task.id);
                }
            }
        }
        Self { branches, writers }
    }

    /// For each thing that a task waits for, the tasks of which one must act; `None` if something else may happen.
    fn of(&self, task: &TaskInfo) -> Option<Vec<Vec<TaskId>>> {
        let branches = self.branches.get(&task.id).into_iter().flatten().map(|branch| Some(vec![*branch]));
        branches.chain(task.waiting_on.iter().map(|wait| self.for_whom(wait))).collect()
    }

    /// The tasks that are in the way; `None` if it is no matter of tasks.
    fn for_whom(&self, wait: &WaitingOn) -> Option<Vec<TaskId>> {
        match wait {
            WaitingOn::Task { id } => Some(vec![*id]),
            WaitingOn::Lock { id, kind: LockKind::Read, held: false, .. } => {
                Some(self.writers.get(id).cloned().unwrap_or_default())
            }
            WaitingOn::Lock { owners, .. } => Some(owners.clone()),
            _ => None,
        }
    }

    /// The tasks that a task waits for, without its branches.
    pub(crate) fn all(&self, task: &TaskInfo) -> Vec<TaskId> {
        let mut all: Vec<TaskId> = task.waiting_on.iter().filter_map(|wait| self.for_whom(wait)).flatten().collect();
        let mut seen = BTreeSet::new();
        all.retain(|id| seen.insert(*id));
        all
    }
}

/// The circle, beginning with its smallest number.
pub(crate) fn from_smallest(circle: &[TaskId]) -> Vec<TaskId> {
    let smallest = circle.iter().enumerate().min_by_key(|(_, id)| **id).map_or(0, |(at, _)| at);
    circle[smallest..].iter().chain(&circle[..smallest]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TaskState;
    use crate::support::examples::example_task;

    fn waiting(id: TaskId, on: &[TaskId]) -> TaskInfo {
        let waiting_on = on.iter().map(|&id| WaitingOn::Task { id }).collect();
        TaskInfo { waiting_on, ..example_task(id, "t", TaskState::Idle) }
    }

    fn locked(id: TaskId, lock: ObjectId, kind: LockKind, owners: &[TaskId]) -> TaskInfo {
        let (owner, owners) = (owners.first().copied(), owners.to_vec());
        let held = !owners.is_empty();
        let wait = WaitingOn::Lock { id: lock, kind, owner, owners, held, abandoned: false };
        TaskInfo { waiting_on: vec![wait], ..example_task(id, "t", TaskState::Idle) }
    }

    #[test]
    fn who_may_still_go_on_is_in_no_circle() {
        let mut timed = locked(1, 8, LockKind::Mutex, &[2]);
        timed.waiting_on.push(WaitingOn::Timeout { seconds: 1.0 });
        assert!(cycles(&[timed.clone(), locked(2, 9, LockKind::Mutex, &[1])]).is_empty());
        timed.waiting_on[1] = WaitingOn::Task { id: 3 };
        assert!(cycles(&[timed, locked(2, 9, LockKind::Mutex, &[1])]).is_empty());
    }

    #[test]
    fn a_task_waits_for_its_branches() {
        let branch = TaskInfo { kind: TaskKind::Branch, parent: Some(1), ..locked(2, 8, LockKind::Mutex, &[1]) };
        assert_eq!(cycles(&[example_task(1, "t", TaskState::Idle), branch.clone()]), [[1, 2]]);
        let other = TaskInfo { id: 3, waiting_on: vec![WaitingOn::Sleep { seconds: 1.0 }], ..branch.clone() };
        assert!(cycles(&[example_task(1, "t", TaskState::Idle), branch, other]).is_empty());
    }

    #[test]
    fn tasks_that_wait_for_nobody_are_in_no_circle() {
        assert!(cycles(&[waiting(1, &[2]), waiting(2, &[9])]).is_empty());
    }

    #[test]
    fn locks_are_followed_to_whoever_holds_them() {
        use LockKind::{Mutex, Read, Write};
        assert_eq!(cycles(&[locked(1, 8, Mutex, &[2]), locked(2, 9, Mutex, &[1])]), [[1, 2]]);
        assert_eq!(cycles(&[locked(1, 8, Mutex, &[1])]), [[1]]);
        assert_eq!(cycles(&[locked(1, 8, Mutex, &[2]), waiting(2, &[1])]), [[1, 2]]);
        // Of several readers one is enough to keep a writer out.
        assert_eq!(cycles(&[locked(1, 8, Write, &[5, 2]), waiting(2, &[1])]), [[1, 2]]);
        // Who reads and wants to read again waits behind a writer, who waits for the first of both.
        assert_eq!(cycles(&[locked(1, 8, Write, &[2]), locked(2, 8, Read, &[])]), [[1, 2]]);
        // A lock that is held by a task that goes on.
        assert!(cycles(&[locked(1, 8, Mutex, &[2]), example_task(2, "t", TaskState::Idle)]).is_empty());
    }
}
