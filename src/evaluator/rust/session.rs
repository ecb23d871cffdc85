//! One evcxr context and the cells that it runs, on the evaluator's thread.

use super::super::cell::{self, Known as Notebook, Local, Prepared as PreparedCell, Why};
use super::super::commands::{self, Command};
use super::super::dependencies::{Closure, Dependency, Workshop};
use super::super::diagnostics::{Source, Sources};
use super::super::execution::Executions;
use super::super::gone::{Gone, How};
use super::super::names::{Known, Names, VARIABLE, kind_of};
use super::super::template::DEPENDENCIES;
use super::super::types::Types;
use super::super::{Cell, Event, Outcome, Report, report};
use super::ask::without_commands;
use super::beside::SharedNotebook;
use super::failed::{another_try, without_refused};
use super::live::Live;
use super::obey::Next;
use super::prepare::Linked;
use super::spared::Spared;
use super::{Busy, Prepared};
use anyhow::Context;
use evcxr::{CommandContext, Error, EvalContext};
use loopbook_channel::{CellOutcome, Stream};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// What every notebook begins with: names that a cell may use without importing them, and may define anew.
const PRELUDE: &str = "use async_std::task; use std::time::{Duration, Instant}; \
    use ::loopbook::{display, gather, gather_all, input, race, try_gather, try_gather_all};";

/// A cell with an `.await` puts evcxr into its async mode, for good.
const FIRST_CELL: &str = "::async_std::task::yield_now().await;";

/// What the evaluator's thread has in common with those who work beside it.
pub(super) struct Shared {
    pub(super) names: Names,
    pub(super) notebook: SharedNotebook,
    pub(super) live: Arc<Live>,
}

/// The evaluator's thread's state.
pub(super) struct Session {
    pub(super) context: CommandContext,
    pub(super) executions: Arc<Executions>,
    pub(super) prepared: Arc<Prepared>,
    /// What the notebook has asked for, in order.
    pub(super) dependencies: Vec<Dependency>,
    pub(super) workshop: Workshop,
    /// What the runtime is made of that the process of the cells has loaded.
    pub(super) runtime: Closure,
    pub(super) linked: Linked,
    pub(super) had_child: bool,
    pub(super) timing: bool,
    pub(super) sources: Sources,
    names: Names,
    pub(super) notebook: Notebook,
    /// What cells of subshells get to know of it.
    shared: SharedNotebook,
    pub(super) live: Arc<Live>,
    /// Code of the last compile error that had one.
    pub(super) last_code: Option<String>,
    types: Types,
    items: BTreeMap<String, &'static str>,
    /// Old values that a failed cell has not cost: what evaluates to them.
    pub(super) spared: Vec<Spared>,
    /// What cells have not kept under the names of old values, which are to go now.
    pub(super) outlived: Vec<(Local, u32)>,
    /// Where variables have gone.
    pub(super) gone: Gone,
    /// What was said already of variables that are not kept.
    pub(super) said: BTreeSet<(String, Why)>,
}

/// Starts evcxr and runs the hidden first cell in it.
///
/// # Errors
/// If evcxr does not start, or the runtime cannot be compiled or loaded.
pub(super) fn open_context(child: std::process::Command) -> anyhow::Result<CommandContext> {
    let started = Instant::now();
    let (context, outputs) = EvalContext::with_subprocess_command(child).context("evcxr did not start")?;
    std::thread::Builder::new().name("child-stderr".into()).spawn(move || {
        for line in outputs.stderr {
            tracing::warn!("child: {line}");
        }
    })?;
    tracing::info!("evcxr started after {:.1} s", started.elapsed().as_secs_f64());
    let mut context = CommandContext::with_eval_context(context);
    let dependencies: String = DEPENDENCIES.iter().map(|(name, spec)| format!(":dep {name} = {spec}\n")).collect();
    context.execute(&format!("{dependencies}{PRELUDE}\n{FIRST_CELL}")).map_err(first_cell_failed)?;
    Ok(context)
}

impl Session {
    /// Starts evcxr and runs the hidden first cell. Takes seconds.
    ///
    /// # Errors
    /// As [`open_context`].
    pub(super) fn open(
        prepared: Arc<Prepared>,
        linked: Linked,
        executions: Arc<Executions>,
        sources: Sources,
        Shared { names, notebook: shared, live }: Shared,
    ) -> anyhow::Result<Self> {
        executions.begin_hidden();
        let context = open_context(prepared.child_command())?;
        executions.finish(Outcome::Ok);
        share(&shared, &notebook());
        Ok(Self {
            context,
            executions,
            workshop: prepared.workshop(&linked)?,
            runtime: linked.runtime.clone(),
            linked,
            prepared,
            dependencies: Vec::new(),
            had_child: true,
            timing: false,
            sources,
            names,
            notebook: notebook(),
            shared,
            live,
            last_code: None,
            types: types(),
            items: BTreeMap::new(),
            spared: Vec::new(),
            outlived: Vec::new(),
            gone: Gone::default(),
            said: BTreeSet::new(),
        })
    }

    /// Runs a cell to its end and reports it.
    ///
    /// Once it is reported, `busy` is gone: the next question can be answered exactly.
    pub(super) fn run(&mut self, mut cell: Cell, busy: Busy) {
        if let Some(name) = commands::asked_about(&cell.code).filter(|name| !self.is_value(name)) {
            cell.code = format!("?{name}");
        }
        let lost = self.recover();
        self.know_variables();
        let before = self.variables();
        let prepared = cell::prepare(cell.number, &cell.code, &self.notebook);
        let source = Arc::new(source(&cell, prepared.as_ref().ok()));
        if !self.executions.begin(&cell, source.clone()) {
            return;
        }
        if let Some(note) = lost {
            self.print(&cell, &note);
        }
        let started = Instant::now();
        let outcome = match prepared {
            Err(problems) => Outcome::Error(report::problems(cell.number, &cell.code, &problems)),
            Ok(prepared) => {
                self.sources.insert(source);
                let outcome = self.run_prepared(&cell, &prepared);
                self.note_gone(&cell, &prepared, &before, &outcome);
                outcome
            }
        };
        if self.timing {
            self.show_text(&cell, &format!("Took {:.3} s.", started.elapsed().as_secs_f64()));
        }
        let compiled = !matches!(&outcome, Outcome::Error(report) if report.ename == "CompileError");
        if compiled {
            self.names.learn(&without_commands(&cell.code));
        }
        self.remember();
        // Values to give back keep this thread busy for one compilation more.
        let busy = (!self.spared.is_empty() || !self.outlived.is_empty()).then_some(busy);
        self.executions.finish(outcome);
        if busy.is_some() && self.restore() {
            self.remember();
        }
    }

    /// The names of the notebook's variables.
    pub(super) fn variables(&self) -> Vec<String> {
        let mut names: Vec<_> = self.context.variables_and_types().map(|(name, _)| name.to_owned()).collect();
        names.sort();
        names
    }

    /// The names of the notebook's statics.
    pub(super) fn statics(&self) -> impl Iterator<Item = String> {
        self.notebook.statics().map(str::to_owned)
    }

    /// Whether a name of the notebook stands for a value, so that `name?` is an expression.
    fn is_value(&self, name: &str) -> bool {
        self.items.get(name) == Some(&VARIABLE) || self.context.variables_and_types().any(|(known, _)| known == name)
    }

    /// Forgets what earlier cells defined; the context must be a new one.
    pub(super) fn forget_everything(&mut self) {
        self.notebook = notebook();
        self.types = types();
        self.names.forget();
        self.items.clear();
        self.dependencies.clear();
        self.said.clear();
    }

    fn run_prepared(&mut self, cell: &Cell, prepared: &PreparedCell) -> Outcome {
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
        match self.execute(cell, prepared) {
            Ok(()) => Outcome::Ok,
            Err(report) => Outcome::Error(report),
        }
    }

    fn execute(&mut self, cell: &Cell, prepared: &PreparedCell) -> Result<(), Report> {
        let variables: BTreeMap<String, String> =
            self.context.variables_and_types().map(|(name, ty)| (name.to_owned(), ty.to_owned())).collect();
        let names: Vec<String> = variables.keys().cloned().collect();
        let mut redefined = self.types.redefined(prepared, self.context.variables_and_types());
        self.executions.gives_up(redefined.clone());
        self.note_redefined(cell, &redefined);
        let mut kept;
        let mut prepared = prepared;
        // A command of this cell may have cost variables, too.
        if !redefined.variables.is_empty() || !self.notebook.variables.iter().eq(variables.keys()) {
            kept = self.prepare_again(cell, prepared, &redefined.variables);
            prepared = &kept;
        }
        // Each round boxes a lazy future, or learns that a variable cannot be kept, or must be dropped first; a cell has only
        // so many variables. Two more give up variables whose types evcxr cannot even name any more, or has found changed,
        // and some are for the cell without what we have put around its value and around what it awaits.
        let mut refusals = Vec::new();
        for _ in 0..=2 * prepared.lets.len() + 6 {
            let child = self.executions.connection().map(|connection| connection.pid());
            let error = match self.context.execute(&prepared.rust) {
                Ok(_) => return self.finished(cell, prepared, &variables, &refusals),
                Err(error) => error,
            };
            let other = match error {
                Error::SubprocessTerminated(status) => {
                    return Err(self.child_died(cell, child, &status, &names));
                }
                Error::CompilationErrors(errors) => {
                    let diagnostics = self.errors_of(cell, &errors);
                    let is_evcxrs = diagnostics.iter().all(|diagnostic| diagnostic.place(&self.sources).is_none());
                    if is_evcxrs && !redefined.variables.is_empty() {
                        self.give_up_before(std::mem::take(&mut redefined));
                        continue;
                    }
                    // evcxr found a type changed that looked the same, and has given up variables on its own.
                    if !self.notebook.variables.iter().eq(&self.variables()) {
                        kept = self.prepare_again(cell, prepared, &redefined.variables);
                        prepared = &kept;
                        continue;
                    }
                    let other = self.without_unkept(prepared).or_else(|| another_try(prepared, &diagnostics));
                    other.ok_or_else(|| self.does_not_compile(cell, prepared, diagnostics, &errors))?
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

    fn finished(
        &mut self,
        cell: &Cell,
        prepared: &PreparedCell,
        before: &BTreeMap<String, String>,
        refusals: &[String],
    ) -> Result<(), Report> {
        self.notebook.learn(prepared);
        self.types.learn(prepared);
        for item in &prepared.items {
            self.items.insert(item.name.clone(), kind_of(&item.kind));
        }
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

    fn remember(&mut self) {
        let variables = self
            .context
            .variables_and_types()
            .map(|(name, ty)| (name.to_owned(), Known { kind: VARIABLE, detail: ty.to_owned() }));
        let items = self.items.iter().map(|(name, kind)| (name.clone(), Known { kind, detail: (*kind).to_owned() }));
        self.names.set(items.chain(variables));
        let present = self.context.variables_and_types().map(|(name, _)| name);
        self.gone.forget(present.chain(self.items.keys().map(String::as_str)));
        share(&self.shared, &self.notebook);
    }

    fn print(&self, cell: &Cell, text: &str) {
        let bytes = text.as_bytes().to_vec();
        self.executions.send(Event::Output { cell: cell.id, stream: Stream::Stderr, bytes });
    }
}

/// A notebook without cells, on a runtime that has slots for thread-locals, and ends what ticks.
fn notebook() -> Notebook {
    let mut notebook = Notebook::default();
    notebook.local_slots = true;
    notebook.ticks = true;
    notebook
}

/// Tells cells of subshells what they may see.
fn share(shared: &SharedNotebook, notebook: &Notebook) {
    *shared.lock().unwrap_or_else(PoisonError::into_inner) = notebook.without_variables();
}

/// The types that every notebook begins with.
fn types() -> Types {
    let mut types = Types::default();
    if let Ok(prelude) = cell::prepare(0, PRELUDE, &Notebook::default()) {
        types.learn(&prelude);
    }
    types
}

fn first_cell_failed(error: Error) -> anyhow::Error {
    let why = match error {
        Error::CompilationErrors(errors) => errors.iter().map(|error| error.message()).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    };
    anyhow::anyhow!("the first cell, which the kernel runs for itself, failed: {why}")
}

pub(super) fn source(cell: &Cell, prepared: Option<&PreparedCell>) -> Source {
    let map = prepared.map(|prepared| prepared.map.clone());
    Source { number: cell.number, code: cell.code.clone(), map }
}
