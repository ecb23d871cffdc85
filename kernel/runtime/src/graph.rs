//! Who waits for whom.

use crate::{AwaitSite, TaskId, TaskInfo, TaskKind, TaskState, WaitingOn, registry, views};
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
    /// What it waits for that is not a task, in words.
    pub waits: Vec<String>,
    /// The branches that it is made of, and the tasks that it awaits.
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
pub(crate) fn cycles(tasks: &[TaskInfo]) -> Vec<Vec<TaskId>> {
    let awaits = |id: &TaskId| {
        let at = tasks.binary_search_by_key(id, |task| task.id).ok()?;
        awaited(&tasks[at]).next()
    };
    let mut cycles = BTreeSet::new();
    let mut cleared = BTreeSet::new();
    for task in tasks.iter().filter(|task| awaited(task).next().is_some()) {
        let mut path = vec![task.id];
        while let Some(next) = path.last().and_then(awaits) {
            if let Some(at) = path.iter().position(|&id| id == next) {
                cycles.insert(from_smallest(&path[at..]));
                break;
            }
            if cleared.contains(&next) {
                break;
            }
            path.push(next);
        }
        cleared.extend(path);
    }
    cycles.into_iter().collect()
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

/// All tasks, with the branches of each.
struct Tasks {
    by_id: BTreeMap<TaskId, TaskInfo>,
    branches: BTreeMap<TaskId, Vec<TaskId>>,
}

impl Tasks {
    fn new(tasks: Vec<TaskInfo>) -> Self {
        let mut branches: BTreeMap<TaskId, Vec<TaskId>> = BTreeMap::new();
        for task in tasks.iter().filter(|task| task.kind == TaskKind::Branch) {
            branches.entry(task.parent.unwrap_or(0)).or_default().push(task.id);
        }
        Self { by_id: tasks.into_iter().map(|task| (task.id, task)).collect(), branches }
    }

    fn has_awaiter(&self, task: &TaskInfo) -> bool {
        let is_branch = task.kind == TaskKind::Branch && task.parent.is_some_and(|id| self.by_id.contains_key(&id));
        is_branch || task.awaited_by.iter().any(|id| self.by_id.contains_key(id))
    }

    /// `path` are the tasks that wait, directly or not, for this one.
    fn graph(&self, id: TaskId, path: &mut Vec<TaskId>) -> Option<CallGraph> {
        let task = self.by_id.get(&id)?;
        let cycle = path.iter().position(|&known| known == id).map(|at| from_smallest(&path[at..]));
        let mut awaits = Vec::new();
        if cycle.is_none() {
            path.push(id);
            let branches = self.branches.get(&id).into_iter().flatten().copied();
            awaits = branches.chain(awaited(task)).filter_map(|inner| self.graph(inner, path)).collect();
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

fn awaited(task: &TaskInfo) -> impl Iterator<Item = TaskId> + '_ {
    task.waiting_on.iter().filter_map(|wait| match wait {
        WaitingOn::Task { id } => Some(*id),
        _ => None,
    })
}

fn from_smallest(circle: &[TaskId]) -> Vec<TaskId> {
    let smallest = circle.iter().enumerate().min_by_key(|(_, id)| **id).map_or(0, |(at, _)| at);
    circle[smallest..].iter().chain(&circle[..smallest]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::example_task;

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

    #[test]
    fn tasks_that_wait_for_nobody_are_in_no_circle() {
        assert!(cycles(&[waiting(1, &[2]), waiting(2, &[9])]).is_empty());
    }
}
