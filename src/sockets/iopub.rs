//! iopub: the task that owns the XPUB socket.
//!
//! An XPUB (not a PUB) tells who subscribes, so that new clients can be welcomed (JEP 65). Ours awaits its subscribers
//! one after the other when it sends: it stands behind a [relay](super::relay), which always reads.

use async_std::channel::{Receiver, Sender};
use async_std::task::{self, JoinHandle};
use futures::{FutureExt as _, StreamExt as _};
use std::convert::Infallible;
use zeromq::util::PeerIdentity;
use zeromq::{Socket, SocketEvent, SocketRecv, SocketSend, XPubSocket, ZmqError, ZmqMessage};

use super::router::message;
use crate::transport::Incoming;

/// First byte of a message that subscribes; the topic follows.
const SUBSCRIBE: u8 = 1;

/// Sends what comes from `outgoing` and reports subscriptions, until `outgoing` is closed. Then disconnects everybody, by
/// which the relay knows that nothing more will come. Closes `beginning` when the first message is out: nobody can
/// subscribe before, so `iopub_welcome` is the first thing that a client gets.
pub(super) fn spawn(
    socket: XPubSocket,
    outgoing: Receiver<Vec<Vec<u8>>>,
    incoming: Sender<Incoming>,
    beginning: Sender<Infallible>,
) -> JoinHandle<()> {
    task::spawn(run(socket, outgoing, incoming, beginning))
}

enum Turn {
    Send(Vec<Vec<u8>>),
    Received(Result<ZmqMessage, ZmqError>),
    Happened(SocketEvent),
    Closed,
}

async fn run(
    mut socket: XPubSocket,
    outgoing: Receiver<Vec<Vec<u8>>>,
    incoming: Sender<Incoming>,
    beginning: Sender<Infallible>,
) {
    let mut events = socket.monitor();
    let mut clients = Vec::new();
    loop {
        // Subscriptions first: who has subscribed must get what is sent afterwards.
        let turn = futures::select_biased! {
            event = events.select_next_some() => Turn::Happened(event),
            received = socket.recv().fuse() => Turn::Received(received),
            frames = outgoing.recv().fuse() => frames.map_or(Turn::Closed, Turn::Send),
        };
        match turn {
            Turn::Send(frames) => {
                send(&mut socket, frames).await;
                beginning.close();
            }
            Turn::Received(Ok(message)) => {
                if let Some(topic) = subscription(message) {
                    // Nobody listens any more only while the kernel ends.
                    drop(incoming.send(Incoming::Subscribed { topic }).await);
                }
            }
            Turn::Received(Err(error)) => {
                // A client has left: the others are still there.
                tracing::debug!("iopub: {error}");
                task::yield_now().await;
            }
            Turn::Happened(SocketEvent::Accepted(_, client)) => clients.push(client),
            Turn::Happened(_) => {}
            Turn::Closed => return disconnect(&socket, &clients),
        }
    }
}

/// Dropping the socket does not do this: its tasks and connections keep each other alive.
fn disconnect(socket: &XPubSocket, clients: &[PeerIdentity]) {
    let backend = socket.backend();
    for client in clients {
        // Does nothing for those that have left.
        backend.peer_disconnected(client);
    }
}

async fn send(socket: &mut XPubSocket, frames: Vec<Vec<u8>>) {
    let Some(message) = message(frames) else { return };
    if let Err(error) = socket.send(message).await {
        tracing::debug!("iopub: {error}");
    }
}

fn subscription(message: ZmqMessage) -> Option<Vec<u8>> {
    let (first, topic) = message.get(0)?.split_first()?;
    (*first == SUBSCRIBE).then(|| topic.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_subscription_has_a_topic() {
        assert_eq!(subscription(vec![1].into()), Some(vec![]));
        assert_eq!(subscription(b"\x01stream".to_vec().into()), Some(b"stream".to_vec()));
        assert_eq!(subscription(vec![0].into()), None);
        assert_eq!(subscription(vec![].into()), None);
    }
}
