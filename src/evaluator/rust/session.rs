//! One evcxr context and the cells that it runs, on the evaluator's thread.

use super::super::cell::{self, Notebook, PreparedCell, Unstored, Why};
use super::super::commands;
use super::super::{Cell, Event, Outcome};
use super::Environment;
use super::analysis::{Analyzer, Project};
use super::environment::Linked;
use super::live::Live;
use super::old_values::OldValue;
use super::place::Place;
use super::subshells::SharedNotebook;
use crate::evaluator::build::built_in::DEPENDENCIES;
use crate::evaluator::build::closure::Closure;
use crate::evaluator::build::dependencies::{Dependency, Resolver};
use crate::evaluator::build::shims::VariableTypes;
use crate::evaluator::cell::changed_types::Types;
use crate::evaluator::child::executions::Executions;
use crate::evaluator::completion::{Known, Names, VARIABLE};
use crate::evaluator::errors::diagnostics::{Source, Sources};
use crate::evaluator::errors::gone::Gone;
use crate::evaluator::errors::report;
use crate::evaluator::support::prelude;
use crate::evaluator::support::wording;
use evcxr::{CommandContext, Error, EvalContext};
use loopbook_channel::{MimeBundle, Stream};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::{Instant, SystemTime};

/// A cell with an `.await` puts evcxr into its async mode, for good.
const FIRST_CELL: &str = "::async_std::task::yield_now().await;";

/// What the evaluator's thread shares with the threads for subshells and names.
pub(super) struct Shared {
    pub(super) names: Names,
    pub(super) notebook: SharedNotebook,
    pub(super) live: Arc<Live>,
    pub(super) analyzer: Analyzer,
}

/// The evaluator's thread's state.
pub(super) struct Session {
    pub(super) context: CommandContext,
    pub(super) executions: Arc<Executions>,
    pub(super) environment: Arc<Environment>,
    /// What the notebook has asked for, in order.
    pub(super) dependencies: Vec<Dependency>,
    pub(super) resolver: Resolver,
    /// What the runtime is made of that the process of the cells has loaded.
    pub(super) runtime: Closure,
    pub(super) linked: Linked,
    pub(super) place: Place,
    /// The versions of the notebook's crates, once it has some: the text of a lock.
    pub(super) versions: Option<String>,
    /// The level that cells are compiled with, as `:opt` has set it.
    pub(super) level: String,
    /// What the child says on evcxr's stderr, before it gives up.
    last_words: LastWords,
    pub(super) had_child: bool,
    pub(super) timing: bool,
    /// When evcxr got the current cell, if it has.
    pub(super) given: Option<SystemTime>,
    pub(super) sources: Sources,
    pub(super) names: Names,
    pub(super) notebook: Notebook,
    /// What cells of subshells get to know of it.
    shared: SharedNotebook,
    pub(super) live: Arc<Live>,
    analyzer: Analyzer,
    /// Code of what the compiler said last, if that has one.
    pub(super) last_code: Option<String>,
    /// What the shims knew of types after the last cell, for a working directory that is made again.
    pub(super) known_types: VariableTypes,
    /// How many cells have run: each has placeholders of its own for the types of its variables.
    pub(super) number: u32,
    pub(super) types: Types,
    pub(super) items: BTreeMap<String, &'static str>,
    /// Old values that a failed cell has not cost: what evaluates to them.
    pub(super) old_values: Vec<OldValue>,
    /// The items of a cell that has ended its process, which evcxr has forgotten with the rest of it.
    pub(super) orphans: Option<(Cell, PreparedCell)>,
    /// What cells have not kept under the names of old values, which are to go now.
    pub(super) outlived: Vec<(Unstored, u32)>,
    /// Where variables have gone.
    pub(super) gone: Gone,
    /// What was said already of variables that are not kept.
    pub(super) said: BTreeSet<(String, Why)>,
}

/// Gives the lines that the child has written to evcxr's stderr since it was last asked.
pub(super) type LastWords = Box<dyn Fn() -> Vec<String>>;

/// Starts evcxr and runs the hidden first cell in it.
///
/// # Errors
/// If evcxr does not start, or the runtime cannot be compiled or loaded.
pub(super) fn open_context(child: std::process::Command) -> anyhow::Result<(CommandContext, LastWords)> {
    let started = Instant::now();
    let opened = EvalContext::with_subprocess_command(child);
    let (context, outputs) = opened.map_err(|error| not_started(&error.to_string()))?;
    let stderr = outputs.stderr;
    let last_words: LastWords = Box::new(move || stderr.try_iter().collect());
    tracing::info!("evcxr started after {:.1} s", started.elapsed().as_secs_f64());
    let mut context = CommandContext::with_eval_context(context);
    let dependencies: String = DEPENDENCIES.iter().map(|(name, spec)| format!(":dep {name} = {spec}\n")).collect();
    context.execute(&format!("{dependencies}{}\n{FIRST_CELL}", prelude::code())).map_err(|error| {
        let why = first_cell_failed(error);
        let said = last_words();
        if said.is_empty() { why } else { anyhow::anyhow!("{why}: {}", said.join("; ")) }
    })?;
    Ok((context, last_words))
}

/// evcxr's first cells did not compile, or the program for them did not start.
fn not_started(message: &str) -> anyhow::Error {
    if wording::is_disk_full(message) {
        return anyhow::anyhow!("the disk of the cache is full; free some space there");
    }
    let message = wording::without_json(message);
    match wording::linker_missing(&message) {
        Some(remedy) => anyhow::anyhow!("{message}; {remedy}"),
        None => anyhow::anyhow!("evcxr did not start: {message}"),
    }
}

impl Session {
    /// Starts evcxr and runs the hidden first cell. Takes seconds.
    ///
    /// # Errors
    /// As [`open_context`].
    pub(super) fn open(
        environment: Arc<Environment>,
        linked: Linked,
        place: Place,
        executions: Arc<Executions>,
        sources: Sources,
        Shared { names, notebook: shared, live, analyzer }: Shared,
    ) -> anyhow::Result<Self> {
        executions.begin_hidden();
        let (context, last_words) = open_context(environment.child_command())?;
        executions.finish(Outcome::Ok);
        share(&shared, &notebook());
        let session = Self {
            context,
            executions,
            resolver: environment.resolver(&linked)?,
            runtime: linked.runtime.clone(),
            linked,
            place,
            environment,
            dependencies: Vec::new(),
            versions: None,
            level: "0".to_owned(),
            last_words,
            had_child: true,
            timing: false,
            given: None,
            sources,
            names,
            notebook: notebook(),
            shared,
            live,
            analyzer,
            last_code: None,
            known_types: VariableTypes::default(),
            number: 0,
            types: types(),
            items: BTreeMap::new(),
            old_values: Vec::new(),
            orphans: None,
            outlived: Vec::new(),
            gone: Gone::default(),
            said: BTreeSet::new(),
        };
        session.tell_analyzer();
        Ok(session)
    }

    /// Runs a cell to its end and reports it.
    pub(super) fn run(&mut self, mut cell: Cell) {
        let begin = SystemTime::now();
        self.note_times();
        if let Some(name) = commands::asked_about(&cell.code).filter(|name| !self.is_value(name)) {
            cell.code = format!("?{name}");
        }
        if let Err(report) = self.make_place_again(&cell) {
            if self.executions.begin(&cell, Arc::default()) {
                self.executions.finish(Outcome::Error(report));
            }
            return;
        }
        self.number += 1;
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
            self.show_times(&cell, begin);
        }
        let compiled = !matches!(&outcome, Outcome::Error(report) if report.ename == "CompileError");
        if compiled {
            self.names.learn(&cell::without_commands(&cell.code));
        }
        self.remember();
        self.executions.finish(outcome);
        // What evcxr gets back or lets go keeps this thread busy for one compilation more.
        if self.restore() | self.define_again() {
            self.remember();
        }
    }

    /// What the child has said, since this was last asked, about why it cannot go on.
    pub(super) fn last_words(&self) -> Vec<String> {
        (self.last_words)()
    }

    /// Goes on with another evcxr.
    pub(super) fn replace_context(&mut self, context: CommandContext, last_words: LastWords) {
        (self.context, self.last_words) = (context, last_words);
    }

    /// The names of the notebook's variables.
    pub(super) fn variables(&self) -> Vec<String> {
        self.typed_variables().into_keys().collect()
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
        self.versions = None;
        self.said.clear();
    }

    fn remember(&mut self) {
        let variables = self.shown_variables();
        let variables = variables.into_iter().map(|(name, detail)| (name, Known { kind: VARIABLE, detail }));
        let items = self.items.iter().map(|(name, kind)| (name.clone(), Known { kind, detail: (*kind).to_owned() }));
        self.names.set(items.chain(variables));
        self.forget_types();
        let present = self.context.variables_and_types().map(|(name, _)| name);
        self.gone.forget(present.chain(self.items.keys().map(String::as_str)));
        share(&self.shared, &self.notebook);
        self.executions.set_reach(self.reach());
        self.tell_analyzer();
    }

    /// Says what the notebook is made of by now.
    fn tell_analyzer(&self) {
        let manifest = self.resolver.manifest(&self.dependencies);
        let crates = self.executions.items().crates;
        self.analyzer.set_project(Project { manifest, versions: self.versions.clone(), crates });
    }

    /// What is known of a name, by rust-analyzer if that finds it, else by the names that the kernel knows.
    pub(super) fn look_up(&mut self, name: &str) -> Option<MimeBundle> {
        let name = name.trim().trim_end_matches("()");
        let known = self.names.look_up(name, true);
        let exact = self.analyzer.clone().inspect(name.to_owned(), name.len(), known.is_some());
        async_std::task::block_on(exact).or(known)
    }

    pub(super) fn print(&self, cell: &Cell, text: &str) {
        let bytes = text.as_bytes().to_vec();
        self.executions.send(Event::Output { cell: cell.id, stream: Stream::Stderr, bytes });
    }
}

/// A notebook without cells, on a runtime that has slots for thread-unstored, and ends what ticks.
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
    if let Ok(prelude) = cell::prepare(0, &prelude::code(), &Notebook::default()) {
        types.learn(&prelude);
    }
    types
}

fn first_cell_failed(error: Error) -> anyhow::Error {
    let why = match error {
        Error::CompilationErrors(errors) => errors.iter().map(|error| error.message()).collect::<Vec<_>>().join("; "),
        other => wording::without_json(&other.to_string()),
    };
    if wording::is_disk_full(&why) || wording::linker_missing(&why).is_some() {
        return not_started(&why);
    }
    anyhow::anyhow!("the first cell, which the kernel runs for itself, failed: {why}")
}

pub(super) fn source(cell: &Cell, prepared: Option<&PreparedCell>) -> Source {
    let map = prepared.map(|prepared| prepared.map.clone());
    let unstored = prepared.iter().flat_map(|prepared| &prepared.unstored);
    let not_stored = unstored.map(|local| local.name.clone()).collect();
    Source { number: cell.number, code: cell.code.clone(), map, not_stored }
}
