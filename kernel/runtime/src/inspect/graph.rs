//! Who waits for whom.

use crate::show::views;
use crate::tasks::registry;
use crate::{AwaitSite, LockKind, ObjectId, TaskId, TaskInfo, TaskKind, TaskState, WaitingOn};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A task, what it waits for and, of tasks that it waits for, the same; see [`call_graph`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CallGraph {
    /// The task.
    pub task: TaskId,
    /// Its name.
    pub name: Option<String>,
    /// What sort of work it is.
    pub kind: TaskKind,
    /// What it is doing.
    pub state: TaskState,
    /// Execution count of the cell that caused it.
    pub cell: Option<u32>,
    /// The line in that cell.
    pub line: Option<u32>,
    /// The `.await`s of code in cells at which it stands; see [`TaskInfo::awaits`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<AwaitSite>,
    /// What it waits for that is not a task, in words. Who holds a lock that it waits for is among `awaits` too.
    pub waits: Vec<String>,
    /// The branches that it is made of, the tasks that it awaits, and those that hold a lock that it wants.
    pub awaits: Vec<CallGraph>,
    /// The tasks that wait for it.
    pub awaited_by: Vec<TaskId>,
    /// If it waits, in the end, for itself: all tasks on the way, which wait for each other for ever. The tree ends here.
    pub cycle: Option<Vec<TaskId>>,
}

/// What a task waits for, and what that waits for in turn; `None` if the task has ended or never was. Prints as a tree.
///
/// ```
/// # use loopbook::facade::task;
/// # task::block_on(async {
/// let inner = task::spawn(task::sleep(std::time::Duration::from_secs(60)));
/// let outer = task::spawn(async { inner.await });
/// task::sleep(std::time::Duration::from_millis(50)).await;
/// let id = loopbook::all_tasks().last().expect("the outer task").id;
/// let graph = loopbook::call_graph(id).expect("it has not ended");
/// assert_eq!(graph.awaits.len(), 1);
/// println!("{graph}");
/// # drop(outer);
/// # });
/// ```
pub fn call_graph(id: TaskId) -> Option<CallGraph> {
    let tasks = Tasks::new(registry::all_tasks());
    tasks.by_id.contains_key(&id).then(|| tasks.graph(id, &mut Vec::new())).flatten()
}

/// The graphs of all tasks that nobody waits for, and of one task of each circle that nobody else waits for.
pub(crate) fn roots() -> Vec<CallGraph> {
    let tasks = Tasks::new(registry::all_tasks());
    let mut seen = BTreeSet::new();
    let mut graphs = Vec::new();
    let free = tasks.by_id.values().filter(|task| !tasks.has_awaiter(task)).map(|task| task.id);
    for id in free.chain(tasks.by_id.keys().copied()) {
        if seen.contains(&id) {
            continue;
        }
        let Some(graph) = tasks.graph(id, &mut Vec::new()) else { continue };
        graph.visit(&mut |task| {
            seen.insert(task);
        });
        graphs.push(graph);
    }
    graphs
}

/// Every circle of tasks that wait for each other, each once, beginning with its smallest number.
///
/// Only tasks of which nothing that they wait for can ever come are looked at: who sleeps, has a timeout or waits for a task
/// that goes on is in no circle.
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
            // Each wait must have somebody in the way who is stuck as well.
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
struct Waits {
    branches: BTreeMap<TaskId, Vec<TaskId>>,
    /// Who waits to write, by lock: readers wait behind them.
    writers: BTreeMap<ObjectId, Vec<TaskId>>,
}

impl Waits {
    fn new<'a>(tasks: impl IntoIterator<Item = &'a TaskInfo>) -> Self {
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
    fn all(&self, task: &TaskInfo) -> Vec<TaskId> {
        let mut all: Vec<TaskId> = task.waiting_on.iter().filter_map(|wait| self.for_whom(wait)).flatten().collect();
        let mut seen = BTreeSet::new();
        all.retain(|id| seen.insert(*id));
        all
    }
}

impl CallGraph {
    fn visit(&self, look: &mut impl FnMut(TaskId)) {
        look(self.task);
        self.awaits.iter().for_each(|inner| inner.visit(look));
    }
}

impl fmt::Display for CallGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&views::tree(std::slice::from_ref(self)))
    }
}

/// All tasks, and who waits for whom.
struct Tasks {
    by_id: BTreeMap<TaskId, TaskInfo>,
    waits: Waits,
    /// Those that others wait for to let go of a lock.
    holders: BTreeSet<TaskId>,
}

impl Tasks {
    fn new(tasks: Vec<TaskInfo>) -> Self {
        let waits = Waits::new(&tasks);
        let in_the_way = tasks.iter().flat_map(|task| waits.all(task).into_iter().filter(|id| *id != task.id));
        let holders = in_the_way.collect();
        Self { by_id: tasks.into_iter().map(|task| (task.id, task)).collect(), waits, holders }
    }

    fn has_awaiter(&self, task: &TaskInfo) -> bool {
        let is_branch = task.kind == TaskKind::Branch && task.parent.is_some_and(|id| self.by_id.contains_key(&id));
        is_branch || self.holders.contains(&task.id) || task.awaited_by.iter().any(|id| self.by_id.contains_key(id))
    }

    /// `path` are the tasks that wait, directly or not, for this one.
    fn graph(&self, id: TaskId, path: &mut Vec<TaskId>) -> Option<CallGraph> {
        let task = self.by_id.get(&id)?;
        let cycle = path.iter().position(|&known| known == id).map(|at| from_smallest(&path[at..]));
        let mut awaits = Vec::new();
        if cycle.is_none() {
            path.push(id);
            let branches = self.waits.branches.get(&id).into_iter().flatten().copied();
            awaits = branches.chain(self.waits.all(task)).filter_map(|inner| self.graph(inner, path)).collect();
            path.pop();
        }
        let waits = task.waiting_on.iter().filter(|wait| !matches!(wait, WaitingOn::Task { .. }));
        Some(CallGraph {
            task: id,
            name: task.name.clone(),
            kind: task.kind,
            state: task.state,
            cell: task.cell,
            line: task.line,
            sites: task.awaits.clone(),
            waits: waits.map(views::wait).collect(),
            awaits,
            awaited_by: task.awaited_by.clone(),
            cycle,
        })
    }
}

fn from_smallest(circle: &[TaskId]) -> Vec<TaskId> {
    let smallest = circle.iter().enumerate().min_by_key(|(_, id)| **id).map_or(0, |(at, _)| at);
    circle[smallest..].iter().chain(&circle[..smallest]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::views::example_task;

    fn waiting(id: TaskId, on: &[TaskId]) -> TaskInfo {
        let waiting_on = on.iter().map(|&id| WaitingOn::Task { id }).collect();
        TaskInfo { waiting_on, ..example_task(id, "t", TaskState::Idle) }
    }

    #[test]
    fn a_circle_is_found_once_and_ends_the_tree() {
        let tasks = vec![waiting(1, &[3]), waiting(2, &[1]), waiting(3, &[2]), waiting(4, &[2]), waiting(5, &[])];
        assert_eq!(cycles(&tasks), [[1, 3, 2]]);
        let graph = Tasks::new(tasks).graph(4, &mut Vec::new()).expect("there");
        let ends = &graph.awaits[0].awaits[0].awaits[0].awaits[0];
        assert_eq!((ends.task, ends.cycle.as_deref()), (2, Some([1, 3, 2].as_slice())));
        assert!(graph.to_string().contains("cycle: 1 → 3 → 2 → 1"), "{graph}");
    }

    fn locked(id: TaskId, lock: ObjectId, kind: LockKind, owners: &[TaskId]) -> TaskInfo {
        let (owner, owners) = (owners.first().copied(), owners.to_vec());
        let held = !owners.is_empty();
        let wait = WaitingOn::Lock { id: lock, kind, owner, owners, held, abandoned: false };
        TaskInfo { waiting_on: vec![wait], ..example_task(id, "t", TaskState::Idle) }
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
    fn the_tree_shows_the_holder_below_who_waits() {
        let holder = example_task(2, "holder", TaskState::Idle);
        let tasks = Tasks::new(vec![locked(1, 8, LockKind::Mutex, &[2]), holder]);
        assert!(tasks.has_awaiter(&tasks.by_id[&2]) && !tasks.has_awaiter(&tasks.by_id[&1]));
        let graph = tasks.graph(1, &mut Vec::new()).expect("there");
        assert_eq!((graph.waits.len(), graph.awaits[0].task), (1, 2));
        assert!(graph.to_string().contains("lock #8, held by task 2"), "{graph}");
    }

    #[test]
    fn tasks_that_wait_for_nobody_are_in_no_circle() {
        assert!(cycles(&[waiting(1, &[2]), waiting(2, &[9])]).is_empty());
    }
}
