//! Which sockets a task waits for.
//!
//! Neither async-std nor tokio tells. But code that waits for a socket has tried it before, and got `EAGAIN`. The child
//! program sees the calls of libc that read, write and accept, of all crates. What a task has tried in vain is noted in
//! its record, until the same call succeeds; and whether it still waits is seen by what the reactors watch.
//!
//! This costs nothing per poll. A `connect` is not seen, because async-io calls the system directly.

use crate::support::epoll;
use crate::tasks::context;
use loopbook_channel::{SOCKET_ACCEPT, SOCKET_WRITE, WaitingOn};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ffi::c_int;
use std::mem::ManuallyDrop;
use std::net::TcpStream;
use std::os::fd::{FromRawFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};

/// The process that has our threads and locks: one that was forked off has not.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Calls that a socket was not ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tried {
    fd: RawFd,
    operation: c_int,
}

/// Which descriptors the reactors watch, and for what: found out when it is asked for first.
#[derive(Default)]
pub(crate) struct Watched(OnceCell<BTreeMap<RawFd, u32>>);

/// From now on, calls are noted in this process.
pub(crate) fn start() {
    PROCESS.store(std::process::id(), Ordering::Relaxed);
}

/// A call of the current task; see `Hooks::socket`.
pub(crate) fn after_call(fd: RawFd, operation: c_int, waits: bool) {
    context::with_current(|record| {
        if (waits || record.has_tried_sockets()) && std::process::id() == PROCESS.load(Ordering::Relaxed) {
            record.tried_socket(Tried { fd, operation }, waits);
        }
    });
}

impl Tried {
    /// What the task waits for, if it still does.
    pub(crate) fn describe(self, watched: &Watched) -> Option<WaitingOn> {
        let events = *watched.0.get_or_init(epoll::watched_descriptors).get(&self.fd)?;
        let (operation, wanted) = match self.operation {
            SOCKET_WRITE => ("write", epoll::WRITE),
            SOCKET_ACCEPT => ("accept", epoll::READ),
            _ => ("read", epoll::READ),
        };
        (events & wanted != 0).then(|| WaitingOn::Socket {
            operation: operation.to_owned(),
            address: address(self.fd),
            descriptor: self.fd,
        })
    }
}

/// The address of the other end, else its own, of a socket that has one.
fn address(fd: RawFd) -> Option<String> {
    // SAFETY: the descriptor is only asked for addresses, and not closed; if it is no TCP socket, or has been closed, the
    // answers are errors.
    let socket = ManuallyDrop::new(unsafe { TcpStream::from_raw_fd(fd) });
    socket.peer_addr().or_else(|_| socket.local_addr()).ok().map(|address| address.to_string())
}
