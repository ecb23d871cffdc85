//! [`Server`]: the handle by which a notebook holds a lab server.

use super::limits;
use super::serve::{Shared, serve};
use super::tally::{Arrival, ServerStats};
use super::trace::Trace;
use crate::support::epoll;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

/// Connections that may wait until they are accepted.
const BACKLOG: u32 = 4096;

/// What a server does with what arrives.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Answers requests; what its table is asked for takes this long.
    Http { delay: Duration },
    /// Sends everything back after this long.
    Echo { delay: Duration },
}

/// A server on this machine, for lessons; see [`server()`].
///
/// It ends when it is dropped, and its port, its thread and its connections with it. So a cell may be run again: the
/// variable's old server goes when the new one is there.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Taken when the server is to end.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts an HTTP server on a free port of this machine. Its start page lists what it answers to:
///
/// | path | answer |
/// |---|---|
/// | `/delay/MS` | after so many milliseconds |
/// | `/headers` | the headers of the request |
/// | `/echo` | the body of the request |
/// | `/slow/COUNT/MS` | so many lines, each after so many milliseconds |
/// | `/flaky/N` | every N-th request fails with status 503 |
/// | `/drop` | none: the connection is closed |
/// | `/books`, `/books/ID` | a small table |
///
/// ```
/// let server = loopbook::lab::server();
/// let response = loopbook::lab::get_blocking(server.url("/flaky/1")).expect("it answers");
/// assert_eq!((response.status, server.requests()), (503, 1));
/// ```
///
/// # Panics
/// If the system has no port, thread or descriptor left.
pub fn server() -> Server {
    Server::new()
}

/// Starts a server that sends back whatever arrives, after a while: for lessons on sockets.
///
/// ```
/// use std::io::{Read, Write};
/// use std::time::Duration;
/// let server = loopbook::lab::echo(Duration::from_millis(20));
/// let mut stream = std::net::TcpStream::connect(server.addr()).expect("it listens");
/// stream.write_all(b"ping").expect("sent");
/// let mut answer = [0; 4];
/// stream.read_exact(&mut answer).expect("sent back");
/// assert_eq!(&answer, b"ping");
/// ```
///
/// # Panics
/// As [`server()`].
pub fn echo(delay: Duration) -> Server {
    Server::start(Kind::Echo { delay })
}

/// The server that [`get`](super::get) asks when it is given a time and no address. It starts when it is first needed, and
/// lives as long as the kernel.
///
/// ```
/// use loopbook::lab;
/// lab::common().reset();
/// lab::get_blocking(std::time::Duration::from_millis(1)).expect("it answers");
/// assert_eq!(lab::common().arrivals()[0].path, "/delay/1");
/// ```
///
/// # Panics
/// As [`server()`].
pub fn common() -> &'static Server {
    static COMMON: OnceLock<Server> = OnceLock::new();
    COMMON.get_or_init(server)
}

impl Server {
    /// As [`server()`].
    ///
    /// # Panics
    /// As [`server()`].
    #[expect(clippy::new_without_default, reason = "starting a server is nothing to be done by default")]
    pub fn new() -> Self {
        Self::start(Kind::Http { delay: Duration::ZERO })
    }

    pub(super) fn start(kind: Kind) -> Self {
        match Self::try_start(kind) {
            Ok(server) => server,
            Err(error) => panic!("no server can be started on this machine: {error}"),
        }
    }

    fn try_start(kind: Kind) -> io::Result<Self> {
        static SERVERS: AtomicU32 = AtomicU32::new(1);
        limits::raise();
        let shared = Arc::new(Shared::new(kind));
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let name = format!("{}{}", super::threads::PREFIX, SERVERS.fetch_add(1, Ordering::Relaxed));
        let serving = Arc::clone(&shared);
        let thread = thread::Builder::new().name(name).spawn(move || {
            if let Err(error) = run(&tell, stopped, serving) {
                // The caller waits for exactly one answer.
                let _ = tell.send(Err(error));
            }
        })?;
        let address = told.recv().unwrap_or_else(|_| Err(io::Error::other("its thread has ended")))?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens: an address of this machine and a port that was free.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The address of a path on it.
    ///
    /// ```
    /// let server = loopbook::lab::server();
    /// assert_eq!(server.url("/delay/200"), format!("http://{}/delay/200", server.addr()));
    /// ```
    pub fn url(&self, path: &str) -> String {
        let slash = if path.starts_with('/') { "" } else { "/" };
        format!("http://{}{slash}{path}", self.address)
    }

    /// How many requests have arrived. For a server that echoes, each piece that arrives is one.
    pub fn requests(&self) -> u64 {
        self.stats().requests
    }

    /// How many requests have arrived and are not answered yet.
    ///
    /// ```
    /// # use loopbook::facade::task;
    /// use loopbook::lab;
    /// use std::time::Duration;
    /// let server = lab::server();
    /// let request = task::spawn(lab::get(server.url("/delay/200")));
    /// # task::block_on(async {
    /// while server.in_flight() == 0 {
    ///     task::sleep(Duration::from_millis(5)).await;
    /// }
    /// request.await?;
    /// assert_eq!(server.in_flight(), 0);
    /// # Ok::<(), std::io::Error>(()) }).unwrap();
    /// ```
    pub fn in_flight(&self) -> usize {
        self.stats().in_flight
    }

    /// The most requests that were in flight at any moment: how many a client really had going at once.
    ///
    /// ```
    /// # use loopbook::facade::task;
    /// use loopbook::{gather, lab};
    /// let server = lab::server();
    /// let url = server.url("/delay/50");
    /// # task::block_on(async {
    /// let (first, second, third) = gather!(lab::get(&url), lab::get(&url), lab::get(&url));
    /// # first.and(second).and(third).expect("they answer");
    /// assert_eq!(server.max_in_flight(), 3);
    /// # });
    /// ```
    pub fn max_in_flight(&self) -> usize {
        self.stats().max_in_flight
    }

    /// When each request arrived, and what it asked for, in order; the first 100,000.
    ///
    /// ```
    /// use loopbook::lab;
    /// let server = lab::server();
    /// lab::get_blocking(server.url("/headers")).expect("it answers");
    /// let arrivals = server.arrivals();
    /// assert_eq!((arrivals.len(), arrivals[0].path.as_str()), (1, "/headers"));
    /// ```
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.shared.tally.arrivals()
    }

    /// All that it has counted.
    ///
    /// ```
    /// use loopbook::lab;
    /// let server = lab::server();
    /// lab::get_blocking(server.url("/echo")).expect("it answers");
    /// let stats = server.stats();
    /// assert_eq!((stats.requests, stats.answered, stats.in_flight), (1, 1, 0));
    /// ```
    pub fn stats(&self) -> ServerStats {
        self.shared.tally.stats()
    }

    /// What went over its latest connection: every byte, in both directions, with times. Shows as a drawing.
    ///
    /// ```
    /// use loopbook::lab;
    /// let server = lab::server();
    /// lab::get_blocking(server.url("/headers")).expect("it answers");
    /// let trace = server.trace().expect("there was a connection");
    /// assert!(trace.to_text().contains("GET /headers HTTP/1.1"));
    /// ```
    pub fn trace(&self) -> Option<Trace> {
        self.traces().pop()
    }

    /// What went over its connections, the latest 64 of them; see [`trace`](Self::trace).
    pub fn traces(&self) -> Vec<Trace> {
        self.shared.traces.all()
    }

    /// Sets all counters to zero, and forgets arrivals and traces: for another try. What is in flight is still in flight.
    ///
    /// ```
    /// use loopbook::lab;
    /// let server = lab::server();
    /// lab::get_blocking(server.url("/")).expect("it answers");
    /// server.reset();
    /// assert_eq!((server.requests(), server.max_in_flight()), (0, 0));
    /// ```
    pub fn reset(&self) {
        self.shared.tally.reset();
        self.shared.traces.clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either fails only if the thread has ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats();
        f.debug_struct("Server")
            .field("addr", &self.address)
            .field("requests", &stats.requests)
            .field("in_flight", &stats.in_flight)
            .field("max_in_flight", &stats.max_in_flight)
            .finish_non_exhaustive()
    }
}

/// The server's thread. tokio's runtime for one thread has a reactor and timers of its own, so nothing of this is seen by
/// the notebook's loop, and nothing waits for it.
fn run(
    tell: &mpsc::Sender<io::Result<SocketAddr>>,
    stopped: oneshot::Receiver<()>,
    shared: Arc<Shared>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(async {
        let listener = listen()?;
        let address = listener.local_addr()?;
        let _own = epoll::leave_out(listener.as_raw_fd());
        let _ = tell.send(Ok(address));
        tokio::select! {
            () = serve(&listener, &shared) => {}
            // Also if the handle is gone without a word.
            _ = stopped => {}
        }
        Ok(())
    })
}

fn listen() -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    socket.listen(BACKLOG)
}
