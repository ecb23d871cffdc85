//! The functions by which cells list tasks: `all_tasks`, `finished_tasks`, `task`, `current_task`.

use crate::tasks::registry;
use crate::{TaskId, TaskInfo};

/// All tasks that have not ended, the cell's own included, by number. As the value of a cell it shows as a table.
///
/// ```
/// # use loopbook::facade as async_std;
/// # async_std::task::block_on(async {
/// for task in loopbook::all_tasks() {
///     println!("{} {:?} {} polls", task.id, task.state, task.polls);
/// }
/// # });
/// ```
pub fn all_tasks() -> Vec<TaskInfo> {
    registry::all_tasks()
}

/// The tasks that ended last, the oldest first. 1,000 are remembered, or as many as [`remember_finished`] was told.
///
/// ```
/// let panicked = loopbook::finished_tasks().iter().filter(|task| task.state == loopbook::TaskState::Panicked).count();
/// assert_eq!(panicked, 0);
/// ```
pub fn finished_tasks() -> Vec<TaskInfo> {
    registry::finished_tasks()
}

/// Has [`finished_tasks`] remember this many tasks from now on; 0 for none. Those that are forgotten are still counted, and
/// `:tasks --all` says how many there were.
///
/// ```
/// loopbook::remember_finished(10_000);
/// ```
pub fn remember_finished(number: usize) {
    registry::remember(number);
}

/// One task by its number; `None` if there never was one, or if it ended so long ago that it is forgotten.
///
/// ```
/// assert!(loopbook::task(u64::MAX).is_none());
/// ```
pub fn task(id: TaskId) -> Option<TaskInfo> {
    registry::task(id)
}

/// The task that asks; at the top level of a cell that is the cell, `In[n]`. `None` outside every task.
///
/// ```
/// if let Some(task) = loopbook::current_task() {
///     println!("I am {:?}", task.name);
/// }
/// ```
pub fn current_task() -> Option<TaskInfo> {
    registry::current_task_info()
}
