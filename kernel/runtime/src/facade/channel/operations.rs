//! The futures that send and receive.

use super::{Receiver, RecvError, SendError, Sender, real, wait};
use crate::facade::noting::Noted;
use loopbook_channel::Operation;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Sends a message when there is room; made by [`Sender::send`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Send<'a, T> {
    sender: &'a Sender<T>,
    real: real::Send<'a, T>,
    noted: Noted,
}

impl<'a, T> Send<'a, T> {
    pub(super) fn new(sender: &'a Sender<T>, msg: T) -> Self {
        Self { sender, real: sender.real.send(msg), noted: Noted::default() }
    }
}

impl<T> Unpin for Send<'_, T> {}

impl<T> Future for Send<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.real).poll(cx);
        match &polled {
            Poll::Pending => this.noted.pends(|| wait(&this.sender.shared, Operation::Send)),
            Poll::Ready(sent) => {
                this.noted.is_over();
                if sent.is_ok() {
                    this.sender.shared.has_sent();
                }
            }
        }
        polled
    }
}

impl<T: fmt::Debug> fmt::Debug for Send<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.real.fmt(f)
    }
}

/// Receives a message when there is one; made by [`Receiver::recv`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Recv<'a, T> {
    receiver: &'a Receiver<T>,
    real: real::Recv<'a, T>,
    noted: Noted,
}

impl<'a, T> Recv<'a, T> {
    pub(super) fn new(receiver: &'a Receiver<T>) -> Self {
        Self { receiver, real: receiver.real.recv(), noted: Noted::default() }
    }
}

impl<T> Unpin for Recv<'_, T> {}

impl<T> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.real).poll(cx);
        match &polled {
            Poll::Pending => this.noted.pends(|| wait(&this.receiver.shared, Operation::Receive)),
            Poll::Ready(received) => {
                this.noted.is_over();
                if received.is_ok() {
                    this.receiver.shared.has_received();
                }
            }
        }
        polled
    }
}

impl<T: fmt::Debug> fmt::Debug for Recv<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.real.fmt(f)
    }
}
