//! Execute requests, from the queue to `idle`. One cell runs at a time, in the order in which requests came.
//!
//! ```text
//!  enqueue ──► queue ──start_next──► running ──finish_execution──► reply, idle
//!                └───────────── aborted, if the one before failed ──────┘
//! ```

use super::Kernel;
use crate::evaluator::{Cell, Outcome, Report};
use crate::wire::{
    Aborted, ErrorInfo, ErrorMessage, ExecuteInput, ExecuteReply, ExecuteRequest, ExpressionError, Parent, Status,
};
use loopbook_channel::CellId;
use std::collections::{BTreeMap, VecDeque};

/// What runs, and what waits.
#[derive(Debug, Default)]
pub(super) struct Executions {
    queue: VecDeque<(Parent, ExecuteRequest)>,
    running: Option<Running>,
    last_cell: CellId,
    count: u32,
}

/// The cell that runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) cell: CellId,
    pub(super) parent: Parent,
    pub(super) request: ExecuteRequest,
    number: u32,
}

impl Executions {
    /// The cell that runs, if one does.
    pub(super) fn running(&self) -> Option<&Running> {
        self.running.as_ref()
    }

    /// Makes the oldest waiting request the running one, unless another one runs.
    fn advance(&mut self) -> Option<&Running> {
        if self.running.is_some() {
            return None;
        }
        let (parent, request) = self.queue.pop_front()?;
        self.last_cell += 1;
        self.count += u32::from(request.store_history());
        self.running = Some(Running { cell: self.last_cell, parent, request, number: self.count });
        self.running.as_ref()
    }

    /// Ends the running cell if it is this one.
    fn take(&mut self, cell: CellId) -> Option<Running> {
        self.running.take_if(|running| running.cell == cell)
    }

    /// Takes the waiting requests of this client's session from the queue.
    fn take_queue_of(&mut self, session: &str) -> Vec<Parent> {
        let (theirs, others) =
            self.queue.drain(..).partition::<VecDeque<_>, _>(|(parent, _)| parent.header().session == session);
        self.queue = others;
        theirs.into_iter().map(|(parent, _)| parent).collect()
    }
}

impl Kernel {
    /// Runs the cell when those before it are done.
    pub(super) async fn enqueue(&mut self, parent: Parent, request: ExecuteRequest) {
        self.executions.queue.push_back((parent, request));
        self.start_next().await;
    }

    /// Interrupts the execution that runs now; never the next one.
    pub(super) fn interrupt(&self) {
        if let Some(running) = self.executions.running() {
            self.evaluator.interrupt(running.cell);
        }
    }

    /// Sends what belongs to the end of a cell, strictly in this order: what it printed, its error, its reply, `idle`.
    pub(super) async fn finish_execution(&mut self, cell: CellId, outcome: Outcome) {
        let Some(Running { parent, request, number, .. }) = self.executions.take(cell) else {
            tracing::warn!("the evaluator ended execution {cell}, which does not run");
            return;
        };
        self.end_output(cell).await;
        self.withdraw_questions();
        let failed = matches!(outcome, Outcome::Error(_));
        let reply = match outcome {
            Outcome::Ok => ExecuteReply::Ok {
                execution_count: number,
                payload: [],
                user_expressions: refuse_expressions(&request),
            },
            Outcome::Error(report) => {
                let error = error_info(report);
                if !request.silent {
                    self.outbox.publish(Some(&parent), &ErrorMessage(error.clone())).await;
                }
                ExecuteReply::Error { execution_count: number, error }
            }
        };
        self.outbox.reply(&parent, &reply).await;
        self.outbox.publish(Some(&parent), &Status::Idle).await;
        if failed && request.stop_on_error {
            self.abort_queue(&parent.header().session).await;
        }
        self.start_next().await;
    }

    async fn start_next(&mut self) {
        let Some(running) = self.executions.advance() else { return };
        let Running { cell, parent, request, number } = running;
        let code = request.code.clone();
        self.outbox.publish(Some(parent), &Status::Busy).await;
        if !request.silent {
            self.outbox.publish(Some(parent), &ExecuteInput { code: &code, execution_count: *number }).await;
        }
        self.outputs.begin(*cell, *number, parent.clone(), request.silent);
        if request.store_history() {
            self.history.record(*number, code.clone());
        }
        let (allow_stdin, silent) = (request.allow_stdin, request.silent);
        let cell = Cell { id: *cell, number: *number, code, allow_stdin, silent };
        if !silent {
            self.show_postponed().await;
        }
        self.evaluator.start(cell);
    }

    async fn abort_queue(&mut self, session: &str) {
        for parent in self.executions.take_queue_of(session) {
            self.outbox.publish(Some(&parent), &Status::Busy).await;
            self.outbox.reply(&parent, &Aborted {}).await;
            self.outbox.publish(Some(&parent), &Status::Idle).await;
        }
    }
}

/// The kernel evaluates no expressions beside the cell, and says so for each of them.
fn refuse_expressions(request: &ExecuteRequest) -> BTreeMap<String, ExpressionError> {
    let error = ErrorInfo {
        ename: "Unsupported".to_owned(),
        evalue: "this kernel evaluates no user expressions; execute a cell that ends in the expression".to_owned(),
        traceback: Vec::new(),
    };
    request.user_expressions.keys().map(|key| (key.clone(), ExpressionError { error: error.clone() })).collect()
}

fn error_info(Report { ename, evalue, traceback }: Report) -> ErrorInfo {
    ErrorInfo { ename, evalue, traceback }
}
