//! Whether a cell that has been compiled and loaded may run, and what evcxr has to give up before it does.
//!
//! A cell that must not run is compiled once more, and that build fails: only then does evcxr take over nothing of it,
//! neither its definitions nor that it has moved a variable.
//!
//! The child asks (`MayBegin`) when it has loaded a library, and the answer carries the cell's id: if the kernel
//! announced the cell instead, that would race with evcxr's own pipe. The answer also names the variables whose types
//! have changed; evcxr gives them up at the price of one more compilation, and only then.

use super::{Executions, State};
use crate::evaluator::cell::changed_types::Redefined;
use crate::evaluator::errors::diagnostics::Source;
use crate::evaluator::errors::report;
use loopbook_channel::{CellId, ToChild};
use std::sync::{Arc, MutexGuard};
use std::time::SystemTime;

impl Executions {
    /// The current cell changes types: once it has been compiled, evcxr must give up variables before it may run.
    pub fn set_given_up(&self, redefined: Redefined) {
        if let Some(current) = self.lock().current.as_mut() {
            current.redefined = redefined;
            // What ran to give up variables was not the cell.
            current.running = false;
        }
    }

    /// The child has loaded a cell and asks whether it may run it.
    ///
    /// Also says which cell of the user's is about to run, if its displays are wanted.
    pub fn may_begin(&self) -> (ToChild, Option<(CellId, Arc<Source>)>) {
        let crates = (self.builds.crates)();
        let mut state = self.lock();
        if let Some(current) = state.current.as_ref().filter(|current| current.answered) {
            return (refusal(current.cell.id, current.cell.number), None);
        }
        let other_crates = state.loads_with(crates.clone());
        let Some(current) = state.current.as_mut() else {
            let begin = ToChild::Begin { cell: 0, number: 0, run: true, forget: Vec::new(), renew: Vec::new() };
            return (begin, None);
        };
        let (cell, number) = (current.cell.id, current.cell.number);
        let mut redefined = std::mem::take(&mut current.redefined);
        if !redefined.variables.is_empty() && other_crates.is_nothing() {
            let forget = std::mem::take(&mut redefined.variables);
            current.forgotten.extend(forget.iter().cloned());
            // It costs them, and statics, only once it runs.
            current.redefined = redefined;
            return (ToChild::Begin { cell, number, run: false, forget, renew: Vec::new() }, None);
        }
        redefined = redefined.and(other_crates);
        let renews = !redefined.statics.is_empty();
        if !redefined.variables.is_empty() {
            // Whatever becomes of the cell: nothing can use the values of a crate that has changed.
            current.forgotten.retain(|name| !redefined.variables.contains(name));
            state.subshells.loaded(&self.source, crates, renews);
            self.show_given_up(state, &redefined);
            let Redefined { variables: forget, statics: renew, .. } = redefined;
            return (ToChild::Begin { cell, number, run: false, forget, renew }, None);
        }
        current.running = true;
        current.loaded_at = Some(SystemTime::now());
        current.outcome = None;
        // Nothing is said, and nothing lost, while variables are given up in front of the cell.
        if !redefined.types.is_empty() {
            redefined.variables = std::mem::take(&mut current.forgotten);
        }
        let shown = !current.hidden && !current.cell.silent;
        let shown = shown.then(|| (cell, current.source.clone()));
        state.subshells.loaded(&self.source, crates, renews);
        self.changed.notify_all();
        self.show_given_up(state, &redefined);
        (ToChild::Begin { cell, number, run: true, forget: Vec::new(), renew: redefined.statics }, shown)
    }

    /// The child cannot load the current cell.
    pub fn not_loaded(&self, reason: String) -> ToChild {
        let mut state = self.lock();
        let Some(current) = state.current.as_mut() else { return refusal(0, 0) };
        current.not_loaded = Some(reason);
        (self.builds.refuse)(true);
        refusal(current.cell.id, current.cell.number)
    }

    /// Why the current cell could not be loaded, if it could not.
    pub fn why_not_loaded(&self) -> Option<String> {
        self.lock().current.as_mut().and_then(|current| current.not_loaded.take())
    }

    /// Whether the current cell was interrupted before it ran: it has not touched a variable.
    pub fn was_refused(&self) -> bool {
        self.lock().current.as_ref().is_some_and(|current| current.answered && !current.running)
    }

    /// The variables that evcxr has given up for the current cell, which has not run: the child has them where evcxr had
    /// them.
    pub fn forgotten(&self) -> Vec<String> {
        self.lock().current.as_mut().map(|current| std::mem::take(&mut current.forgotten)).unwrap_or_default()
    }

    /// Shows under the current cell what it costs, if it costs anything.
    fn show_given_up(&self, state: MutexGuard<'_, State>, redefined: &Redefined) {
        let Some(current) = state.current.as_ref().filter(|current| !current.hidden) else { return };
        let (cell, is_silent) = (current.cell.id, current.cell.silent);
        drop(state);
        if !redefined.is_nothing() && !is_silent {
            self.send(report::display(cell, report::given_up(redefined)));
        }
    }
}

/// The cell must not run; whatever evcxr builds until its end fails.
fn refusal(cell: CellId, number: u32) -> ToChild {
    ToChild::Begin { cell, number, run: false, forget: Vec::new(), renew: Vec::new() }
}
