//! A record as cells and tables see it: `TaskInfo`, and how messages name the task.

use super::Record;
use super::counters::Look;
use crate::running::cell;
use crate::support::{
    clock::{self, Moment, ticks},
    sync::lock,
};
use crate::tasks::{site, sockets::Watched, threads};
use loopbook_channel::{Site, TaskId, TaskInfo, TaskKind, TaskState, cell_label};
use std::panic::Location;
use std::time::Instant;

/// What is remembered of a task that has ended.
pub(crate) struct Past {
    pub(crate) id: TaskId,
    name: Option<String>,
    kind: TaskKind,
    number: Option<u32>,
    line: Option<u32>,
    location: Option<&'static Location<'static>>,
    parent: Option<TaskId>,
    created: Moment,
    look: Look,
    /// Ready, and nobody will poll it at present.
    stands_still: bool,
    cancelled_by: Option<String>,
}

impl Past {
    /// What cells and the kernel get to see. That names are looked up only now makes the ends of tasks cheaper.
    pub(crate) fn info(&self) -> TaskInfo {
        let Look { state, thread, cause, polls, wakes, self_wakes, busy, scheduled, idle, longest_poll, .. } =
            self.look;
        TaskInfo {
            id: self.id,
            name: self.name.clone(),
            kind: self.kind,
            state: if self.stands_still { TaskState::Frozen } else { state },
            cell: self.number,
            site: self.location.and_then(site::in_cell),
            line: self.line,
            parent: self.parent,
            awaited_by: Vec::new(),
            waiting_on: Vec::new(),
            awaits: Vec::new(),
            polls,
            wakes,
            self_wakes,
            busy: ticks(busy),
            scheduled: ticks(scheduled),
            idle: ticks(idle),
            longest_poll: ticks(longest_poll),
            created: self.created.since(clock::began()),
            thread: (state == TaskState::Running).then(|| threads::name(thread)).flatten(),
            woken_by: threads::describe(cause),
            cancelled_by: self.cancelled_by.clone(),
        }
    }
}

impl Record {
    /// What cells and the kernel get to see, as of now. `watched` is read at the first socket and may serve for several
    /// records.
    pub(crate) fn info(&self, watched: &Watched) -> TaskInfo {
        let now = Moment::now();
        let mut info = self.past(now).info();
        let mut details = lock(&self.details);
        info.awaits = details.awaits.sites(now);
        if details.waits(info.polls).next().is_some() {
            let now = Instant::now();
            info.waiting_on = details.waits(info.polls).map(|wait| wait.describe(now)).collect();
        }
        if let Some(rare) = details.known() {
            info.awaited_by.clone_from(&rare.awaited_by);
            info.waiting_on.extend(rare.sockets.iter().filter_map(|tried| tried.describe(watched)));
        }
        info
    }

    /// What can be told of it without asking anybody else.
    pub(crate) fn past(&self, now: Moment) -> Past {
        let look = self.look(now);
        let cancelled_by = match look.state {
            TaskState::Cancelled => lock(&self.details).known().and_then(|rare| rare.cancelled_by.clone()),
            _ => None,
        };
        Past {
            id: self.id,
            name: self.name.clone(),
            kind: self.kind,
            number: self.number,
            line: self.line,
            location: self.location,
            parent: self.parent,
            created: self.created,
            stands_still: look.state == TaskState::Scheduled && self.stands_still(),
            look,
            cancelled_by,
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

    /// Whether nothing polls it: a local task is polled by the cell that runs, a loop's task by the thread that runs
    /// the loop.
    fn stands_still(&self) -> bool {
        match self.kind {
            TaskKind::Local => !cell::is_running(),
            TaskKind::Loop => {
                let home = lock(&self.details).known().and_then(|rare| rare.home.clone());
                home.and_then(|home| home.upgrade()).is_some_and(|home| home.holds_still(self.id))
            }
            _ => false,
        }
    }
}
