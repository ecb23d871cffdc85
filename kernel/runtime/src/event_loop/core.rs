//! The state of a loop: its queue, its timers, its tasks, and whether it runs.
//!
//! Nothing of the user's is run, woken or dropped while the lock is held: it may use the loop.

use super::calls::Call;
use super::current;
use super::error::LoopError;
use super::job::{self, Outcome};
use super::priority::{Priority, Ready};
use super::snapshot::{LoopSnapshot, LoopSummary};
use super::step::Step;
use crate::TaskId;
use crate::support::sync::lock;
use crate::tasks::record::{Home, Record};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

/// All loops that have a handle and are not closed.
static LOOPS: Mutex<Vec<Weak<Core>>> = Mutex::new(Vec::new());

/// A loop. Dropping it closes it.
pub(super) struct Core {
    pub(super) name: String,
    began: Instant,
    state: Mutex<State>,
}

struct State {
    ready: Ready<Step>,
    /// By time and, of equal times, by order of the calls.
    timers: BTreeMap<(Duration, u64), Arc<Call>>,
    tasks: BTreeMap<TaskId, Member>,
    /// The number of the run that is under way.
    run: Option<u64>,
    /// The task that is being polled.
    current: Option<TaskId>,
    stopping: bool,
    closed: bool,
    /// Whom to wake when there is something to do.
    parked: Option<Waker>,
    /// Counts runs and timers.
    numbers: u64,
}

/// A task that has not ended.
struct Member {
    /// Keeps the future alive also when nothing else could wake it.
    waker: Waker,
    record: Arc<Record>,
}

/// The loops that have a handle and are not closed, the oldest first.
pub(super) fn living() -> Vec<Arc<Core>> {
    lock(&LOOPS).iter().filter_map(Weak::upgrade).collect()
}

impl Core {
    pub(super) fn new(name: String) -> Arc<Self> {
        let state = State {
            ready: Ready::new(),
            timers: BTreeMap::new(),
            tasks: BTreeMap::new(),
            run: None,
            current: None,
            stopping: false,
            closed: false,
            parked: None,
            numbers: 0,
        };
        let core = Arc::new(Self { name, began: Instant::now(), state: Mutex::new(state) });
        let mut loops = lock(&LOOPS);
        loops.retain(|known| known.strong_count() > 0);
        loops.push(Arc::downgrade(&core));
        drop(loops);
        core
    }

    /// The time since the loop was made.
    pub(super) fn time(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn is_running(&self) -> bool {
        self.state().run.is_some()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    pub(super) fn snapshot(&self) -> LoopSnapshot {
        let state = self.state();
        let ready: Vec<TaskId> = state.ready.iter().filter_map(Step::task).collect();
        let queued: HashSet<TaskId> = ready.iter().copied().collect();
        let waits = |id: &TaskId| !queued.contains(id) && state.current != Some(*id);
        let waiting = state.tasks.keys().copied().filter(waits).collect();
        LoopSnapshot {
            name: self.name.clone(),
            is_running: state.run.is_some(),
            is_closed: state.closed,
            running: state.current,
            callbacks: state.ready.iter().filter(|step| matches!(step, Step::Call(_))).count(),
            timers: state.timers.len(),
            ready,
            waiting,
        }
    }

    pub(super) fn summary(&self) -> LoopSummary {
        let state = self.state();
        LoopSummary {
            name: self.name.clone(),
            is_running: state.run.is_some(),
            ready: state.ready.len(),
            tasks: state.tasks.len(),
            timers: state.timers.len(),
        }
    }

    /// Starts a task.
    ///
    /// # Errors
    /// If the loop is closed.
    pub(super) fn spawn<F>(
        self: &Arc<Self>,
        record: Arc<Record>,
        priority: Priority,
        future: F,
    ) -> Result<Arc<Outcome<F::Output>>, LoopError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (id, home) = (record.id, Arc::downgrade(self));
        record.belongs_to(home.clone());
        let (job, outcome) = job::new(future, Arc::clone(&record), Weak::clone(&home));
        let schedule = move |runnable| match home.upgrade() {
            Some(core) => core.push(priority, Step::Task(id, runnable)),
            // Dropping it drops the future.
            None => drop(runnable),
        };
        let (runnable, task) = async_task::spawn(job, schedule);
        let mut state = self.open_state()?;
        state.tasks.insert(id, Member { waker: runnable.waker(), record });
        drop(state);
        runnable.schedule();
        task.detach();
        Ok(outcome)
    }

    /// The task has ended.
    pub(super) fn forget(&self, task: TaskId) {
        let gone = self.state().tasks.remove(&task);
        drop(gone);
    }

    /// Adds something to do, behind all that is ready. On a closed loop it is dropped.
    pub(super) fn push(&self, priority: Priority, step: Step) {
        let mut state = self.state();
        if state.closed {
            drop(state);
            return drop(step);
        }
        state.ready.push(priority, step);
        wake(state);
    }

    /// Calls back as soon as everything that is ready now has had its turn.
    ///
    /// # Errors
    /// If the loop is closed.
    pub(super) fn call(&self, call: Arc<Call>) -> Result<(), LoopError> {
        let mut state = self.open_state()?;
        state.ready.push(Priority::NORMAL, Step::Call(call));
        wake(state);
        Ok(())
    }

    /// Calls back when the loop's time is `when`.
    ///
    /// # Errors
    /// If the loop is closed.
    pub(super) fn call_at(&self, when: Duration, call: Arc<Call>) -> Result<(), LoopError> {
        let mut state = self.open_state()?;
        let number = state.number();
        state.timers.insert((when, number), call);
        wake(state);
        Ok(())
    }

    /// Takes a callback back.
    pub(super) fn uncall(&self, call: &Arc<Call>) {
        let mut state = self.state();
        let gone: Vec<_> = state.timers.extract_if(.., |_, known| Arc::ptr_eq(known, call)).collect();
        drop(state);
        drop(gone);
    }

    /// Has the run that is under way, or else the next one, end after its batch.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.stopping = true;
        wake(state);
    }

    /// Drops all that is left, in the order in which it was started. Again is no error.
    ///
    /// # Errors
    /// If the loop runs.
    pub(super) fn close(&self) -> Result<(), LoopError> {
        let mut state = self.state();
        if state.run.is_some() {
            return Err(LoopError::CannotCloseWhileRunning { name: self.name.clone() });
        }
        if std::mem::replace(&mut state.closed, true) {
            return Ok(());
        }
        let (left, timers) = state.empty();
        drop(state);
        lock(&LOOPS).retain(|known| !std::ptr::eq(known.as_ptr(), self));
        drop(timers);
        self.end(left, "`close()`");
        Ok(())
    }

    /// Lets a run begin. It is over when what this gives is dropped.
    ///
    /// # Errors
    /// If the loop is closed or runs, or another one runs on this thread.
    pub(super) fn begin(&self) -> Result<Run<'_>, LoopError> {
        let running = current::here().map(|core| core.name.clone());
        let mut state = self.open_state()?;
        let name = self.name.clone();
        if state.run.is_some() {
            return Err(LoopError::AlreadyRunning { name });
        }
        if let Some(running) = running {
            return Err(LoopError::AnotherLoopRuns { name, running });
        }
        let number = state.number();
        state.run = Some(number);
        Ok(Run { core: self, number })
    }

    /// Has the callbacks ready whose time has come. Gives how much there is to do: the batch.
    pub(super) fn batch(&self) -> usize {
        let now = self.time();
        let mut state = self.state();
        while let Some(first) = state.timers.first_entry().filter(|first| first.key().0 <= now) {
            let call = first.remove();
            state.ready.push(Priority::NORMAL, Step::Call(call));
        }
        state.ready.len()
    }

    /// What to do next.
    pub(super) fn next(&self) -> Option<Step> {
        let mut state = self.state();
        let step = state.ready.pop();
        state.current = step.as_ref().and_then(Step::task);
        step
    }

    /// What was to be done is done.
    pub(super) fn rest(&self) {
        self.state().current = None;
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.state().stopping
    }

    /// Has `waker` woken when there is something to do; `None` if there is by now.
    pub(super) fn park(&self, waker: &Waker) -> Option<Parked> {
        let mut state = self.state();
        if state.stopping || state.ready.len() > 0 {
            return None;
        }
        let before = state.parked.replace(waker.clone());
        let due = state.timers.keys().next().map(|(when, _)| *when);
        drop(state);
        drop(before);
        Some(Parked { due })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn open_state(&self) -> Result<MutexGuard<'_, State>, LoopError> {
        let state = self.state();
        if state.closed { Err(LoopError::LoopClosed { name: self.name.clone() }) } else { Ok(state) }
    }

    /// Drops what was left of a loop that is closed, by what ended it. Whatever that wakes or starts is dropped as well.
    fn end(&self, left: Left, how: &str) {
        let by = format!("{how} of the loop \"{}\"", self.name);
        let mut ready: HashMap<TaskId, Step> = HashMap::new();
        for step in left.ready {
            // Callbacks go here.
            if let Some(id) = step.task() {
                ready.insert(id, step);
            }
        }
        for (id, member) in left.tasks {
            member.record.ended_by(by.clone());
            match ready.remove(&id) {
                Some(step) => drop(step),
                // It comes to the queue of a closed loop, and goes.
                None => member.waker.wake(),
            }
        }
    }
}

impl Home for Core {
    fn holds_still(&self, task: TaskId) -> bool {
        let state = self.state();
        state.run.is_none() && state.tasks.contains_key(&task)
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.closed = true;
        let (left, timers) = state.empty();
        drop(timers);
        self.end(left, "the end");
    }
}

/// All that was to be done, and all tasks.
struct Left {
    ready: Vec<Step>,
    tasks: BTreeMap<TaskId, Member>,
}

impl State {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn empty(&mut self) -> (Left, BTreeMap<(Duration, u64), Arc<Call>>) {
        let left = Left { ready: self.ready.take().collect(), tasks: std::mem::take(&mut self.tasks) };
        (left, std::mem::take(&mut self.timers))
    }
}

/// Wakes the thread that runs the loop: there is something to do.
fn wake(mut state: MutexGuard<'_, State>) {
    let parked = state.parked.take();
    drop(state);
    if let Some(waker) = parked {
        waker.wake();
    }
}

/// There is nothing to do.
pub(super) struct Parked {
    /// When the next callback is due, in the loop's time.
    pub(super) due: Option<Duration>,
}

/// A run that is under way.
pub(super) struct Run<'a> {
    core: &'a Core,
    pub(super) number: u64,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let mut state = self.core.state();
        state.run = None;
        state.current = None;
        state.stopping = false;
        let parked = state.parked.take();
        drop(state);
        drop(parked);
    }
}
