//! The Rust evaluator: evcxr on a thread of its own, cells in a child process, and the link between them.

mod add_dependencies;
mod analysis;
mod commands;
mod compile_errors;
mod environment;
mod execute;
mod live;
mod looks;
mod old_values;
mod place;
mod refusing;
mod session;
mod subshell_commands;
mod subshells;
mod timing;
mod variables;

pub use environment::{Environment, prepare};
pub use refusing::Refusing;

use super::build::shims;
use super::build::workdir;
use super::child::executions::{Builds, Executions};
use super::child::server::OnBuilt;
use super::completion::Names;
use super::errors::diagnostics::{Source, Sources};
use super::errors::{report, warnings};
use super::reference::Reference;
use super::support::wording;
use super::{Cell, Completeness, Completions, Evaluator, Event, MAIN_SHELL, Outcome, Report, cell};
use analysis::Analyzer;
use async_std::channel::Sender;
use futures::future::BoxFuture;
use live::Live;
use loopbook_channel::{CellId, DisplayKind, InputError, MimeBundle, Query, ToChild};
use session::{Session, Shared};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use subshells::{SharedNotebook, Subshells};

/// The evaluator of the kernel proper.
#[derive(Debug)]
pub struct RustEvaluator {
    executions: Arc<Executions>,
    names: Names,
    cells: mpsc::Sender<Cell>,
    last_cell: LastCell,
    analyzer: Analyzer,
    environment: Arc<Environment>,
    subshells: Subshells,
    live: Arc<Live>,
}

/// Stack of the evaluator's thread, in bytes: parsers recurse as deeply as expressions nest.
const STACK: usize = 64 << 20;

/// The number of the last cell that was handed in to the evaluator's thread; 0 before the first.
type LastCell = Arc<AtomicU64>;

impl RustEvaluator {
    /// Starts the evaluator: returns at once, while evcxr and the first cells warm up on a thread. Cells may be
    /// started right away; they wait.
    ///
    /// # Errors
    /// If the system has no threads left.
    pub fn start(environment: Environment, events: Sender<Event>) -> anyhow::Result<Arc<dyn Evaluator>> {
        let root = environment.work.root().to_owned();
        let executions = Executions::new(events, environment.work.source(), builds(&root));
        let sources = Sources::default();
        let (cells, queue) = mpsc::channel();
        let names = Names::default();
        let last_cell = LastCell::default();
        let analyzer = Analyzer::new(executions.clone(), names.clone(), environment.work.analysis_dir());
        let thread = Thread {
            executions: executions.clone(),
            sources,
            names: names.clone(),
            last_cell: last_cell.clone(),
            analyzer: analyzer.clone(),
            notebook: SharedNotebook::default(),
            live: Arc::default(),
            started: std::time::Instant::now(),
        };
        let environment = Arc::new(environment);
        sweep(&environment)?;
        let notebook = thread.notebook.clone();
        let (sources, known) = (thread.sources.clone(), names.clone());
        let subshells = Subshells::start(executions.clone(), environment.clone(), sources, known, notebook)?;
        let evaluator = Self {
            executions,
            names,
            cells,
            last_cell,
            analyzer,
            environment: environment.clone(),
            subshells,
            live: thread.live.clone(),
        };
        std::thread::Builder::new()
            .name("evaluator".into())
            .stack_size(STACK)
            .spawn(move || thread.run(environment, &queue))?;
        Ok(Arc::new(evaluator))
    }
}

impl Evaluator for RustEvaluator {
    fn start(&self, mut cell: Cell) {
        if cell.shell != MAIN_SHELL {
            cell.number = subshells::number_of(&cell);
            let Some(left) = self.take_aside(cell) else { return };
            cell = left;
        }
        self.last_cell.store(cell.id, Ordering::Release);
        if self.cells.send(cell).is_err() {
            tracing::error!("the evaluator's thread is gone");
        }
    }

    fn interrupt(&self, cell: CellId) {
        let executions = self.executions.clone();
        async_std::task::spawn(async move {
            let interrupt = executions.clone();
            // It may wait for room in the channel of events, which the caller (the dispatcher) empties.
            async_std::task::spawn_blocking(move || interrupt.interrupt(cell)).await;
            executions.warn_if_stuck(cell).await;
        });
    }

    fn reply_to_input(&self, id: u64, reply: Result<String, InputError>) {
        if let Some(connection) = self.executions.connection() {
            connection.send(&ToChild::InputReply { id, reply });
        }
    }

    fn complete(&self, code: String, cursor: usize) -> BoxFuture<'static, Completions> {
        if super::completion::cursor::in_command(&code, cursor) {
            let names = self.names.clone();
            let complete = move || names.complete_command(&code, cursor).unwrap_or_default();
            return Box::pin(async_std::task::spawn_blocking(complete));
        }
        let module = self.names.complete_module(&code, cursor);
        let known = self.names.complete(&code, cursor);
        let is_certain = module.as_ref().is_some_and(|(_, is_certain)| *is_certain);
        if is_certain {
            return Box::pin(async move { known });
        }
        let exact = self.analyzer.clone().complete(code, cursor, !known.items.is_empty());
        Box::pin(async move {
            match exact.await {
                // rust-analyzer offers what is private in our crates, too.
                Some(exact) if module.is_some_and(|(module, _)| exact.has_all_of(&module)) => known,
                Some(exact) if !exact.items.is_empty() => exact,
                _ => known,
            }
        })
    }

    fn inspect(&self, code: String, cursor: usize, detailed: bool) -> BoxFuture<'static, Option<MimeBundle>> {
        let known = self.names.inspect(&code, cursor, detailed);
        if super::completion::cursor::in_command(&code, cursor) {
            return Box::pin(async move { known });
        }
        let exact = self.analyzer.clone().inspect(code, cursor, known.is_some());
        Box::pin(async move { exact.await.or(known) })
    }

    fn is_complete(&self, code: &str) -> Completeness {
        cell::is_complete(code)
    }

    fn query(&self, query: Query) -> BoxFuture<'static, Result<MimeBundle, String>> {
        let connection = self.executions.connection();
        Box::pin(async move {
            let Some(connection) = connection else { return Err("the loop has not started yet".into()) };
            connection.query(query, true).await
        })
    }

    fn shutdown(&self) {
        if let Some(connection) = self.executions.connection() {
            connection.kill();
        }
        shims::kill_running(self.environment.work.root());
        self.environment.work.remove();
    }
}

/// The evaluator's thread: everything that evcxr does happens here, one job after the other.
struct Thread {
    executions: Arc<Executions>,
    sources: Sources,
    names: Names,
    last_cell: LastCell,
    analyzer: Analyzer,
    notebook: SharedNotebook,
    live: Arc<Live>,
    started: std::time::Instant,
}

impl Thread {
    fn run(self, environment: Arc<Environment>, queue: &mpsc::Receiver<Cell>) {
        let mut session = self.open(&environment);
        // These cells have waited for an answer; those that come later may find that things have changed.
        let mut waited = self.last_cell.load(Ordering::Acquire);
        self.serve(queue, |cell| {
            if session.is_err() && cell.id > waited {
                session = self.open(&environment);
                waited = self.last_cell.load(Ordering::Acquire);
            }
            match &mut session {
                Ok(session) => session.run(cell),
                // False if it was interrupted meanwhile, and has been answered.
                Err(report) if self.executions.begin(&cell, Arc::default()) => {
                    self.executions.finish(Outcome::Error(report.clone()));
                }
                Err(_) => {}
            }
        });
    }

    /// Starts evcxr, or says why it cannot be: that may be another time.
    fn open(&self, environment: &Arc<Environment>) -> Result<Session, Report> {
        match self.try_open(environment) {
            Ok(session) => {
                self.executions.set_ready(Ok(()));
                let message = format!("warm after {:.1} s", self.started.elapsed().as_secs_f64());
                self.executions.send(Event::Ready { message });
                Ok(session)
            }
            Err(error) => {
                let why = wording::sentence(&error);
                let report = report::no_compiler(&why, "Then run the cell again.");
                self.executions.set_ready(Err(report.clone()));
                self.executions.finish(Outcome::Ok);
                self.executions.send(Event::Ready { message: format!("the evaluator did not start: {why}") });
                // What was made so far takes room on the disk.
                environment.work.remove();
                Err(report)
            }
        }
    }

    fn try_open(&self, environment: &Arc<Environment>) -> anyhow::Result<Session> {
        let place = place::make(environment, &self.executions, &self.sources)?;
        let mut shown = false;
        let linked = environment.link_template(|line| shown = self.show_warming(line, shown))?;
        self.read_names(linked.template.names())?;
        let shared = Shared {
            names: self.names.clone(),
            notebook: self.notebook.clone(),
            live: self.live.clone(),
            analyzer: self.analyzer.clone(),
        };
        let (executions, sources) = (self.executions.clone(), self.sources.clone());
        Session::open(environment.clone(), linked, place, executions, sources, shared)
    }

    /// Reads the names of the crates, on a thread of its own while evcxr starts.
    fn read_names(&self, file: PathBuf) -> std::io::Result<()> {
        let names = self.names.clone();
        std::thread::Builder::new().name("names".into()).spawn(move || match Reference::open(&file) {
            Ok(reference) => names.refer_to(reference),
            Err(error) => tracing::warn!("the names of the crates are not known: {error}"),
        })?;
        Ok(())
    }

    /// Says how far the runtime's own compilation is, under the cell that waits for it. Returns whether a cell waits.
    fn show_warming(&self, line: &str, shown: bool) -> bool {
        let cell = self.last_cell.load(Ordering::Acquire);
        if cell == 0 {
            return false;
        }
        let kind = if shown { DisplayKind::Update } else { DisplayKind::Display };
        let data = MimeBundle::from([("text/plain".to_owned(), line.into())]);
        self.executions.send(Event::display(cell, kind, data, Some("loopbook-warm".into())));
        true
    }

    fn serve(&self, queue: &mpsc::Receiver<Cell>, mut work: impl FnMut(Cell)) {
        for cell in queue {
            // evcxr can panic on strange code; that must cost no more than this cell.
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(cell))) {
                let what = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
                self.executions.finish(Outcome::Error(report::internal(what.unwrap_or("it panicked"))));
            }
        }
    }
}

/// What can be done to the builds in this working directory.
fn builds(root: &Path) -> Builds {
    let [running, refused, crates] = std::array::from_fn(|_| root.to_owned());
    Builds {
        kill: Box::new(move || {
            shims::kill_running(&running);
        }),
        refuse: Box::new(move |refuse| {
            if let Err(error) = shims::refuse(&refused, refuse) {
                tracing::error!("whether builds fail cannot be set to {refuse}: {error}");
            }
        }),
        crates: Box::new(move || shims::Crates::of(&crates)),
    }
}

/// Removes what kernels that were killed have left, while this one starts.
fn sweep(environment: &Arc<Environment>) -> std::io::Result<()> {
    let environment = environment.clone();
    std::thread::Builder::new().name("sweep".into()).spawn(move || {
        if let Err(error) = workdir::sweep_stale(environment.home()) {
            tracing::warn!("what a dead kernel left cannot be removed: {error}");
        }
    })?;
    Ok(())
}

/// Shows, once per cell, the warnings of the build that has just succeeded.
fn warnings_of(root: PathBuf, sources: Sources) -> OnBuilt {
    Box::new(move |source: &Source| warnings::of(source.number, &shims::last_diagnostics(&root), &sources))
}
