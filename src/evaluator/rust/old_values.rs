//! What a cell that fails, changes types or ends its process costs: variables that evcxr has to give up, and old values
//! that it gets back.

use super::session::{Session, source};
use super::variables::stored_name;
use crate::evaluator::build::shims::EmptyBuilds;
use crate::evaluator::cell::changed_types::Redefined;
use crate::evaluator::cell::{self, MUTEX, PreparedCell, RENAMED_MUTEX};
use crate::evaluator::completion::kind_of;
use crate::evaluator::errors::death::Death;
use crate::evaluator::errors::gone::How;
use crate::evaluator::errors::report;
use crate::evaluator::{Cell, Outcome, Report};
use loopbook_channel::CellOutcome;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The old value of a variable that a cell was defining anew when it failed.
pub(super) struct OldValue {
    name: String,
    ty: String,
    /// Whether the child has it in evcxr's own store, because the cell has not run.
    in_store: bool,
}

impl Session {
    /// The cell has been compiled, and has run.
    pub(super) fn finished(
        &mut self,
        cell: &Cell,
        prepared: &PreparedCell,
        before: &BTreeMap<String, String>,
        refusals: &[String],
    ) -> Result<(), Report> {
        self.learn(prepared);
        let outcome = self.executions.outcome();
        let lost = self.keep_old_values(prepared, before);
        for name in &lost {
            self.gone.note(name, cell.number, None, How::Lost);
        }
        match outcome {
            Some(CellOutcome::Failed { failure }) => {
                Err(report::with_lost_values(report::failure(&failure, &self.sources), &lost))
            }
            Some(CellOutcome::Ok) | None => {
                self.tell_what_is_not_kept(cell, prepared, refusals);
                Ok(())
            }
        }
    }

    /// Takes note of what evcxr has by now.
    fn learn(&mut self, prepared: &PreparedCell) {
        self.notebook.learn(prepared);
        self.types.learn(prepared);
        for item in &prepared.items {
            self.items.insert(item.name.clone(), kind_of(&item.kind));
        }
    }

    /// The names of the notebook's statics.
    pub(super) fn statics(&self) -> impl Iterator<Item = String> {
        self.notebook.statics().map(str::to_owned)
    }

    /// Notes which old values of the variables `before` can be given back to evcxr, now that the cell has failed. Gives the
    /// names of those that cannot.
    pub(super) fn keep_old_values(
        &mut self,
        prepared: &PreparedCell,
        before: &BTreeMap<String, String>,
    ) -> Vec<String> {
        let stored = |name: &String| if name == MUTEX { RENAMED_MUTEX.to_owned() } else { name.clone() };
        let defined = prepared.lets.iter().flat_map(|binding| &binding.names).map(stored);
        let mut lost: Vec<String> = defined.filter(|name| before.contains_key(name)).collect();
        lost.sort();
        lost.dedup();
        let old_values = self.executions.old_values();
        lost.retain(|name| !old_values.contains(name));
        self.note_old_values(old_values, before, false);
        lost.into_iter().map(|name| if name == RENAMED_MUTEX { MUTEX.to_owned() } else { name }).collect()
    }

    /// Notes that evcxr gets back what it has given up for a cell that has not run after all, although its process goes on.
    pub(super) fn keep_forgotten(&mut self, before: &BTreeMap<String, String>) {
        let forgotten = self.executions.forgotten();
        self.note_old_values(forgotten, before, true);
    }

    fn note_old_values(&mut self, names: Vec<String>, before: &BTreeMap<String, String>, in_store: bool) {
        let old_values = names.into_iter();
        let old_values =
            old_values.filter_map(|name| Some(OldValue { ty: before.get(&name)?.clone(), name, in_store }));
        self.old_values.extend(old_values);
    }

    /// Gives evcxr back what a failed cell has not cost, and lets it drop what the cell's own variables have hidden; says
    /// whether there was anything. The cell has been answered; the next one waits.
    pub(super) fn restore(&mut self) -> bool {
        let value = |old: &OldValue| {
            let OldValue { name, ty, in_store } = old;
            let source =
                if *in_store { "evcxr_variable_store.take_variable" } else { "::loopbook::__private::restore_old" };
            format!("let mut {name}: {ty} = {source}({name:?});")
        };
        let mut code: Vec<String> = self.old_values.drain(..).map(|old| value(&old)).collect();
        let outlived = std::mem::take(&mut self.outlived);
        // In braces, because evcxr takes a cell that begins with a colon for a command.
        code.extend(outlived.iter().map(|(local, _)| format!("{{::core::mem::drop({});}}", stored_name(&local.name))));
        if code.is_empty() || self.executions.connection().is_none() {
            return false;
        }
        self.executions.begin_hidden();
        if let Err(error) = self.context.execute(&code.join("\n")) {
            tracing::warn!("old values could not be given back: {error}");
        }
        self.executions.finish(Outcome::Ok);
        for (local, cell) in &outlived {
            self.gone.note_local(local, *cell);
        }
        true
    }

    /// Gives evcxr back the items of a cell that has ended its process; says whether there were any. The cell has been
    /// answered; the next one waits.
    pub(super) fn define_again(&mut self) -> bool {
        let Some((cell, items)) = self.orphans.take() else { return false };
        self.sources.insert(Arc::new(source(&cell, Some(&items))));
        self.executions.begin_hidden();
        match self.context.execute(&items.rust) {
            Ok(_) => self.learn(&items),
            Err(error) => {
                tracing::warn!("the items of a cell that ended its process could not be compiled again: {error}")
            }
        }
        self.executions.finish(Outcome::Ok);
        true
    }

    /// Lets evcxr give up variables before the cell is compiled once more: what was `P` may need parameters by now, or be
    /// gone from its crate. The statics of changed types begin anew with the cell itself.
    pub(super) fn give_up_before(&mut self, redefined: Redefined) {
        let later = Redefined { variables: Vec::new(), ..redefined.clone() };
        self.executions.set_given_up(Redefined { variables: redefined.variables, ..Redefined::default() });
        let empty = EmptyBuilds::of(self.environment.work.root());
        if empty.is_err() || self.context.execute("();").is_err() {
            tracing::warn!("variables of changed types could not be given up");
        }
        drop(empty);
        self.executions.set_given_up(later);
    }

    /// Prepares the current cell once more, for the variables that there are by now, less those that are given up.
    pub(super) fn prepare_again(&mut self, cell: &Cell, prepared: &PreparedCell, given_up: &[String]) -> PreparedCell {
        self.know_variables();
        let mut notebook = self.notebook.clone();
        notebook.given_up = given_up.iter().cloned().collect();
        let again = cell::prepare(cell.number, &cell.code, &notebook).unwrap_or_else(|_| prepared.clone());
        self.executions.replace_source(Arc::new(source(cell, Some(&again))), &self.sources);
        again
    }

    /// If the child died between cells, lets evcxr notice it and start a new one. Returns what to tell the user.
    pub(super) fn recover(&mut self) -> Option<String> {
        if !self.had_child || self.executions.connection().is_some() {
            self.had_child |= self.executions.connection().is_some();
            return None;
        }
        let lost = self.variables();
        self.note_all_gone(0, &How::Died);
        self.executions.begin_hidden();
        let noticed = self.context.execute("();").is_err();
        self.executions.finish(Outcome::Ok);
        self.had_child = false;
        let lost = if lost.is_empty() { "no variables were lost".into() } else { format!("lost: {}", lost.join(", ")) };
        let how = self.executions.wait_for_last_words().map(|words| format!(": {}", Death::of("", Some(&words)).how));
        let how = how.unwrap_or_default();
        noticed.then(|| {
            format!(
                "The process that runs the cells ended while no cell ran{how}; {lost}. Background tasks ended with it. \
                 Functions, types, `use` and dependencies are kept.\n"
            )
        })
    }
}
