//! Execute requests, from the queue to `idle`. In each shell one cell runs at a time, in the order in which requests came.
//!
//! ```text
//!  enqueue ──► queue ──start_next──► the cell, then its user expressions ──finish_execution──► reply, idle
//!                └───────────── aborted, if the one before failed ──────┘
//! ```
//!
//! A user expression is a cell of its own, started when its cell is done. It has the number 0, so that no error names a
//! cell which the user does not see, and the evaluator does not know what it is for.

use super::Kernel;
use super::shells::{Running, Shell, ShellKey};
use crate::evaluator::{Cell, MAIN_SHELL, Outcome, Report};
use crate::wire::{Aborted, ErrorInfo, ErrorMessage, ExecuteInput, ExecuteReply, ExecuteRequest, Parent, Status};
use loopbook_channel::{CellId, MimeBundle};
use std::collections::VecDeque;
use std::time::Instant;

impl Kernel {
    /// Runs the cell when those before it in its shell are done.
    pub(super) async fn enqueue(&mut self, parent: Parent, request: ExecuteRequest) {
        let key = parent.header().subshell_id.clone();
        let Some(shell) = self.shells.get_mut(&key) else {
            tracing::error!("an execution for a shell that does not exist was not refused");
            return;
        };
        shell.queue.push_back((parent, request));
        self.start_next(&key).await;
    }

    /// Interrupts what ran at that moment, in all shells; never what comes next.
    pub(super) fn interrupt(&self, at: Instant) {
        let meant = self.shells.running().filter(|running| running.began <= at);
        meant.for_each(|running| self.evaluator.interrupt(running.evaluating()));
    }

    /// What was evaluated has ended: the cell itself, or one of the expressions that a front end wants to know with it.
    pub(super) async fn finish_execution(&mut self, cell: CellId, outcome: Outcome) {
        self.end_output(cell).await;
        let Some((key, running)) = self.shells.evaluating_mut(cell) else {
            tracing::debug!("the evaluator ended execution {cell}, which nobody waits for any more");
            return;
        };
        let outcome = match outcome {
            Outcome::Error(report) if running.evaluates_expression() => {
                running.expressions.fail(without_number(error_info(report)));
                Outcome::Ok
            }
            Outcome::Ok if running.evaluates_expression() => {
                running.expressions.succeed();
                Outcome::Ok
            }
            outcome => outcome,
        };
        let key = key.clone();
        if outcome == Outcome::Ok && self.start_expression(&key) {
            return;
        }
        if let Some(running) = self.shells.get_mut(&key).and_then(|shell| shell.running.take()) {
            self.end_execution(&key, running, outcome).await;
        }
    }

    /// Says that what runs has ended, and that what waits never ran: the kernel ends, or the subshell.
    pub(super) async fn abandon(&mut self, key: &ShellKey, why: &str) {
        let Some(shell) = self.shells.get_mut(key) else { return };
        let (running, queue) = (shell.running.take(), std::mem::take(&mut shell.queue));
        if let Some(running) = running {
            self.evaluator.interrupt(running.evaluating());
            self.end_output(running.cell).await;
            let (ename, evalue) = ("Interrupted".to_owned(), why.to_owned());
            let traceback = vec![format!("{ename}: {evalue}")];
            self.reply_to_execution(&running, Outcome::Error(Report { ename, evalue, traceback })).await;
        }
        self.abort(queue.into_iter().map(|(parent, _)| parent).collect()).await;
    }

    /// Sends what belongs to the end of a cell, strictly in this order: what it printed, its error, its reply, `idle`.
    async fn end_execution(&mut self, key: &ShellKey, running: Running, outcome: Outcome) {
        self.withdraw_questions(running.cell).await;
        let aborts = outcome != Outcome::Ok && running.request.stop_on_error;
        self.reply_to_execution(&running, outcome).await;
        if aborts {
            let aborted = self.shells.get_mut(key).map(|shell| shell.take_queue_of(&running.parent));
            self.abort(aborted.unwrap_or_default()).await;
        }
        self.start_next(key).await;
    }

    async fn reply_to_execution(&mut self, running: &Running, outcome: Outcome) {
        let Running { parent, request, number, .. } = running;
        let reply = match outcome {
            Outcome::Ok => ExecuteReply::Ok {
                execution_count: *number,
                payload: running.payload.clone(),
                user_expressions: running.expressions.results(),
            },
            Outcome::Error(report) => {
                let error = error_info(report);
                if !request.silent {
                    self.outbox.publish(Some(parent), &ErrorMessage(error.clone())).await;
                }
                ExecuteReply::Error { execution_count: *number, error }
            }
        };
        self.outbox.reply(parent, &reply).await;
        self.outbox.publish(Some(parent), &Status::Idle).await;
    }

    async fn start_next(&mut self, key: &ShellKey) {
        let Some((shell, running)) = self.shells.advance(key) else { return };
        let Running { cell, parent, request, number, .. } = running;
        let (cell, number, parent, code) = (*cell, *number, parent.clone(), request.code.clone());
        let (silent, stored, allow_stdin) = (request.silent, request.store_history(), request.allow_stdin);
        self.outbox.publish(Some(&parent), &Status::Busy).await;
        if !silent {
            self.outbox.publish(Some(&parent), &ExecuteInput { code: &code, execution_count: number }).await;
        }
        self.outputs.begin(cell, number, parent, silent);
        if stored {
            self.history.record(shell, number, code.clone());
        }
        if !silent && shell == MAIN_SHELL {
            self.outputs.lead(cell);
            self.show_postponed().await;
        }
        self.evaluator.start(Cell { id: cell, shell, number, code, allow_stdin, silent });
    }

    /// Evaluates the next of the expressions that belong to the running cell. False if there is none left.
    fn start_expression(&mut self, key: &ShellKey) -> bool {
        let Some((shell, running, code)) = self.shells.next_expression(key) else { return false };
        let id = running.evaluating();
        // Where the user cannot see what is printed, nobody can be asked either.
        let allow_stdin = running.request.allow_stdin && !running.request.silent;
        self.outputs.begin(id, running.number, running.parent.clone(), running.request.silent);
        self.evaluator.start(Cell { id, shell, number: 0, code, allow_stdin, silent: false });
        true
    }

    async fn abort(&mut self, requests: Vec<Parent>) {
        for parent in requests {
            self.outbox.publish(Some(&parent), &Status::Busy).await;
            self.outbox.reply(&parent, &Aborted {}).await;
            self.outbox.publish(Some(&parent), &Status::Idle).await;
        }
    }

    /// Something for the front end's pager. Who takes no input has none: there it is an output like others.
    pub(super) async fn page(&mut self, cell: CellId, data: MimeBundle) {
        let Some((_, running)) = self.shells.evaluating_mut(cell) else { return };
        let interactive = running.request.allow_stdin;
        running.add_page(data.clone());
        if !interactive {
            self.display_plainly(cell, data).await;
        }
    }
}

impl Shell {
    /// Takes the waiting requests of this one's client from the queue. Several browsers may share a connection (the
    /// server's), and several connections a session.
    fn take_queue_of(&mut self, request: &Parent) -> Vec<Parent> {
        let client = |parent: &Parent| (parent.identities().to_vec(), parent.header().session.clone());
        let whose = client(request);
        let (theirs, others) = self.queue.drain(..).partition::<VecDeque<_>, _>(|(parent, _)| client(parent) == whose);
        self.queue = others;
        theirs.into_iter().map(|(parent, _)| parent).collect()
    }
}

/// An expression has no number that anybody knows.
fn without_number(mut error: ErrorInfo) -> ErrorInfo {
    for text in error.traceback.iter_mut().chain([&mut error.evalue]) {
        *text = text.replace("In[0]", "expression");
    }
    error
}

fn error_info(Report { ename, evalue, traceback }: Report) -> ErrorInfo {
    ErrorInfo { ename, evalue, traceback }
}
