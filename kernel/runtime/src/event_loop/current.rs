//! The loop of the calling thread: `get_running_loop`, `get_event_loop`, `set_event_loop`.

use super::core::Core;
use super::error::NoRunningLoop;
use super::{Inner, Loop};
use crate::tasks::context;
use loopbook_channel::TaskKind;
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    /// The loops whose steps are under way on this thread: more than one if a task waits in a `block_on`.
    static RUNNING: RefCell<Vec<Arc<Core>>> = const { RefCell::new(Vec::new()) };
    static SET: RefCell<Option<Loop>> = const { RefCell::new(None) };
}

/// The loop that runs the task or callback which calls this; in cells and tasks of the pool that is the notebook's.
///
/// ```
/// use loopbook::{Loop, get_running_loop};
/// let lab = Loop::new("lab");
/// let name = lab.run_until_complete(async { get_running_loop().map(|running| running.name()) });
/// assert_eq!(name.as_deref(), Ok("lab"));
/// std::thread::spawn(|| assert!(get_running_loop().is_err())).join().expect("no panic");
/// ```
///
/// # Errors
/// [`NoRunningLoop`] where no loop runs: on a thread of your own, in a closure of `spawn_blocking`.
pub fn get_running_loop() -> Result<Loop, NoRunningLoop> {
    if let Some(core) = here() {
        return Ok(Loop(Inner::Own(core)));
    }
    match context::current() {
        Some(task) if !matches!(task.kind, TaskKind::Blocking | TaskKind::Tokio) => Ok(Loop(Inner::Notebook)),
        _ => Err(NoRunningLoop),
    }
}

/// The loop that runs the task or callback which calls this, else the one that was [set](set_event_loop) for this
/// thread, else the notebook's. In tasks and callbacks prefer [`get_running_loop`], which does not guess.
///
/// ```
/// use loopbook::{Loop, get_event_loop, set_event_loop};
/// assert_eq!(get_event_loop().name(), "notebook");
/// set_event_loop(Loop::new("lab"));
/// assert_eq!(get_event_loop().name(), "lab");
/// set_event_loop(None);
/// assert_eq!(get_event_loop().name(), "notebook");
/// ```
pub fn get_event_loop() -> Loop {
    if let Some(core) = here() {
        return Loop(Inner::Own(core));
    }
    SET.with_borrow(Clone::clone).unwrap_or(Loop(Inner::Notebook))
}

/// Has [`get_event_loop`] give this loop on this thread from now on; `None` for the notebook's again. All cells of a
/// notebook run on one thread. Nothing else changes: `.await` in a cell goes on using the notebook's loop.
///
/// ```
/// use loopbook::{Loop, get_event_loop, set_event_loop};
/// let lab = Loop::new("lab");
/// set_event_loop(&lab);
/// assert!(get_event_loop() == lab);
/// # set_event_loop(None);
/// ```
pub fn set_event_loop(set: impl Into<Option<Loop>>) {
    let before = SET.replace(set.into());
    // The end of a loop drops its tasks, which may ask for the loop that is set.
    drop(before);
}

impl From<&Loop> for Option<Loop> {
    fn from(set: &Loop) -> Self {
        Some(set.clone())
    }
}

/// The loop of the step that is under way on this thread.
pub(super) fn here() -> Option<Arc<Core>> {
    RUNNING.try_with(|running| running.try_borrow().ok()?.last().cloned()).ok().flatten()
}

/// Steps of this loop are under way on this thread until the guard is dropped.
pub(super) fn enter(core: &Arc<Core>) -> Entered {
    RUNNING.with_borrow_mut(|running| running.push(Arc::clone(core)));
    Entered
}

/// See [`enter`].
pub(super) struct Entered;

impl Drop for Entered {
    fn drop(&mut self) {
        let left = RUNNING.with_borrow_mut(Vec::pop);
        drop(left);
    }
}
