//! Rust in cells of subshells. evcxr does not compile them: we take the notebook's items from the `lib.rs` that evcxr
//! wrote last, add the cell, and repeat that call of rustc, on a thread of its own. The child runs the library on a
//! thread of its own too.
//!
//! Such a cell never sees the main shell's variables, not even while the main shell is idle: what a name means must not
//! depend on what runs at the moment. Its number is its subshell times a million plus its count, so that marks, tasks
//! and errors of all shells can be told apart (`In[1] of subshell 2`).

use super::Environment;
use super::compile_errors::{another_try, choose_imports};
use super::session::source;
use crate::evaluator::build::shims::{Compiled, Compiler, Crates};
use crate::evaluator::cell::{self, Notebook, PreparedCell};
use crate::evaluator::child::executions::{Executions, Items, Started};
use crate::evaluator::completion::Names;
use crate::evaluator::errors::diagnostics::{Diagnostic, Sources, distinct};
use crate::evaluator::errors::{hints, missing_crates, report, warnings};
use crate::evaluator::{Cell, Outcome, Report};
use loopbook_channel::{CellId, SUBSHELL, SUBSHELL_SYMBOL};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

/// What the notebook's cells have defined, as the thread that prepares cells of subshells sees it.
pub(super) type SharedNotebook = Arc<Mutex<Notebook>>;

/// Where cells of subshells are handed in.
#[derive(Debug, Clone)]
pub(super) struct Subshells(mpsc::Sender<Cell>);

/// The thread that compiles them, one after the other. They run at the same time.
struct Worker {
    executions: Arc<Executions>,
    environment: Arc<Environment>,
    sources: Sources,
    names: Names,
    notebook: SharedNotebook,
    /// Directories of cells that may still be read.
    directories: Vec<(CellId, PathBuf)>,
}

impl Subshells {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system has no thread for it.
    pub(super) fn start(
        executions: Arc<Executions>,
        environment: Arc<Environment>,
        sources: Sources,
        names: Names,
        notebook: SharedNotebook,
    ) -> io::Result<Self> {
        let (queue, cells) = mpsc::channel::<Cell>();
        let mut worker = Worker { executions, environment, sources, names, notebook, directories: Vec::new() };
        std::thread::Builder::new().name("subshells".into()).spawn(move || {
            for cell in cells {
                worker.run(&cell);
            }
        })?;
        Ok(Self(queue))
    }

    /// Takes a cell that is under way; it is answered when it has run.
    pub(super) fn submit(&self, cell: Cell) {
        if self.0.send(cell).is_err() {
            tracing::error!("the thread that compiles cells of subshells is gone");
        }
    }
}

/// The number that a subshell's cell has in its marks, its messages and the inspector.
pub(super) fn number_of(cell: &Cell) -> u32 {
    cell.shell.saturating_mul(SUBSHELL).saturating_add(cell.number)
}

impl Worker {
    fn run(&mut self, cell: &Cell) {
        if let Err(report) = self.try_run(cell) {
            self.executions.finish_in_subshell(cell.id, Outcome::Error(report));
        }
    }

    /// Runs the cell, unless it is gone meanwhile; its end is answered elsewhere. The error is why it cannot run.
    fn try_run(&mut self, cell: &Cell) -> Result<(), Report> {
        let number = cell.number;
        loop {
            let Some(items) = self.executions.wait_for_items(cell.id) else { return Ok(()) };
            let items = items?;
            let notebook = self.notebook.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let prepared = cell::prepare(number, &cell.code, &notebook)
                .map_err(|problems| report::problems(number, &cell.code, &problems))?;
            let Some(compiled) = self.compile(cell, prepared, &items)? else { return Ok(()) };
            let changed = items.crates.changed(&Crates::of(self.environment.work.root()));
            if !changed.is_empty() {
                return Err(report::crates_have_changed(&changed.into_iter().collect::<Vec<_>>()));
            }
            let Some(library) = &compiled.library else { return Err(self.does_not_compile(cell, &compiled)) };
            self.show_warnings(cell, &compiled);
            if let Some(child) = self.executions.connection() {
                child.tell_columns(&self.sources);
            }
            match self.executions.run_in_subshell(cell.id, &items, number, library, &compiled.source) {
                Started::Outdated => {}
                Started::Yes | Started::Gone => return Ok(()),
            }
        }
    }

    /// Compiles the cell; once more without a look at its value if nobody can know the type of that. `None` if the cell is
    /// gone meanwhile.
    fn compile(&mut self, cell: &Cell, prepared: PreparedCell, items: &Items) -> Result<Option<Compiled>, Report> {
        let mut prepared = prepared;
        loop {
            self.sources.insert(Arc::new(source(cell, Some(&prepared))));
            let compiled = self.call_rustc(cell, &file(items, &prepared.rust));
            let compiled =
                compiled.map_err(|error| report::internal(&format!("rustc could not be called: {error}")))?;
            let Some(compiled) = compiled else { return Ok(None) };
            let errors = self.errors(cell, &compiled);
            match another_try(&prepared, &errors).filter(|_| !errors.is_empty()) {
                Some(other) => prepared = other,
                None => return Ok(Some(compiled)),
            }
        }
    }

    fn call_rustc(&mut self, cell: &Cell, text: &str) -> io::Result<Option<Compiled>> {
        let executions = self.executions.clone();
        let (read, unread) =
            self.directories.drain(..).partition::<Vec<_>, _>(|(cell, _)| executions.subshell_cell(*cell).is_none());
        self.directories = unread;
        for (_, directory) in read {
            // If it stays, the kernel removes it at its end.
            let _ignored = std::fs::remove_dir_all(directory);
        }
        let root = self.environment.work.root();
        let directory = root.join("beside").join(cell.id.to_string());
        self.directories.push((cell.id, directory.clone()));
        let compiler = Compiler::start(root, self.environment.rustc(), directory, text)?;
        // An interrupt that came before ends nothing; the compiler's work is then for nobody.
        let wanted = executions.note_compiler(cell.id, compiler.group());
        let compiled = compiler.finish(|| executions.note_compiled(cell.id))?;
        Ok((wanted && executions.subshell_cell(cell.id).is_some()).then_some(compiled))
    }

    /// The errors in the cell, and those that its items have got by it.
    fn errors(&self, cell: &Cell, compiled: &Compiled) -> Vec<Diagnostic> {
        let diagnostics = compiled.diagnostics.iter().filter_map(Diagnostic::from_json);
        let errors = diagnostics.filter(|diagnostic| diagnostic.level.starts_with("error")).collect();
        distinct(errors, &self.sources.for_subshell(cell.number))
    }

    fn does_not_compile(&self, cell: &Cell, compiled: &Compiled) -> Report {
        let mut errors = self.errors(cell, compiled);
        choose_imports(&mut errors, &self.names, self.environment.work.root());
        let is_variable = |name: &str| self.names.is_variable(name);
        for error in errors.iter_mut().filter(|error| hints::unresolved(error).is_some_and(is_variable)) {
            error.leave_out_similar();
        }
        let fallback: Vec<_> = errors.iter().map(Diagnostic::message).collect();
        let fallback = fallback.join("\n");
        let mut unseen = missing_crates::hints(&errors);
        if unseen.is_empty() {
            unseen = hints::of_subshell(&errors, is_variable);
        }
        let mut hints = hints::of(&cell.code, &errors, &fallback);
        hints.extend(unseen.iter().map(String::as_str));
        report::compile_error(&errors, &self.sources.for_subshell(cell.number), &hints, &fallback)
    }

    fn show_warnings(&self, cell: &Cell, compiled: &Compiled) {
        let shown = warnings::of(cell.number, &compiled.diagnostics, &self.sources.for_subshell(cell.number));
        if let Some(bundle) = shown.filter(|_| !cell.silent) {
            self.executions.send(report::display(cell.id, bundle));
        }
    }
}

/// What rustc gets: the notebook's items, and the cell as the body of one future, as evcxr would write it.
fn file(items: &Items, cell: &str) -> String {
    let symbol = SUBSHELL_SYMBOL.to_string_lossy();
    format!(
        "{}#[unsafe(no_mangle)]\npub extern \"C\" fn {symbol}() {{\n::loopbook::__private::in_subshell(::std::boxed::Box::pin(async {{\n{cell}\n}}));\n}}\n",
        items.text
    )
}
