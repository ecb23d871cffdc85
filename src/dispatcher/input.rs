//! Questions of cells to the user. Front ends show one question at a time, so the others wait.

use super::Kernel;
use crate::wire::{InputReply, InputRequest, Parent};
use loopbook_channel::{CellId, InputError};
use std::collections::VecDeque;

/// The question that was asked, and those that wait.
#[derive(Debug, Default)]
pub(super) struct Questions {
    asked: Option<Asked>,
    waiting: VecDeque<Question>,
}

#[derive(Debug)]
struct Question {
    id: u64,
    /// The cell that asks, or whose task does.
    cell: CellId,
    content: InputRequest,
}

#[derive(Debug)]
struct Asked {
    id: u64,
    /// The running cell under which it was asked.
    under: CellId,
    /// `msg_id` of our request.
    msg_id: String,
    /// Session of the client that was asked.
    session: String,
}

impl Kernel {
    /// A cell, or a task of one, wants a line.
    pub(super) async fn ask(&mut self, cell: CellId, id: u64, prompt: String, password: bool) {
        self.say_held(cell).await;
        self.questions.waiting.push_back(Question { id, cell, content: InputRequest { prompt, password } });
        self.ask_next().await;
    }

    /// Hands on the answer. A late answer to a question that was withdrawn, or another client's, answers nothing. Some
    /// clients do not say which question they answer: then it counts if it comes from the client that was asked.
    pub(super) async fn handle_input_reply(&mut self, from: &Parent, answers: Option<String>, reply: InputReply) {
        let meant = |asked: &mut Asked| match &answers {
            Some(msg_id) => *msg_id == asked.msg_id,
            None => from.header().session == asked.session,
        };
        let Some(asked) = self.questions.asked.take_if(meant) else {
            tracing::info!("an input_reply to no question of ours");
            return;
        };
        self.evaluator.reply_to_input(asked.id, Ok(reply.value));
        self.ask_next().await;
    }

    /// The cell is done, so its front end no longer listens: nobody will answer.
    pub(super) async fn withdraw_questions(&mut self, cell: CellId) {
        if let Some(asked) = self.questions.asked.take_if(|asked| asked.under == cell) {
            self.evaluator.reply_to_input(asked.id, Err(InputError::NotAllowed));
        }
        self.ask_next().await;
    }

    /// Front ends answer only for a request that runs. So tasks of earlier cells ask where the main shell's cell would.
    async fn ask_next(&mut self) {
        while self.questions.asked.is_none()
            && let Some(Question { id, cell, content }) = self.questions.waiting.pop_front()
        {
            let running = self.shells.of(cell).or(self.shells.main());
            let Some(running) = running.filter(|running| running.request.allow_stdin) else {
                self.evaluator.reply_to_input(id, Err(InputError::NotAllowed));
                continue;
            };
            let (under, parent) = (running.cell, running.parent.clone());
            let msg_id = self.outbox.ask(&parent, &content).await;
            let session = parent.header().session.clone();
            self.questions.asked = Some(Asked { id, under, msg_id, session });
        }
    }
}
