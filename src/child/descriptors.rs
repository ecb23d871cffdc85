//! Descriptors 0, 1 and 2: evcxr's move to private numbers, user code gets fresh ones in their place.

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use std::ffi::c_int;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, IntoRawFd, OwnedFd};
use std::sync::OnceLock;

/// Private descriptors are at least this, out of the way of programs that count on small numbers.
const PRIVATE: c_int = 10;
/// Wished for size of the pipes in bytes: what a cell that dies has left in them is read by the kernel.
const PIPE_SIZE: usize = 1024 * 1024;

static ANSWERS: OnceLock<File> = OnceLock::new();

/// The private descriptors. All of them are closed in programs that a cell starts.
pub(crate) struct Descriptors {
    commands: File,
    errors: File,
    pipes: ForRuntime,
    last_words: c_int,
}

/// The read ends, non-blocking, that the runtime gets.
#[derive(Clone, Copy)]
pub(crate) struct ForRuntime {
    /// Behind the user's descriptor 1.
    pub(crate) stdout: c_int,
    /// Behind the user's descriptor 2.
    pub(crate) stderr: c_int,
    /// What [`Descriptors::last_words`] takes.
    pub(crate) last_words: c_int,
}

impl Descriptors {
    /// Moves evcxr's descriptors, and gives user code an empty stdin and two pipes for stdout and stderr.
    ///
    /// # Errors
    /// If the system has no descriptors left.
    pub(crate) fn arrange() -> io::Result<Self> {
        let (commands, answers, errors) = (take(io::stdin())?, take(io::stdout())?, take(io::stderr())?);
        dup2_stdin(File::open("/dev/null")?)?;
        let (stdout, stderr) = (pipe_behind(dup2_stdout)?, pipe_behind(dup2_stderr)?);
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        let (read, last_words) = (move_up(&read)?.into_raw_fd(), move_up(&write)?.into_raw_fd());
        let pipes = ForRuntime { stdout, stderr, last_words: read };
        line_buffer_c_stdout();
        // Arranged once, in main.
        let _ = ANSWERS.set(answers);
        Ok(Self { commands, errors, pipes, last_words })
    }

    /// Where evcxr's commands come in.
    pub(crate) fn commands(&self) -> &File {
        &self.commands
    }

    /// What evcxr reads as our stderr.
    pub(crate) fn errors(&self) -> &File {
        &self.errors
    }

    /// What a runtime gets.
    pub(crate) fn pipes(&self) -> ForRuntime {
        self.pipes
    }

    /// The write end, non-blocking, of the pipe for what is said when a signal ends this process.
    pub(crate) fn last_words(&self) -> c_int {
        self.last_words
    }
}

/// Where answers to evcxr go; `None` before [`Descriptors::arrange`].
pub(crate) fn answers() -> Option<&'static File> {
    ANSWERS.get()
}

fn take(fd: impl AsFd) -> io::Result<File> {
    Ok(fcntl_dupfd_cloexec(fd, PRIVATE)?.into())
}

/// Puts a pipe behind a standard descriptor and gives its read end, which stays open as long as the process. `put` makes the
/// standard descriptor another name of what it is given.
fn pipe_behind(put: impl FnOnce(OwnedFd) -> Result<(), Errno>) -> io::Result<c_int> {
    let (low, write) = pipe_with(PipeFlags::CLOEXEC)?;
    put(write)?;
    let read = move_up(&low)?;
    // A smaller pipe works as well.
    let _ = fcntl_setpipe_size(&read, PIPE_SIZE);
    Ok(read.into_raw_fd())
}

/// A private and non-blocking name of a descriptor.
fn move_up(low: &OwnedFd) -> io::Result<OwnedFd> {
    let private = fcntl_dupfd_cloexec(low, PRIVATE)?;
    fcntl_setfl(&private, OFlags::NONBLOCK)?;
    Ok(private)
}

/// C's stdout is a pipe now, which libc would buffer in blocks: lines must come as they are printed.
fn line_buffer_c_stdout() {
    unsafe extern "C" {
        static stdout: *mut libc::FILE;
    }
    // SAFETY: the stream is libc's own, and nothing has been written to it.
    unsafe { libc::setvbuf(stdout, std::ptr::null_mut(), libc::_IOLBF, 0) };
}
