//! The history: cells that were executed, in this kernel and in those before it.
//!
//! A file may be slow (another kernel writes, the disk is on a network): it has a thread of its own, which does one job
//! after the other. Without a file there is nothing to wait for, and no thread.

use super::history_store::Keeper;
use crate::evaluator::ShellId;
use crate::wire::{HistoryEntry, HistoryRequest};
use futures::channel::oneshot;
use futures::future::{self, BoxFuture, FutureExt};
use loopbook_channel::MimeBundle;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

/// How long the end of the kernel waits until all is written.
const PATIENCE: Duration = Duration::from_secs(1);

/// Of a result, as many bytes are remembered.
const MAX_OUTPUT: usize = 64 * 1024;

/// The history of all shells.
pub(super) enum History {
    /// In memory.
    Here(Box<Keeper>),
    /// In a file, on a thread.
    Elsewhere {
        jobs: mpsc::Sender<Job>,
        /// Canceled when the thread has ended.
        ended: oneshot::Receiver<()>,
    },
    /// The kernel has ended.
    Closed,
}

/// What the thread is asked to do.
pub(super) enum Job {
    Record { shell: ShellId, line: u32, input: String },
    SetOutput { shell: ShellId, line: u32, output: String },
    Find { shell: ShellId, request: HistoryRequest, answer: oneshot::Sender<Vec<HistoryEntry>> },
}

impl History {
    /// Opens the file, or remembers in memory if there is none. Never fails: what cannot be opened is logged.
    pub(super) fn open(file: Option<PathBuf>) -> Self {
        let Some(file) = file else { return Self::Here(Box::new(Keeper::in_memory())) };
        let (jobs, queue) = mpsc::channel();
        let (ending, ended) = oneshot::channel();
        let work = move || {
            let mut keeper = Keeper::open(file);
            queue.into_iter().for_each(|job| do_job(&mut keeper, job));
            drop(ending);
        };
        match std::thread::Builder::new().name("history".into()).spawn(work) {
            Ok(_thread) => Self::Elsewhere { jobs, ended },
            Err(error) => {
                tracing::warn!("the history is not kept for later kernels: {error}");
                Self::Here(Box::new(Keeper::in_memory()))
            }
        }
    }

    /// Remembers an execution by its number.
    pub(super) fn record(&mut self, shell: ShellId, line: u32, input: String) {
        self.submit(Job::Record { shell, line, input });
    }

    /// Remembers its result.
    pub(super) fn set_output(&mut self, shell: ShellId, line: u32, data: &MimeBundle) {
        let Some(text) = data.get("text/plain").and_then(|text| text.as_str()) else { return };
        let output = text[..text.floor_char_boundary(MAX_OUTPUT)].to_owned();
        self.submit(Job::SetOutput { shell, line, output });
    }

    /// What the client asks for, oldest first.
    pub(super) fn find(&mut self, shell: ShellId, request: HistoryRequest) -> BoxFuture<'static, Vec<HistoryEntry>> {
        let (answer, mut answered) = oneshot::channel();
        self.submit(Job::Find { shell, request, answer });
        // What was found at once needs no second turn of the loop.
        match answered.try_recv() {
            Ok(Some(found)) => future::ready(found).boxed(),
            _ => answered.map(Result::unwrap_or_default).boxed(),
        }
    }

    /// Waits until everything is written, but not for long.
    pub(super) async fn close(&mut self) {
        let Self::Elsewhere { jobs, ended } = std::mem::replace(self, Self::Closed) else { return };
        drop(jobs);
        if async_std::future::timeout(PATIENCE, ended).await.is_err() {
            tracing::warn!("the last executions may be missing in the history: its file is slow");
        }
    }

    fn submit(&mut self, job: Job) {
        match self {
            Self::Here(keeper) => do_job(keeper, job),
            Self::Elsewhere { jobs, .. } => {
                if jobs.send(job).is_err() {
                    tracing::error!("the thread of the history is gone");
                }
            }
            Self::Closed => {}
        }
    }
}

fn do_job(keeper: &mut Keeper, job: Job) {
    match job {
        Job::Record { shell, line, input } => keeper.record(shell, line, &input),
        Job::SetOutput { shell, line, output } => keeper.set_output(shell, line, &output),
        Job::Find { shell, request, answer } => {
            // Nobody waits any more only while the kernel ends.
            let _ = answer.send(keeper.find(shell, &request));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluator::MAIN_SHELL;
    use crate::wire::Access;

    fn tail(history: &mut History) -> Vec<(String, Option<Option<String>>)> {
        let request = HistoryRequest { output: true, access: Access::Tail { n: 10 } };
        let found = async_std::task::block_on(history.find(MAIN_SHELL, request));
        found.into_iter().map(|entry| (entry.input, entry.output)).collect()
    }

    #[test]
    fn a_file_is_read_by_the_next_kernel() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("made/on/demand/history.sqlite");
        let mut first = History::open(Some(file.clone()));
        first.record(MAIN_SHELL, 1, "6 * 7".to_owned());
        first.set_output(MAIN_SHELL, 1, &MimeBundle::from([("text/plain".to_owned(), "42".into())]));
        async_std::task::block_on(first.close());
        let mut second = History::open(Some(file));
        assert_eq!(tail(&mut second), [("6 * 7".to_owned(), Some(Some("42".to_owned())))]);
    }

    #[test]
    fn a_long_result_is_cut_between_two_characters() {
        let mut history = History::open(None);
        history.record(MAIN_SHELL, 1, "long".to_owned());
        let text = format!("a{}", "é".repeat(MAX_OUTPUT));
        history.set_output(MAIN_SHELL, 1, &MimeBundle::from([("text/plain".to_owned(), text.into())]));
        let output = tail(&mut history).remove(0).1.flatten().expect("a result");
        assert_eq!(output.len(), MAX_OUTPUT - 1);
    }

    #[test]
    fn a_closed_history_forgets_quietly() {
        let mut history = History::open(None);
        async_std::task::block_on(history.close());
        history.record(MAIN_SHELL, 1, "late".to_owned());
        assert!(tail(&mut history).is_empty());
    }
}
