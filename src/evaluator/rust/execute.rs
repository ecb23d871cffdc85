//! A prepared cell: its commands, then its Rust, in the form in which evcxr takes it.

use super::commands::Next;
use super::compile_errors::without_refused;
use super::session::{Session, source};
use super::variables::typed;
use crate::evaluator::cell::PreparedCell;
use crate::evaluator::cell::changed_types::Redefined;
use crate::evaluator::commands::{self, Command};
use crate::evaluator::errors::report;
use crate::evaluator::{Cell, Outcome, Report};
use evcxr::Error;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

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
            match parsed.and_then(|parsed| self.run_command(cell, &parsed, prepared)) {
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
        let variables = self.typed_variables();
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
        let redefined = self.types.redefined(prepared, typed(variables));
        self.executions.set_given_up(redefined.clone());
        self.note_redefined(cell, &redefined);
        let mut attempt = Attempt { prepared: Cow::Borrowed(prepared), redefined, refusals: Vec::new() };
        // A command of this cell may have cost variables, too.
        if !attempt.redefined.variables.is_empty() || !self.notebook.variables.iter().eq(variables.keys()) {
            let again = self.prepare_again(cell, prepared, &attempt.redefined.variables);
            attempt.prepared = Cow::Owned(again);
        }
        self.given = Some(SystemTime::now());
        // Each round boxes a lazy future, or learns that a variable cannot be kept, or must be dropped first; a cell has only
        // so many variables. Three more give up variables whose types evcxr cannot even name any more, or has found changed,
        // and some are for the cell without what we have put around its value and around what it awaits.
        for _ in 0..=2 * prepared.lets.len() + 7 {
            match self.context.execute(&attempt.prepared.asking(self.number)) {
                Ok(_) => return self.finished(cell, &attempt.prepared, variables, &attempt.refusals),
                Err(error) => self.prepare_next(cell, &mut attempt, error, variables)?,
            }
        }
        Err(report::compile_error(&[], &self.sources, &[], "what its variables are could not be found out"))
    }

    /// Makes of an attempt that has failed the next one.
    ///
    /// # Errors
    /// Why the cell has failed, if another attempt would not help.
    fn prepare_next(
        &mut self,
        cell: &Cell,
        attempt: &mut Attempt<'_>,
        error: Error,
        variables: &BTreeMap<String, String>,
    ) -> Result<(), Report> {
        if self.executions.was_refused() {
            return Err(report::interrupted("it was still being compiled"));
        }
        if let Some(reason) = self.executions.why_not_loaded() {
            return Err(report::not_loaded(&reason));
        }
        let next = match error {
            Error::SubprocessTerminated(status) => {
                self.orphans = attempt.prepared.only_items().map(|items| (cell.clone(), items));
                let names: Vec<String> = variables.keys().cloned().collect();
                return Err(self.child_died(cell, &status, &names));
            }
            Error::CompilationErrors(errors) => {
                self.after_errors(cell, &attempt.prepared, &errors, &mut attempt.redefined)?
            }
            Error::Message(message) => {
                let next = without_refused(&attempt.prepared, &message);
                let next = next.ok_or_else(|| self.refused(cell, &message))?;
                if next.unstored.len() > attempt.prepared.unstored.len() {
                    attempt.refusals.push(message);
                }
                Some(next)
            }
            other => return Err(report::compile_error(&[], &self.sources, &[], &other.to_string())),
        };
        if let Some(next) = next {
            self.executions.replace_source(Arc::new(source(cell, Some(&next))), &self.sources);
            attempt.prepared = Cow::Owned(next);
        }
        Ok(())
    }
}

/// One try to compile and run a cell.
struct Attempt<'a> {
    prepared: Cow<'a, PreparedCell>,
    /// What it makes unusable, as long as evcxr has not given that up.
    redefined: Redefined,
    /// Why evcxr has not kept variables.
    refusals: Vec<String>,
}
