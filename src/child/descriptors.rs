//! Descriptors 0, 1 and 2: evcxr's move to private numbers, user code gets fresh ones in their place.

use std::ffi::c_int;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::OnceLock;

/// Private descriptors are at least this, out of the way of programs that count on small numbers.
const PRIVATE: c_int = 10;
/// Wished for size of the pipes in bytes: what a cell that dies has left in them is read by the kernel.
const PIPE_SIZE: c_int = 1024 * 1024;

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
        let commands = take(libc::STDIN_FILENO)?;
        let answers = take(libc::STDOUT_FILENO)?;
        let errors = take(libc::STDERR_FILENO)?;
        let nothing = File::open("/dev/null")?;
        put(nothing.as_raw_fd(), libc::STDIN_FILENO)?;
        let (stdout, stderr) = (pipe_behind(libc::STDOUT_FILENO)?, pipe_behind(libc::STDERR_FILENO)?);
        let [read, write] = pipe()?;
        let (read, last_words) = (move_up(read)?, move_up(write)?);
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

fn take(fd: c_int) -> io::Result<File> {
    // SAFETY: duplicates a descriptor; the result is ours alone.
    let private = check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, PRIVATE) })?;
    // SAFETY: a fresh descriptor that nothing else owns.
    Ok(unsafe { File::from_raw_fd(private) })
}

/// Makes `target` another name of `fd`.
fn put(fd: c_int, target: c_int) -> io::Result<()> {
    // SAFETY: `target` is one of the three standard descriptors, which nothing in this process owns as a value.
    check(unsafe { libc::dup2(fd, target) }).map(drop)
}

/// Puts a pipe behind `target` and gives its read end, which stays open as long as the process.
fn pipe_behind(target: c_int) -> io::Result<c_int> {
    let [low, write] = pipe()?;
    put(write, target)?;
    let read = move_up(low)?;
    // SAFETY: closes the end that was made here, which now has another name. A smaller pipe works as well.
    unsafe {
        libc::close(write);
        libc::fcntl(read, libc::F_SETPIPE_SZ, PIPE_SIZE);
    }
    Ok(read)
}

/// Read end and write end of a new pipe.
fn pipe() -> io::Result<[c_int; 2]> {
    let mut ends = [0; 2];
    // SAFETY: the array has room for both.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    Ok(ends)
}

/// Makes a descriptor that was made here private and non-blocking.
fn move_up(low: c_int) -> io::Result<c_int> {
    // SAFETY: the descriptor is ours, and has another number from now on.
    unsafe {
        let private = check(libc::fcntl(low, libc::F_DUPFD_CLOEXEC, PRIVATE))?;
        libc::close(low);
        check(libc::fcntl(private, libc::F_SETFL, libc::O_NONBLOCK))?;
        Ok(private)
    }
}

/// C's stdout is a pipe now, which libc would buffer in blocks: lines must come as they are printed.
fn line_buffer_c_stdout() {
    unsafe extern "C" {
        static stdout: *mut libc::FILE;
    }
    // SAFETY: the stream is libc's own, and nothing has been written to it.
    unsafe { libc::setvbuf(stdout, std::ptr::null_mut(), libc::_IOLBF, 0) };
}

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
