//! The clients that are connected to the ROUTER sockets, and their names there.
//!
//! A client may connect again under the name that it had, and a manager and its client use one name at once. The ZeroMQ
//! crate knows one connection per name and forgets the new one when the old one ends. So clients connect here, and each
//! connection gets a name of its own: the client's, and a number behind it. An answer goes to the connection that asked;
//! if that has gone, to the last one of the same client. What the kernel asks a client goes there too: Jupyter's clients
//! have one name for all their sockets.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_std::channel::{self, Receiver, Sender};
use async_std::future;
use async_std::task::{self, JoinHandle};
use futures::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Address;
use super::greeting::introduce;
use super::stream::{Listener, Stream, connect};

/// The longest name that ZeroMQ knows, in bytes.
const LONGEST_NAME: usize = 255;

/// Numbers of connections, for all sockets, so that no two are ever equal.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

/// Bytes of such a number.
const NUMBER: usize = size_of::<u64>();

/// The listener of one ROUTER, and who is connected.
#[derive(Debug)]
pub(super) struct Door {
    accepting: JoinHandle<()>,
    /// Closes when the last connection has ended: each holds a sender.
    connections: Receiver<Infallible>,
}

impl Door {
    /// Connects every client of `listener` to the ROUTER at `inner`.
    pub(super) fn open(listener: Listener, inner: Address) -> (Self, Peers) {
        let (open, connections) = channel::bounded(1);
        let peers = Peers::default();
        let accepting = task::spawn(accept(listener, inner, peers.clone(), open));
        (Self { accepting, connections }, peers)
    }

    /// Accepts nobody any more and waits, but not longer than `patience`, until every client has got what was sent. The
    /// ROUTER must be closed already.
    pub(super) async fn close(self, patience: Duration) {
        self.accepting.cancel().await;
        // Nothing is ever sent: this ends when the channel closes, or by the timeout.
        let _who_does_not_read_is_left = future::timeout(patience, self.connections.recv()).await;
    }
}

/// The connections of one ROUTER.
#[derive(Debug, Clone, Default)]
pub(super) struct Peers(Arc<Mutex<BTreeMap<u64, Vec<u8>>>>);

impl Peers {
    /// The name of the connection to which a message for `name` goes: the one that has this name, else the last one of
    /// the same client. Without either it is `name` itself, which leads nowhere.
    pub(super) fn route(&self, name: Vec<u8>) -> Vec<u8> {
        let connected = self.lock();
        let Some((client, number)) = split(&name) else { return name };
        if client.is_empty() || connected.contains_key(&number) {
            return name;
        }
        let last = connected.iter().rev().find(|(_, known)| *known == client);
        last.map(|(number, known)| full_name(known, *number)).unwrap_or(name)
    }

    /// Notes a connection of `client`, until the guard is dropped, and names it.
    fn enter(&self, client: &[u8]) -> (Vec<u8>, Entered) {
        let client = &client[..client.len().min(LONGEST_NAME - NUMBER)];
        let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(number, client.to_owned());
        (full_name(client, number), Entered { peers: self.clone(), number })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is there.
struct Entered {
    peers: Peers,
    number: u64,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.peers.lock().remove(&self.number);
    }
}

fn full_name(client: &[u8], number: u64) -> Vec<u8> {
    [client, &number.to_be_bytes()].concat()
}

fn split(name: &[u8]) -> Option<(&[u8], u64)> {
    let (client, number) = name.split_last_chunk::<NUMBER>()?;
    Some((client, u64::from_be_bytes(*number)))
}

async fn accept(listener: Listener, inner: Address, peers: Peers, open: Sender<Infallible>) {
    loop {
        let client = listener.next("a ROUTER").await;
        let (inner, peers, open) = (inner.clone(), peers.clone(), open.clone());
        task::spawn(async move {
            let ended = match connect(&inner).await {
                Ok(socket) => carry(client, socket, &peers).await,
                Err(error) => Err(error),
            };
            if let Err(error) = ended {
                tracing::debug!("a client was disconnected: {error}");
            }
            drop(open);
        });
    }
}

/// Copies both ways until one side closes. What the socket sent before it closed still reaches the client.
async fn carry(client: impl Stream, socket: impl Stream, peers: &Peers) -> io::Result<()> {
    let (mut client_reader, mut client_writer) = client.split();
    let (socket_reader, mut socket_writer) = socket.split();
    let up = async {
        let mut entered = None;
        introduce(&mut client_reader, &mut socket_writer, |client| {
            let (name, guard) = peers.enter(client);
            entered = Some(guard);
            name
        })
        .await?;
        // The client has gone, one way or the other: what it has not read it does not want.
        let _ended = futures::io::copy(&mut client_reader, &mut socket_writer).await;
        io::Result::Ok(())
    };
    let down = async {
        futures::io::copy(socket_reader, &mut client_writer).await?;
        client_writer.close().await
    };
    futures::future::select(pin!(up), pin!(down)).await.factor_first().0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_goes_to_the_connection_that_asked_and_else_to_the_clients_last() {
        let peers = Peers::default();
        let (manager, first) = peers.enter(b"c");
        let (client, second) = peers.enter(b"c");
        let (other, _other) = peers.enter(b"d");
        assert_eq!(peers.route(manager.clone()), manager);
        assert_eq!(peers.route(client.clone()), client);
        drop(second);
        assert_eq!(peers.route(client.clone()), manager, "it has gone, and the other one is the same client's");
        let (again, _again) = peers.enter(b"c");
        assert_eq!(peers.route(client.clone()), again);
        drop(first);
        assert_eq!(peers.route(manager), again);
        assert_eq!(peers.route(other.clone()), other);
    }

    #[test]
    fn what_one_socket_heard_of_a_client_finds_it_at_another() {
        let (shell, stdin) = (Peers::default(), Peers::default());
        let (asked, _shell) = shell.enter(b"c");
        assert_eq!(stdin.route(asked.clone()), asked, "it is not connected there yet");
        let (answers, _stdin) = stdin.enter(b"c");
        assert_eq!(stdin.route(asked), answers);
    }

    #[test]
    fn clients_without_a_name_are_not_taken_for_each_other_and_long_names_fit() {
        let peers = Peers::default();
        let (nameless, gone) = peers.enter(b"");
        let (_, _other) = peers.enter(b"");
        drop(gone);
        assert_eq!(peers.route(nameless.clone()), nameless);
        let (long, _long) = peers.enter(&[b'n'; 300]);
        assert_eq!(long.len(), LONGEST_NAME);
        assert_eq!(peers.route(b"x".to_vec()), b"x");
    }
}
