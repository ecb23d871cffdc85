//! Questions of cells to the user that are not answered yet.

use crate::running::interrupts;
use crate::support::sync::lock;
use futures::channel::oneshot;
use loopbook_channel::{CellId, InputError};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

static OPEN: Mutex<Option<HashMap<u64, Question>>> = Mutex::new(None);

/// The user's line, or why there is none.
pub(crate) type Answer = Result<String, InputError>;

struct Question {
    cell: CellId,
    answer: oneshot::Sender<Answer>,
}

/// Notes a question of this cell; gives its number and where the answer will come.
pub(crate) fn open(cell: CellId) -> (u64, oneshot::Receiver<Answer>) {
    static IDS: AtomicU64 = AtomicU64::new(1);
    let id = IDS.fetch_add(1, Ordering::Relaxed);
    let (answer, receiver) = oneshot::channel();
    lock(&OPEN).get_or_insert_default().insert(id, Question { cell, answer });
    (id, receiver)
}

/// Answers the question with this number.
pub(crate) fn answer(id: u64, reply: Answer) {
    answer_all(|known, _| known == id, reply);
}

/// Ends the execution of `cell`, if it is one that runs, and what it asks the user.
pub(crate) fn interrupt(cell: CellId) {
    if interrupts::interrupt(cell) {
        answer_all(|_, question| question.cell == cell, Err(InputError::Interrupted));
    }
}

/// Answers all questions for which `is_meant` holds.
fn answer_all(is_meant: impl Fn(u64, &Question) -> bool, reply: Answer) {
    let mut questions = lock(&OPEN);
    let questions = questions.get_or_insert_default();
    let answered: Vec<_> = questions.extract_if(|&id, question| is_meant(id, question)).collect();
    for (_, question) in answered {
        // The cell that asked may have ended meanwhile.
        let _ = question.answer.send(reply.clone());
    }
}
