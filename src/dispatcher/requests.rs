//! Requests that are answered as they come, also while a cell runs.

use super::event::{Answer, AnswerContent};
use super::{Exit, Kernel};
use crate::evaluator::{Completeness, Completion, Completions};
use crate::transport::Channel;
use crate::wire::{
    CompleteReply, CompleteRequest, CompletionType, HistoryReply, HistoryRequest, InspectReply, InspectRequest,
    InterruptReply, IsCompleteReply, IsCompleteRequest, Message, Parent, Refusal, Request, ShutdownReply, Status,
    UsageReply, byte_offset, code_point_offset,
};
use futures::future::{self, FutureExt};
use std::time::Instant;

/// A cell of so many bytes is short.
const SHORT: usize = 16 * 1024;

impl Kernel {
    /// Handles a message. Every request is framed by `busy` and `idle`; those of a request that has to wait come later.
    pub(super) async fn handle_message(&mut self, message: Message) -> Option<Exit> {
        let Message { parent, answers, request } = message;
        let request = match request {
            Ok(Request::Execute(request)) if self.refusal_of_shell(&parent).is_none() => {
                self.enqueue(parent, request).await;
                return None;
            }
            Ok(Request::InputReply(reply)) => {
                self.handle_input_reply(&parent, answers, reply).await;
                return None;
            }
            Err(refusal) if parent.channel() == Channel::Stdin => {
                tracing::warn!("ignored on stdin: {refusal}");
                return None;
            }
            request => request,
        };
        self.outbox.publish(Some(&parent), &Status::Busy).await;
        let handled = self.answer(&parent, request).await;
        if !matches!(handled, Handled::Later) {
            self.outbox.publish(Some(&parent), &Status::Idle).await;
        }
        if let Handled::Exit(exit) = handled { Some(exit) } else { None }
    }

    /// Sends the answer that took time.
    pub(super) async fn handle_answer(&mut self, Answer { parent, content }: Answer) {
        match content {
            AnswerContent::Complete(reply) => self.outbox.reply(&parent, &reply).await,
            AnswerContent::Inspect(reply) => self.outbox.reply(&parent, &reply).await,
            AnswerContent::IsComplete(reply) => self.outbox.reply(&parent, &reply).await,
            AnswerContent::History(reply) => self.outbox.reply(&parent, &reply).await,
            AnswerContent::Usage(reply) => self.outbox.reply(&parent, &*reply).await,
            AnswerContent::Comm(answer) => self.outbox.publish(Some(&parent), &answer).await,
            AnswerContent::None(why) => self.refuse(&parent, why).await,
        }
        self.outbox.publish(Some(&parent), &Status::Idle).await;
    }

    async fn answer(&mut self, parent: &Parent, request: Result<Request, Refusal>) -> Handled {
        if let Some(why) = self.refusal_of_shell(parent) {
            self.refuse(parent, why).await;
            return Handled::Now;
        }
        match request {
            Ok(Request::KernelInfo) => self.outbox.reply(parent, &self.info).await,
            Ok(Request::Complete(request)) => {
                self.complete(parent.clone(), request);
                return Handled::Later;
            }
            Ok(Request::Inspect(request)) => {
                self.inspect(parent.clone(), request);
                return Handled::Later;
            }
            Ok(Request::IsComplete(request)) => {
                self.check_completeness(parent.clone(), request);
                return Handled::Later;
            }
            Ok(Request::History(request)) => {
                self.look_up(parent.clone(), request);
                return Handled::Later;
            }
            Ok(Request::Usage) => {
                self.measure(parent.clone());
                return Handled::Later;
            }
            Ok(Request::CreateSubshell) => self.create_subshell(parent).await,
            Ok(Request::DeleteSubshell(request)) => self.delete_subshell(parent, request).await,
            Ok(Request::ListSubshells) => self.list_subshells(parent).await,
            Ok(Request::CommInfo(request)) => self.list_comms(parent, request).await,
            Ok(Request::CommOpen(comm)) => {
                return if self.open_comm(parent, comm).await { Handled::Later } else { Handled::Now };
            }
            Ok(Request::CommMessage(comm)) => {
                return if self.hear_comm(parent, comm) { Handled::Later } else { Handled::Now };
            }
            Ok(Request::CommClose(comm)) => self.close_comm(&comm),
            Ok(Request::Interrupt) => {
                self.interrupt(Instant::now());
                self.outbox.reply(parent, &InterruptReply::default()).await;
            }
            Ok(Request::Shutdown(request)) => return self.shut_down(parent, request.restart).await,
            Ok(Request::Execute(_) | Request::InputReply(_)) => unreachable!("handled by handle_message"),
            Err(refusal) => {
                tracing::warn!("refused: {refusal}");
                if let Some(reply) = refusal.reply() {
                    self.outbox.reply(parent, &reply).await;
                }
            }
        }
        Handled::Now
    }

    fn complete(&mut self, parent: Parent, CompleteRequest { code, cursor_pos }: CompleteRequest) {
        let completions = self.evaluator.complete(code.clone(), byte_offset(&code, cursor_pos));
        let reply = move |found| AnswerContent::Complete(completions_reply(&code, found));
        self.inbox.expect(completions.map(move |found| Answer { parent, content: reply(found) }).boxed());
    }

    fn inspect(&mut self, parent: Parent, request: InspectRequest) {
        let cursor = byte_offset(&request.code, request.cursor_pos);
        let inspection = self.evaluator.inspect(request.code, cursor, request.detail_level > 0);
        let reply = |found| AnswerContent::Inspect(InspectReply::new(found));
        self.inbox.expect(inspection.map(move |found| Answer { parent, content: reply(found) }).boxed());
    }

    /// Parsing a short cell takes less time than another thread would; a long one must not keep an interrupt waiting.
    fn check_completeness(&mut self, parent: Parent, IsCompleteRequest { code }: IsCompleteRequest) {
        let (evaluator, long) = (self.evaluator.clone(), code.len() > SHORT);
        let check = move || AnswerContent::IsComplete(completeness(evaluator.is_complete(&code)));
        let content =
            if long { async_std::task::spawn_blocking(check).boxed() } else { future::ready(check()).boxed() };
        self.inbox.expect(content.map(move |content| Answer { parent, content }).boxed());
    }

    fn look_up(&mut self, parent: Parent, request: HistoryRequest) {
        let Some(shell) = self.shells.id(&parent.header().subshell_id) else { return };
        let found = self.history.find(shell, request);
        let reply = |found| AnswerContent::History(HistoryReply::new(found));
        self.inbox.expect(found.map(move |found| Answer { parent, content: reply(found) }).boxed());
    }

    fn measure(&mut self, parent: Parent) {
        let meter = self.usage.clone();
        let measured = async_std::task::spawn_blocking(move || match meter.measure() {
            Ok(usage) => AnswerContent::Usage(Box::new(UsageReply::new(usage))),
            Err(why) => AnswerContent::None(why),
        });
        self.inbox.expect(measured.map(move |content| Answer { parent, content }).boxed());
    }

    /// Replies, and tells the other clients, which see the same message on iopub.
    async fn shut_down(&mut self, parent: &Parent, restart: bool) -> Handled {
        for key in self.shells.keys() {
            self.abandon(&key, "the kernel was shut down while the cell ran").await;
        }
        let reply = ShutdownReply::new(restart);
        self.outbox.reply(parent, &reply).await;
        self.outbox.publish(Some(parent), &reply).await;
        Handled::Exit(if restart { Exit::Restart } else { Exit::Shutdown })
    }
}

/// Whether a request has had its answer.
enum Handled {
    Now,
    Later,
    Exit(Exit),
}

fn completeness(completeness: Completeness) -> IsCompleteReply {
    match completeness {
        Completeness::Complete => IsCompleteReply::Complete,
        Completeness::Incomplete { indent } => IsCompleteReply::Incomplete { indent },
        Completeness::Invalid => IsCompleteReply::Invalid,
    }
}

fn completions_reply(code: &str, found: Completions) -> CompleteReply {
    let (start, end) = (code_point_offset(code, found.start), code_point_offset(code, found.end));
    let shown = |Completion { text, kind, signature }: Completion| CompletionType {
        start,
        end,
        text,
        kind: kind.to_owned(),
        signature: signature.unwrap_or_default(),
    };
    CompleteReply::new(start, end, found.items.into_iter().map(shown).collect())
}
