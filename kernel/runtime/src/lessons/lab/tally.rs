//! The counters of a lab server.

use crate::inspect::loop_stats::seconds;
use crate::support::sync::lock;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// So many arrivals are remembered.
const MOST_ARRIVALS: usize = 100_000;

/// A request that has reached the server.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Arrival {
    /// When, counted from the start of the server or its last [`reset`](super::Server::reset). Seconds in JSON.
    #[serde(serialize_with = "seconds")]
    pub at: Duration,
    /// What was asked for, as in `/delay/200`; empty if the server only echoes.
    pub path: String,
}

/// What a server has counted; see [`Server::stats`](super::Server::stats).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServerStats {
    /// Requests that have arrived.
    pub requests: u64,
    /// Requests that have arrived and are not answered yet.
    pub in_flight: usize,
    /// The most of those at any moment.
    pub max_in_flight: usize,
    /// Requests that were answered.
    pub answered: u64,
    /// Clients that closed their connection before they were answered.
    pub hung_up: u64,
    /// Connections that are open.
    pub connections: usize,
}

/// The counters of one server.
#[derive(Debug)]
pub(super) struct Tally {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    began: Instant,
    stats: ServerStats,
    arrivals: Vec<Arrival>,
    /// How often `/flaky/N` was asked, by N.
    flaky: HashMap<u32, u32>,
}

impl Tally {
    pub(super) fn new() -> Self {
        let (arrivals, flaky) = (Vec::new(), HashMap::new());
        Self { state: Mutex::new(State { began: Instant::now(), stats: ServerStats::default(), arrivals, flaky }) }
    }

    /// Begins anew; what is open or in flight stays so.
    pub(super) fn reset(&self) {
        let mut state = lock(&self.state);
        let ServerStats { in_flight, connections, .. } = state.stats;
        state.stats = ServerStats { in_flight, max_in_flight: in_flight, connections, ..ServerStats::default() };
        state.began = Instant::now();
        state.arrivals.clear();
        state.flaky.clear();
    }

    pub(super) fn stats(&self) -> ServerStats {
        lock(&self.state).stats
    }

    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        lock(&self.state).arrivals.clone()
    }

    /// The time since the start or the last reset.
    pub(super) fn time(&self) -> Duration {
        lock(&self.state).began.elapsed()
    }

    pub(super) fn connected(&self) {
        lock(&self.state).stats.connections += 1;
    }

    pub(super) fn disconnected(&self) {
        lock(&self.state).stats.connections -= 1;
    }

    /// How often `/flaky` of this number was asked before.
    pub(super) fn flaky(&self, every: u32) -> u32 {
        let mut state = lock(&self.state);
        let asked = state.flaky.entry(every).or_default();
        *asked += 1;
        *asked - 1
    }

    /// A request has arrived.
    pub(super) fn arrive(self: &Arc<Self>, path: &str) -> Flight {
        let mut state = lock(&self.state);
        state.stats.requests += 1;
        state.stats.in_flight += 1;
        state.stats.max_in_flight = state.stats.max_in_flight.max(state.stats.in_flight);
        if state.arrivals.len() < MOST_ARRIVALS {
            let at = state.began.elapsed();
            state.arrivals.push(Arrival { at, path: path.to_owned() });
        }
        Flight { tally: Arc::clone(self) }
    }
}

/// A request in flight, until this is dropped.
#[derive(Debug)]
pub(super) struct Flight {
    tally: Arc<Tally>,
}

impl Flight {
    /// The answer is about to be sent: said before, so that whoever has the answer does not find it in flight.
    pub(super) fn answered(self) {
        lock(&self.tally.state).stats.answered += 1;
    }

    /// The client has gone away.
    pub(super) fn hung_up(self) {
        lock(&self.tally.state).stats.hung_up += 1;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        lock(&self.tally.state).stats.in_flight -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flights_are_counted_while_they_last() {
        let tally = Arc::new(Tally::new());
        let (first, second) = (tally.arrive("/a"), tally.arrive("/b"));
        first.answered();
        let third = tally.arrive("/c");
        second.hung_up();
        let stats = tally.stats();
        assert_eq!((stats.requests, stats.in_flight, stats.max_in_flight), (3, 1, 2));
        assert_eq!((stats.answered, stats.hung_up), (1, 1));
        tally.reset();
        let stats = tally.stats();
        assert_eq!((stats.requests, stats.in_flight, stats.max_in_flight), (0, 1, 1));
        drop(third);
        assert_eq!(tally.stats().in_flight, 0);
    }

    #[test]
    fn each_flaky_number_is_counted_for_itself() {
        let tally = Tally::new();
        assert_eq!([tally.flaky(3), tally.flaky(3), tally.flaky(5), tally.flaky(3)], [0, 1, 0, 2]);
    }
}
