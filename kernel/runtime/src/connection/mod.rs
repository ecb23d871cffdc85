//! The socket to the kernel: one writer for all threads, one thread that reads.
//!
//! Whatever goes to the kernel takes the writer's lock, and first takes along what C code and other processes have put
//! into the pipes behind descriptors 1 and 2. So one thread's `printf`, `println!` and `display` arrive in its order.

pub(crate) mod flusher;

use crate::expansion::generations;
use crate::process::inspector;
use crate::running::{cell, interrupts};
use crate::shell::subshell;
use crate::support::sync::lock;
use crate::tasks::{context, site};
use futures::channel::oneshot;
use loopbook_channel::{
    CellId, Frame, FrameError, InputError, MAX_FRAME, MimeBundle, SOCKET_ENV, Stream, ToChild, ToKernel, VERSION,
    counted, grouped, read_frame, write_frame,
};
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_int};
use std::future::Future;
use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// The most that is sent as one frame; far below [`loopbook_channel::MAX_FRAME`], so that one cell's flood does not keep
/// the others waiting.
const CHUNK: usize = 4 * 1024 * 1024;
/// Read from a pipe at once.
const PIPE_READ: usize = 64 * 1024;

static WRITER: Mutex<Option<Writer>> = Mutex::new(None);
/// What the cell was loaded from that asks whether it may run.
static ASKING: Mutex<Option<CString>> = Mutex::new(None);
static BEGIN: Mutex<Option<Begin>> = Mutex::new(None);
static BEGUN: Condvar = Condvar::new();
static QUESTIONS: Mutex<Option<HashMap<u64, Question>>> = Mutex::new(None);

struct Writer {
    socket: UnixStream,
    /// Read ends, non-blocking, of what was written to descriptors 1 and 2 past our hooks.
    pipes: [c_int; 2],
}

/// The kernel's answer to [`ToKernel::MayBegin`].
pub(crate) struct Begin {
    pub(crate) cell: CellId,
    pub(crate) number: u32,
    pub(crate) run: bool,
    pub(crate) forget: Vec<String>,
}

struct Question {
    cell: CellId,
    answer: oneshot::Sender<Result<String, InputError>>,
}

/// Sends a message, behind everything that this thread has printed. Does nothing if there is no kernel (unit tests).
pub(crate) fn send(message: &ToKernel) {
    if lock(&WRITER).is_none() {
        return;
    }
    if matches!(message, ToKernel::Display { .. } | ToKernel::ClearOutput { .. } | ToKernel::Input { .. }) {
        flusher::before_message();
    }
    with_writer(|writer| writer.write(&Frame::Message(message)));
}

/// Sends what was printed on behalf of `cell`.
pub(crate) fn output(cell: CellId, stream: Stream, bytes: &[u8]) {
    with_writer(|writer| writer.output(cell, stream, bytes));
}

/// Sends what lies in the pipes.
pub(crate) fn drain_pipes() {
    with_writer(|_| Ok(()));
}

/// Asks the user for a line. The question is sent when the future is made.
pub(crate) fn ask_input(prompt: &str, password: bool) -> impl Future<Output = Result<String, InputError>> + use<> {
    let answer = ask(prompt, password);
    async move { answer.await.unwrap_or(Err(InputError::Closed)) }
}

/// Asks the user for a line and blocks this thread until it is there.
pub(crate) fn ask_input_blocking(prompt: &str, password: bool) -> Result<String, InputError> {
    futures::executor::block_on(ask(prompt, password)).unwrap_or(Err(InputError::Closed))
}

/// Ends the execution of `cell`, if it is the one that runs, and what it asks the user.
pub(crate) fn interrupt(cell: CellId) {
    if interrupts::interrupt(cell) {
        answer(|_, question| question.cell == cell, Err(InputError::Interrupted));
    }
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
    send(question);
    let mut begin = lock(&BEGIN);
    loop {
        if let Some(begin) = begin.take() {
            return begin;
        }
        begin = BEGUN.wait(begin).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Connects to the kernel and starts the threads that read from it and from the pipes.
///
/// # Errors
/// If the environment names no socket, or nobody listens there.
pub(crate) fn connect(pipes: [c_int; 2], last_words: c_int) -> io::Result<()> {
    let Some(path) = std::env::var_os(SOCKET_ENV) else {
        return Err(io::Error::new(io::ErrorKind::NotFound, "no kernel is named in the environment"));
    };
    let mut socket = UnixStream::connect(path)?;
    let reader = BufReader::new(socket.try_clone()?);
    let hello = ToKernel::Hello { version: VERSION, pid: std::process::id(), pipes, last_words };
    write_frame(&mut socket, &Frame::Message(hello)).map_err(|error| io::Error::other(error.to_string()))?;
    for pipe in pipes {
        discard(pipe);
    }
    *lock(&WRITER) = Some(Writer { socket, pipes });
    thread::Builder::new().name("loopbook-link".into()).spawn(move || read(reader))?;
    thread::Builder::new().name("loopbook-pipes".into()).spawn(move || watch(pipes))?;
    Ok(())
}

impl Writer {
    fn write(&mut self, frame: &Frame<&ToKernel>) -> Result<(), FrameError> {
        match write_frame(&mut self.socket, frame) {
            // Nothing was written, and everything else goes on.
            Err(FrameError::Malformed(_)) => self.write_instead(frame),
            written => written,
        }
    }

    /// Says why a message does not arrive. Only what is shown can be so large.
    fn write_instead(&mut self, frame: &Frame<&ToKernel>) -> Result<(), FrameError> {
        let Frame::Message(ToKernel::Display { cell, kind, data, metadata, display_id }) = frame else { return Ok(()) };
        let size: usize = data.values().map(|content| content.as_str().map_or(0, str::len)).sum();
        let text = format!(
            "This is too large to be shown: it has {}, and a display can have {} at most. Write it to a file instead.",
            counted(size, "byte"),
            grouped(MAX_FRAME as u64)
        );
        let data = MimeBundle::from([("text/plain".to_owned(), text.into())]);
        let (metadata, display_id) = (metadata.clone(), display_id.clone());
        let instead = ToKernel::Display { cell: *cell, kind: *kind, data, metadata, display_id };
        write_frame(&mut self.socket, &Frame::Message(&instead))
    }

    fn output(&mut self, cell: CellId, stream: Stream, bytes: &[u8]) -> Result<(), FrameError> {
        for chunk in bytes.chunks(CHUNK) {
            self.write(&Frame::Output { cell, stream, bytes: chunk.to_vec() })?;
        }
        Ok(())
    }

    /// Sends what lies in the pipes as output of the cell that runs, or ran last: a pipe does not say who wrote.
    fn drain(&mut self) -> Result<(), FrameError> {
        let mut ready = self.pipes.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
        // SAFETY: the array lives through the call, and its length is right.
        let count = unsafe { libc::poll(ready.as_mut_ptr(), ready.len() as libc::nfds_t, 0) };
        if count <= 0 {
            return Ok(());
        }
        for (index, stream) in [Stream::Stdout, Stream::Stderr].into_iter().enumerate() {
            let mut buffer = vec![0; PIPE_READ];
            while ready[index].revents & libc::POLLIN != 0
                && let Some(bytes) = read_pipe(self.pipes[index], &mut buffer)
            {
                self.output(cell::latest(), stream, bytes)?;
            }
        }
        Ok(())
    }
}

/// Locks the writer, empties the pipes, and sends. A kernel that is gone ends this process: nobody is left to run for.
fn with_writer(send: impl FnOnce(&mut Writer) -> Result<(), FrameError>) {
    let mut writer = lock(&WRITER);
    let Some(writer) = writer.as_mut() else { return };
    if writer.drain().and_then(|()| send(writer)).is_err() {
        leave();
    }
}

fn ask(prompt: &str, password: bool) -> oneshot::Receiver<Result<String, InputError>> {
    static IDS: AtomicU64 = AtomicU64::new(1);
    let id = IDS.fetch_add(1, Ordering::Relaxed);
    let cell = context::current_cell();
    let (answer, receiver) = oneshot::channel();
    if lock(&WRITER).is_none() {
        // Without a kernel there is nobody to ask; the dropped sender says so.
        return receiver;
    }
    lock(&QUESTIONS).get_or_insert_default().insert(id, Question { cell, answer });
    send(&ToKernel::Input { id, cell, prompt: prompt.to_owned(), password });
    receiver
}

fn read(mut socket: BufReader<UnixStream>) {
    loop {
        match read_frame(&mut socket) {
            Ok(Frame::Message(message)) => handle(message),
            // The kernel prints nothing here.
            Ok(Frame::Output { .. }) => {}
            Err(_) => leave(),
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
        ToChild::RunBeside { cell, number, library, source } => subshell::start(cell, number, &library, &source),
        ToChild::Interrupt { cell } => interrupt(cell),
        ToChild::Query { id, query, data } => inspector::ask(id, query, data),
        ToChild::InputReply { id, reply } => answer(|known, _| known == id, reply),
    }
}

/// Answers all questions for which `is_meant` holds.
fn answer(is_meant: impl Fn(u64, &Question) -> bool, reply: Result<String, InputError>) {
    let mut questions = lock(&QUESTIONS);
    let questions = questions.get_or_insert_default();
    let answered: Vec<_> = questions.extract_if(|&id, question| is_meant(id, question)).collect();
    for (_, question) in answered {
        // Whoever asked may have given up meanwhile.
        let _ = question.answer.send(reply.clone());
    }
}

/// Sends what comes through the pipes while nobody prints otherwise.
fn watch(pipes: [c_int; 2]) {
    let mut ready = pipes.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    loop {
        // SAFETY: the array lives through the call, and its length is right.
        let count = unsafe { libc::poll(ready.as_mut_ptr(), ready.len() as libc::nfds_t, -1) };
        if count > 0 {
            drain_pipes();
        }
    }
}

/// What was printed before there was a kernel to tell belongs to no cell.
fn discard(pipe: c_int) {
    let mut buffer = vec![0; PIPE_READ];
    while read_pipe(pipe, &mut buffer).is_some() {}
}

/// Reads what is there; `None` if nothing is.
fn read_pipe(pipe: c_int, buffer: &mut [u8]) -> Option<&[u8]> {
    // SAFETY: the buffer is ours and as long as we say.
    let count = unsafe { libc::read(pipe, buffer.as_mut_ptr().cast(), buffer.len()) };
    usize::try_from(count).ok().filter(|&count| count > 0).map(|count| &buffer[..count])
}

/// The kernel has gone. What the cells have started ends with this process: the system's own word of the kernel's death comes
/// after the end of the connection, and would find nobody.
fn leave() -> ! {
    // SAFETY: ends the process, and the group that it has made, without running anything of the user's.
    unsafe {
        if libc::getpgrp() == libc::getpid() {
            libc::kill(0, libc::SIGKILL);
        }
        libc::_exit(0)
    }
}
