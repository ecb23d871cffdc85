//! The dispatcher owns the kernel's state and answers every request.
//!
//! ```text
//!  sockets ──Incoming──►┌────────────┐──Outgoing──► sockets
//!  evaluator ──Event───►│ one select │
//!  answers, timer ─────►│ one mutator│──start, interrupt, …──► evaluator
//!                       └────────────┘
//! ```
//!
//! `event` is the select, [`Kernel`] the mutator. Execute requests wait for each other (`execute`), all others are
//! answered as they come, also while a cell runs (`requests`); each of the `shells` has a queue of its own. What cells
//! print and show finds its parent in `output` and leaves through `outbox`, the only way out; `input` asks the user.

mod comms;
mod content;
mod event;
mod execute;
mod history;
mod history_store;
mod input;
mod late_output;
mod outbox;
mod output;
mod printed;
mod requests;
mod shells;
mod subshells;
mod usage;
mod utf8;

use crate::evaluator::{self, Evaluator};
use crate::transport::{Incoming, Transport};
use crate::wire::{IopubWelcome, KernelInfoReply, Session, Status};
use async_std::channel::{Receiver, Sender};
use comms::Comms;
use event::{Event, Inbox};
use history::History;
use input::Questions;
pub use late_output::{LATE_OUTPUT_ENV, LateOutput, LateOutputSwitch, UnknownLateOutput};
use outbox::Outbox;
use output::Outputs;
pub use printed::PRINTED_LINES_ENV;
use shells::Shells;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use usage::Meter;

/// What a kernel is told when it is made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The key of the connection file; empty if messages are not signed.
    pub key: Vec<u8>,
    /// Version of the compiler, for `kernel_info_reply`: `1.95.0`.
    pub rust_version: String,
    /// Where output of background tasks goes. A clone of it can be switched while the kernel runs.
    pub late_output: LateOutputSwitch,
    /// The file that remembers what was executed, for kernels to come; `None` remembers it as long as the kernel lives.
    pub history: Option<PathBuf>,
    /// How long printed text waits for more, so that many lines become one message.
    pub gather_output: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            key: Vec::new(),
            rust_version: String::new(),
            late_output: LateOutputSwitch::default(),
            history: None,
            gather_output: Duration::from_millis(20),
        }
    }
}

/// Why the kernel has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// A client asked for it.
    Shutdown,
    /// A client asked for it, and somebody will start another kernel.
    Restart,
    /// [`Signal::Terminate`].
    Terminated,
    /// The sockets are gone.
    Disconnected,
}

/// What the process, rather than a client, tells the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Interrupt the cell that ran at this moment, like `interrupt_request`. One that began later goes on.
    Interrupt(Instant),
    /// End.
    Terminate,
}

/// A Jupyter kernel: all of its state.
pub struct Kernel {
    evaluator: Arc<dyn Evaluator>,
    inbox: Inbox,
    outbox: Outbox,
    shells: Shells,
    outputs: Outputs,
    questions: Questions,
    history: History,
    usage: Meter,
    comms: Comms,
    info: KernelInfoReply,
    signals: Sender<Signal>,
}

impl Kernel {
    /// A kernel that talks over `transport`. `events` is where `evaluator` reports.
    pub fn new(
        transport: Transport,
        evaluator: Arc<dyn Evaluator>,
        events: Receiver<evaluator::Event>,
        settings: Settings,
    ) -> Self {
        let (signals, received) = async_std::channel::unbounded();
        Self {
            evaluator,
            inbox: Inbox::new(transport.incoming, events, received, settings.gather_output),
            outbox: Outbox::new(Session::new(&settings.key), transport.outgoing),
            shells: Shells::default(),
            outputs: Outputs::new(settings.late_output),
            questions: Questions::default(),
            history: History::open(settings.history),
            usage: Meter::default(),
            comms: Comms::default(),
            info: KernelInfoReply::new(&settings.rust_version),
            signals,
        }
    }

    /// For signal handlers and watchers.
    pub fn signals(&self) -> Sender<Signal> {
        self.signals.clone()
    }

    /// Runs until a client or a [`Signal`] ends it, then shuts the evaluator down. The last replies have been queued for
    /// the sockets when this returns; give the sockets time to send them.
    pub async fn run(mut self) -> Exit {
        self.outbox.publish(None, &Status::Starting).await;
        let exit = loop {
            self.inbox.set_flush(self.outbox.has_text() || self.outputs.has_held_text());
            let event = self.inbox.next().await;
            if let Some(exit) = self.handle(event).await {
                break exit;
            }
        };
        self.show_postponed().await;
        self.flush_output().await;
        self.history.close().await;
        self.evaluator.shutdown();
        exit
    }

    async fn handle(&mut self, event: Event) -> Option<Exit> {
        match event {
            Event::Arrived(Incoming::Message { channel, frames }) => {
                match self.outbox.session().open(channel, frames) {
                    Ok(message) => return self.handle_message(message).await,
                    Err(error) => tracing::warn!("ignored on {channel:?}: {error}"),
                }
            }
            Event::Arrived(Incoming::Subscribed { topic }) => self.welcome(topic).await,
            Event::Evaluator(event) => self.handle_evaluator(event).await,
            Event::Answered(answer) => self.handle_answer(answer).await,
            Event::FlushDue => self.flush_output().await,
            Event::Signal(Signal::Interrupt(at)) => self.interrupt(at),
            Event::Signal(Signal::Terminate) => return Some(Exit::Terminated),
            Event::Disconnected => return Some(Exit::Disconnected),
        }
        None
    }

    async fn handle_evaluator(&mut self, event: evaluator::Event) {
        use evaluator::Event;
        match event {
            Event::Ready { message } => tracing::info!("{message}"),
            Event::Output { cell, .. } | Event::Display { cell, .. } | Event::ClearOutput { cell, .. } => {
                let main = self.shells.main().is_some_and(|running| !running.request.silent);
                let nothing_runs = !main && self.shells.of(cell).is_none();
                if let Some(event) = self.outputs.postpone(nothing_runs, event) {
                    self.show(event).await;
                }
            }
            Event::ShowsItself { cell, begins } => self.shows_itself(cell, begins).await,
            Event::Printing { cell, wish } => self.obey_output(cell, wish).await,
            Event::Page { cell, data } => self.page(cell, data).await,
            Event::Input { id, cell, prompt, password } => self.ask(cell, id, prompt, password).await,
            Event::Done { cell, outcome } => self.finish_execution(cell, outcome).await,
        }
    }

    /// JEP 65. A topic that is no text cannot be put into a message, so it is not welcomed.
    async fn welcome(&mut self, topic: Vec<u8>) {
        let Ok(subscription) = String::from_utf8(topic.clone()) else {
            tracing::warn!("a client subscribed to a topic that is not UTF-8");
            return;
        };
        self.outbox.publish_under(topic, &IopubWelcome { subscription }).await;
    }
}
