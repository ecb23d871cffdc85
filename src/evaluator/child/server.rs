//! The kernel's end of the channel to the child process: one Unix socket, always read, also between cells.

use super::connection::Connection;
use super::executions::Executions;
use super::programs;
use crate::evaluator::Event;
use crate::evaluator::errors::diagnostics::{Source, Sources};
use crate::evaluator::errors::report;
use loopbook_channel::{
    CellId, Frame, FrameError, InputError, LastWords, MimeBundle, Stream, ToChild, ToKernel, VERSION, read_frame,
};
use rustix::net::Shutdown;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What to show when a cell has been built and is about to run: the compiler's warnings.
pub type OnBuilt = Box<dyn Fn(&Source) -> Option<MimeBundle> + Send + Sync>;

/// Listens at `path` and serves every child that connects, one after the other, on threads of its own, until what it gives
/// is dropped. A child that is connected then is served on.
///
/// # Errors
/// If the socket cannot be made.
pub fn listen(path: &Path, executions: Arc<Executions>, sources: Sources, on_built: OnBuilt) -> io::Result<Listening> {
    let listener = UnixListener::bind(path)?;
    let listening = Listening { socket: listener.try_clone()?, ended: Arc::default() };
    let ended = listening.ended.clone();
    let server = Arc::new(Server { executions, sources, on_built });
    std::thread::Builder::new().name("loopbook-link".into()).spawn(move || {
        for stream in listener.incoming() {
            if ended.load(Ordering::Acquire) {
                return;
            }
            let Ok(stream) = stream else { continue };
            let server = server.clone();
            let served = std::thread::Builder::new().name("loopbook-link-child".into()).spawn(move || {
                if let Err(error) = server.serve(stream) {
                    tracing::warn!("the child's channel: {error}");
                }
            });
            if let Err(error) = served {
                tracing::error!("no thread for the child's channel: {error}");
            }
        }
    })?;
    Ok(listening)
}

/// A socket at which children are served. Dropping it ends that.
#[derive(Debug)]
pub struct Listening {
    socket: UnixListener,
    ended: Arc<AtomicBool>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // Wakes the thread that waits there.
        let _has_ended_by_itself = rustix::net::shutdown(&self.socket, Shutdown::Both);
    }
}

struct Server {
    executions: Arc<Executions>,
    sources: Sources,
    on_built: OnBuilt,
}

impl Server {
    fn serve(&self, stream: UnixStream) -> Result<(), FrameError> {
        let mut reader = BufReader::with_capacity(256 * 1024, stream.try_clone()?);
        let Frame::Message(ToKernel::Hello { version, pid, pipes, last_words }) = read_frame(&mut reader)? else {
            return Err(FrameError::Malformed("the child did not say hello".into()));
        };
        if version != VERSION {
            let what =
                format!("the child speaks version {version}, the kernel {VERSION}: run `loopbook install` again");
            return Err(FrameError::Malformed(what));
        }
        let pipes = PipeRemains::open(pid, pipes, last_words);
        let connection = Arc::new(Connection::new(pid, stream));
        self.executions.connected(connection.clone());
        let result = self.read(&mut reader, &connection);
        let cell = self.executions.current_cell().unwrap_or(0);
        let last_words = pipes.last_words();
        for (stream, bytes) in pipes.output() {
            self.executions.send(Event::Output { cell, stream, bytes });
        }
        connection.ended();
        // However it has ended, what its cells have started is nobody's now.
        programs::end_group_of(pid);
        self.executions.disconnected(pid, last_words);
        result
    }

    fn read(&self, reader: &mut impl Read, connection: &Connection) -> Result<(), FrameError> {
        loop {
            match read_frame(reader) {
                Ok(Frame::Output { cell, stream, bytes }) => {
                    if cell != 0 {
                        self.executions.send(Event::Output { cell, stream, bytes });
                    }
                }
                Ok(Frame::Message(message)) => self.handle(message, connection),
                Err(FrameError::Closed) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn handle(&self, message: ToKernel, connection: &Connection) {
        match message {
            ToKernel::Hello { .. } => tracing::warn!("the child said hello twice"),
            ToKernel::MayBegin => self.begin(connection),
            ToKernel::NotLoaded { reason } => connection.send(&self.executions.not_loaded(reason)),
            ToKernel::CellDone { cell, outcome, old_values } => {
                if self.executions.subshell_cell(cell).is_some() {
                    let outcome = report::outcome(&outcome, &self.sources);
                    self.executions.finish_in_subshell(cell, outcome);
                } else {
                    self.executions.cell_done(cell, outcome, old_values);
                }
            }
            ToKernel::Display { cell, kind, data, metadata, display_id } => {
                if cell != 0 && !self.executions.is_silent(cell) {
                    self.executions.send(Event::Display { cell, kind, data, metadata, display_id });
                }
            }
            ToKernel::ShowsItself { cell, begins } => self.executions.send(Event::ShowsItself { cell, begins }),
            ToKernel::ClearOutput { cell, wait } => self.executions.send(Event::ClearOutput { cell, wait }),
            ToKernel::TaskFailed { cell, task, name, failure } => {
                let data = report::failed_task(task, name.as_deref(), &failure, &self.sources);
                self.executions.send(report::display(cell, data));
            }
            ToKernel::Input { id, cell, prompt, password } => self.ask(connection, id, cell, prompt, password),
            ToKernel::Answer { id, answer, living } => {
                connection.answered(id, answer.map(|bundle| (bundle, living)));
            }
        }
    }

    fn begin(&self, connection: &Connection) {
        let (reply, running) = self.executions.may_begin();
        if let Some((cell, source)) = running {
            self.executions.build_ended(cell, true);
            (self.on_built)(&source).into_iter().for_each(|data| self.executions.send(report::display(cell, data)));
        }
        connection.tell_columns(&self.sources);
        connection.send(&reply);
    }

    fn ask(&self, connection: &Connection, id: u64, cell: CellId, prompt: String, password: bool) {
        if self.executions.allows_input(cell) {
            self.executions.send(Event::Input { id, cell, prompt, password });
        } else {
            connection.send(&ToChild::InputReply { id, reply: Err(InputError::NotAllowed) });
        }
    }
}

/// The read ends of the child's pipes, opened a second time: what is in them when the child dies is still to be had.
struct PipeRemains {
    output: [Option<File>; 2],
    last_words: Option<File>,
}

impl PipeRemains {
    fn open(pid: u32, output: [i32; 2], last_words: i32) -> Self {
        let open = |fd: i32| {
            let path = format!("/proc/{pid}/fd/{fd}");
            File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path).ok()
        };
        Self { output: output.map(open), last_words: open(last_words) }
    }

    /// What the child has said about its end.
    fn last_words(&self) -> Option<LastWords> {
        LastWords::parse(&rest(self.last_words.as_ref()?))
    }

    fn output(self) -> impl Iterator<Item = (Stream, Vec<u8>)> {
        [Stream::Stdout, Stream::Stderr].into_iter().zip(self.output).filter_map(|(stream, file)| {
            let bytes = rest(&file?);
            (!bytes.is_empty()).then_some((stream, bytes))
        })
    }
}

/// What is left in a pipe.
fn rest(mut pipe: &File) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Ends with WouldBlock if a grandchild still holds the other end; what was read until then counts.
    let _ends_at_would_block = pipe.read_to_end(&mut bytes);
    bytes
}
