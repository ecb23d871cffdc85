//! Which execution is going on, and how far it is: shared by the evaluator's thread, the link to the child process and
//! the dispatcher's interrupts.
//!
//! ```text
//! begin ──► Compiling ──(the child asks: may it begin?)──► Running ──► finish
//!               │ interrupt: answered at once,                 │ interrupt: the child is told; a second one kills it
//!               ▼ the builds fail, the child refuses           ▼
//! ```
//!
//! An interrupt belongs to one [`CellId`], so it can hit neither an idle kernel nor the next cell.

mod beginning;
mod building;
mod crates;
mod subshells;

pub use crates::Reach;
pub use subshells::{Items, Started};

use super::connection::Connection;
use crate::evaluator::build::shims::Crates;
use crate::evaluator::cell::changed_types::Redefined;
use crate::evaluator::errors::diagnostics::{Source, Sources};
use crate::evaluator::errors::report;
use crate::evaluator::{Cell, Event, MAIN_SHELL, Outcome, Report};
use async_std::channel::Sender;
use building::Building;
use crates::Loaded;
use loopbook_channel::{CellId, CellOutcome, LastWords, Stream, ToChild};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use subshells::Subshells;

/// How long a running cell may go on after an interrupt before the user is told that it does not yield.
const PATIENCE: Duration = Duration::from_millis(700);

/// How long to wait for words that a child has sent before it ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The executions of one kernel.
pub struct Executions {
    state: Mutex<State>,
    changed: Condvar,
    events: Sender<Event>,
    building: Mutex<Building>,
    /// What evcxr writes before each build.
    source: PathBuf,
    builds: Builds,
}

/// What is asked of builds, and done to them.
pub struct Builds {
    /// Ends whatever cargo is doing.
    pub kill: Box<dyn Fn() + Send + Sync>,
    /// Whether every build of a cell is to fail from now on.
    pub refuse: Box<dyn Fn(bool) + Send + Sync>,
    /// What the last cell was compiled with.
    pub crates: Box<dyn Fn() -> Crates + Send + Sync>,
}

impl std::fmt::Debug for Executions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executions").field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    current: Option<Current>,
    /// Interrupted while they waited in the queue: they never begin.
    skipped: HashSet<CellId>,
    connection: Option<Arc<Connection>>,
    /// What the child that ended last has said about that.
    last_words: Option<LastWords>,
    subshells: Subshells,
    loaded: Loaded,
}

#[derive(Debug)]
struct Current {
    cell: Cell,
    source: Arc<Source>,
    hidden: bool,
    running: bool,
    interrupts: u32,
    /// Its `Done` has been sent: whatever comes now comes too late.
    answered: bool,
    outcome: Option<CellOutcome>,
    /// Old values of its variables that the child still has.
    old_values: Vec<String>,
    /// What evcxr must give up before the cell may run.
    redefined: Redefined,
    /// What evcxr has given up for that, although the cell has not run: the child still has the values.
    forgotten: Vec<String>,
    /// Why it cannot be loaded.
    not_loaded: Option<String>,
    /// When its library was loaded and it might run.
    loaded_at: Option<SystemTime>,
    /// When the child said that it has ended.
    done_at: Option<SystemTime>,
}

impl Executions {
    /// Events go to `events`; evcxr writes each cell to `source`.
    pub fn new(events: Sender<Event>, source: PathBuf, builds: Builds) -> Arc<Self> {
        let (state, building) = (Mutex::default(), Mutex::default());
        Arc::new(Self { state, changed: Condvar::new(), events, building, source, builds })
    }

    /// Makes `cell` the current one. False if it was interrupted while it waited; it has been answered then.
    pub fn begin(&self, cell: &Cell, source: Arc<Source>) -> bool {
        let mut state = self.lock();
        if state.skipped.remove(&cell.id) {
            return false;
        }
        state.current = Some(Current::new(cell.clone(), source, false));
        true
    }

    /// The current cell is compiled once more, from another text.
    pub fn replace_source(&self, source: Arc<Source>, sources: &Sources) {
        sources.insert(source.clone());
        if let Some(current) = self.lock().current.as_mut() {
            current.source = source;
        }
    }

    /// Makes a cell of the kernel's own the current one: nothing that it does is shown.
    pub fn begin_hidden(&self) {
        let cell = Cell { id: 0, shell: MAIN_SHELL, number: 0, code: String::new(), allow_stdin: false, silent: true };
        self.lock().current = Some(Current::new(cell, Arc::default(), true));
    }

    /// Ends the current execution and reports it, unless an interrupt has answered already.
    pub fn finish(&self, outcome: Outcome) {
        let mut state = self.lock();
        let Some(current) = state.current.take() else { return };
        (self.builds.refuse)(false);
        drop(state);
        self.changed.notify_all();
        if !current.hidden && !current.answered {
            self.build_ended(current.cell.id, matches!(outcome, Outcome::Ok));
            self.send(Event::Done { cell: current.cell.id, outcome });
        }
    }

    /// Reports a cell that never became current.
    pub fn refuse(&self, cell: CellId, report: Report) {
        self.send(Event::Done { cell, outcome: Outcome::Error(report) });
    }

    /// The dispatcher's interrupt of one cell.
    pub fn interrupt(&self, cell: CellId) {
        if self.interrupt_in_subshell(cell) {
            return;
        }
        let mut state = self.lock();
        let connection = state.connection.clone();
        let Some(current) = state.current.as_mut().filter(|current| current.cell.id == cell && !current.answered)
        else {
            if state.current.as_ref().is_none_or(|current| current.cell.id < cell) && state.skipped.insert(cell) {
                drop(state);
                self.refuse(cell, report::interrupted("it had not begun"));
            }
            return;
        };
        current.interrupts += 1;
        let first = current.interrupts == 1;
        if !current.running {
            current.answered = true;
            // While the state is locked, so that it hits no other cell. evcxr may be about to start another build of this one.
            (self.builds.refuse)(true);
            (self.builds.kill)();
            drop(state);
            // The cell may have been built, and wait for a process that is stopped.
            self.wake_up(cell, connection.as_deref());
            self.build_ended(cell, false);
            self.refuse(cell, report::interrupted("it was still being compiled"));
            return;
        }
        drop(state);
        let Some(connection) = connection else { return };
        if first {
            connection.send(&ToChild::Interrupt { cell });
            self.wake_up(cell, Some(&connection));
        } else {
            connection.kill();
        }
    }

    /// Lets a stopped child go on, and says so under the cell that was interrupted.
    fn wake_up(&self, cell: CellId, child: Option<&Connection>) {
        if child.is_some_and(Connection::wake_up) {
            let bytes = report::GOES_ON.as_bytes().to_vec();
            self.send(Event::Output { cell, stream: Stream::Stderr, bytes });
        }
    }

    /// Says, once, that a cell does not yield, and why, if it still runs [`PATIENCE`] after its first interrupt. Await
    /// it behind
    /// [`Executions::interrupt`].
    pub async fn warn_if_stuck(self: Arc<Self>, cell: CellId) {
        async_std::task::sleep(PATIENCE).await;
        let child = self.connection();
        let state = async_std::task::spawn_blocking(move || child.map(|child| child.state())).await;
        let stuck = self.lock().current.as_ref().is_some_and(|current| {
            current.cell.id == cell && current.running && current.outcome.is_none() && current.interrupts == 1
        });
        if let Some(state) = state.filter(|_| stuck || self.is_stuck_in_subshell(cell)) {
            let bytes = report::does_not_yield(state).into_bytes();
            let _ = self.events.send(Event::Output { cell, stream: Stream::Stderr, bytes }).await;
        }
    }

    /// The child says that a cell has ended.
    pub fn cell_done(&self, cell: CellId, outcome: CellOutcome, old_values: Vec<String>) {
        let mut state = self.lock();
        if let Some(current) = state.current.as_mut().filter(|current| current.cell.id == cell) {
            current.outcome = Some(outcome);
            current.old_values = old_values;
            current.done_at = Some(SystemTime::now());
        }
        self.changed.notify_all();
    }

    /// What the child said about the end of the current cell. `None` if the cell was never run.
    pub fn outcome(&self) -> Option<CellOutcome> {
        let pending = |state: &mut State| {
            let alive = state.connection.is_some();
            alive && state.current.as_ref().is_some_and(|current| current.running && current.outcome.is_none())
        };
        let (mut state, _) =
            self.changed.wait_timeout_while(self.lock(), LAST_WORDS, pending).unwrap_or_else(PoisonError::into_inner);
        state.current.as_mut().and_then(|current| current.outcome.take())
    }

    /// When the current cell began to run, and when it ended.
    pub fn ran(&self) -> (Option<SystemTime>, Option<SystemTime>) {
        self.lock().current.as_ref().map_or((None, None), |current| (current.loaded_at, current.done_at))
    }

    /// The variables that the current cell was defining anew when it failed, and whose old values the child still has.
    pub fn old_values(&self) -> Vec<String> {
        self.lock().current.as_mut().map(|current| std::mem::take(&mut current.old_values)).unwrap_or_default()
    }

    /// Waits until everything that a dead child had sent has been passed on, and gives what it said about its end, if
    /// it did and nobody has asked yet.
    pub fn wait_for_last_words(&self) -> Option<LastWords> {
        let connected = |state: &mut State| state.connection.is_some();
        let (mut state, _) =
            self.changed.wait_timeout_while(self.lock(), LAST_WORDS, connected).unwrap_or_else(PoisonError::into_inner);
        state.last_words.take()
    }

    /// Whether the current execution has been interrupted, and how often.
    pub fn interrupts(&self) -> u32 {
        self.lock().current.as_ref().map_or(0, |current| current.interrupts)
    }

    /// A child has connected.
    pub fn connected(&self, connection: Arc<Connection>) {
        self.lock().connection = Some(connection);
        self.changed.notify_all();
    }

    /// That child is gone and all it had sent has been passed on.
    pub fn disconnected(&self, pid: u32, last_words: Option<LastWords>) {
        let mut state = self.lock();
        if state.connection.as_ref().is_some_and(|connection| connection.pid() == pid) {
            state.connection = None;
        }
        state.last_words.clone_from(&last_words);
        drop(state);
        self.end_subshell_cells(pid, last_words.as_ref());
        self.changed.notify_all();
    }

    /// The child, if one is connected.
    pub fn connection(&self) -> Option<Arc<Connection>> {
        self.lock().connection.clone()
    }

    /// The cell under which output is shown whose own cell is unknown: the current one, if any.
    pub fn current_cell(&self) -> Option<CellId> {
        self.lock().current.as_ref().filter(|current| !current.hidden).map(|current| current.cell.id)
    }

    /// Whether what this cell shows is wanted.
    pub fn is_silent(&self, cell: CellId) -> bool {
        self.under_way(cell).is_some_and(|cell| cell.silent)
    }

    /// Whether the front end of this cell answers input requests.
    pub fn allows_input(&self, cell: CellId) -> bool {
        self.under_way(cell).is_none_or(|cell| cell.allow_stdin)
    }

    /// The cell, if it is the current one or a subshell's that is under way.
    fn under_way(&self, cell: CellId) -> Option<Cell> {
        let current = self.lock().current.as_ref().map(|current| current.cell.clone());
        current.filter(|current| current.id == cell).or_else(|| self.subshell_cell(cell))
    }

    /// Passes an event on; waits if the dispatcher is far behind, so that a cell that prints for ever cannot fill the
    /// memory.
    pub fn send(&self, event: Event) {
        let _closed_at_shutdown = self.events.send_blocking(event);
    }

    /// As [`Executions::send`], without blocking the thread.
    pub async fn send_async(&self, event: Event) {
        let _closed_at_shutdown = self.events.send(event).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn new(cell: Cell, source: Arc<Source>, hidden: bool) -> Self {
        Self {
            cell,
            source,
            hidden,
            running: false,
            interrupts: 0,
            answered: false,
            outcome: None,
            old_values: Vec::new(),
            redefined: Redefined::default(),
            forgotten: Vec::new(),
            not_loaded: None,
            loaded_at: None,
            done_at: None,
        }
    }
}
