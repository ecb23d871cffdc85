//! The Rust evaluator: evcxr on a thread of its own, cells in a child process, and the link between them.

mod aside;
mod ask;
mod beside;
mod depend;
mod failed;
mod kept;
mod live;
mod obey;
mod prepare;
mod progress;
mod session;
mod spared;

pub use prepare::{Prepared, prepare};

use super::diagnostics::{Diagnostic, Source, Sources};
use super::execution::Executions;
use super::link::{self, OnBuilt};
use super::names::Names;
use super::standin;
use super::{Cell, Completeness, Completions, Evaluator, Event, MAIN_SHELL, Outcome, cell, report, workdir};
use async_std::channel::Sender;
use async_std::future::timeout;
use beside::{SharedNotebook, Subshells};
use futures::channel::oneshot;
use futures::future::BoxFuture;
use live::Live;
use loopbook_channel::{CellId, DisplayKind, InputError, MimeBundle, Query, ToChild};
use session::{Session, Shared};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// The evaluator of the kernel proper.
#[derive(Debug)]
pub struct RustEvaluator {
    executions: Arc<Executions>,
    names: Names,
    jobs: mpsc::Sender<Job>,
    load: Arc<Load>,
    prepared: Arc<Prepared>,
    subshells: Subshells,
    live: Arc<Live>,
}

/// Stack of the evaluator's thread, in bytes: rust-analyzer recurses as deeply as types nest.
const STACK: usize = 64 << 20;

/// How long an answer of rust-analyzer's is waited for; then what the kernel itself knows has to do.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the evaluator's thread is asked to do.
enum Job {
    Run(Cell, Busy),
    Complete(String, usize, oneshot::Sender<Completions>),
    Inspect(String, usize, oneshot::Sender<Option<MimeBundle>>),
}

/// How much the evaluator's thread has to do.
#[derive(Debug, Default)]
struct Load {
    warm: AtomicBool,
    /// Cells that wait or run.
    cells: AtomicUsize,
    last_cell: AtomicU64,
}

/// Counts a cell as long as it is there.
struct Busy(Arc<Load>);

impl Busy {
    fn with(load: &Arc<Load>) -> Self {
        load.cells.fetch_add(1, Ordering::AcqRel);
        Self(load.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.cells.fetch_sub(1, Ordering::AcqRel);
    }
}

impl RustEvaluator {
    /// Starts the evaluator: returns at once, while rust-analyzer and the first cells warm up on a thread. Cells may be
    /// started right away; they wait.
    ///
    /// # Errors
    /// If the channel to the child or the thread cannot be made.
    pub fn start(prepared: Prepared, events: Sender<Event>) -> anyhow::Result<Arc<dyn Evaluator>> {
        let root = prepared.work.root().to_owned();
        let build = root.clone();
        let executions = Executions::new(events, prepared.work.source(), move || {
            standin::kill_running(&build);
        });
        let sources = Sources::default();
        link::listen(&prepared.socket, executions.clone(), sources.clone(), warnings_of(root, sources.clone()))?;
        let (jobs, queue) = mpsc::channel();
        let names = Names::default();
        let load = Arc::new(Load::default());
        let thread = Thread {
            executions: executions.clone(),
            sources,
            names: names.clone(),
            load: load.clone(),
            notebook: SharedNotebook::default(),
            live: Arc::default(),
            started: std::time::Instant::now(),
        };
        let prepared = Arc::new(prepared);
        sweep(&prepared)?;
        let notebook = thread.notebook.clone();
        let (sources, known) = (thread.sources.clone(), names.clone());
        let subshells = Subshells::start(executions.clone(), prepared.clone(), sources, known, notebook)?;
        let evaluator =
            Self { executions, names, jobs, load, prepared: prepared.clone(), subshells, live: thread.live.clone() };
        std::thread::Builder::new()
            .name("evaluator".into())
            .stack_size(STACK)
            .spawn(move || thread.run(prepared, &queue))?;
        Ok(Arc::new(evaluator))
    }

    fn idle(&self) -> bool {
        self.load.warm.load(Ordering::Acquire) && self.load.cells.load(Ordering::Acquire) == 0
    }

    fn submit(&self, job: Job) {
        if self.jobs.send(job).is_err() {
            tracing::error!("the evaluator's thread is gone");
        }
    }
}

impl Evaluator for RustEvaluator {
    fn start(&self, mut cell: Cell) {
        if cell.shell != MAIN_SHELL {
            cell.number = beside::number_of(&cell);
            let Some(left) = self.take_aside(cell) else { return };
            cell = left;
        }
        self.load.last_cell.store(cell.id, Ordering::Release);
        self.submit(Job::Run(cell, Busy::with(&self.load)));
    }

    fn interrupt(&self, cell: CellId) {
        let executions = self.executions.clone();
        async_std::task::spawn(async move {
            let interrupt = executions.clone();
            // It waits while many events are on their way, and who asks for it is who takes them.
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
        if super::names::in_command(&code, cursor) {
            let names = self.names.clone();
            let complete = move || names.complete_command(&code, cursor).unwrap_or_default();
            return Box::pin(async_std::task::spawn_blocking(complete));
        }
        let known = self.names.complete(&code, cursor);
        if !self.idle() {
            return Box::pin(async move { known });
        }
        let (answer, answered) = oneshot::channel();
        self.submit(Job::Complete(code, cursor, answer));
        Box::pin(async move {
            match timeout(PATIENCE, answered).await {
                Ok(Ok(exact)) if !exact.items.is_empty() => exact,
                _ => known,
            }
        })
    }

    fn inspect(&self, code: String, cursor: usize, detailed: bool) -> BoxFuture<'static, Option<MimeBundle>> {
        let known = self.names.inspect(&code, cursor, detailed);
        if !self.idle() || super::names::in_command(&code, cursor) {
            return Box::pin(async move { known });
        }
        let (answer, answered) = oneshot::channel();
        self.submit(Job::Inspect(code, cursor, answer));
        Box::pin(async move {
            let exact = timeout(PATIENCE, answered).await.ok().and_then(Result::ok).flatten();
            exact.or(known)
        })
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
        standin::kill_running(self.prepared.work.root());
        self.prepared.work.remove();
    }
}

/// The evaluator's thread: everything that evcxr does happens here, one job after the other.
struct Thread {
    executions: Arc<Executions>,
    sources: Sources,
    names: Names,
    load: Arc<Load>,
    notebook: SharedNotebook,
    live: Arc<Live>,
    started: std::time::Instant,
}

impl Thread {
    fn run(self, prepared: Arc<Prepared>, queue: &mpsc::Receiver<Job>) {
        let progress = progress::show(prepared.work.root(), self.executions.clone());
        if let Err(error) = &progress {
            tracing::warn!("builds cannot be watched: {error}");
        }
        match self.open(&prepared) {
            Ok(mut session) => {
                self.load.warm.store(true, Ordering::Release);
                self.executions.is_ready(Ok(()));
                let message = format!("warm after {:.1} s", self.started.elapsed().as_secs_f64());
                self.executions.send(Event::Ready { message });
                self.serve(queue, |job| session.work(job));
            }
            Err(error) => {
                let report = report::no_compiler(&format!("{error:#}"));
                self.executions.is_ready(Err(report.clone()));
                self.executions.finish(Outcome::Ok);
                self.executions.send(Event::Ready { message: format!("the evaluator did not start: {error:#}") });
                self.serve(queue, |job| {
                    if let Job::Run(cell, _busy) = job {
                        self.executions.refuse(cell.id, report.clone());
                    }
                });
            }
        }
    }

    fn open(&self, prepared: &Arc<Prepared>) -> anyhow::Result<Session> {
        let mut shown = false;
        let linked = prepared.link_template(|line| shown = self.show_warming(line, shown))?;
        let shared = Shared { names: self.names.clone(), notebook: self.notebook.clone(), live: self.live.clone() };
        Session::open(prepared.clone(), linked, self.executions.clone(), self.sources.clone(), shared)
    }

    /// Says how far the runtime's own compilation is, under the cell that waits for it. Returns whether a cell waits.
    fn show_warming(&self, line: &str, shown: bool) -> bool {
        let cell = self.load.last_cell.load(Ordering::Acquire);
        if cell == 0 {
            return false;
        }
        let text = format!("The runtime is compiled for the first time, which takes a few minutes: {line}");
        self.executions.send(Event::Display {
            cell,
            kind: if shown { DisplayKind::Update } else { DisplayKind::Display },
            data: MimeBundle::from([("text/plain".to_owned(), text.into())]),
            metadata: serde_json::Map::new(),
            display_id: Some("loopbook-warm".into()),
        });
        true
    }

    fn serve(&self, queue: &mpsc::Receiver<Job>, mut work: impl FnMut(Job)) {
        for job in queue {
            // evcxr and rust-analyzer can panic on strange code; that must cost no more than this cell.
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(job))) {
                let what = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
                self.executions.finish(Outcome::Error(report::internal(what.unwrap_or("it panicked"))));
            }
        }
    }
}

impl Session {
    fn work(&mut self, job: Job) {
        match job {
            Job::Run(cell, busy) => self.run(cell, busy),
            Job::Complete(code, cursor, answer) => {
                let _nobody_waits_any_more = answer.send(self.complete(&code, cursor));
            }
            Job::Inspect(code, cursor, answer) => {
                let _nobody_waits_any_more = answer.send(self.inspect(&code, cursor));
            }
        }
    }
}

/// Removes what kernels that were killed have left, while this one starts.
fn sweep(prepared: &Arc<Prepared>) -> std::io::Result<()> {
    let home = prepared.home.clone();
    std::thread::Builder::new().name("sweep".into()).spawn(move || {
        if let Err(error) = workdir::sweep_stale(&home) {
            tracing::warn!("what a dead kernel left cannot be removed: {error}");
        }
    })?;
    Ok(())
}

/// Shows, once per cell, the warnings of the build that has just succeeded.
fn warnings_of(root: PathBuf, sources: Sources) -> OnBuilt {
    Box::new(move |source: &Source| {
        let number = source.number;
        let diagnostics = standin::last_diagnostics(&root);
        let texts: Vec<String> = diagnostics
            .iter()
            .filter_map(Diagnostic::from_json)
            .filter(|diagnostic| diagnostic.level == "warning")
            .filter(|diagnostic| diagnostic.place(&sources).is_some_and(|(cell, _, _)| cell == number))
            .map(|diagnostic| diagnostic.render(&sources, &[]))
            .collect();
        (!texts.is_empty()).then(|| report::ansi_bundle(&texts.join("\n\n")))
    })
}
