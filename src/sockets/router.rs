//! Shell, control and stdin: a ROUTER socket each, whose reading half has a task of its own.

use async_std::channel::Sender;
use async_std::task::{self, JoinHandle};
use zeromq::{RouterRecvHalf, RouterSendHalf, RouterSocket, SocketRecv, SocketSend, ZmqMessage};

use crate::transport::{Channel, Incoming};

/// Passes what arrives at `socket` on to `incoming`; what is to be sent goes through the [`Writer`].
pub(super) fn spawn(socket: RouterSocket, channel: Channel, incoming: Sender<Incoming>) -> (Writer, JoinHandle<()>) {
    let (writer, reader) = socket.split();
    (Writer(writer), task::spawn(read(reader, channel, incoming)))
}

/// The sending half.
pub(super) struct Writer(RouterSendHalf);

impl Writer {
    /// Sends frames that begin with the identity of the client. If that client has gone, so has the message.
    pub(super) async fn send(&mut self, frames: Vec<Vec<u8>>) {
        let Some(message) = message(frames) else { return };
        if let Err(error) = self.0.send(message).await {
            tracing::debug!("a reply was not delivered: {error}");
        }
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
