//! Call graphs: which task waits for which.

use crate::support::words;
use crate::tasks::{
    lints::cycles::{Waits, from_smallest},
    registry,
};
use crate::{AwaitSite, TaskId, TaskInfo, TaskKind, TaskState, WaitingOn};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

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

impl CallGraph {
    fn visit(&self, look: &mut impl FnMut(TaskId)) {
        look(self.task);
        self.awaits.iter().for_each(|inner| inner.visit(look));
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
            waits: waits.map(words::wait).collect(),
            awaits,
            awaited_by: task.awaited_by.clone(),
            cycle,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LockKind;
    use crate::support::examples::{example_task, locked, waiting};
    use crate::tasks::lints::cycles::cycles;

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
    fn the_tree_shows_the_holder_below_who_waits() {
        let holder = example_task(2, "holder", TaskState::Idle);
        let tasks = Tasks::new(vec![locked(1, 8, LockKind::Mutex, &[2]), holder]);
        assert!(tasks.has_awaiter(&tasks.by_id[&2]) && !tasks.has_awaiter(&tasks.by_id[&1]));
        let graph = tasks.graph(1, &mut Vec::new()).expect("there");
        assert_eq!((graph.waits.len(), graph.awaits[0].task), (1, 2));
        assert!(graph.to_string().contains("lock #8, held by task 2"), "{graph}");
    }
}
