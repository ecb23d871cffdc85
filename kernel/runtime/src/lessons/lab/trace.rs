//! Traces: the bytes that went over a lab server's connections, with times.

mod svg;

use crate::inspect::loop_stats::{maybe_seconds, seconds};
use crate::support::{sync::lock, units};
use loopbook_channel::counted;
use serde::{Serialize, Serializer};
use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// So many connections are remembered.
const REMEMBERED: usize = 64;
/// So many pieces of each.
const MOST_PIECES: usize = 200;
/// So many bytes of each piece.
const MOST_BYTES: usize = 4096;

/// What went over one connection with a lab server, as the server saw it. Durations are seconds in JSON.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Trace {
    /// The connections of a server are numbered from 1.
    pub connection: u64,
    /// Address of the client.
    pub client: SocketAddr,
    /// Address of the server.
    pub server: SocketAddr,
    /// When it was accepted, counted from the start of the server or its last reset.
    #[serde(serialize_with = "seconds")]
    pub opened: Duration,
    /// How long after that it was closed, if it was.
    #[serde(serialize_with = "maybe_seconds")]
    pub closed: Option<Duration>,
    /// What went over it, in order; at most 200 pieces.
    pub pieces: Vec<Piece>,
}

/// Bytes that were read or written at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Piece {
    /// How long after the connection was accepted.
    #[serde(serialize_with = "seconds")]
    pub at: Duration,
    /// Who sent it.
    pub from: Side,
    /// How many bytes there were.
    pub length: usize,
    /// The bytes, at most 4096 of them. In JSON a text in which what is not printable ASCII is escaped.
    #[serde(serialize_with = "escaped")]
    pub bytes: Vec<u8>,
}

/// An end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The one that asks.
    Client,
    /// The one that answers.
    Server,
}

impl Trace {
    /// As lines of text, in the order of time.
    ///
    /// ```
    /// use loopbook::lab;
    /// let server = lab::server();
    /// lab::get_blocking(server.url("/echo")).expect("it answers");
    /// println!("{}", server.trace().expect("there was a connection").to_text());
    /// ```
    pub fn to_text(&self) -> String {
        let mut text = format!("connection {} from {} to {}\n", self.connection, self.client, self.server);
        for piece in &self.pieces {
            let arrow = match piece.from {
                Side::Client => "client -> server",
                Side::Server => "server -> client",
            };
            let _ = writeln!(text, "{:>9}  {arrow}  {}", units::duration(piece.at), counted(piece.length, "byte"));
            for line in piece.lines() {
                let _ = writeln!(text, "{:>11}{line}", "");
            }
        }
        let _ = match self.closed {
            Some(at) => write!(text, "{:>9}  closed", units::duration(at)),
            None => write!(text, "{:>9}  still open", ""),
        };
        text
    }

    /// As a drawing: time goes down, each arrow is a piece.
    ///
    /// ```
    /// use loopbook::lab;
    /// let server = lab::server();
    /// lab::get_blocking(server.url("/echo")).expect("it answers");
    /// assert!(server.trace().expect("there was a connection").to_svg().starts_with("<svg"));
    /// ```
    pub fn to_svg(&self) -> String {
        svg::draw(self)
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl Piece {
    /// The bytes as lines with visible ends.
    fn lines(&self) -> impl Iterator<Item = String> {
        let more = (self.length > self.bytes.len())
            .then(|| format!("… {}", counted(self.length - self.bytes.len(), "more byte")));
        self.bytes.split_inclusive(|&byte| byte == b'\n').map(|line| line.escape_ascii().to_string()).chain(more)
    }
}

/// The traces of one server.
#[derive(Debug, Default)]
pub(super) struct Traces {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    count: u64,
    traces: VecDeque<(Instant, Trace)>,
}

impl Traces {
    /// A connection was accepted: its number.
    pub(super) fn open(&self, opened: Duration, client: SocketAddr, server: SocketAddr) -> u64 {
        let mut state = lock(&self.state);
        state.count += 1;
        if state.traces.len() == REMEMBERED {
            state.traces.pop_front();
        }
        let connection = state.count;
        let trace = Trace { connection, client, server, opened, closed: None, pieces: Vec::new() };
        state.traces.push_back((Instant::now(), trace));
        connection
    }

    /// Bytes were read or are written.
    pub(super) fn note(&self, connection: u64, from: Side, bytes: &[u8]) {
        self.change(connection, |began, trace| {
            if trace.pieces.len() < MOST_PIECES {
                let kept = bytes[..bytes.len().min(MOST_BYTES)].to_vec();
                trace.pieces.push(Piece { at: began.elapsed(), from, length: bytes.len(), bytes: kept });
            }
        });
    }

    /// The connection was closed.
    pub(super) fn close(&self, connection: u64) {
        self.change(connection, |began, trace| trace.closed = Some(began.elapsed()));
    }

    pub(super) fn all(&self) -> Vec<Trace> {
        lock(&self.state).traces.iter().map(|(_, trace)| trace.clone()).collect()
    }

    pub(super) fn clear(&self) {
        lock(&self.state).traces.clear();
    }

    /// Does nothing for a connection that is not remembered.
    fn change(&self, connection: u64, change: impl FnOnce(Instant, &mut Trace)) {
        let mut state = lock(&self.state);
        if let Some((began, trace)) = state.traces.iter_mut().find(|(_, trace)| trace.connection == connection) {
            change(*began, trace);
        }
    }
}

fn escaped<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&bytes.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    #[test]
    fn a_trace_has_the_bytes_of_both_sides_in_order() {
        let traces = Traces::default();
        let connection = traces.open(Duration::ZERO, address(50_000), address(8_000));
        traces.note(connection, Side::Client, b"ask\r\nme\r\n");
        traces.note(connection, Side::Server, &[b'x'; MOST_BYTES + 7]);
        traces.close(connection);
        let trace = traces.all().pop().expect("one connection");
        let text = trace.to_text();
        assert!(text.starts_with("connection 1 from 127.0.0.1:50000 to 127.0.0.1:8000\n"), "{text}");
        assert!(text.contains("client -> server  9 bytes") && text.contains("me\\r\\n"), "{text}");
        assert!(text.contains("… 7 more bytes") && text.ends_with("closed"), "{text}");
        let json = serde_json::to_value(&trace).expect("has a form in JSON");
        assert_eq!(json["pieces"][0]["bytes"], "ask\\r\\nme\\r\\n");
        assert_eq!(json["pieces"][1]["from"], "server");
    }

    #[test]
    fn the_latest_connections_are_remembered() {
        let traces = Traces::default();
        for port in 1..=100 {
            let connection = traces.open(Duration::ZERO, address(port), address(8_000));
            traces.note(connection, Side::Client, b"x");
        }
        traces.note(1, Side::Client, b"too late");
        let all = traces.all();
        assert_eq!((all.len(), all[0].connection, all[63].connection), (64, 37, 100));
        assert!(all.iter().all(|trace| trace.pieces.len() == 1));
    }
}
