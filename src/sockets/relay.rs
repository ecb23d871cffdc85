//! Bytes between iopub's clients and the XPUB socket, copied so that no client can stop another.
//!
//! XPUB sends to its subscribers in turn and waits for each. A client that does not read (a laptop asleep, a debugger)
//! would stop everybody once the system's buffers are full. So clients connect here, and for each there is one
//! connection to the XPUB, from which we always read. What a client does not take yet is held, up to [`LIMIT`]. From
//! there on everybody waits for it as long as it takes something, so that nobody who reads loses a line; one that takes
//! next to nothing for a while ([`Patience`]) is disconnected. ZeroMQ clients then connect again by themselves.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_std::channel::{self, Receiver, Sender};
use async_std::future;
use async_std::task::{self, JoinHandle};
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::Address;
use super::stream::{Listener, Stream, connect};

/// Bytes held for one client.
const LIMIT: usize = 64 << 20;

/// How long a client may keep the others waiting at the limit without taking [`PACE`] bytes, if it has been seen to read.
/// Clients take much at once and then pause until half of that is worked off, so this must not be short.
const PATIENCE: Duration = Duration::from_secs(3);

/// The same for a client that has not been seen to read: one that sleeps connects again and again.
const SUSPICION: Duration = Duration::from_secs(1);

/// Who has taken so many bytes reads; less is what the system's buffers swallow.
const READS: usize = 16 << 20;

/// Bytes that a client must take within its time.
const PACE: usize = 1 << 20;

/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// A listener and its connections.
#[derive(Debug)]
pub(super) struct Relay {
    accepting: JoinHandle<()>,
    /// Closes when the last connection has ended: each holds a sender.
    connections: Receiver<Infallible>,
}

impl Relay {
    /// Connects every client of `listener` to `inner`, but not before `begun` closes: clients wait that long.
    pub(super) fn start(listener: Listener, inner: Address, begun: Receiver<Infallible>) -> Self {
        let (open, connections) = channel::bounded(1);
        let accepting = task::spawn(async move {
            // Nothing is ever sent: this ends when the channel closes.
            let _closed = begun.recv().await;
            accept(listener, inner, open).await;
        });
        Self { accepting, connections }
    }

    /// Accepts nobody any more and waits, but not longer than `patience`, until every client has got what was sent.
    /// The XPUB must be closed already.
    pub(super) async fn close(self, patience: Duration) {
        self.accepting.cancel().await;
        // Nothing is ever sent: this ends when the channel closes, or by the timeout.
        if future::timeout(patience, self.connections.recv()).await.is_err() {
            tracing::warn!("a client of iopub has not read everything");
        }
    }
}

async fn accept(listener: Listener, inner: Address, open: Sender<Infallible>) {
    let strikes = Arc::new(AtomicU32::new(0));
    loop {
        let client = listener.next("iopub").await;
        let (inner, open, strikes) = (inner.clone(), open.clone(), strikes.clone());
        task::spawn(async move {
            let patience = Patience::after(strikes.load(Ordering::Relaxed));
            let ended = match connect(&inner).await {
                Ok(socket) => carry(client, socket, LIMIT, patience).await,
                Err(error) => Err(error),
            };
            if let Err(error) = ended {
                strikes.fetch_add(1, Ordering::Relaxed);
                tracing::warn!("a client of iopub was disconnected: {error}");
            }
            drop(open);
        });
    }
}

/// How long a client may keep the others waiting.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// If it has been seen to read.
    reader: Duration,
    /// If not.
    stranger: Duration,
}

impl Patience {
    /// The patience of a kernel that has had to disconnect so many.
    fn after(strikes: u32) -> Self {
        Self { reader: PATIENCE, stranger: SUSPICION / strikes.saturating_add(1) }
    }
}

/// Copies both ways until one side closes. What the socket sent before it closed still reaches the client.
async fn carry(client: impl Stream, socket: impl Stream, limit: usize, patience: Patience) -> io::Result<()> {
    let (client_reader, mut client_writer) = client.split();
    let (mut socket_reader, mut socket_writer) = socket.split();
    let (chunks, backlog) = backlog(limit, patience);
    let down = async {
        futures::try_join!(chunks.fill(&mut socket_reader), backlog.empty(&mut client_writer))?;
        Ok(())
    };
    let up = async {
        match futures::io::copy(client_reader, &mut socket_writer).await {
            // The client has gone, one way or the other: what it has not read it does not want.
            Ok(_) | Err(_) => Ok(()),
        }
    };
    futures::future::select(pin!(up), pin!(down)).await.factor_first().0
}

/// What was read from the socket and not yet written to the client.
fn backlog(limit: usize, patience: Patience) -> (Filling, Emptying) {
    let held = Arc::new(AtomicUsize::new(0));
    let (chunks, queued) = channel::unbounded();
    let (written, room) = channel::bounded(1);
    let filling = Filling { held: held.clone(), received: 0, chunks, room, limit, patience };
    (filling, Emptying { held, queued, written })
}

struct Filling {
    held: Arc<AtomicUsize>,
    /// All bytes that came from the socket.
    received: usize,
    chunks: Sender<Vec<u8>>,
    /// Gets something whenever a chunk was written.
    room: Receiver<()>,
    limit: usize,
    patience: Patience,
}

struct Emptying {
    held: Arc<AtomicUsize>,
    queued: Receiver<Vec<u8>>,
    written: Sender<()>,
}

impl Filling {
    async fn fill(mut self, socket: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK];
        loop {
            let read = socket.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            self.received += read;
            let held = self.held.fetch_add(read, Ordering::Relaxed) + read;
            if self.chunks.send(buffer[..read].to_vec()).await.is_err() {
                // Writing has failed, and says why.
                return Ok(());
            }
            if held > self.limit {
                self.wait_for_room().await?;
            }
        }
    }

    /// Waits until less than the limit is held. A client that keeps its pace has all the time that it needs.
    async fn wait_for_room(&self) -> io::Result<()> {
        let (mut before, mut deadline) = (self.taken(), Instant::now() + self.patience());
        while self.held.load(Ordering::Relaxed) > self.limit {
            if self.taken() - before >= PACE {
                (before, deadline) = (self.taken(), Instant::now() + self.patience());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if future::timeout(left, self.room.recv()).await.is_err() {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("it left {} MiB unread and kept the others waiting", self.limit >> 20),
                ));
            }
        }
        Ok(())
    }

    fn patience(&self) -> Duration {
        if self.taken() >= READS { self.patience.reader } else { self.patience.stranger }
    }

    /// Bytes that the client has taken.
    fn taken(&self) -> usize {
        self.received - self.held.load(Ordering::Relaxed)
    }
}

impl Emptying {
    async fn empty(self, client: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        while let Ok(chunk) = self.queued.recv().await {
            client.write_all(&chunk).await?;
            self.held.fetch_sub(chunk.len(), Ordering::Relaxed);
            // Full means that a wake-up is on its way already; closed, that nobody waits.
            let _ = self.written.try_send(());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_std::os::unix::net::UnixStream;

    /// Longer than a machine with a lot to do lets a test wait.
    const LONG: Duration = Duration::from_secs(60);

    /// A relayed connection: the client's end, the socket's end, and how it ended.
    fn relayed(limit: usize, patience: Patience) -> (UnixStream, UnixStream, JoinHandle<io::Result<()>>) {
        let (client, client_end) = UnixStream::pair().unwrap();
        let (socket, socket_end) = UnixStream::pair().unwrap();
        (client, socket, task::spawn(carry(client_end, socket_end, limit, patience)))
    }

    #[async_std::test]
    async fn bytes_travel_both_ways_and_the_last_ones_arrive_after_the_socket_closed() {
        let (mut client, mut socket, ended) = relayed(LIMIT, Patience::after(0));
        client.write_all(b"subscribe").await.unwrap();
        let mut buffer = [0; 9];
        socket.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"subscribe");
        socket.write_all(b"last words").await.unwrap();
        drop(socket);
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "last words");
        ended.await.unwrap();
    }

    #[async_std::test]
    async fn a_client_that_does_not_read_is_disconnected_and_the_socket_never_waits_long() {
        let short = Duration::from_millis(50);
        let patience = Patience { reader: short, stranger: short };
        let (_client, mut socket, ended) = relayed(1 << 20, patience);
        let flood = vec![0; 8 << 20];
        let result = future::timeout(Duration::from_secs(10), socket.write_all(&flood)).await.expect("not stuck");
        assert!(result.is_err(), "the relay closes the connection");
        assert_eq!(ended.await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[async_std::test]
    async fn a_client_that_reads_gets_more_than_the_limit() {
        let (mut client, mut socket, ended) = relayed(1 << 20, Patience { reader: LONG, stranger: LONG });
        let sent = task::spawn(async move { socket.write_all(&vec![7; 8 << 20]).await });
        let mut bytes = Vec::new();
        client.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes.len(), 8 << 20);
        sent.await.unwrap();
        ended.await.unwrap();
    }

    #[async_std::test]
    async fn a_slow_client_that_keeps_its_pace_loses_nothing() {
        let short = Duration::from_secs(2);
        let (mut client, mut socket, ended) = relayed(1 << 20, Patience { reader: short, stranger: short });
        let sent = task::spawn(async move { socket.write_all(&vec![7; 24 << 20]).await });
        let mut bytes = vec![0; 2 << 20];
        for _ in 0..12 {
            // In all longer than the patience, but never without taking anything.
            task::sleep(short / 5).await;
            client.read_exact(&mut bytes).await.unwrap();
        }
        sent.await.unwrap();
        ended.await.unwrap();
    }

    #[async_std::test]
    async fn a_client_that_leaves_ends_the_connection() {
        let (client, mut socket, ended) = relayed(LIMIT, Patience::after(0));
        drop(client);
        assert_eq!(socket.read(&mut [0]).await.unwrap(), 0);
        ended.await.unwrap();
    }
}
