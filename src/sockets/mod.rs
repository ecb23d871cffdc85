//! The five ZeroMQ sockets of a kernel, filled into a [`Transport`]. Nothing outside this module names ZeroMQ.
//!
//! Each socket has one task that owns it; queues lie between them and the dispatcher:
//!
//! ```text
//! shell, control, stdin ── door ── ROUTER, reader half ──► Transport::incoming ──► dispatcher
//!                                  ROUTER, writer half ◄── one task ◄── Transport::outgoing ◄──
//! iopub ◄── relay (one per client) ◄── XPUB ◄────────┘     heartbeat: ROUTER that echoes
//! ```
//!
//! What arrives is queued without a bound, what is to be sent with one: so the sockets never wait for the dispatcher,
//! and a cell that prints faster than clients read is slowed down instead of filling the memory. What printed text may
//! take is 64 MiB for each client that lags behind ([relay]), and 2 × 16 messages of 64 KiB on their way there.
//!
//! Messages are signed, not encrypted: zeromq 0.7 knows Curve by name and has no handshake for it.

mod client;
mod connection_file;
mod greeting;
mod heartbeat;
mod iopub;
mod peers;
mod relay;
mod router;
mod stream;

pub use client::{Client, ClientError};
pub use connection_file::{Address, ConnectionFile, ConnectionFileError};

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_std::channel::{self, Receiver, Sender};
use async_std::future;
use async_std::os::unix::net::UnixStream;
use async_std::task::{self, JoinHandle};
use futures::StreamExt as _;
use zeromq::{Endpoint, Socket};

use crate::transport::{Channel, Incoming, Outgoing, Transport};
use peers::Door;
use relay::Relay;
use stream::Listener;

/// Messages to be sent that may wait in a queue.
const QUEUED: usize = 16;

/// How long [`Sockets::close`] waits for clients to take what was sent last.
const FLUSH: Duration = Duration::from_secs(1);

/// How long connections stay open after everything was handed to the operating system (what ZeroMQ calls lingering).
const LINGER: Duration = Duration::from_millis(50);

/// Why the sockets could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// An address cannot be listened at.
    #[error("cannot listen at {address} for {socket}: {reason}; another kernel may use this address: start a new one")]
    Bind {
        /// Which socket.
        socket: &'static str,
        /// Where.
        address: Address,
        /// What ZeroMQ or the operating system says.
        reason: String,
    },
}

/// The open sockets. Call [`Sockets::close`] at the end, or the last messages may be lost.
#[derive(Debug)]
pub struct Sockets {
    /// Ends when all senders of [`Transport::outgoing`] are gone and everything was sent.
    sending: JoinHandle<()>,
    readers: Vec<JoinHandle<()>>,
    doors: Vec<Door>,
    relay: Relay,
    ipc_files: Vec<PathBuf>,
}

/// Opens the sockets that the connection file names.
///
/// # Errors
/// If one of the addresses cannot be listened at.
pub async fn bind(connection: &ConnectionFile) -> Result<(Transport, Sockets), SocketError> {
    let (incoming_sender, incoming) = channel::unbounded();
    let (outgoing, outgoing_receiver) = channel::bounded(QUEUED);

    // The client has named free ports, and for the sockets behind them the system picks free ones: until the client's are
    // taken it might pick one of those.
    let shell = public("shell", connection.shell()).await?;
    let control = public("control", connection.control()).await?;
    let stdin = public("stdin", connection.stdin()).await?;
    let iopub = public("iopub", connection.iopub()).await?;
    let heartbeat = heartbeat::spawn(listen("heartbeat", &connection.heartbeat()).await?.0);

    let (shell, shell_reader, shell_door) = router(shell, Channel::Shell, &incoming_sender).await?;
    let (control, control_reader, control_door) = router(control, Channel::Control, &incoming_sender).await?;
    let (stdin, stdin_reader, stdin_door) = router(stdin, Channel::Stdin, &incoming_sender).await?;
    let (publisher, inner) = behind(&iopub).await?;
    let (beginning, begun) = channel::bounded(1);
    let relay = Relay::start(iopub.listener, inner, begun);
    let (iopub, iopub_receiver) = channel::bounded(QUEUED);
    let publishing = iopub::spawn(publisher, iopub_receiver, incoming_sender, beginning);

    let sending = task::spawn(send_all(outgoing_receiver, [shell, control, stdin], iopub, publishing));
    let readers = vec![shell_reader, control_reader, stdin_reader, heartbeat];
    let doors = vec![shell_door, control_door, stdin_door];
    let behind_doors = [connection.shell(), connection.control(), connection.stdin(), connection.iopub()];
    let inner = behind_doors.iter().map(Address::inner).collect::<Vec<_>>();
    let addresses = behind_doors.into_iter().chain(inner).chain([connection.heartbeat()]);
    let ipc_files: Vec<PathBuf> = addresses.filter_map(Address::into_path).collect();
    keep_to_owner(&ipc_files);
    Ok((Transport { incoming, outgoing }, Sockets { sending, readers, doors, relay, ipc_files }))
}

impl Sockets {
    /// Sends what is still queued, closes all connections and removes the files of `ipc` sockets. All senders of
    /// [`Transport::outgoing`] must be gone. Takes about a second at most, also if a client does not read.
    pub async fn close(self) {
        if future::timeout(FLUSH, self.sending).await.is_err() {
            tracing::warn!("some messages were not sent: a client does not read them");
        }
        self.relay.close(FLUSH).await;
        task::sleep(LINGER).await;
        for reader in self.readers {
            reader.cancel().await;
        }
        futures::future::join_all(self.doors.into_iter().map(|door| door.close(FLUSH))).await;
        for file in self.ipc_files {
            remove(&file);
        }
    }
}

/// Takes messages in the order in which the dispatcher queued them.
async fn send_all(
    outgoing: Receiver<Outgoing>,
    [mut shell, mut control, mut stdin]: [router::Writer; 3],
    iopub: Sender<Vec<Vec<u8>>>,
    publishing: JoinHandle<()>,
) {
    let mut outgoing = std::pin::pin!(outgoing);
    while let Some(Outgoing { channel, frames }) = outgoing.next().await {
        match channel {
            Channel::Shell => shell.send(frames).await,
            Channel::Control => control.send(frames).await,
            Channel::Stdin => stdin.send(frames).await,
            // Fails only if the task has ended, which it does only when this sender is dropped.
            Channel::Iopub => drop(iopub.send(frames).await),
        }
    }
    drop(iopub);
    publishing.await;
}

/// Where the clients of one socket connect.
struct Public {
    name: &'static str,
    address: Address,
    listener: Listener,
}

async fn public(name: &'static str, address: Address) -> Result<Public, SocketError> {
    remove_stale(&address).await;
    match Listener::bind(&address).await {
        Ok(listener) => Ok(Public { name, address, listener }),
        Err(error) => Err(bind_error(name, &address, error)),
    }
}

async fn router(
    public: Public,
    channel: Channel,
    incoming: &Sender<Incoming>,
) -> Result<(router::Writer, JoinHandle<()>, Door), SocketError> {
    let (socket, inner) = behind(&public).await?;
    let (door, peers) = Door::open(public.listener, inner);
    let (writer, reader) = router::spawn(socket, channel, incoming.clone(), peers);
    Ok((writer, reader, door))
}

/// The socket behind a public address, and where it listens.
async fn behind<S: Socket>(public: &Public) -> Result<(S, Address), SocketError> {
    let inner = public.address.inner();
    let (socket, endpoint) = listen(public.name, &inner).await?;
    Ok((socket, address_of(&endpoint).unwrap_or(inner)))
}

/// A socket of any kind that listens at `address`, and where exactly it does.
async fn listen<S: Socket>(name: &'static str, address: &Address) -> Result<(S, Endpoint), SocketError> {
    remove_stale(address).await;
    let mut socket = S::new();
    let endpoint = socket.bind(&address.to_string()).await.map_err(|error| bind_error(name, address, error))?;
    Ok((socket, endpoint))
}

/// Lets nobody else connect to sockets in the file system, whatever the umask was: who listens at iopub need not sign.
fn keep_to_owner(files: &[PathBuf]) {
    for file in files.iter().filter(|file| file.exists()) {
        if let Err(error) = fs::set_permissions(file, Permissions::from_mode(0o600)) {
            tracing::warn!("other users may connect to {}: {error}", file.display());
        }
    }
}

/// Removes the file of a kernel that was killed: nobody listens there any more.
async fn remove_stale(address: &Address) {
    if let Address::Ipc(path) = address
        && UnixStream::connect(path).await.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    {
        remove(path);
    }
}

fn bind_error(socket: &'static str, address: &Address, reason: impl ToString) -> SocketError {
    SocketError::Bind { socket, address: address.clone(), reason: reason.to_string() }
}

fn address_of(endpoint: &Endpoint) -> Option<Address> {
    match endpoint {
        Endpoint::Tcp(host, port) => Some(Address::Tcp(host.to_string(), *port)),
        Endpoint::Ipc(path) => path.clone().map(Address::Ipc),
        _ => None,
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!("cannot remove the socket {}: {error}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With TCP it is by chance that the system picks a port which the client has named, so this looks at the order.
    #[test]
    fn nothing_listens_behind_an_address_before_all_addresses_of_the_client_are_taken() {
        for taken in 1..=5 {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("connection.json");
            let ip = directory.path().join("ipc");
            let ports = r#""shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":5"#;
            fs::write(&file, format!(r#"{{{ports},"transport":"ipc","ip":"{}"}}"#, ip.display())).unwrap();
            fs::create_dir(directory.path().join(format!("ipc-{taken}"))).unwrap();
            let Err(error) = task::block_on(bind(&ConnectionFile::read(&file).unwrap())) else { panic!("{taken}") };
            assert!(error.to_string().contains(&format!("ipc-{taken}")), "{error}");
            let inner = fs::read_dir(directory.path()).unwrap().filter_map(Result::ok).map(|entry| entry.path());
            assert_eq!(inner.filter(|path| path.extension().is_some_and(|end| end == "inner")).count(), 0, "{taken}");
        }
    }
}
