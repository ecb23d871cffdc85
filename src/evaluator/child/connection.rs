//! One connected child: what the kernel sends it, and what it answers.

use super::programs;
use crate::evaluator::errors::diagnostics::{Source, Sources};
use crate::evaluator::support::process_state::ProcessState;
use crate::evaluator::support::wording;
use loopbook_channel::{Frame, Living, MimeBundle, Query, ToChild, write_frame};
use rustix::process::{Signal, kill_process};
use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a child that is stopped may leave a question unanswered.
const PATIENCE: Duration = Duration::from_secs(1);

/// One connected child.
#[derive(Debug)]
pub struct Connection {
    pid: u32,
    writer: Mutex<UnixStream>,
    queries: Mutex<HashMap<u64, Answer>>,
    next_query: AtomicU64,
    /// The cells whose columns it knows, by number.
    told: Mutex<HashMap<u32, Arc<Source>>>,
}

type Answer = futures::channel::oneshot::Sender<Result<(MimeBundle, Living), String>>;

impl Connection {
    /// The child with this process id, which listens to `writer`.
    pub(super) fn new(pid: u32, writer: UnixStream) -> Self {
        Self {
            pid,
            writer: Mutex::new(writer),
            queries: Mutex::default(),
            next_query: AtomicU64::new(1),
            told: Mutex::default(),
        }
    }

    /// The child's process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends a message; a child that is gone is noticed by the reading side.
    pub fn send(&self, message: &ToChild) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = write_frame(&mut *writer, &Frame::Message(message)) {
            tracing::debug!("not sent to the child: {error}");
        }
    }

    /// Asks the inspector. The answer has `application/json` only if `data` is true.
    ///
    /// # Errors
    /// What the inspector says, or that nobody answers because the child has ended or is stopped.
    pub async fn query(&self, query: Query, data: bool) -> Result<MimeBundle, String> {
        Ok(self.ask(query, data).await?.0)
    }

    /// The same without data, and how many of the tasks that the answer lists have not ended.
    ///
    /// # Errors
    /// As [`Connection::query`].
    pub async fn query_living(&self, query: Query) -> Result<(MimeBundle, Living), String> {
        self.ask(query, false).await
    }

    async fn ask(&self, query: Query, data: bool) -> Result<(MimeBundle, Living), String> {
        if self.answers_nobody().is_some() {
            // Perhaps only for a moment. Nothing is sent meanwhile: what nobody reads fills the socket.
            async_std::task::sleep(PATIENCE).await;
            self.answers_nobody().map_or(Ok(()), Err)?;
        }
        let id = self.next_query.fetch_add(1, Ordering::Relaxed);
        let (answer, mut answered) = futures::channel::oneshot::channel();
        self.queries().insert(id, answer);
        self.send(&ToChild::Query { id, query, data });
        loop {
            if let Ok(answer) = async_std::future::timeout(PATIENCE, &mut answered).await {
                let ended = |_| Err("the process that runs the cells ended before it answered".into());
                return answer.unwrap_or_else(ended);
            }
            if let Some(why) = self.answers_nobody() {
                self.queries().remove(&id);
                return Err(why);
            }
        }
    }

    fn answers_nobody(&self) -> Option<String> {
        self.state().answers_nobody(self.pid)
    }

    /// The child has answered a query.
    pub(super) fn answered(&self, id: u64, answer: Result<(MimeBundle, Living), String>) {
        let waiting = self.queries().remove(&id);
        if let Some(waiting) = waiting {
            let _nobody_waits_any_more = waiting.send(answer);
        }
    }

    /// The child answers nothing any more.
    pub(super) fn ended(&self) {
        self.queries().clear();
    }

    fn queries(&self) -> MutexGuard<'_, HashMap<u64, Answer>> {
        self.queries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the child where the columns of all cells stand that it does not know yet. Done before code of theirs is
    /// loaded.
    pub fn tell_columns(&self, sources: &Sources) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for source in sources.all() {
            let is_told = told.get(&source.number).is_some_and(|known| Arc::ptr_eq(known, &source));
            if let Some(map) = source.map.as_ref().filter(|_| !is_told) {
                self.send(&ToChild::Columns { number: source.number, lines: map.compiled_lines() });
                told.insert(source.number, source);
            }
        }
    }

    /// What the child does.
    pub fn state(&self) -> ProcessState {
        ProcessState::of(self.pid)
    }

    /// Lets the child go on if it is stopped. True if it was.
    pub fn wake_up(&self) -> bool {
        let stopped = self.state() == ProcessState::Stopped;
        if stopped {
            // The number is our child's, which is not reaped before its channel closes.
            let _ = programs::pid(self.pid).map(|pid| kill_process(pid, Signal::CONT));
        }
        stopped
    }

    /// Ends the child at once, also if it is stopped, with the programs that its cells have started. Gives those that
    /// go on.
    pub fn kill(&self) -> Vec<String> {
        let left = programs::end(self.pid);
        if let Some(said) = wording::programs_left(&left) {
            tracing::warn!("{said}");
        }
        left
    }
}
