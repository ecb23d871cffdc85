//! Cells of subshells: compiled when the main shell compiles nothing, run at the same time as whatever it runs.
//!
//! ```text
//! begin_in_subshell ──► wait_for_items ──► note_compiler ──► run_in_subshell ──► finish_in_subshell
//! ```
//!
//! At each step the cell may be gone: then an interrupt, or the end of the child, has answered it.

use super::{Executions, State};
use crate::evaluator::build::shims::{Crates, STORE};
use crate::evaluator::child::programs;
use crate::evaluator::errors::death::Death;
use crate::evaluator::errors::report;
use crate::evaluator::{Cell, Event, Outcome, Report};
use loopbook_channel::{CellId, LastWords, ToChild};
use rustix::process::{Signal, kill_process_group};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError};

/// Where the generated part of a cell's file begins, behind every item of the notebook: as evcxr writes it, and as it is
/// compiled.
const BEHIND_THE_ITEMS: [&str; 2] = ["\nmod evcxr_internal_runtime {\n", STORE];

/// What the cells of the main shell have defined, as evcxr wrote it into the last library that it built.
#[derive(Debug, Clone, Default)]
pub struct Items {
    /// Rust, with the marks of each cell's lines.
    pub text: Arc<str>,
    /// The notebook's own crates, as that library was compiled with them.
    pub crates: Crates,
    /// Other statics than those of an earlier version are meant, although they have the same names.
    version: u64,
}

/// What became of the wish to run a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// It runs.
    Yes,
    /// The types of statics have changed since it was compiled: compile it again.
    Outdated,
    /// It has been answered.
    Gone,
}

#[derive(Debug, Default)]
pub(super) struct Subshells {
    cells: BTreeMap<CellId, SubshellCell>,
    items: Items,
    /// Whether the evaluator has started, and what to say if it could not.
    ready: Option<Result<(), Report>>,
}

#[derive(Debug)]
struct SubshellCell {
    cell: Cell,
    phase: Phase,
    interrupts: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    /// By the process group with this number.
    Compiling(u32),
    /// In the process with this number.
    Running(u32),
}

impl Subshells {
    /// A library of the main shell's has been loaded that was built from this file.
    pub(super) fn loaded(&mut self, source: &Path, crates: Crates, renews: bool) {
        // Without the file the earlier items go on being seen.
        if let Ok(text) = std::fs::read_to_string(source)
            && let Some(end) = BEHIND_THE_ITEMS.iter().filter_map(|behind| text.rfind(behind)).max()
        {
            self.items.text = text[..end + 1].into();
        }
        self.items.crates = crates;
        self.items.version += u64::from(renews);
    }
}

impl Executions {
    /// The evaluator has started, or has failed to.
    pub fn set_ready(&self, ready: Result<(), Report>) {
        self.lock().subshells.ready = Some(ready);
        self.changed.notify_all();
    }

    /// A cell of a subshell is under way.
    pub fn begin_in_subshell(&self, cell: &Cell) {
        let new = SubshellCell { cell: cell.clone(), phase: Phase::Waiting, interrupts: 0 };
        self.lock().subshells.cells.insert(cell.id, new);
    }

    /// Waits until the main shell does not compile, and gives what its cells have defined. `None` if the cell is gone.
    ///
    /// # Errors
    /// If nothing can be compiled, or there is no process to run it.
    pub fn wait_for_items(&self, cell: CellId) -> Option<Result<Items, Report>> {
        let busy = |state: &mut State| {
            let compiles = state.current.as_ref().is_some_and(|current| !current.running);
            state.subshells.cells.contains_key(&cell) && (compiles || state.subshells.ready.is_none())
        };
        let state = self.changed.wait_while(self.lock(), busy).unwrap_or_else(PoisonError::into_inner);
        state.subshells.cells.get(&cell)?;
        Some(match &state.subshells.ready {
            Some(Err(report)) => Err(report.clone()),
            _ if state.connection.is_none() => Err(report::no_child()),
            _ => Ok(state.subshells.items.clone()),
        })
    }

    /// What the cells of the main shell have defined by now, whatever is under way.
    pub fn items(&self) -> Items {
        self.lock().subshells.items.clone()
    }

    /// The cell is being compiled by this process group. False if it is gone: then nothing must be compiled.
    pub fn note_compiler(&self, cell: CellId, group: u32) -> bool {
        let mut state = self.lock();
        let Some(found) = state.subshells.cells.get_mut(&cell) else { return false };
        found.phase = Phase::Compiling(group);
        true
    }

    /// The compiler is at its end.
    pub fn note_compiled(&self, cell: CellId) {
        if let Some(found) = self.lock().subshells.cells.get_mut(&cell) {
            found.phase = Phase::Waiting;
        }
    }

    /// Has the child load a library that was compiled from `source` with these items.
    pub fn run_in_subshell(&self, cell: CellId, items: &Items, number: u32, library: &Path, source: &Path) -> Started {
        let mut state = self.lock();
        let child = state.connection.clone();
        let Subshells { cells, items: present, .. } = &mut state.subshells;
        let Some(found) = cells.get_mut(&cell) else { return Started::Gone };
        if items.version != present.version {
            return Started::Outdated;
        }
        let Some(child) = child else {
            drop(state);
            self.finish_in_subshell(cell, Outcome::Error(report::no_child()));
            return Started::Gone;
        };
        found.phase = Phase::Running(child.pid());
        let text = |path: &Path| path.to_string_lossy().into_owned();
        // Sent while the state is locked: what the child decides about statics depends on the order of messages.
        child.send(&ToChild::RunInSubshell { cell, number, library: text(library), source: text(source) });
        Started::Yes
    }

    /// Answers a cell of a subshell, unless it has been answered. True if it was one.
    pub fn finish_in_subshell(&self, cell: CellId, outcome: Outcome) -> bool {
        let found = self.take_from_subshell(cell);
        if found {
            self.send(Event::Done { cell, outcome });
        }
        found
    }

    /// Forgets a cell of a subshell. True if it has not been answered: then the caller must.
    pub fn take_from_subshell(&self, cell: CellId) -> bool {
        self.lock().subshells.cells.remove(&cell).is_some()
    }

    /// The cell, if it is one of a subshell's that is under way.
    pub fn subshell_cell(&self, cell: CellId) -> Option<Cell> {
        self.lock().subshells.cells.get(&cell).map(|found| found.cell.clone())
    }

    /// The dispatcher's interrupt. False if the cell is no subshell's.
    pub(super) fn interrupt_in_subshell(&self, cell: CellId) -> bool {
        let mut state = self.lock();
        let child = state.connection.clone();
        let Some(found) = state.subshells.cells.get_mut(&cell) else { return false };
        found.interrupts += 1;
        let (phase, first) = (found.phase, found.interrupts == 1);
        drop(state);
        match (phase, child) {
            (Phase::Running(_), Some(child)) if first => {
                child.send(&ToChild::Interrupt { cell });
                self.wake_up(cell, Some(&child));
            }
            (Phase::Running(_), Some(child)) => drop(child.kill()),
            _ => {
                if let Phase::Compiling(group) = phase {
                    end_group(group);
                }
                self.finish_in_subshell(cell, Outcome::Error(report::interrupted("it had not begun")));
                self.changed.notify_all();
            }
        }
        true
    }

    /// Whether a subshell's cell still runs after one interrupt.
    pub(super) fn is_stuck_in_subshell(&self, cell: CellId) -> bool {
        let state = self.lock();
        let found = state.subshells.cells.get(&cell);
        found.is_some_and(|found| matches!(found.phase, Phase::Running(_)) && found.interrupts == 1)
    }

    /// The child with this number is gone, with these words, and with it the cells that ran in it.
    pub(super) fn end_subshell_cells(&self, child: u32, last_words: Option<&LastWords>) {
        let died = |found: &SubshellCell| found.phase == Phase::Running(child);
        let state = self.lock();
        let died: Vec<_> = state.subshells.cells.iter().filter(|(_, found)| died(found)).collect();
        let died: Vec<_> = died.into_iter().map(|(&cell, found)| (cell, found.interrupts > 1)).collect();
        drop(state);
        let death = Death::of("", last_words);
        for (cell, interrupted) in died {
            self.finish_in_subshell(cell, Outcome::Error(report::child_died_under_subshell(&death, interrupted)));
        }
    }
}

fn end_group(group: u32) {
    // The group is that of a compiler which is reaped only after its cell has left `Phase::Compiling`.
    if let Some(group) = programs::pid(group) {
        let _is_gone = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_items_end_where_the_generated_code_begins_however_it_was_compiled() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("lib.rs");
        for behind in BEHIND_THE_ITEMS {
            std::fs::write(&file, format!("fn item() {{}}{behind}\nfn run_user_code_1() {{}}\n")).unwrap();
            let mut subshells = Subshells::default();
            subshells.loaded(&file, Crates::default(), false);
            assert_eq!(&*subshells.items.text, "fn item() {}\n");
        }
    }
}
