//! What a lab server does with its connections, on its own thread.

use super::http::{self, Head, LONGEST_BODY};
use super::routes::{self, Plan};
use super::server::Kind;
use super::tally::{Flight, Tally};
use super::trace::{Side, Traces};
use crate::support::epoll;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// Room for so many bytes at each read: a usual request is one piece of the trace.
const AT_ONCE: usize = 4096;
/// After a failure to accept: until a descriptor may be free again.
const BREATH: Duration = Duration::from_millis(5);
/// How long the rest of a request that was refused is waited for: closing earlier would take the answer from the client.
const DRAIN: Duration = Duration::from_millis(200);
/// Between two looks at whether a client that has stopped sending is still there; each look is twice as late as the last.
const FIRST_LOOK: Duration = Duration::from_millis(5);

/// What a server's thread and its handle share.
#[derive(Debug)]
pub(super) struct Shared {
    kind: Kind,
    pub(super) tally: Arc<Tally>,
    pub(super) traces: Arc<Traces>,
}

impl Shared {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, tally: Arc::new(Tally::new()), traces: Arc::default() }
    }
}

/// Serves all who come, for ever.
pub(super) async fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, client)) => {
                let shared = Arc::clone(shared);
                tokio::spawn(async move {
                    // An error is a client that has gone away, which is its own business.
                    let _ = connection(stream, client, &shared).await;
                });
            }
            Err(_) => sleep(BREATH).await,
        }
    }
}

async fn connection(stream: TcpStream, client: SocketAddr, shared: &Shared) -> io::Result<()> {
    let wire = Wire::open(stream, client, shared)?;
    match shared.kind {
        Kind::Http { delay } => answer(wire, delay).await,
        Kind::Echo { delay } => echo(wire, delay).await,
    }
}

async fn echo(mut wire: Wire<'_>, delay: Duration) -> io::Result<()> {
    loop {
        let count = wire.read().await?;
        if count == 0 {
            return Ok(());
        }
        let flight = wire.shared.tally.arrive("");
        sleep(delay).await;
        let piece = std::mem::take(&mut wire.received);
        flight.answered();
        wire.write(&piece).await?;
    }
}

/// Reads one request and answers it.
async fn answer(mut wire: Wire<'_>, delay: Duration) -> io::Result<()> {
    let (head, body) = match wire.request().await? {
        Request::Whole(head, body) => (head, body),
        Request::Nothing => return Ok(()),
        Request::Refused(why) => {
            wire.shared.tally.arrive("").answered();
            wire.respond(400, format!("This is no request: {why}.\n").as_bytes()).await?;
            return wire.drain().await;
        }
    };
    let flight = wire.shared.tally.arrive(&head.first[1]);
    match routes::plan(&head, body, delay, |every| wire.shared.tally.flaky(every)) {
        Plan::Answer { after, status, body } => {
            let Some(flight) = wire.wait(after, flight).await else { return Ok(()) };
            flight.answered();
            wire.respond(status, &body).await
        }
        Plan::Drip { lines, each } => drip(wire, lines, each, flight).await,
        Plan::Drop => Ok(()),
    }
}

async fn drip(mut wire: Wire<'_>, lines: u32, each: Duration, mut flight: Flight) -> io::Result<()> {
    wire.write(http::answer(200, lines as usize * routes::drip(1).len()).as_bytes()).await?;
    for line in 1..lines {
        match wire.wait(each, flight).await {
            Some(waited) => flight = waited,
            None => return Ok(()),
        }
        wire.write(routes::drip(line).as_bytes()).await?;
    }
    if lines > 0 {
        let Some(waited) = wire.wait(each, flight).await else { return Ok(()) };
        flight = waited;
    }
    flight.answered();
    if lines > 0 { wire.write(routes::drip(lines).as_bytes()).await } else { Ok(()) }
}

/// What has come from a client.
enum Request {
    Whole(Head, Vec<u8>),
    /// It has closed the connection.
    Nothing,
    Refused(&'static str),
}

/// A connection, all of whose bytes are traced.
struct Wire<'a> {
    stream: TcpStream,
    client: SocketAddr,
    server: SocketAddr,
    shared: &'a Shared,
    /// In the traces.
    number: u64,
    /// What has arrived and was not used.
    received: Vec<u8>,
}

impl<'a> Wire<'a> {
    fn open(stream: TcpStream, client: SocketAddr, shared: &'a Shared) -> io::Result<Self> {
        let server = stream.local_addr()?;
        shared.tally.connected();
        let number = shared.traces.open(shared.tally.time(), client, server);
        Ok(Self { stream, client, server, shared, number, received: Vec::new() })
    }

    /// Appends what arrives next to `received`; 0 at the end.
    async fn read(&mut self) -> io::Result<usize> {
        let before = self.received.len();
        self.received.reserve(AT_ONCE);
        let count = self.stream.read_buf(&mut self.received).await?;
        if count > 0 {
            self.shared.traces.note(self.number, Side::Client, &self.received[before..]);
        }
        Ok(count)
    }

    /// Traced before it is sent, so that whoever has it finds it in the trace.
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.shared.traces.note(self.number, Side::Server, bytes);
        self.stream.write_all(bytes).await
    }

    async fn respond(&mut self, status: u16, body: &[u8]) -> io::Result<()> {
        let head = http::answer(status, body.len());
        self.write(&[head.as_bytes(), body].concat()).await
    }

    async fn request(&mut self) -> io::Result<Request> {
        let head = loop {
            match Head::parse(&self.received) {
                Ok(Some(head)) => break head,
                Ok(None) => {}
                Err(why) => return Ok(Request::Refused(why)),
            }
            if self.read().await? == 0 {
                return Ok(Request::Nothing);
            }
        };
        let length = match head.body_length() {
            Ok(length) => length.unwrap_or(0),
            Err(why) => return Ok(Request::Refused(why)),
        };
        if length > LONGEST_BODY {
            return Ok(Request::Refused("its body is longer than 1 MiB"));
        }
        while self.received.len() < head.len + length {
            if self.read().await? == 0 {
                return Ok(Request::Nothing);
            }
        }
        let body = self.received[head.len..head.len + length].to_vec();
        self.received.clear();
        Ok(Request::Whole(head, body))
    }

    /// Waits. Gives the flight back, or, if the client has closed the connection by then, nothing.
    async fn wait(&mut self, time: Duration, flight: Flight) -> Option<Flight> {
        if time.is_zero() {
            return Some(flight);
        }
        let gone = tokio::select! {
            () = sleep(time) => false,
            () = self.gone() => true,
        };
        if gone {
            flight.hung_up();
            return None;
        }
        Some(flight)
    }

    /// Waits until the client is gone. One that has only said that it sends no more still wants its answer.
    async fn gone(&mut self) {
        while self.read().await.is_ok_and(|count| count > 0) {
            self.received.clear();
        }
        let mut pause = FIRST_LOOK;
        while epoll::is_connected(self.client, self.server) {
            sleep(pause).await;
            pause *= 2;
        }
    }

    /// Reads on for a moment, until the client has closed the connection.
    async fn drain(&mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        let reading = async {
            while self.read().await.is_ok_and(|count| count > 0) {
                self.received.clear();
            }
        };
        // Whether it has closed or the moment is over makes no difference.
        let _ = timeout(DRAIN, reading).await;
        Ok(())
    }
}

impl Drop for Wire<'_> {
    fn drop(&mut self) {
        self.shared.traces.close(self.number);
        self.shared.tally.disconnected();
    }
}
