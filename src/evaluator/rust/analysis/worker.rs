//! rust-analyzer's thread: one question after the other. Questions that nobody waits for any more are left out.

use super::Inner;
use super::host::{Host, Hover};
use super::project::Sources;
use crate::evaluator::Completions;
use crate::evaluator::completion::text::Text;
use futures::channel::oneshot;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::Instant;

/// Stack of the thread, in bytes: rust-analyzer recurses as deeply as types and expressions nest.
const STACK: usize = 64 << 20;

/// What the thread is asked to do.
pub(super) enum Job {
    /// Take over a project.
    Read(Box<Sources>),
    /// There is none for now.
    NotRead,
    Complete {
        text: Text,
        cursor: usize,
        answer: oneshot::Sender<Completions>,
    },
    Inspect {
        text: Text,
        at: usize,
        answer: oneshot::Sender<Option<Hover>>,
    },
}

/// What the thread has.
#[derive(Default)]
struct Worker {
    host: Option<Host>,
    /// Questions that came before there was a project.
    waiting: Vec<Job>,
}

/// Starts the thread. It lives as long as the kernel.
///
/// # Errors
/// If the system has no thread left.
pub(super) fn start(inner: Arc<Inner>) -> io::Result<mpsc::Sender<Job>> {
    let (jobs, queue) = mpsc::channel();
    std::thread::Builder::new().name("rust-analyzer".into()).stack_size(STACK).spawn(move || {
        let mut worker = Worker::default();
        for job in queue {
            if catch_unwind(AssertUnwindSafe(|| worker.work(job, &inner))).is_err() {
                // What it knows may be half-written. The panic itself is in the log.
                tracing::error!("rust-analyzer has panicked and is started anew");
                worker = Worker::default();
                inner.lost();
            }
        }
    })?;
    Ok(jobs)
}

impl Worker {
    fn work(&mut self, job: Job, inner: &Inner) {
        match job {
            Job::Read(sources) => {
                inner.set_ready(false);
                let began = Instant::now();
                let host = self.host.get_or_insert_default();
                host.take_over(*sources);
                for job in std::mem::take(&mut self.waiting) {
                    host.answer(job);
                }
                host.warm_up();
                tracing::info!("rust-analyzer is ready after {:.3} s", began.elapsed().as_secs_f64());
                inner.set_ready(true);
            }
            Job::NotRead => self.waiting.clear(),
            question => match &mut self.host {
                Some(host) => host.answer(question),
                None => {
                    self.waiting.retain(Job::is_wanted);
                    self.waiting.push(question);
                }
            },
        }
    }
}

impl Job {
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool {
        match self {
            Self::Read(_) | Self::NotRead => true,
            Self::Complete { answer, .. } => !answer.is_canceled(),
            Self::Inspect { answer, .. } => !answer.is_canceled(),
        }
    }
}

impl Host {
    fn answer(&mut self, job: Job) {
        if !job.is_wanted() {
            return;
        }
        match job {
            Job::Complete { text, cursor, answer } => {
                let _nobody_waits_any_more = answer.send(self.complete(text, cursor));
            }
            Job::Inspect { text, at, answer } => {
                let _nobody_waits_any_more = answer.send(self.hover(text, at));
            }
            Job::Read(_) | Job::NotRead => {}
        }
    }

    /// Asks what most questions need, so that none has to wait for it.
    fn warm_up(&mut self) {
        for code in ["let a = vec![String::new()]; a.", "a"] {
            self.complete(Text::new("", &[], code), code.len());
        }
    }
}
