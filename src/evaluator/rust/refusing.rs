//! A kernel that cannot run cells, and says why under each of them: a notebook whose kernel does not start tells nothing.

use crate::evaluator::errors::report;
use crate::evaluator::support::wording;
use crate::evaluator::{Cell, Completeness, Completions, Evaluator, Event, Outcome, Report, cell};
use async_std::channel::Sender;
use futures::future::{self, BoxFuture, FutureExt};
use loopbook_channel::{CellId, InputError, MimeBundle, Query};
use std::sync::Arc;

/// An evaluator that only has an answer.
#[derive(Debug)]
pub struct Refusing {
    why: String,
    report: Report,
    events: Sender<Event>,
}

impl Refusing {
    /// An evaluator for a process that lacks something which it cannot get while it lives. The error is a sentence that
    /// says what to do.
    pub fn start(error: &anyhow::Error, events: Sender<Event>) -> Arc<dyn Evaluator> {
        let why = wording::sentence(error);
        let report = report::no_compiler(&why, "Then restart the kernel.");
        Arc::new(Self { why, report, events })
    }
}

impl Evaluator for Refusing {
    fn start(&self, cell: Cell) {
        let event = Event::Done { cell: cell.id, outcome: Outcome::Error(self.report.clone()) };
        let events = self.events.clone();
        // Fails only when the kernel has ended.
        async_std::task::spawn(async move { events.send(event).await });
    }

    fn interrupt(&self, _cell: CellId) {}

    fn reply_to_input(&self, _id: u64, _reply: Result<String, InputError>) {}

    fn complete(&self, _code: String, _cursor: usize) -> BoxFuture<'static, Completions> {
        future::ready(Completions::default()).boxed()
    }

    fn inspect(&self, _code: String, _cursor: usize, _detailed: bool) -> BoxFuture<'static, Option<MimeBundle>> {
        future::ready(None).boxed()
    }

    fn is_complete(&self, code: &str) -> Completeness {
        cell::is_complete(code)
    }

    fn query(&self, _query: Query) -> BoxFuture<'static, Result<MimeBundle, String>> {
        future::ready(Err(self.why.clone())).boxed()
    }

    fn shutdown(&self) {}
}
