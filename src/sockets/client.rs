//! A client's two sockets, for programs that ask a kernel something.

use super::ConnectionFile;
use super::router::message;
use async_std::future::timeout;
use std::time::Duration;
use zeromq::{DealerSocket, Socket, SocketRecv, SocketSend, SubSocket, ZmqError};

/// How long a kernel may take to accept a connection.
const CONNECTING: Duration = Duration::from_secs(2);

/// Why a kernel cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody accepts connections.
    #[error("no kernel listens there; it has ended, or its connection file is another's")]
    Nobody,
    /// The connection broke.
    #[error("the connection to the kernel broke: {0}")]
    Broken(#[from] ZmqError),
}

/// A client of one kernel that asks on shell and hears what is published.
pub struct Client {
    shell: DealerSocket,
    iopub: SubSocket,
}

impl Client {
    /// Connects, and subscribes to everything.
    ///
    /// # Errors
    /// If no kernel accepts the connection.
    pub async fn connect(connection: &ConnectionFile) -> Result<Self, ClientError> {
        let mut client = Self { shell: DealerSocket::new(), iopub: SubSocket::new() };
        let connected = async {
            client.iopub.connect(&connection.iopub().to_string()).await?;
            client.iopub.subscribe("").await?;
            client.shell.connect(&connection.shell().to_string()).await
        };
        // The crate goes on trying for as long as it is let.
        timeout(CONNECTING, connected).await.map_err(|_| ClientError::Nobody)??;
        Ok(client)
    }

    /// Sends a request on shell.
    ///
    /// # Errors
    /// If the connection broke.
    pub async fn send(&mut self, frames: Vec<Vec<u8>>) -> Result<(), ClientError> {
        let Some(message) = message(frames) else { return Ok(()) };
        Ok(self.shell.send(message).await?)
    }

    /// The next message that the kernel publishes.
    ///
    /// # Errors
    /// If the connection broke.
    pub async fn hear(&mut self) -> Result<Vec<Vec<u8>>, ClientError> {
        let message = self.iopub.recv().await?;
        Ok(message.into_vec().into_iter().map(|frame| frame.to_vec()).collect())
    }
}
