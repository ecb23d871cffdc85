//! Steps: the entries of a loop's queue, which are polls of tasks and calls of callbacks.

use super::calls::Call;
use crate::TaskId;
use async_task::Runnable;
use std::sync::Arc;

/// Something to do.
pub(super) enum Step {
    /// Poll a task.
    Task(TaskId, Runnable),
    /// Poll the future of the `run_until_complete` with this number.
    Main(u64),
    /// The future of that run has ended: stop.
    Ended(u64),
    /// Call back.
    Call(Arc<Call>),
}

impl Step {
    /// The task that it polls.
    pub(super) fn task(&self) -> Option<TaskId> {
        match self {
            Self::Task(id, _) => Some(*id),
            _ => None,
        }
    }
}
