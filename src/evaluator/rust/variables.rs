//! What becomes of a cell's variables: which are not kept, and where those have gone that are no longer there.

use super::session::Session;
use crate::evaluator::build::shims::{self, VariableTypes};
use crate::evaluator::cell::changed_types::Redefined;
use crate::evaluator::cell::{MUTEX, PreparedCell, RENAMED_MUTEX, Unstored, Why};
use crate::evaluator::errors::colours;
use crate::evaluator::errors::diagnostics::{Diagnostic, Moved, Takes};
use crate::evaluator::errors::gone::How;
use crate::evaluator::errors::{hints, not_stored, report};
use crate::evaluator::{Cell, Outcome};
use std::collections::BTreeMap;

impl Session {
    /// The variables that evcxr has, with their types as code that means the same in every cell. evcxr itself often knows only
    /// a placeholder.
    pub(super) fn typed_variables(&self) -> BTreeMap<String, String> {
        let types = VariableTypes::of(self.environment.work.root());
        let variables = self.context.variables_and_types();
        variables.map(|(name, ty)| (name.to_owned(), types.code(ty).to_owned())).collect()
    }

    /// The same as people read them.
    pub(super) fn shown_variables(&self) -> BTreeMap<String, String> {
        let types = VariableTypes::of(self.environment.work.root());
        self.context.variables_and_types().map(|(name, ty)| (name.to_owned(), types.shown(ty))).collect()
    }

    /// Lets the shims forget the types of variables that evcxr no longer has.
    pub(super) fn forget_types(&mut self) {
        let root = self.environment.work.root();
        let living = self.context.variables_and_types().map(|(_, ty)| ty);
        if let Err(error) = VariableTypes::of(root).forget_others(root, living) {
            tracing::warn!("types of variables that are gone are kept: {error}");
        }
        self.known_types = VariableTypes::of(root);
    }

    /// Takes the notebook's variables for those that evcxr has.
    pub(super) fn know_variables(&mut self) {
        self.notebook.variable_types = self.shown_variables();
        self.notebook.variables = self.notebook.variable_types.keys().cloned().collect();
    }

    /// The cell has run to its end: says what it does not keep, and why. `refusals` are evcxr's own words.
    pub(super) fn tell_what_is_not_kept(&mut self, cell: &Cell, prepared: &PreparedCell, refusals: &[String]) {
        let unstored = &prepared.unstored;
        for local in unstored {
            self.gone.note_local(local, cell.number);
        }
        let stored = self.variables();
        let hides = |local: &&Unstored| {
            let is_stored = stored.iter().any(|stored| stored == stored_name(&local.name));
            is_stored && !local.uses_old && !matches!(local.why, Why::MovedByAwait(_))
        };
        self.outlived = unstored.iter().filter(hides).map(|local| (local.clone(), cell.number)).collect();
        let hints = hints::of(&cell.code, &[], &refusals.join("\n"));
        if let Some(text) = not_stored::note(unstored, &stored, &hints, &mut self.said).filter(|_| !cell.silent) {
            self.executions.send(report::display(cell.id, colours::bundle(&text)));
        }
    }

    /// Notes where variables have gone in this cell: those of `before`, and those that it was to define.
    pub(super) fn note_gone(&mut self, cell: &Cell, prepared: &PreparedCell, before: &[String], outcome: &Outcome) {
        let moves = shims::take_moves(self.environment.work.root());
        let moves = moves.iter().filter_map(Diagnostic::from_json).filter_map(|error| error.moved(&self.sources));
        let moves: Vec<Moved> = moves.collect();
        let present = self.variables();
        let is_gone = |name: &&str| !present.iter().any(|present| present == stored_name(name));
        for name in before.iter().map(String::as_str).filter(is_gone) {
            if !self.gone.is_noted(name, cell.number) {
                self.note_moved(name, cell, &moves, How::Redefined(Vec::new()));
            }
        }
        for binding in &prepared.lets {
            for name in binding.names.iter().map(String::as_str).filter(is_gone) {
                if self.gone.is_noted(name, cell.number) {
                    continue;
                }
                match outcome {
                    Outcome::Ok => self.note_moved(name, cell, &moves, How::Taken(Takes::All { clones: false })),
                    Outcome::Error(report) if report.ename == "CompileError" => {
                        self.gone.note(name, cell.number, Some(binding.line), How::NotCompiled);
                    }
                    Outcome::Error(_) => self.gone.note(name, cell.number, Some(binding.line), How::Failed),
                }
            }
        }
    }

    /// As rustc saw it move, else as `otherwise` says.
    fn note_moved(&mut self, name: &str, cell: &Cell, moves: &[Moved], otherwise: How) {
        let moved = moves.iter().rev().find(|moved| moved.name == stored_name(name));
        let how = moved.map_or(otherwise, |moved| How::Taken(moved.by));
        let place = moved.and_then(|moved| moved.place);
        self.gone.note(name, place.map_or(cell.number, |(cell, _)| cell), place.map(|(_, line)| line), how);
    }

    /// Notes which variables go because the cell changes their types.
    pub(super) fn note_redefined(&mut self, cell: &Cell, redefined: &Redefined) {
        for name in &redefined.variables {
            self.gone.note(name, cell.number, None, How::Redefined(redefined.types.clone()));
        }
    }

    /// Notes that all variables go.
    pub(super) fn note_all_gone(&mut self, cell: u32, how: &How) {
        for name in self.variables() {
            self.gone.note(&name, cell, None, how.clone());
        }
    }
}

/// Names and types as others take them.
pub(super) fn typed(variables: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    variables.iter().map(|(name, ty)| (name.as_str(), ty.as_str()))
}

/// The name under which evcxr has a variable.
pub(super) fn stored_name(name: &str) -> &str {
    if name == MUTEX { RENAMED_MUTEX } else { name }
}
