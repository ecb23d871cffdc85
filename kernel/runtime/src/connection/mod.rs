//! The socket to the kernel: one writer for all threads. What comes from the kernel is read in `process/reader.rs`.
//!
//! Whatever goes to the kernel takes the writer's lock, and first takes along what C code and other processes have put
//! into the pipes behind descriptors 1 and 2. So one thread's `printf`, `println!` and `display` arrive in its order.

pub(crate) mod flusher;
pub(crate) mod questions;

use crate::running::cell;
use crate::support::sync::lock;
use loopbook_channel::{
    CellId, Frame, FrameError, MAX_FRAME, MimeBundle, SOCKET_ENV, Stream, ToKernel, VERSION, counted, grouped,
    write_frame,
};
use std::ffi::c_int;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::thread;

/// The most that is sent as one frame; far below [`loopbook_channel::MAX_FRAME`], so that one cell's flood does not keep
/// the others waiting.
const CHUNK: usize = 4 * 1024 * 1024;
/// Read from a pipe at once.
const PIPE_READ: usize = 64 * 1024;

static WRITER: Mutex<Option<Writer>> = Mutex::new(None);
struct Writer {
    socket: UnixStream,
    /// Read ends, non-blocking, of what was written to descriptors 1 and 2 past our hooks.
    pipes: [c_int; 2],
}

/// Connects to the kernel, starts the thread that reads from the pipes, and gives a second handle of the socket to read
/// from.
///
/// # Errors
/// If the environment names no socket, or nobody listens there.
pub(crate) fn connect(pipes: [c_int; 2], last_words: c_int) -> io::Result<UnixStream> {
    let Some(path) = std::env::var_os(SOCKET_ENV) else {
        return Err(io::Error::new(io::ErrorKind::NotFound, "no kernel is named in the environment"));
    };
    let mut socket = UnixStream::connect(path)?;
    let to_read = socket.try_clone()?;
    let hello = ToKernel::Hello { version: VERSION, pid: std::process::id(), pipes, last_words };
    write_frame(&mut socket, &Frame::Message(hello)).map_err(|error| io::Error::other(error.to_string()))?;
    for pipe in pipes {
        discard(pipe);
    }
    *lock(&WRITER) = Some(Writer { socket, pipes });
    thread::Builder::new().name("loopbook-pipes".into()).spawn(move || watch(pipes))?;
    Ok(to_read)
}

/// Whether there is a kernel; in unit tests there is none.
pub(crate) fn is_connected() -> bool {
    lock(&WRITER).is_some()
}

/// Sends a message. Does nothing if there is no kernel. What must stand behind the text that this thread has printed
/// goes by
/// [`crate::tasks::outbox`].
pub(crate) fn send(message: &ToKernel) {
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

/// The kernel has gone. What the cells have started ends with this process: the system's own word of the kernel's death
/// comes after the end of the connection, and would find nobody.
pub(crate) fn leave() -> ! {
    // SAFETY: ends the process, and the group that it has made, without running anything of the user's.
    unsafe {
        if libc::getpgrp() == libc::getpid() {
            libc::kill(0, libc::SIGKILL);
        }
        libc::_exit(0)
    }
}
