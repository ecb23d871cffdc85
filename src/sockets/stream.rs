//! Listening and connecting, whether the address is a port or a file.

use std::io;
use std::net::Shutdown;
use std::time::Duration;

use async_std::net::{TcpListener, TcpStream};
use async_std::os::unix::net::{UnixListener, UnixStream};
use async_std::task;
use futures::{AsyncRead, AsyncWrite};

use super::Address;

/// How long to wait when the system cannot open one more connection.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// A connection of either kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    /// Tells the other side that nothing more comes. For when the stream has been split; `close` of async-std does nothing.
    fn end(&self) -> Box<dyn FnOnce() -> io::Result<()> + Send>;
}

impl Stream for TcpStream {
    fn end(&self) -> Box<dyn FnOnce() -> io::Result<()> + Send> {
        let same = self.clone();
        Box::new(move || same.shutdown(Shutdown::Write))
    }
}

impl Stream for UnixStream {
    fn end(&self) -> Box<dyn FnOnce() -> io::Result<()> + Send> {
        let same = self.clone();
        Box::new(move || same.shutdown(Shutdown::Write))
    }
}

impl Stream for Box<dyn Stream> {
    fn end(&self) -> Box<dyn FnOnce() -> io::Result<()> + Send> {
        (**self).end()
    }
}

/// Where clients connect.
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

    /// The next client. Tries again for as long as the system has no room for one.
    pub(super) async fn next(&self) -> Box<dyn Stream> {
        loop {
            match self.accept().await {
                Ok(client) => return client,
                Err(error) => {
                    tracing::warn!("a client cannot be accepted: {error}");
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

/// Connects to one of our own sockets.
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
