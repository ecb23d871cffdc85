//! The thread that reads the kernel's messages; and how a cell waits for the kernel's permission to begin.

use crate::connection::{self, questions};
use crate::expansion::generations;
use crate::process::{inspector, subshells};
use crate::support::sync::lock;
use crate::tasks::site;
use loopbook_channel::{CellId, Frame, ToChild, ToKernel, read_frame};
use std::ffi::{CStr, CString};
use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// What the cell was loaded from that asks whether it may run.
static ASKING: Mutex<Option<CString>> = Mutex::new(None);
static BEGIN: Mutex<Option<Begin>> = Mutex::new(None);
static BEGUN: Condvar = Condvar::new();

/// The kernel's answer to [`ToKernel::MayBegin`].
pub(crate) struct Begin {
    pub(crate) cell: CellId,
    pub(crate) number: u32,
    pub(crate) run: bool,
    pub(crate) forget: Vec<String>,
}

/// Starts the thread.
///
/// # Errors
/// If the system has no thread for it.
pub(crate) fn start(socket: UnixStream) -> io::Result<()> {
    thread::Builder::new().name("loopbook-link".into()).spawn(move || read(BufReader::new(socket)))?;
    Ok(())
}

/// Asks the kernel whether the cell may run that was loaded from `library`.
pub(crate) fn may_begin(library: &CStr) -> Begin {
    *lock(&ASKING) = Some(library.to_owned());
    ask_to_begin(&ToKernel::MayBegin)
}

/// Tells the kernel that its cell cannot be loaded, and waits until it knows.
pub(crate) fn not_loaded(reason: String) {
    *lock(&ASKING) = None;
    ask_to_begin(&ToKernel::NotLoaded { reason });
}

fn ask_to_begin(question: &ToKernel) -> Begin {
    *lock(&BEGIN) = None;
    connection::send(question);
    let mut begin = lock(&BEGIN);
    loop {
        if let Some(begin) = begin.take() {
            return begin;
        }
        begin = BEGUN.wait(begin).unwrap_or_else(PoisonError::into_inner);
    }
}

fn read(mut socket: BufReader<UnixStream>) {
    loop {
        match read_frame(&mut socket) {
            Ok(Frame::Message(message)) => handle(message),
            // The kernel prints nothing here.
            Ok(Frame::Output { .. }) => {}
            Err(_) => connection::leave(),
        }
    }
}

fn handle(message: ToChild) {
    match message {
        ToChild::Begin { cell, number, run, forget, renew } => {
            // Here, and not by the cell's thread: cells of subshells that come after this message must find it done.
            if let Some(library) = lock(&ASKING).take() {
                generations::loaded(&library, renew);
            }
            *lock(&BEGIN) = Some(Begin { cell, number, run, forget });
            BEGUN.notify_all();
        }
        ToChild::Columns { number, lines } => site::learn_columns(number, lines),
        ToChild::RunInSubshell { cell, number, library, source } => subshells::start(cell, number, &library, &source),
        ToChild::Interrupt { cell } => questions::interrupt(cell),
        ToChild::Query { id, query, data } => inspector::ask(id, query, data),
        ToChild::InputReply { id, reply } => questions::answer(id, reply),
    }
}
