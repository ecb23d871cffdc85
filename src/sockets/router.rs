//! Shell, control and stdin: a ROUTER socket each, whose reading half has a task of its own.

use std::time::{Duration, Instant};

use async_std::channel::{self, Receiver, Sender};
use async_std::future;
use async_std::task::{self, JoinHandle};
use zeromq::{RouterRecvHalf, RouterSendHalf, RouterSocket, SocketRecv, SocketSend, ZmqMessage};

use super::peers::Peers;
use crate::transport::{Channel, Incoming};

/// How long a message waits for its client.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is tried again.
const RETRY: Duration = Duration::from_millis(20);

/// How many messages may wait.
const WAITING: usize = 64;

/// Passes what arrives at `socket` on to `incoming`; what is to be sent goes through the [`Writer`].
pub(super) fn spawn(
    socket: RouterSocket,
    name: Channel,
    incoming: Sender<Incoming>,
    peers: Peers,
) -> (Writer, JoinHandle<()>) {
    let (socket, reader) = socket.split();
    let delivery = Delivery { socket, peers };
    let (late, undelivered) = channel::bounded(WAITING);
    task::spawn(deliver_late(delivery.clone(), undelivered));
    (Writer { delivery, late }, task::spawn(read(reader, name, incoming)))
}

/// The sending half.
pub(super) struct Writer {
    delivery: Delivery,
    /// Ends the task that tries again, when this is dropped.
    late: Sender<Vec<Vec<u8>>>,
}

impl Writer {
    /// Sends frames that begin with the identity of the client. If that client is not connected, it is waited for, apart
    /// from all others; if it does not come, the message has gone.
    pub(super) async fn send(&mut self, frames: Vec<Vec<u8>>) {
        if !self.delivery.deliver(&frames).await {
            // Full means that many clients have gone: what they asked for, nobody waits for.
            let _is_full = self.late.try_send(frames);
        }
    }
}

/// A ROUTER and who is connected to it.
#[derive(Clone)]
struct Delivery {
    socket: RouterSendHalf,
    peers: Peers,
}

impl Delivery {
    /// Whether there is a connection that the message could be given to.
    async fn deliver(&mut self, frames: &[Vec<u8>]) -> bool {
        let mut frames = frames.to_vec();
        if let Some(identity) = frames.first_mut() {
            *identity = self.peers.route(std::mem::take(identity));
        }
        let Some(message) = message(frames) else { return true };
        self.socket.send(message).await.is_ok()
    }
}

/// Tries again and again to send what could not be sent, while a client reconnects, or before all of its sockets are
/// connected.
async fn deliver_late(mut delivery: Delivery, late: Receiver<Vec<Vec<u8>>>) {
    let mut waiting: Vec<(Instant, Vec<Vec<u8>>)> = Vec::new();
    loop {
        let received = match waiting.is_empty() {
            true => Ok(late.recv().await),
            false => future::timeout(RETRY, late.recv()).await,
        };
        match received {
            Ok(Ok(frames)) => waiting.push((Instant::now() + PATIENCE, frames)),
            Ok(Err(_)) => return,
            Err(_) => {}
        }
        let mut left = Vec::new();
        for (until, frames) in waiting {
            if delivery.deliver(&frames).await {
                continue;
            }
            if Instant::now() < until {
                left.push((until, frames));
            } else {
                tracing::debug!("a message was not delivered: its client has gone");
            }
        }
        waiting = left;
    }
}

/// A ZeroMQ message of these frames; `None` if there are none, which ZeroMQ cannot send.
pub(super) fn message(frames: Vec<Vec<u8>>) -> Option<ZmqMessage> {
    let mut frames = frames.into_iter();
    let mut message = ZmqMessage::from(frames.next()?);
    for frame in frames {
        message.push_back(frame.into());
    }
    Some(message)
}

async fn read(mut socket: RouterRecvHalf, channel: Channel, incoming: Sender<Incoming>) {
    loop {
        match socket.recv().await {
            Ok(message) => {
                let frames = message.into_vec().into_iter().map(|frame| frame.to_vec()).collect();
                if incoming.send(Incoming::Message { channel, frames }).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                // One client's trouble is not the others': go on, but let everybody else run first.
                tracing::debug!("{channel:?}: {error}");
                task::yield_now().await;
            }
        }
    }
}
