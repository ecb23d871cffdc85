//! Everything that can happen to the kernel, as one `enum` from one select.

use super::Signal;
use crate::evaluator;
use crate::transport::Incoming;
use crate::wire::{CommAnswer, CompleteReply, HistoryReply, InspectReply, IsCompleteReply, Parent, UsageReply};
use async_std::channel::Receiver;
use futures::future::{BoxFuture, Fuse, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use std::time::Duration;

/// Something that has happened.
pub(super) enum Event {
    /// From the sockets.
    Arrived(Incoming),
    /// From the evaluator.
    Evaluator(evaluator::Event),
    /// From a future that the evaluator gave us.
    Answered(Answer),
    /// Printed text has waited long enough.
    FlushDue,
    /// From the process.
    Signal(Signal),
    /// The sockets are gone.
    Disconnected,
}

/// The answer to a request that took time.
pub(super) struct Answer {
    pub(super) parent: Parent,
    pub(super) content: AnswerContent,
}

pub(super) enum AnswerContent {
    Complete(CompleteReply),
    Inspect(InspectReply),
    IsComplete(IsCompleteReply),
    History(HistoryReply),
    Usage(Box<UsageReply>),
    Comm(CommAnswer),
    /// A sentence that says why there is no answer.
    None(String),
}

/// Where events come from.
pub(super) struct Inbox {
    incoming: Receiver<Incoming>,
    evaluator: Receiver<evaluator::Event>,
    signals: Receiver<Signal>,
    answers: FuturesUnordered<BoxFuture<'static, Answer>>,
    flush: Fuse<BoxFuture<'static, ()>>,
    flush_after: Duration,
}

impl Inbox {
    pub(super) fn new(
        incoming: Receiver<Incoming>,
        evaluator: Receiver<evaluator::Event>,
        signals: Receiver<Signal>,
        flush_after: Duration,
    ) -> Self {
        let answers = FuturesUnordered::new();
        Self { incoming, evaluator, signals, answers, flush: Fuse::terminated(), flush_after }
    }

    /// Waits for this answer too, while everything else goes on.
    pub(super) fn expect(&mut self, answer: BoxFuture<'static, Answer>) {
        self.answers.push(answer);
    }

    /// Starts the timer of [`Event::FlushDue`] if it does not run, or stops it.
    pub(super) fn set_flush(&mut self, wanted: bool) {
        use futures::future::FusedFuture;
        if !wanted {
            self.flush = Fuse::terminated();
        } else if self.flush.is_terminated() {
            self.flush = async_std::task::sleep(self.flush_after).boxed().fuse();
        }
    }

    /// The next event. Requests come before what cells print, so that one that prints without end cannot keep an interrupt
    /// waiting; the timer comes before the evaluator for the same reason. Answers that are there come first of all: so
    /// requests that take no time are answered in the order in which they came.
    pub(super) async fn next(&mut self) -> Event {
        loop {
            futures::select_biased! {
                answer = self.answers.select_next_some() => return Event::Answered(answer),
                arrived = self.incoming.next() => return arrived.map_or(Event::Disconnected, Event::Arrived),
                signal = self.signals.select_next_some() => return Event::Signal(signal),
                () = &mut self.flush => return Event::FlushDue,
                // `None` once, when the evaluator's threads are gone. Requests are answered even so.
                event = self.evaluator.next() => {
                    let Some(event) = event else { continue };
                    return Event::Evaluator(event);
                }
            }
        }
    }
}
