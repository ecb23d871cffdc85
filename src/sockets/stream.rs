//! Connections over TCP and over Unix sockets, as one kind: what stands in front of ZeroMQ's sockets reads and writes
//! bytes.

use std::io;
use std::time::Duration;

use async_std::net::{TcpListener, TcpStream};
use async_std::os::unix::net::{UnixListener, UnixStream};
use async_std::task;
use futures::{AsyncRead, AsyncWrite};

use super::Address;

/// How long to wait when the system cannot open one more connection.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// A connection of either kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Where connections of either kind arrive.
pub(super) enum Listener {
    Tcp(TcpListener),
    Ipc(UnixListener),
}

impl Listener {
    pub(super) async fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(host, port) => TcpListener::bind((host.as_str(), *port)).await.map(Self::Tcp),
            Address::Ipc(path) => UnixListener::bind(path).await.map(Self::Ipc),
        }
    }

    /// The next connection to `what`. While the system cannot open one more, waits.
    pub(super) async fn next(&self, what: &str) -> Box<dyn Stream> {
        loop {
            match self.accept().await {
                Ok(client) => return client,
                Err(error) => {
                    tracing::warn!("{what} cannot accept a client: {error}");
                    task::sleep(EXHAUSTED).await;
                }
            }
        }
    }

    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Tcp(listener) => prompt(listener.accept().await?.0),
            Self::Ipc(listener) => Ok(Box::new(listener.accept().await?.0)),
        }
    }
}

/// Connects to a socket of ours.
pub(super) async fn connect(address: &Address) -> io::Result<Box<dyn Stream>> {
    match address {
        Address::Tcp(host, port) => prompt(TcpStream::connect((host.as_str(), *port)).await?),
        Address::Ipc(path) => Ok(Box::new(UnixStream::connect(path).await?)),
    }
}

/// Small messages must not wait for more to come.
fn prompt(stream: TcpStream) -> io::Result<Box<dyn Stream>> {
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}
