//! The heartbeat: sends every message back as it came, so that clients see that the kernel lives.

use async_std::task::{self, JoinHandle};
use zeromq::{RouterSocket, SocketRecv, SocketSend};

/// Echoes until it is cancelled. A ROUTER rather than a REP: clients that leave in the middle cannot disturb it.
pub(super) fn spawn(mut socket: RouterSocket) -> JoinHandle<()> {
    task::spawn(async move {
        loop {
            let echoed = match socket.recv().await {
                Ok(message) => socket.send(message).await,
                Err(error) => Err(error),
            };
            if let Err(error) = echoed {
                tracing::debug!("heartbeat: {error}");
                task::yield_now().await;
            }
        }
    })
}
