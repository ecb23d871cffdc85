//! A prepared cell: its commands, then its Rust, in the form in which evcxr takes it.

use super::commands::Next;
use super::compile_errors::without_refused;
use super::session::{Session, source};
use crate::evaluator::cell::PreparedCell;
use crate::evaluator::commands::{self, Command};
use crate::evaluator::errors::report;
use crate::evaluator::{Cell, Outcome, Report};
use evcxr::Error;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Session {
    /// Does what the commands of a cell say, and runs its Rust.
    pub(super) fn run_prepared(&mut self, cell: &Cell, prepared: &PreparedCell) -> Outcome {
        let mut rest = prepared.commands.iter().peekable();
        while let Some(command) = rest.next() {
            let mut parsed = commands::parse(&command.name, &command.args);
            // Lines of dependencies that follow each other are one wish: all of them or none.
            while let Ok(Command::Dep(lines)) = &mut parsed
                && let Some(next) = rest.next_if(|next| next.name == command.name)
            {
                lines.push(next.args.clone());
            }
            match parsed.and_then(|parsed| self.obey(cell, &parsed, prepared)) {
                Ok(Next::GoOn) => {}
                Ok(Next::Stop) => return Outcome::Ok,
                Err(message) => {
                    return Outcome::Error(report::command(&message, cell.number, command.line));
                }
            }
        }
        if prepared.rust.trim().is_empty() {
            return Outcome::Ok;
        }
        if let Some(problem) = self.extern_crate_without_crate(cell, prepared) {
            return Outcome::Error(report::problems(cell.number, &cell.code, &[problem]));
        }
        match self.execute(cell, prepared) {
            Ok(()) => {
                prepared.notes.iter().for_each(|note| self.print(cell, &format!("{note}\n")));
                Outcome::Ok
            }
            Err(report) => Outcome::Error(report),
        }
    }

    /// A cell that has not run costs nothing.
    fn execute(&mut self, cell: &Cell, prepared: &PreparedCell) -> Result<(), Report> {
        let variables: BTreeMap<String, String> =
            self.context.variables_and_types().map(|(name, ty)| (name.to_owned(), ty.to_owned())).collect();
        let child = |session: &Self| session.executions.connection().map(|connection| connection.pid());
        let before = child(self);
        let result = self.compile_and_run(cell, prepared, &variables);
        if result.is_err() && child(self) == before {
            self.keep_forgotten(&variables);
        }
        result
    }

    fn compile_and_run(
        &mut self,
        cell: &Cell,
        prepared: &PreparedCell,
        variables: &BTreeMap<String, String>,
    ) -> Result<(), Report> {
        let names: Vec<String> = variables.keys().cloned().collect();
        let mut redefined = self.types.redefined(prepared, self.context.variables_and_types());
        self.executions.set_given_up(redefined.clone());
        self.note_redefined(cell, &redefined);
        let mut kept;
        let mut prepared = prepared;
        // A command of this cell may have cost variables, too.
        if !redefined.variables.is_empty() || !self.notebook.variables.iter().eq(variables.keys()) {
            kept = self.prepare_again(cell, prepared, &redefined.variables);
            prepared = &kept;
        }
        // Each round boxes a lazy future, or learns that a variable cannot be kept, or must be dropped first; a cell has only
        // so many variables. Three more give up variables whose types evcxr cannot even name any more, or has found changed,
        // and some are for the cell without what we have put around its value and around what it awaits.
        let mut refusals = Vec::new();
        for _ in 0..=2 * prepared.lets.len() + 7 {
            let error = match self.context.execute(&prepared.rust) {
                Ok(_) => return self.finished(cell, prepared, variables, &refusals),
                Err(error) => error,
            };
            if self.executions.was_refused() {
                return Err(report::interrupted("it was still being compiled"));
            }
            if let Some(reason) = self.executions.why_not_loaded() {
                return Err(report::not_loaded(&reason));
            }
            let other = match error {
                Error::SubprocessTerminated(status) => {
                    self.orphans = prepared.only_items().map(|items| (cell.clone(), items));
                    return Err(self.child_died(cell, &status, &names));
                }
                Error::CompilationErrors(errors) => {
                    match self.after_errors(cell, prepared, &errors, &mut redefined)? {
                        Some(other) => other,
                        None => continue,
                    }
                }
                Error::Message(message) => {
                    let other = without_refused(prepared, &message);
                    let other = other.ok_or_else(|| self.refused(cell, &message))?;
                    if other.locals.len() > prepared.locals.len() {
                        refusals.push(message);
                    }
                    other
                }
                other => return Err(report::compile_error(&[], &self.sources, &[], &other.to_string())),
            };
            kept = other;
            prepared = &kept;
            self.executions.replace_source(Arc::new(source(cell, Some(prepared))), &self.sources);
        }
        Err(report::compile_error(&[], &self.sources, &[], "what its variables are could not be found out"))
    }
}
