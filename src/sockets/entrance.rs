//! The way in to shell, control and stdin: one connection at a time for each client.
//!
//! A client has an identity and keeps it when it connects again, as Jupyter's server does for a page whose network comes
//! back. If the ROUTER socket notices the end of the old connection while it takes in the new one, it forgets the new
//! one: requests are read, and no reply is ever sent. So clients connect here, and of a client that is known the end of
//! the handshake waits until the ROUTER has let go of its old connection.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_std::channel::{self, Receiver, Sender};
use async_std::future;
use async_std::task::{self, JoinHandle};
use futures::future::select;
use futures::io::{BufReader, copy_buf};
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::Address;
use super::handshake::{GREETING, Name, name};
use super::stream::{Listener, Stream, connect};

/// How long the ROUTER may take to let go of a connection.
const HANDOVER: Duration = Duration::from_secs(2);

/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// A listener and its connections.
#[derive(Debug)]
pub(super) struct Entrance {
    accepting: JoinHandle<()>,
    /// Closes when the last connection has ended: each holds a sender.
    connections: Receiver<Infallible>,
}

impl Entrance {
    /// Listens at `public` and connects every client to `inner`.
    pub(super) async fn open(public: &Address, inner: &Address) -> io::Result<Self> {
        let (open, connections) = channel::bounded(1);
        let listener = Listener::bind(public).await?;
        let (inner, clients) = (inner.clone(), Clients::default());
        let accepting = task::spawn(async move {
            loop {
                let client = listener.next().await;
                let (inner, clients, open) = (inner.clone(), clients.clone(), open.clone());
                task::spawn(async move {
                    if let Err(error) = admit(client, &inner, &clients).await {
                        tracing::debug!("a connection has ended: {error}");
                    }
                    drop(open);
                });
            }
        });
        Ok(Self { accepting, connections })
    }

    /// Accepts nobody any more and waits, but not longer than `patience`, until every client has got what was sent.
    /// The ROUTER must be closed already.
    pub(super) async fn close(self, patience: Duration) {
        self.accepting.cancel().await;
        // Nothing is ever sent: this ends when the channel closes, or by the timeout.
        if future::timeout(patience, self.connections.recv()).await.is_err() {
            tracing::warn!("a client has not read all replies");
        }
    }
}

async fn admit(client: impl Stream, inner: &Address, clients: &Clients) -> io::Result<()> {
    carry(client, connect(inner).await?, clients).await
}

/// Copies both ways until one side closes, or the client has connected again.
async fn carry(client: impl Stream, socket: impl Stream, clients: &Clients) -> io::Result<()> {
    let end = socket.end();
    let (mut from_client, mut to_client) = client.split();
    let (mut from_socket, mut to_socket) = socket.split();
    let mut place = None;
    let copied = {
        let up = async {
            place = introduce(&mut from_client, &mut to_socket, clients).await?;
            let copying = copy_buf(BufReader::with_capacity(CHUNK, &mut from_client), &mut to_socket);
            match &place {
                // Nothing is ever sent: the channel closes when the client has connected again.
                Some(place) => drop(select(pin!(place.replaced.recv()), pin!(copying)).await),
                None => drop(copying.await?),
            }
            Ok(())
        };
        let down =
            async { copy_buf(BufReader::with_capacity(CHUNK, &mut from_socket), &mut to_client).await.map(drop) };
        select(pin!(up), pin!(down)).await.factor_first().0
    };
    // The ROUTER has let go when its own end is closed. Replies that are on their way have nobody to go to.
    drop(to_client);
    end()?;
    let mut nobody = futures::io::sink();
    if future::timeout(HANDOVER, futures::io::copy(&mut from_socket, &mut nobody)).await.is_err() {
        tracing::debug!("the socket holds on to a connection that has ended");
    }
    drop(place);
    copied
}

/// Passes the handshake on; its last part when the client's old connection is gone.
async fn introduce(
    client: &mut (impl AsyncRead + Unpin),
    socket: &mut (impl AsyncWrite + Unpin),
    clients: &Clients,
) -> io::Result<Option<Place>> {
    let (mut sent, mut passed) = (Vec::new(), 0);
    let name = loop {
        let mut buffer = [0; 1024];
        let read = client.read(&mut buffer).await?;
        if read == 0 {
            return Ok(None);
        }
        sent.extend_from_slice(&buffer[..read]);
        // Each side waits for the other's greeting before it goes on.
        let greeting = sent.len().min(GREETING);
        socket.write_all(&sent[passed..greeting]).await?;
        passed = greeting;
        match name(&sent[greeting..]) {
            Name::Unknown => {}
            known => break known,
        }
    };
    let place = match name {
        Name::Identity(identity) => Some(clients.take_over(identity).await),
        Name::Anonymous | Name::Unknown => None,
    };
    socket.write_all(&sent[passed..]).await?;
    Ok(place)
}

/// The connections of clients that have an identity.
#[derive(Debug, Clone, Default)]
struct Clients {
    connections: Arc<Mutex<HashMap<Vec<u8>, Connection>>>,
    last: Arc<AtomicU64>,
}

/// A client's connection, as who replaces it sees it.
#[derive(Debug)]
struct Connection {
    number: u64,
    /// Dropped to end it.
    replace: Sender<Infallible>,
    /// Closes when it has ended.
    ended: Receiver<Infallible>,
}

/// A client's connection, as itself sees it. Dropped when it has ended.
#[derive(Debug)]
struct Place {
    clients: Clients,
    identity: Vec<u8>,
    number: u64,
    /// Closes when the client has connected again.
    replaced: Receiver<Infallible>,
    _open: Sender<Infallible>,
}

impl Clients {
    /// Makes this connection the client's only one: ends the one that it has, and waits for its end.
    async fn take_over(&self, identity: Vec<u8>) -> Place {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let (replace, replaced) = channel::bounded(1);
        let (open, ended) = channel::bounded(1);
        let former = self.lock().insert(identity.clone(), Connection { number, replace, ended });
        if let Some(Connection { replace, ended, .. }) = former {
            drop(replace);
            // Nothing is ever sent: this ends when the channel closes, or by the timeout.
            let _closed = future::timeout(HANDOVER, ended.recv()).await;
        }
        Place { clients: self.clone(), identity, number, replaced, _open: open }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut connections = self.clients.lock();
        if connections.get(&self.identity).is_some_and(|connection| connection.number == self.number) {
            connections.remove(&self.identity);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_std::os::unix::net::UnixStream;

    /// Longer than a machine with a lot to do lets a test wait.
    const LONG: Duration = Duration::from_secs(60);

    /// A client's end of a connection, and the socket's end.
    fn connected(clients: &Clients) -> (UnixStream, UnixStream) {
        let (client, client_end) = UnixStream::pair().unwrap();
        let (socket, socket_end) = UnixStream::pair().unwrap();
        let clients = clients.clone();
        task::spawn(async move { carry(client_end, socket_end, &clients).await });
        (client, socket)
    }

    fn handshake(identity: &str) -> Vec<u8> {
        let length = u8::try_from(identity.len()).unwrap();
        let body = [b"\x05READY\x08Identity\0\0\0", &[length][..], identity.as_bytes()].concat();
        [&[0; GREETING][..], &[4, u8::try_from(body.len()).unwrap()], &body].concat()
    }

    async fn read_exactly(stream: &mut UnixStream, bytes: usize) -> Vec<u8> {
        let mut buffer = vec![0; bytes];
        future::timeout(LONG, stream.read_exact(&mut buffer)).await.expect("in time").unwrap();
        buffer
    }

    #[async_std::test]
    async fn all_that_is_sent_arrives_on_both_sides() {
        let (mut client, mut socket) = connected(&Clients::default());
        let sent = [&handshake("me")[..], &vec![7; 1 << 20]].concat();
        let sending = task::spawn({
            let (mut client, sent) = (client.clone(), sent.clone());
            async move { client.write_all(&sent).await }
        });
        assert_eq!(read_exactly(&mut socket, sent.len()).await, sent);
        sending.await.unwrap();
        socket.write_all(b"reply").await.unwrap();
        assert_eq!(read_exactly(&mut client, 5).await, b"reply");
    }

    #[async_std::test]
    async fn the_greeting_is_passed_on_before_the_other_side_has_spoken() {
        let (mut client, mut socket) = connected(&Clients::default());
        client.write_all(&[0xff; 10]).await.unwrap();
        assert_eq!(read_exactly(&mut socket, 10).await, [0xff; 10]);
    }

    #[async_std::test]
    async fn a_client_that_connects_again_is_let_in_when_its_old_connection_is_gone() {
        let clients = Clients::default();
        let (mut old, mut old_socket) = connected(&clients);
        old.write_all(&handshake("me")).await.unwrap();
        read_exactly(&mut old_socket, handshake("me").len()).await;
        let (mut new, mut new_socket) = connected(&clients);
        new.write_all(&handshake("me")).await.unwrap();
        read_exactly(&mut new_socket, GREETING).await;
        assert_eq!(
            future::timeout(LONG, old_socket.read(&mut [0])).await.expect("in time").unwrap(),
            0,
            "it has ended"
        );
        let early = future::timeout(Duration::from_millis(50), new_socket.read(&mut [0])).await;
        assert!(early.is_err(), "the socket has not let go yet");
        drop(old_socket);
        read_exactly(&mut new_socket, handshake("me").len() - GREETING).await;
        new.write_all(b"request").await.unwrap();
        assert_eq!(read_exactly(&mut new_socket, 7).await, b"request");
        assert_eq!(clients.lock().len(), 1);
    }

    #[async_std::test]
    async fn clients_with_other_names_or_none_keep_theirs() {
        let clients = Clients::default();
        let mut kept = Vec::new();
        for identity in ["me", "you", "", ""] {
            let (mut client, mut socket) = connected(&clients);
            client.write_all(&handshake(identity)).await.unwrap();
            read_exactly(&mut socket, handshake(identity).len()).await;
            kept.push((client, socket));
        }
        for (client, socket) in &mut kept {
            client.write_all(b"still here").await.unwrap();
            read_exactly(socket, 10).await;
        }
    }
}
