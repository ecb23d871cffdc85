//! The loop as an object: asyncio's, with its rules, to hold in a variable, run, stop and look at.
//!
//! A [`Loop`] is one queue and one thread at a time: the thread that calls `run_…`. Everything else is shared
//! with the notebook's loop: the reactor, the timers, the threads of `spawn_blocking`, the inspector. In reading order:
//! `core` has the queue, `run` empties it, `job` and `task` are the two ends of a task, `calls` are callbacks.

mod calls;
mod core;
mod current;
mod error;
mod job;
mod notebook;
mod priority;
mod promise;
mod run;
mod snapshot;
mod step;
mod task;

use self::core::Core;
use crate::executor::block_on::Outside;
use crate::tasks::{lints, record::Record};
use loopbook_channel::TaskKind;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

pub use calls::CallHandle;
pub use current::{get_event_loop, get_running_loop, set_event_loop};
pub use error::{Cancelled, LoopError, NoRunningLoop, PromiseError, TaskError};
pub use priority::Priority;
pub use promise::Promise;
pub use snapshot::{LoopSnapshot, LoopSummary};
pub use task::Task;

/// An event loop with one queue, which runs on one thread: the one that calls [`run_until_complete`] or [`run_forever`].
/// Clones are the same loop, from any thread. It keeps its tasks from one cell to the next; when the last clone is gone, it
/// ends as by [`close`].
///
/// Tasks are polled in the order in which they got ready, one at a time. They need `Send`, although only one thread polls
/// them: the cell that runs the loop need not run on the thread of the cell that made them. What is given to
/// [`run_until_complete`] never leaves the caller, and needs neither `Send` nor `'static`.
///
/// The rules are asyncio's, and where asyncio raises an exception these methods panic with a [`LoopError`] as the message:
/// the cell fails at that line. Variants called `try_…` give the error instead.
///
/// [`run_until_complete`]: Loop::run_until_complete
/// [`run_forever`]: Loop::run_forever
/// [`close`]: Loop::close
///
/// ```
/// use loopbook::Loop;
/// let lab = Loop::new("lab");
/// let hello = lab.create_task("hello", async { "hello" });
/// let length = lab.run_until_complete(async { hello.await.len() });
/// assert_eq!(length, 5);
/// lab.close();
/// ```
#[derive(Clone)]
pub struct Loop(Inner);

#[derive(Clone)]
enum Inner {
    Own(Arc<Core>),
    Notebook,
}

impl Loop {
    /// Makes a loop. It does not run by itself.
    ///
    /// ```
    /// let lab = loopbook::Loop::new("lab");
    /// assert!(lab.name() == "lab" && !lab.is_running() && !lab.is_closed());
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self(Inner::Own(Core::new(name.into())))
    }

    /// Its name; the notebook's loop is called `notebook`.
    pub fn name(&self) -> String {
        match &self.0 {
            Inner::Own(core) => core.name.clone(),
            Inner::Notebook => notebook::NAME.to_owned(),
        }
    }

    /// Starts a task, which gets its first turn when the loop runs, after all that is ready by now.
    ///
    /// ```
    /// let lab = loopbook::Loop::new("lab");
    /// let double = lab.create_task("double", async { 2 * 21 });
    /// assert!(!double.done(), "nothing runs before the loop does");
    /// assert_eq!(lab.run_until_complete(double), 42);
    /// ```
    ///
    /// # Panics
    /// If the loop is closed.
    #[track_caller]
    pub fn create_task<F>(&self, name: impl Into<String>, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        raised(self.try_create_task(name, future))
    }

    /// Like [`Loop::create_task`], without the panic.
    ///
    /// # Errors
    /// [`LoopError::LoopClosed`].
    #[track_caller]
    pub fn try_create_task<F>(&self, name: impl Into<String>, future: F) -> Result<Task<F::Output>, LoopError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match &self.0 {
            Inner::Own(core) => spawn(core, name.into(), Priority::NORMAL, future, Location::caller()),
            Inner::Notebook => Ok(notebook::create_task(name.into(), future, Location::caller())),
        }
    }

    /// Starts a task that goes before all that are ready and have a lower [`Priority`], whenever it is ready itself. Of
    /// equal ones the first that is ready goes first. A number will do: `0` is `create_task`'s.
    ///
    /// ```
    /// use loopbook::{Loop, Priority};
    /// use std::sync::{Arc, Mutex};
    /// let (lab, order) = (Loop::new("lab"), Arc::new(Mutex::new(String::new())));
    /// for (name, priority) in [("L", Priority::LOW), ("M", Priority::NORMAL), ("H", Priority::HIGH), ("H", Priority::HIGH)] {
    ///     let order = order.clone();
    ///     lab.spawn_with_priority(name, priority, async move { order.lock().expect("no panic").push_str(name) });
    /// }
    /// lab.stop();
    /// lab.run_forever();
    /// assert_eq!(*order.lock().expect("no panic"), "HHML");
    /// ```
    ///
    /// # Panics
    /// If the loop is closed, or is the notebook's: several threads know no order.
    #[track_caller]
    pub fn spawn_with_priority<F>(
        &self,
        name: impl Into<String>,
        priority: impl Into<Priority>,
        future: F,
    ) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let core = raised(self.own("spawn_with_priority()"));
        raised(spawn(core, name.into(), priority.into(), future, Location::caller()))
    }

    /// Runs the loop on this thread until the future has its output, and gives that. The other tasks of the loop go on
    /// meanwhile; those that have not ended then stand still until the loop runs again.
    ///
    /// The future is part of the task that calls: it may borrow from it. Only what is given to `create_task` outlives
    /// the run.
    ///
    /// ```
    /// use loopbook::{Loop, facade::task};
    /// let (lab, words) = (Loop::new("lab"), vec!["to", "be"]);
    /// let counted = lab.run_until_complete(async {
    ///     task::yield_now().await;
    ///     words.len()
    /// });
    /// assert_eq!(counted, 2);
    /// ```
    ///
    /// # Panics
    /// If the future does; if the loop is closed, runs already or is stopped early; if another loop runs on this thread. An
    /// interrupt of the cell ends it as well: the future is dropped, and the tasks stay as they are.
    #[track_caller]
    pub fn run_until_complete<F: Future>(&self, future: F) -> F::Output {
        raised(self.try_run_until_complete(future))
    }

    /// Like [`Loop::run_until_complete`], without the panics that are the loop's.
    ///
    /// ```
    /// use loopbook::{Loop, LoopError};
    /// let lab = Loop::new("lab");
    /// lab.stop();
    /// let never = lab.try_run_until_complete(std::future::pending::<()>());
    /// assert_eq!(never, Err(LoopError::StoppedEarly { name: "lab".into() }));
    /// ```
    ///
    /// # Errors
    /// All of [`LoopError`] but `CannotCloseWhileRunning`.
    ///
    /// # Panics
    /// If the future does.
    #[track_caller]
    pub fn try_run_until_complete<F: Future>(&self, future: F) -> Result<F::Output, LoopError> {
        let core = self.own_that_can_run()?;
        lints::block_on_begins(Location::caller());
        run::until_complete(core, future, Outside::here(), Location::caller())
    }

    /// Runs the loop on this thread until somebody calls [`Loop::stop`], or until the cell is interrupted: then
    /// everything in the loop stays as it is, and it can run again.
    ///
    /// ```
    /// use loopbook::Loop;
    /// use std::time::Duration;
    /// let lab = Loop::new("lab");
    /// lab.call_later(Duration::from_millis(5), { let lab = lab.clone(); move || lab.stop() });
    /// lab.run_forever();
    /// ```
    ///
    /// # Panics
    /// If the loop is closed or runs already, or if another loop runs on this thread.
    #[track_caller]
    pub fn run_forever(&self) {
        raised(self.try_run_forever());
    }

    /// Like [`Loop::run_forever`], without the panic.
    ///
    /// # Errors
    /// As [`Loop::try_run_until_complete`], but for `StoppedEarly`.
    #[track_caller]
    pub fn try_run_forever(&self) -> Result<(), LoopError> {
        let core = self.own_that_can_run()?;
        lints::block_on_begins(Location::caller());
        run::forever(core, Outside::here())
    }

    /// Ends the run that is under way when the batch has had its turn: all that was ready when the batch began. What
    /// got ready since waits for the next run. Before a run: that run has one batch, and ends.
    ///
    /// ```
    /// let lab = loopbook::Loop::new("lab");
    /// let task = lab.create_task("ready", async {});
    /// lab.stop();
    /// lab.run_forever();
    /// assert!(task.done() && !lab.is_running());
    /// ```
    ///
    /// # Panics
    /// On the notebook's loop, which cannot be stopped.
    #[track_caller]
    pub fn stop(&self) {
        raised(self.own("stop()")).stop();
    }

    /// Whether a thread runs it. The notebook's loop always runs.
    pub fn is_running(&self) -> bool {
        match &self.0 {
            Inner::Own(core) => core.is_running(),
            Inner::Notebook => true,
        }
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        match &self.0 {
            Inner::Own(core) => core.is_closed(),
            Inner::Notebook => false,
        }
    }

    /// Drops all tasks that have not ended, in the order in which they were started, so that their destructors run, and all
    /// callbacks. Closures of `spawn_blocking` go on. Closing is for good; doing it again does nothing.
    ///
    /// ```
    /// use loopbook::Loop;
    /// let lab = Loop::new("lab");
    /// let task = lab.create_task("never ran", async {});
    /// lab.close();
    /// lab.close();
    /// assert!(lab.is_closed() && task.cancelled());
    /// ```
    ///
    /// # Panics
    /// If the loop runs, or is the notebook's.
    #[track_caller]
    pub fn close(&self) {
        raised(self.try_close());
    }

    /// Like [`Loop::close`], without the panic.
    ///
    /// # Errors
    /// [`LoopError::CannotCloseWhileRunning`], [`LoopError::NotebookLoop`].
    pub fn try_close(&self) -> Result<(), LoopError> {
        self.own("close()")?.close()
    }

    /// Its clock: the time since the loop was made; of the notebook's loop, since the kernel's loop began.
    pub fn time(&self) -> Duration {
        match &self.0 {
            Inner::Own(core) => core.time(),
            Inner::Notebook => notebook::time(),
        }
    }

    /// What is in the queue, what is polled and what waits, at this moment.
    ///
    /// ```
    /// use loopbook::Loop;
    /// let lab = Loop::new("lab");
    /// let ids: Vec<_> = (1..=3).map(|n| lab.create_task(format!("T{n}"), async {}).id()).collect();
    /// let now = lab.snapshot();
    /// assert_eq!((now.ready, now.running), (ids, None));
    /// ```
    pub fn snapshot(&self) -> LoopSnapshot {
        match &self.0 {
            Inner::Own(core) => core.snapshot(),
            Inner::Notebook => notebook::snapshot(),
        }
    }

    fn own(&self, what: &'static str) -> Result<&Arc<Core>, LoopError> {
        match &self.0 {
            Inner::Own(core) => Ok(core),
            Inner::Notebook => Err(LoopError::NotebookLoop { what }),
        }
    }

    /// The notebook's loop runs already.
    fn own_that_can_run(&self) -> Result<&Arc<Core>, LoopError> {
        self.own("").map_err(|_| LoopError::AlreadyRunning { name: self.name() })
    }
}

impl PartialEq for Loop {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Inner::Own(one), Inner::Own(other)) => Arc::ptr_eq(one, other),
            (Inner::Notebook, Inner::Notebook) => true,
            _ => false,
        }
    }
}

impl Eq for Loop {}

impl fmt::Debug for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.snapshot();
        f.debug_struct("Loop")
            .field("name", &now.name)
            .field("running", &now.is_running)
            .field("closed", &now.is_closed)
            .field("ready", &now.ready)
            .field("waiting", &now.waiting)
            .finish()
    }
}

/// Summaries of the loops that have a handle and are not closed, the oldest first.
pub(crate) fn summaries() -> Vec<LoopSummary> {
    self::core::living().iter().map(|core| core.summary()).collect()
}

/// Panics with the error, at the line that calls the method which calls this: a closure would have a line of its own.
#[track_caller]
fn raised<T>(result: Result<T, LoopError>) -> T {
    match result {
        Ok(done) => done,
        Err(error) => panic!("{error}"),
    }
}

fn spawn<F>(
    core: &Arc<Core>,
    name: String,
    priority: Priority,
    future: F,
    location: &'static Location<'static>,
) -> Result<Task<F::Output>, LoopError>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    if core.is_closed() {
        return Err(LoopError::LoopClosed { name: core.name.clone() });
    }
    crate::tasks::registry::not_of_async_std();
    let record = Record::start(TaskKind::Loop, Some(name), Some(location));
    let outcome = core.spawn(Arc::clone(&record), priority, future)?;
    Ok(Task::new(outcome, record))
}
