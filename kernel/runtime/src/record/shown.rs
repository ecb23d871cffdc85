//! What people and views get to see of a task.

use super::Record;
use crate::clock::{self, Moment};
use crate::sync::lock;
use crate::{cell, site, threads};
use loopbook_channel::{Site, TaskInfo, TaskKind, TaskState, cell_label};
use std::time::Instant;

impl Record {
    /// What cells and the kernel get to see, as of now.
    pub(crate) fn info(&self) -> TaskInfo {
        let look = self.look(Moment::now());
        let mut side = lock(&self.side);
        let waiting_on = match side.waits(look.polls).next() {
            None => Vec::new(),
            Some(_) => {
                let now = Instant::now();
                side.waits(look.polls).map(|wait| wait.describe(now)).collect()
            }
        };
        let rare = side.known();
        let cancelled = look.state == TaskState::Cancelled;
        TaskInfo {
            id: self.id,
            name: self.name.clone(),
            kind: self.kind,
            state: self.visible_state(look.state),
            cell: self.number,
            site: self.site(),
            line: self.line,
            parent: self.parent,
            awaited_by: rare.as_ref().map(|rare| rare.awaited_by.clone()).unwrap_or_default(),
            waiting_on,
            polls: look.polls,
            wakes: look.wakes,
            self_wakes: look.self_wakes,
            busy: look.busy,
            scheduled: look.scheduled,
            idle: look.idle,
            longest_poll: look.longest_poll,
            created: self.created.since(clock::began()),
            thread: (look.state == TaskState::Running).then(|| threads::name(look.thread)).flatten(),
            woken_by: threads::describe(look.cause),
            cancelled_by: rare.filter(|_| cancelled).and_then(|rare| rare.cancelled_by.clone()),
        }
    }

    /// How messages call it: `task 7 "name"`.
    pub(crate) fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("task {} \"{name}\"", self.id),
            None => format!("task {}", self.id),
        }
    }

    /// How messages call it, with what caused it: `task 7 "name" (In[3], line 2)`.
    pub(crate) fn describe(&self) -> String {
        let title = self.title();
        match (self.number, self.line) {
            (Some(cell), Some(line)) => format!("{title} ({}, line {line})", cell_label(cell)),
            (Some(cell), None) => format!("{title} ({})", cell_label(cell)),
            (None, _) => title,
        }
    }

    /// Where the spawn stands, if it stands in a cell.
    pub(crate) fn site(&self) -> Option<Site> {
        self.location.and_then(site::in_cell)
    }

    /// A local task is driven by the cell that runs, so between cells it stands still.
    fn visible_state(&self, state: TaskState) -> TaskState {
        if self.kind == TaskKind::Local && state == TaskState::Scheduled && !cell::is_running() {
            return TaskState::Frozen;
        }
        state
    }
}
