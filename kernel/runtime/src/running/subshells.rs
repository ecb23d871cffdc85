//! The cells of subshells that run, each on a thread of its own.

use crate::support::sync::lock;
use loopbook_channel::{CellId, Failure};
use std::cell::RefCell;
use std::sync::{Arc, Mutex};

thread_local! {
    static HERE: RefCell<Option<Arc<SubshellCell>>> = const { RefCell::new(None) };
}

/// A cell of a subshell that runs.
pub(crate) struct SubshellCell {
    pub(crate) cell: CellId,
    pub(crate) number: u32,
    failure: Mutex<Option<Failure>>,
}

/// The cell of a subshell whose thread this is.
pub(crate) fn here() -> Option<Arc<SubshellCell>> {
    HERE.try_with(|here| here.try_borrow().ok()?.clone()).ok().flatten()
}

impl SubshellCell {
    /// A cell that is about to run, with its execution count.
    pub(crate) fn new(cell: CellId, number: u32) -> Arc<Self> {
        Arc::new(Self { cell, number, failure: Mutex::default() })
    }

    /// Makes this thread the cell's while `run` runs.
    pub(crate) fn on_this_thread(self: &Arc<Self>, run: impl FnOnce()) {
        HERE.set(Some(Arc::clone(self)));
        run();
        HERE.set(None);
    }

    /// The cell has ended with a failed `?` (the failure) or a `return` (`None`).
    pub(crate) fn end_early(&self, failure: Option<Failure>) {
        *lock(&self.failure) = failure;
    }

    /// Whether nothing has failed so far.
    pub(crate) fn is_well(&self) -> bool {
        lock(&self.failure).is_none()
    }

    /// How it failed, if it did.
    pub(crate) fn take_failure(&self) -> Option<Failure> {
        lock(&self.failure).take()
    }
}
