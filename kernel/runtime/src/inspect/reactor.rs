//! What the loop has asked the operating system to watch: the descriptors in epoll.

use crate::support::epoll::{self, Watched};
use serde::Serialize;

/// What the operating system watches for the loop; see [`reactor`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reactor {
    /// What the operating system calls it: `epoll`.
    pub backend: String,
    /// The descriptors, in order.
    pub descriptors: Vec<Descriptor>,
}

/// A descriptor that is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Descriptor {
    /// Its number.
    pub fd: i32,
    /// What it is: `TCP 127.0.0.1:40312 to 127.0.0.1:8000`, `timerfd`, `eventfd`.
    pub what: String,
    /// What tasks wait for there.
    pub interest: Interest,
}

/// What is waited for at a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Interest {
    /// Nothing at the moment: the loop knows it, and will ask again.
    Nothing,
    /// That it can be read.
    Read,
    /// That it can be written.
    Write,
    /// Either.
    ReadAndWrite,
}

/// What the loop has asked the operating system to watch, at this moment. As the value of a cell it shows as a table.
///
/// A task that awaits a socket does not look at it again and again: the socket's descriptor is armed here, the task sleeps,
/// and the operating system tells when there is something to read or room to write. The loop wakes itself in the same way,
/// by a `timerfd` for its timers and an `eventfd` for everything else. Sockets of [`lab`](crate::lab) servers are not here.
///
/// ```
/// use loopbook::{lab, reactor};
/// use std::time::Duration;
/// # use loopbook::facade::task;
/// # task::block_on(async {
/// let server = lab::server();
/// let address = server.addr().to_string();
/// let is_armed = || reactor().armed().any(|descriptor| descriptor.what.contains(&address));
/// assert!(!is_armed());
/// let request = task::spawn(lab::get(server.url("/delay/300")));
/// while !is_armed() {
///     task::sleep(Duration::from_millis(5)).await;
/// }
/// request.await?;
/// assert!(!is_armed());
/// # Ok::<(), std::io::Error>(()) }).unwrap();
/// ```
pub fn reactor() -> Reactor {
    let descriptors = epoll::watched_by_reactors().iter().map(Descriptor::new).collect();
    Reactor { backend: "epoll".to_owned(), descriptors }
}

impl Reactor {
    /// The descriptors at which a task waits for something; see [`reactor`].
    pub fn armed(&self) -> impl Iterator<Item = &Descriptor> {
        self.descriptors.iter().filter(|descriptor| descriptor.interest != Interest::Nothing)
    }
}

impl Descriptor {
    fn new(watched: &Watched) -> Self {
        let what = match (&watched.address, watched.anonymous()) {
            (Some(address), _) => address.clone(),
            (None, Some("timerfd")) => "timerfd: the next timer".to_owned(),
            (None, Some("eventfd")) => "eventfd: wakes the loop".to_owned(),
            (None, Some(name)) => name.to_owned(),
            (None, None) => watched.kind().to_owned(),
        };
        let interest = match (watched.to_read, watched.to_write) {
            (false, false) => Interest::Nothing,
            (true, false) => Interest::Read,
            (false, true) => Interest::Write,
            (true, true) => Interest::ReadAndWrite,
        };
        Self { fd: watched.fd, what, interest }
    }
}
