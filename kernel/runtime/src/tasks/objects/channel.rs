//! A channel: how many messages are in it, and how many ends it has.

use super::{Number, Object};
use crate::tasks::{events::WaitKind, objects::Resource};
use loopbook_channel::{Operation, TaskId, WaitingOn, counted, grouped};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};

/// What all ends of a channel share. The channel itself cannot be asked: its messages may be of a type that no table
/// may have.
pub(crate) struct Channel {
    number: Number,
    capacity: Option<usize>,
    sent: AtomicU64,
    received: AtomicU64,
    pub(crate) senders: AtomicUsize,
    pub(crate) receivers: AtomicUsize,
}

impl Channel {
    /// A channel with one sender and one receiver.
    pub(crate) fn new(number: Number, capacity: Option<usize>) -> Self {
        Self {
            number,
            capacity,
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            senders: AtomicUsize::new(1),
            receivers: AtomicUsize::new(1),
        }
    }

    /// A message is in it.
    pub(crate) fn has_sent(&self) {
        self.sent.fetch_add(1, Release);
    }

    /// A message is out of it.
    pub(crate) fn has_received(&self) {
        self.received.fetch_add(1, Release);
    }

    /// The word for a wait.
    pub(crate) fn how(operation: Operation) -> u32 {
        operation as u32
    }

    fn length(&self) -> usize {
        let received = self.received.load(Acquire);
        let length = self.sent.load(Acquire).saturating_sub(received) as usize;
        // A message may be out before whoever sent it has counted it, so both are only right when nobody is at it.
        length.min(self.capacity.unwrap_or(usize::MAX))
    }
}

impl Object for Channel {
    fn number(&self) -> &Number {
        &self.number
    }

    fn waiting(&self, how: u32) -> WaitingOn {
        let operation = if how == Self::how(Operation::Send) { Operation::Send } else { Operation::Receive };
        WaitingOn::Channel { id: self.number.id, operation, length: self.length(), capacity: self.capacity }
    }

    fn wait_kind(&self, how: u32) -> WaitKind {
        if how == Self::how(Operation::Send) { WaitKind::Send } else { WaitKind::Receive }
    }

    fn resource(&self, waiters: Vec<TaskId>) -> Resource {
        let (length, ends) = (self.length(), |ends: &AtomicUsize, word| counted(ends.load(Relaxed), word));
        let filled = match self.capacity {
            Some(capacity) => format!("{} of {}", grouped(length as u64), counted(capacity, "message")),
            None => counted(length, "message"),
        };
        let full = self.capacity.is_some_and(|capacity| length >= capacity);
        Resource {
            kind: "channel".into(),
            what: format!(
                "#{}, {filled}, {}, {}, made at {}",
                self.number.id,
                ends(&self.senders, "sender"),
                ends(&self.receivers, "receiver"),
                self.number.place()
            ),
            waits: (!waiters.is_empty()).then(|| if full { "to send" } else { "to receive" }.into()),
            tasks: waiters,
        }
    }
}
