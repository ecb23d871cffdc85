//! Messages that must reach the kernel after everything that this thread has printed before.

use crate::connection::{self, flusher, questions};
use crate::tasks::context;
use futures::channel::oneshot;
use loopbook_channel::{DisplayKind, InputError, MimeBundle, ToKernel};
use std::future::Future;
use std::io::Write;

/// Sends a message behind everything that this thread has printed. Does nothing if there is no kernel (unit tests).
pub(crate) fn send(message: &ToKernel) {
    flusher::before_message(context::current_cell());
    connection::send(message);
}

/// Shows something under the cell to which this thread's doings belong.
pub(crate) fn display(kind: DisplayKind, data: MimeBundle, display_id: Option<String>) {
    flush();
    let metadata = serde_json::Map::new();
    send(&ToKernel::Display { cell: context::current_cell(), kind, data, metadata, display_id });
}

/// Takes away what the cell shows, as soon as there is something else if `wait`.
pub(crate) fn clear_output(wait: bool) {
    flush();
    send(&ToKernel::ClearOutput { cell: context::current_cell(), wait });
}

/// Asks the user for a line. The question is sent when the future is made.
pub(crate) fn ask_input(prompt: &str, password: bool) -> impl Future<Output = questions::Answer> + use<> {
    let answer = ask(prompt, password);
    async move { answer.await.unwrap_or(Err(InputError::Closed)) }
}

/// Asks the user for a line and blocks this thread until it is there.
pub(crate) fn ask_input_blocking(prompt: &str, password: bool) -> questions::Answer {
    futures::executor::block_on(ask(prompt, password)).unwrap_or(Err(InputError::Closed))
}

fn ask(prompt: &str, password: bool) -> oneshot::Receiver<questions::Answer> {
    if !connection::is_connected() {
        // Without a kernel there is nobody to ask; the dropped sender says so.
        return oneshot::channel().1;
    }
    let cell = context::current_cell();
    let (id, answer) = questions::open(cell);
    send(&ToKernel::Input { id, cell, prompt: prompt.to_owned(), password });
    answer
}

/// Flushes stdout on this thread, besides what the flusher's thread does for every message: if this thread itself holds the
/// lock of stdout (`let mut out = stdout().lock()` and then a display), the flusher would wait for that in vain.
fn flush() {
    // A closed standard output is no reason not to show something.
    let _ = std::io::stdout().flush();
}
