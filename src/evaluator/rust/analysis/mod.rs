//! rust-analyzer, for completion and inspection: on a thread of its own, with a text of its own
//! (`completion::text`), so that it answers whatever the evaluator does.
//!
//! - `project`: the crates below the text, as cargo knows them, and their sources;
//! - `host`: rust-analyzer with both of them, and what it says;
//! - `worker`: the thread.
//!
//! It is started by the first question that only it can answer exactly, and not before: it takes some hundred megabytes,
//! which a notebook that is run from a script, or by somebody who never asks, need not have. Until it has read the crates,
//! the names that the kernel knows itself are the answer, if there are any. A notebook with other crates (`:dep`,
//! `:clear`) is read behind, while questions are answered as before.

mod host;
mod project;
mod worker;

pub(super) use project::Project;

use crate::evaluator::Completions;
use crate::evaluator::cell::without_commands;
use crate::evaluator::child::executions::Executions;
use crate::evaluator::completion::Names;
use crate::evaluator::completion::cursor::{floor, word_at};
use crate::evaluator::completion::text::Text;
use crate::evaluator::reference::page;
use async_std::future::timeout;
use futures::channel::oneshot;
use host::Hover;
use loopbook_channel::MimeBundle;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};
use worker::Job;

/// How long an exact answer is waited for if the kernel knows one itself: JupyterLab waits a second.
const SHORT_PATIENCE: Duration = Duration::from_millis(700);

/// How long it is waited for otherwise: the first one takes seconds, on a machine with much else to do many.
const PATIENCE: Duration = Duration::from_secs(20);

/// After so long what could not be read is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// Where questions are asked. Clones ask the same rust-analyzer.
#[derive(Debug, Clone)]
pub(super) struct Analyzer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    executions: Arc<Executions>,
    names: Names,
    /// The crate that stands for that of the cells.
    directory: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What the notebook is made of; `None` before the first cell can run.
    project: Option<Project>,
    /// Counts projects: which one is meant by now.
    wanted: u64,
    /// Which one was read last, or is being read.
    begun: Option<u64>,
    /// Whether a thread reads one.
    reading: bool,
    failed: Option<Instant>,
    /// Whether an answer takes no longer than any other.
    ready: bool,
    /// The thread, once there is one.
    jobs: Option<mpsc::Sender<Job>>,
}

impl Analyzer {
    /// Nothing is started yet.
    pub(super) fn new(executions: Arc<Executions>, names: Names, directory: PathBuf) -> Self {
        Self(Arc::new(Inner { executions, names, directory, state: Mutex::default() }))
    }

    /// Says what the notebook is made of. If that is something else than before, it is read behind.
    pub(super) fn set_project(&self, project: Project) {
        let mut state = self.0.lock();
        let is_other = state.project.as_ref().is_none_or(|before| before.differs_from(&project));
        state.project = Some(project);
        if is_other {
            state.wanted += 1;
            state.failed = None;
            if state.begun.is_some() {
                self.read_behind(&mut state);
            }
        }
    }

    /// Completions of the code of a cell that is being typed; `cursor` is an offset in bytes. `None` if there is no answer
    /// within the time that one is worth, which is shorter if something `is_known`.
    pub(super) async fn complete(self, code: String, cursor: usize, is_known: bool) -> Option<Completions> {
        let cursor = floor(&code, cursor);
        let text = self.text(&without_commands(&code));
        self.ask(is_known, |answer| Job::Complete { text, cursor, answer }).await
    }

    /// What there is to say of the word at the cursor, as [`Analyzer::complete`] has it.
    pub(super) async fn inspect(self, code: String, cursor: usize, is_known: bool) -> Option<MimeBundle> {
        let code = without_commands(&code);
        let word = word_at(&code, cursor)?;
        let at = word.as_ptr() as usize - code.as_ptr() as usize;
        let text = self.text(&code);
        let hover = self.ask(is_known, |answer| Job::Inspect { text, at, answer }).await??;
        let Hover { text, html } = hover;
        // It begins with where the item is defined.
        let place = text.lines().next().unwrap_or_default();
        let known = self.0.names.reference().describe_canonical(&format!("{place}::{word}"));
        Some(known.unwrap_or_else(|| page::of_hover(&text, &html)))
    }

    fn text(&self, code: &str) -> Text {
        Text::new(&self.0.executions.items().text, &self.0.names.variables(), code)
    }

    async fn ask<T>(&self, is_known: bool, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let patience = self.submit(job(answer), is_known)?;
        timeout(patience, answered).await.ok()?.ok()
    }

    /// Hands in a question, and says how long its answer is to be waited for. `None` if nobody will answer it.
    fn submit(&self, job: Job, is_known: bool) -> Option<Duration> {
        let mut state = self.0.lock();
        state.project.as_ref()?;
        if state.failed.is_some() && !state.ready && !state.may_read() {
            return None;
        }
        if state.jobs.is_none() {
            state.jobs = worker::start(self.0.clone()).inspect_err(|error| tracing::error!("{error}")).ok();
        }
        self.read_behind(&mut state);
        state.jobs.as_ref()?.send(job).ok()?;
        match (is_known, state.ready) {
            (false, _) => Some(PATIENCE),
            (true, true) => Some(SHORT_PATIENCE),
            // What is known is as good an answer as there is at once.
            (true, false) => None,
        }
    }

    /// Has a thread read the project that is meant by now, unless it has been read, or one is at it.
    fn read_behind(&self, state: &mut State) {
        if state.reading || !state.may_read() {
            return;
        }
        let inner = self.0.clone();
        let reader = std::thread::Builder::new().name("project".into()).spawn(move || inner.read());
        state.reading = reader.inspect_err(|error| tracing::error!("{error}")).is_ok();
    }
}

impl State {
    /// Whether there is something to read that has not been tried just now.
    fn may_read(&self) -> bool {
        self.begun != Some(self.wanted) && self.failed.is_none_or(|failed| failed.elapsed() >= RETRY)
    }
}

impl Inner {
    /// Reads projects until that which is meant has been read.
    fn read(&self) {
        loop {
            let mut state = self.lock();
            let wanted = state.wanted;
            let project = state.project.clone().filter(|_| state.begun != Some(wanted));
            let Some(project) = project else {
                state.reading = false;
                return;
            };
            state.begun = Some(wanted);
            drop(state);
            let began = Instant::now();
            let read = project.read(&self.directory);
            let mut state = self.lock();
            let job = match read {
                Ok(sources) => {
                    tracing::info!("the project was read after {:.3} s", began.elapsed().as_secs_f64());
                    state.failed = None;
                    Job::Read(Box::new(sources))
                }
                Err(error) => {
                    tracing::warn!("rust-analyzer cannot read the project: {error:#}");
                    (state.failed, state.begun) = (Some(Instant::now()), None);
                    state.reading = false;
                    Job::NotRead
                }
            };
            let goes_on = state.reading;
            if state.jobs.as_ref().is_none_or(|jobs| jobs.send(job).is_err()) || !goes_on {
                state.reading = false;
                return;
            }
        }
    }

    /// Whether questions are answered promptly from now on.
    fn set_ready(&self, ready: bool) {
        self.lock().ready = ready;
    }

    /// rust-analyzer has panicked: the next question begins anew.
    fn lost(&self) {
        let mut state = self.lock();
        (state.ready, state.begun) = (false, None);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
