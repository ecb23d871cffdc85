//! The record of one task: who it is, and what it has been doing.
//!
//! A record is also the waker that the task's future sees. It is the same waker for the whole life of the task: async-io
//! wakes a waker that is replaced, so a fresh one per poll would wake itself for ever on any pending socket.

mod life;

use crate::cancel::CancelOutcome;
use crate::local::{self, Drivers};
use crate::sync::{lock, thread_token};
use crate::{cell, context, link, registry, site};
use life::Life;
use loopbook_channel::{CellId, Failure, Site, TaskId, TaskInfo, TaskKind, TaskState, ToKernel, cell_label};
use std::panic::Location;
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

pub(crate) use life::{Wait, Waiting};

/// One task. Alive as long as the task, its handle or one of its wakers.
pub(crate) struct Record {
    pub(crate) id: TaskId,
    pub(crate) name: Option<String>,
    pub(crate) kind: TaskKind,
    /// The cell that caused it.
    pub(crate) cell: CellId,
    /// The execution count of that cell.
    pub(crate) number: Option<u32>,
    pub(crate) site: Option<Site>,
    pub(crate) line: Option<u32>,
    parent: Option<TaskId>,
    /// Of a local task: who polls its thread's local tasks.
    drivers: Option<Arc<Drivers>>,
    created: Instant,
    life: Mutex<Life>,
    fate: Mutex<Fate>,
}

/// What becomes of a panic: it goes to whoever awaits the task, and to the user if nobody can.
#[derive(Default)]
struct Fate {
    detached: bool,
    failure: Option<Failure>,
}

impl Record {
    /// Makes the record of a task that is about to start, and enters it in the registry. Its parent is the current task;
    /// its cell is its parent's.
    pub(crate) fn start(
        kind: TaskKind,
        name: Option<String>,
        location: Option<&'static Location<'static>>,
    ) -> Arc<Self> {
        let parent = context::current();
        let (cell, number) = match &parent {
            Some(parent) => (parent.cell, parent.number),
            None => cell::here(),
        };
        let site = location.and_then(|location| site::resolve(location).0);
        let line = match site {
            Some(site) if Some(site.cell) == number => Some(site.line),
            _ => parent.as_ref().and_then(|parent| parent.line),
        };
        let now = Instant::now();
        let record = Arc::new(Self {
            id: registry::next_id(),
            name,
            kind,
            cell,
            number,
            site,
            line,
            parent: parent.map(|parent| parent.id),
            drivers: (kind == TaskKind::Local).then(local::drivers).flatten(),
            created: now,
            life: Mutex::new(Life::new(now)),
            fate: Mutex::default(),
        });
        registry::insert(&record);
        record
    }

    /// A poll begins on this thread; `waker` is the executor's. If the task has been asked to end, this tells by whom, as
    /// the message of the panic of whoever awaits it.
    pub(crate) fn poll_starts(&self, waker: Option<&Waker>) -> Option<String> {
        let mut life = lock(&self.life);
        life.enter(TaskState::Running);
        life.thread = thread_token();
        life.polls += 1;
        let cancelled = life.cancelled_by.as_ref().map(|by| format!("{} was cancelled by {by}", self.title()));
        let replaced = waker.and_then(|waker| life.set_waker(waker));
        drop(life);
        // Dropping a waker runs the executor's code, which may want this record.
        drop(replaced);
        cancelled
    }

    /// Whether the task has not been woken since its last poll; if so, `waker` is whom it will wake.
    pub(crate) fn sleeps(&self, waker: &Waker) -> bool {
        let mut life = lock(&self.life);
        if life.state != TaskState::Idle {
            return false;
        }
        let replaced = life.set_waker(waker);
        drop(life);
        drop(replaced);
        true
    }

    /// The poll ends, and the task has not.
    pub(crate) fn poll_ends(&self) {
        let mut life = lock(&self.life);
        let next = if life.woken_while_running { TaskState::Scheduled } else { TaskState::Idle };
        life.enter(next);
        life.woken_while_running = false;
        life.thread = 0;
    }

    /// The task has ended. Only the first call counts.
    pub(crate) fn finish(&self, state: TaskState) {
        let mut life = lock(&self.life);
        if life.state.is_finished() {
            return;
        }
        life.enter(state);
        life.thread = 0;
        life.waiting.clear();
        // A finished record is kept for a while; it must not keep the executor's task with it.
        let waker = life.waker.take();
        let end_wakers = std::mem::take(&mut life.end_wakers);
        drop(life);
        drop(waker);
        registry::retire(self);
        end_wakers.into_iter().for_each(Waker::wake);
    }

    /// Has the task end at its next poll; `by` is who asks.
    pub(crate) fn ask_to_end(self: &Arc<Self>, by: &str) -> CancelOutcome {
        let outcome = self.end_state();
        if outcome != CancelOutcome::AlreadyFinished {
            lock(&self.life).cancelled_by.get_or_insert_with(|| by.to_owned());
            self.wake_by_ref();
        }
        outcome
    }

    /// Notes who ends the task by dropping it.
    pub(crate) fn ended_by(&self, by: String) {
        lock(&self.life).cancelled_by.get_or_insert(by);
    }

    /// What becomes of a wish to end the task.
    pub(crate) fn end_state(&self) -> CancelOutcome {
        let life = lock(&self.life);
        match life.state {
            TaskState::Running => CancelOutcome::InPoll(life.since.elapsed()),
            state if state.is_finished() => CancelOutcome::AlreadyFinished,
            _ => CancelOutcome::Requested,
        }
    }

    /// Has `waker` woken when the task ends; false if it has ended.
    pub(crate) fn wake_at_end(&self, waker: &Waker) -> bool {
        let mut life = lock(&self.life);
        let waits = !life.state.is_finished();
        if waits && !life.end_wakers.iter().any(|known| known.will_wake(waker)) {
            life.end_wakers.push(waker.clone());
        }
        waits
    }

    pub(crate) fn is_finished(&self) -> bool {
        lock(&self.life).state.is_finished()
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        lock(&self.life).state == TaskState::Cancelled
    }

    /// The task has panicked. Reports it if nobody can await the task any more.
    pub(crate) fn fail(&self, failure: Failure) {
        self.finish(TaskState::Panicked);
        let mut fate = lock(&self.fate);
        if !fate.detached {
            fate.failure = Some(failure);
            return;
        }
        drop(fate);
        self.report(failure);
    }

    /// The task's handle is gone without having been awaited to its end.
    pub(crate) fn detach(&self) {
        let mut fate = lock(&self.fate);
        fate.detached = true;
        let Some(failure) = fate.failure.take() else { return };
        drop(fate);
        self.report(failure);
    }

    /// The panic of this task has reached whoever awaits it, who gets the failure.
    pub(crate) fn take_failure(&self) -> Option<Failure> {
        lock(&self.fate).failure.take()
    }

    /// Notes what the task waits for, until the guard is dropped.
    pub(crate) fn wait(self: &Arc<Self>, wait: Wait) -> Waiting {
        let mut life = lock(&self.life);
        life.waits += 1;
        let key = life.waits;
        life.waiting.push((key, wait));
        Waiting::new(Arc::clone(self), key)
    }

    pub(crate) fn add_awaiter(&self, task: TaskId) {
        lock(&self.life).awaited_by.push(task);
    }

    pub(crate) fn remove_awaiter(&self, task: TaskId) {
        let mut life = lock(&self.life);
        if let Some(index) = life.awaited_by.iter().position(|&id| id == task) {
            life.awaited_by.swap_remove(index);
        }
    }

    /// What cells and the kernel get to see, as of now.
    pub(crate) fn info(&self) -> TaskInfo {
        let now = Instant::now();
        let life = lock(&self.life);
        let current = now.saturating_duration_since(life.since);
        let so_far = |state, total: Duration| if life.state == state { total + current } else { total };
        TaskInfo {
            id: self.id,
            name: self.name.clone(),
            kind: self.kind,
            state: self.visible_state(life.state),
            cell: self.number,
            site: self.site,
            line: self.line,
            parent: self.parent,
            awaited_by: life.awaited_by.clone(),
            waiting_on: life.waiting.iter().map(|(_, wait)| wait.describe(now)).collect(),
            polls: life.polls,
            wakes: life.wakes,
            self_wakes: life.self_wakes,
            busy: so_far(TaskState::Running, life.busy),
            scheduled: so_far(TaskState::Scheduled, life.scheduled),
            idle: so_far(TaskState::Idle, life.idle),
            longest_poll: if life.state == TaskState::Running {
                life.longest_poll.max(current)
            } else {
                life.longest_poll
            },
            created: self.created.saturating_duration_since(registry::loop_began()),
            cancelled_by: life.cancelled_by.clone().filter(|_| life.state == TaskState::Cancelled),
        }
    }

    /// Whether it has been ready for longer than `limit`, and one of the pool's threads would have to run it.
    pub(crate) fn waits_for_a_thread(&self, limit: Duration) -> bool {
        let life = lock(&self.life);
        self.kind == TaskKind::Task && life.state == TaskState::Scheduled && life.since.elapsed() >= limit
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

    /// A local task is driven by the cell that runs, so between cells it stands still.
    fn visible_state(&self, state: TaskState) -> TaskState {
        if self.kind == TaskKind::Local && state == TaskState::Scheduled && !cell::is_running() {
            return TaskState::Frozen;
        }
        state
    }

    fn report(&self, failure: Failure) {
        if self.is_cancelled() {
            // Whoever did that knows.
            return;
        }
        link::send(&ToKernel::TaskFailed { cell: self.cell, task: self.id, name: self.name.clone(), failure });
    }
}

impl Wake for Record {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut life = lock(&self.life);
        if life.state.is_finished() {
            return;
        }
        life.wakes += 1;
        match life.state {
            TaskState::Running => {
                life.woken_while_running = true;
                if life.thread == thread_token() {
                    life.self_wakes += 1;
                }
            }
            TaskState::Idle => life.enter(TaskState::Scheduled),
            _ => {}
        }
        let waker = life.waker.clone();
        drop(life);
        if let Some(waker) = waker {
            waker.wake();
        }
        if let Some(drivers) = &self.drivers {
            drivers.wake();
        }
    }
}
