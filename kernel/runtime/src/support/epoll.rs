//! The descriptors that the reactors of this process watch with epoll.
//!
//! Neither async-io nor tokio lists its sources. Linux does: `/proc/self/fdinfo` of an epoll descriptor has a line for
//! each.

use crate::support::sync::lock;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::Mutex;

/// Bits of `epoll_ctl`: something waits until it can read, or write.
pub(crate) const READ: u32 = libc::EPOLLIN as u32;
/// See [`READ`].
pub(crate) const WRITE: u32 = libc::EPOLLOUT as u32;

/// What a Unix socket without a name is called.
const UNNAMED: &str = "Unix socket";

/// Descriptors whose reactor is not the notebook's.
static LEFT_OUT: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

/// The reactor that watches this descriptor takes no part in the notebook's loop, until the guard is dropped. It has to be
/// dropped before the descriptor is closed: numbers are used again.
pub(crate) fn leave_out(descriptor: RawFd) -> LeftOut {
    lock(&LEFT_OUT).push(descriptor);
    LeftOut(descriptor)
}

/// See [`leave_out`].
pub(crate) struct LeftOut(RawFd);

impl Drop for LeftOut {
    fn drop(&mut self) {
        lock(&LEFT_OUT).retain(|&known| known != self.0);
    }
}

/// A descriptor that a reactor watches.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) fd: i32,
    /// What it is: `socket`, `pipe` or what Linux calls it, `anon_inode:[eventfd]` for example.
    kind: String,
    /// The addresses of a socket.
    pub(crate) address: Option<String>,
    pub(crate) to_read: bool,
    pub(crate) to_write: bool,
}

impl Watched {
    /// Linux's name of it, if it is no file, socket or pipe.
    pub(crate) fn anonymous(&self) -> Option<&str> {
        self.kind.strip_prefix("anon_inode:[").map(|name| name.trim_end_matches(']'))
    }

    /// What sort of thing it is.
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    /// Whether a reactor uses it to wake itself.
    pub(crate) fn is_internal(&self) -> bool {
        self.anonymous().is_some_and(|name| name.starts_with("event") || name == "timerfd")
    }
}

/// All that the reactors of this process watch, in the order of the descriptors; without those of lab servers.
pub(crate) fn watched_by_reactors() -> Vec<Watched> {
    let (addresses, descriptors) = (addresses(), descriptors());
    let others = watched_descriptors().into_iter().filter(|(fd, _)| !is_for_signals(*fd, &descriptors, &addresses));
    others.filter_map(|(fd, events)| describe(fd, events, &addresses)).collect()
}

/// The descriptors that the reactors watch, and for what.
pub(crate) fn watched_descriptors() -> BTreeMap<i32, u32> {
    let is_reactor = |(_, target): &(i32, PathBuf)| target.as_os_str() == "anon_inode:[eventpoll]";
    let mut watched = BTreeMap::new();
    for (reactor, _) in descriptors().into_iter().filter(is_reactor) {
        let Ok(text) = fs::read_to_string(format!("/proc/self/fdinfo/{reactor}")) else { continue };
        let lines: Vec<(i32, u32)> = text.lines().filter_map(watched_line).collect();
        if !is_left_out(lines.iter().map(|(fd, _)| *fd)) {
            // tokio's reactor has two descriptors, so everything in it is met twice.
            watched.extend(lines);
        }
    }
    watched
}

/// Whether a socket of this machine at `local` is connected with `remote`, and a process has it open.
pub(crate) fn is_connected(local: SocketAddr, remote: SocketAddr) -> bool {
    let wanted = format!("TCP {local} to {remote}");
    // Sockets that no process has open any more have no inode.
    addresses().iter().any(|(&inode, address)| inode != 0 && *address == wanted)
}

/// The descriptors of this process, and what each stands for.
fn descriptors() -> Vec<(i32, PathBuf)> {
    let descriptors = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let read =
        |entry: fs::DirEntry| Some((entry.file_name().to_str()?.parse().ok()?, fs::read_link(entry.path()).ok()?));
    descriptors.filter_map(read).collect()
}

/// Whether it is the socket by which tokio tells itself of signals: one of a pair without a name, with two descriptors.
fn is_for_signals(fd: i32, descriptors: &[(i32, PathBuf)], addresses: &HashMap<u64, String>) -> bool {
    let Some((_, target)) = descriptors.iter().find(|(known, _)| *known == fd) else { return false };
    let inode = target.to_str().and_then(|target| target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
    let unnamed = inode.and_then(|inode: u64| addresses.get(&inode)).is_some_and(|address| address == UNNAMED);
    unnamed && descriptors.iter().filter(|(_, known)| known == target).count() > 1
}

/// Descriptor and events of a line `tfd: 7 events: 19 data: …`.
fn watched_line(line: &str) -> Option<(i32, u32)> {
    let mut words = line.strip_prefix("tfd:")?.split_whitespace();
    let fd = words.next()?.parse().ok()?;
    let events = words.skip_while(|word| *word != "events:").nth(1)?;
    Some((fd, u32::from_str_radix(events, 16).ok()?))
}

/// A descriptor that is still open.
fn describe(fd: i32, events: u32, addresses: &HashMap<u64, String>) -> Option<Watched> {
    let target = fs::read_link(format!("/proc/self/fd/{fd}")).ok()?;
    let target = target.to_string_lossy();
    let (kind, inode) = match target.split_once(":[") {
        _ if target.starts_with("anon_inode:") => (&*target, None),
        Some((kind, inode)) => (kind, inode.trim_end_matches(']').parse::<u64>().ok()),
        None => ("file", None),
    };
    let address = inode.and_then(|inode| addresses.get(&inode)).cloned();
    Some(Watched { fd, kind: kind.to_owned(), address, to_read: events & READ != 0, to_write: events & WRITE != 0 })
}

/// Local and remote address of every socket on this machine, by inode.
fn addresses() -> HashMap<u64, String> {
    let mut addresses = HashMap::new();
    for (file, protocol) in [("tcp", "TCP"), ("tcp6", "TCP"), ("udp", "UDP"), ("udp6", "UDP")] {
        let text = fs::read_to_string(format!("/proc/self/net/{file}")).unwrap_or_default();
        addresses.extend(text.lines().skip(1).filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (local, remote) = (address(words.get(1)?)?, address(words.get(2)?)?);
            let text = if remote.ends_with(":0") {
                format!("{protocol} {local}")
            } else {
                format!("{protocol} {local} to {remote}")
            };
            Some((words.get(9)?.parse().ok()?, text))
        }));
    }
    let text = fs::read_to_string("/proc/self/net/unix").unwrap_or_default();
    addresses.extend(text.lines().skip(1).filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        Some((
            words.get(6)?.parse().ok()?,
            words.get(7).map_or_else(|| UNNAMED.to_owned(), |name| format!("Unix {name}")),
        ))
    }));
    addresses
}

/// An address as Linux writes it there: `0100007F:1F90` is 127.0.0.1:8080.
fn address(text: &str) -> Option<String> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| u32::from_str_radix(ip.get(at..at + 8)?, 16).ok();
    let ip: IpAddr = if ip.len() == 8 {
        Ipv4Addr::from(word(0)?.to_ne_bytes()).into()
    } else {
        let mut bytes = [0; 16];
        for part in 0..4 {
            bytes[4 * part..4 * part + 4].copy_from_slice(&word(8 * part)?.to_ne_bytes());
        }
        Ipv6Addr::from(bytes).into()
    };
    Some(SocketAddr::new(ip, port).to_string())
}

/// Whether a reactor that watches these descriptors takes no part in the notebook's loop.
fn is_left_out(mut watched: impl Iterator<Item = RawFd>) -> bool {
    let left_out = lock(&LEFT_OUT);
    watched.any(|descriptor| left_out.contains(&descriptor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_linux_tells_descriptor_and_events() {
        assert_eq!(
            watched_line("tfd:        7 events: 40000019 data: ff  pos:0 ino:61 sdev:9"),
            Some((7, 0x4000_0019))
        );
        assert_eq!(watched_line("pos:\t0"), None);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn addresses_are_readable() {
        assert_eq!(address("0100007F:1F90").as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(address("00000000000000000000000001000000:0050").as_deref(), Some("[::1]:80"));
    }
}
