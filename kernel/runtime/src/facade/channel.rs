//! `async_std::channel` with the same signatures, except that the inspector knows what is in a channel, and who waits for
//! it.

mod operations;
mod weak;

use super::noting::Noted;
use crate::tasks::{
    objects::{self, Channel},
    record::Wait,
};
use async_std::channel as real;
use async_std::stream::Stream;
use futures::stream::FusedStream;
use loopbook_channel::Operation;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

pub use async_std::channel::{RecvError, SendError, TryRecvError, TrySendError};
pub use operations::{Recv, Send};
pub use weak::{WeakReceiver, WeakSender};

/// A channel with room for `cap` messages.
///
/// ```
/// use loopbook::facade::{channel, task};
/// let (sender, receiver) = channel::bounded(1);
/// task::block_on(async {
///     sender.send(4).await.expect("the receiver lives");
///     assert!(sender.try_send(5).is_err());
///     assert_eq!(receiver.recv().await, Ok(4));
/// });
/// ```
///
/// # Panics
/// If `cap` is zero.
#[track_caller]
pub fn bounded<T>(cap: usize) -> (Sender<T>, Receiver<T>) {
    both(real::bounded(cap), Some(cap), Location::caller())
}

/// A channel with room for any number of messages.
///
/// ```
/// use loopbook::facade::channel;
/// let (sender, receiver) = channel::unbounded();
/// for n in 0..1_000 {
///     sender.try_send(n).expect("there is always room");
/// }
/// assert_eq!((receiver.len(), receiver.capacity()), (1_000, None));
/// ```
#[track_caller]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    both(real::unbounded(), None, Location::caller())
}

fn both<T>(
    (sender, receiver): (real::Sender<T>, real::Receiver<T>),
    capacity: Option<usize>,
    made_at: &'static Location<'static>,
) -> (Sender<T>, Receiver<T>) {
    let shared = objects::enter(made_at, |number| Channel::new(number, capacity));
    let sender = Sender { real: sender, shared: Arc::clone(&shared) };
    (sender, Receiver { real: receiver, shared, noted: Noted::default() })
}

/// Sends messages. The channel is closed when its last sender is dropped.
///
/// ```
/// use loopbook::facade::{channel, task};
/// let (sender, receiver) = channel::unbounded();
/// for name in ["one", "two"] {
///     let sender = sender.clone();
///     task::spawn(async move { sender.send(name).await.expect("the receiver lives") });
/// }
/// drop(sender);
/// task::block_on(async {
///     let mut names = Vec::new();
///     while let Ok(name) = receiver.recv().await {
///         names.push(name);
///     }
///     assert_eq!(names.len(), 2);
/// });
/// ```
pub struct Sender<T> {
    real: real::Sender<T>,
    shared: Arc<Channel>,
}

impl<T> Sender<T> {
    /// Sends a message if there is room.
    ///
    /// ```
    /// use loopbook::facade::channel::{TrySendError, bounded};
    /// let (sender, receiver) = bounded(1);
    /// assert_eq!(sender.try_send(1), Ok(()));
    /// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    /// drop(receiver);
    /// assert_eq!(sender.try_send(3), Err(TrySendError::Closed(3)));
    /// ```
    ///
    /// # Errors
    /// The message, if there is none or the channel is closed.
    pub fn try_send(&self, msg: T) -> Result<(), TrySendError<T>> {
        let sent = self.real.try_send(msg);
        if sent.is_ok() {
            self.shared.has_sent();
        }
        sent
    }

    /// Waits until there is room, and sends a message.
    ///
    /// ```
    /// use loopbook::{facade::{channel, task}, gather};
    /// let (sender, receiver) = channel::bounded(1);
    /// task::block_on(async {
    ///     let sends = async {
    ///         sender.send(1).await.expect("the receiver lives");
    ///         sender.send(2).await.expect("the receiver lives");
    ///     };
    ///     let receives = async { (receiver.recv().await, receiver.recv().await) };
    ///     assert_eq!(gather!(sends, receives).1, (Ok(1), Ok(2)));
    /// });
    /// ```
    ///
    /// # Errors
    /// The message, if the channel is closed.
    pub fn send(&self, msg: T) -> Send<'_, T> {
        Send::new(self, msg)
    }

    /// Like [`Sender::send`], but blocks the thread until there is room.
    ///
    /// # Errors
    /// The message, if the channel is closed.
    pub fn send_blocking(&self, msg: T) -> Result<(), SendError<T>> {
        let msg = match self.try_send(msg) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(msg)) => return Err(SendError(msg)),
            Err(TrySendError::Full(msg)) => msg,
        };
        let mut noted = Noted::default();
        noted.pends(|| wait(&self.shared, Operation::Send));
        let sent = self.real.send_blocking(msg);
        if sent.is_ok() {
            self.shared.has_sent();
        }
        sent
    }

    /// A sender that does not keep the channel open.
    ///
    /// ```
    /// let (sender, receiver) = loopbook::facade::channel::unbounded::<u32>();
    /// let weak = sender.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(sender);
    /// assert!(weak.upgrade().is_none() && receiver.is_closed());
    /// ```
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender::new(self.real.downgrade(), Arc::clone(&self.shared))
    }
}

/// Receives messages; each goes to one receiver. The channel is closed when its last receiver is dropped.
///
/// ```
/// use loopbook::facade::{channel, prelude::*, task};
/// let (sender, mut receiver) = channel::unbounded();
/// for n in 1..=3 {
///     sender.try_send(n).expect("there is room");
/// }
/// drop(sender);
/// task::block_on(async {
///     let mut sum = 0;
///     while let Some(n) = receiver.next().await {
///         sum += n;
///     }
///     assert_eq!(sum, 6);
/// });
/// ```
pub struct Receiver<T> {
    real: real::Receiver<T>,
    shared: Arc<Channel>,
    /// Who awaits this as a stream.
    noted: Noted,
}

impl<T> Receiver<T> {
    /// Receives a message if there is one.
    ///
    /// ```
    /// use loopbook::facade::channel::{TryRecvError, bounded};
    /// let (sender, receiver) = bounded::<u32>(1);
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// drop(sender);
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    /// ```
    ///
    /// # Errors
    /// If there is none.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let received = self.real.try_recv();
        if received.is_ok() {
            self.shared.has_received();
        }
        received
    }

    /// Waits for a message.
    ///
    /// ```
    /// use loopbook::facade::{channel, task};
    /// let (sender, receiver) = channel::bounded(1);
    /// task::spawn(async move { sender.send("hello").await });
    /// task::block_on(async {
    ///     assert_eq!(receiver.recv().await, Ok("hello"));
    ///     assert!(receiver.recv().await.is_err(), "the only sender is gone");
    /// });
    /// ```
    ///
    /// # Errors
    /// If the channel is empty and closed.
    pub fn recv(&self) -> Recv<'_, T> {
        Recv::new(self)
    }

    /// Like [`Receiver::recv`], but blocks the thread until there is a message.
    ///
    /// # Errors
    /// If the channel is empty and closed.
    pub fn recv_blocking(&self) -> Result<T, RecvError> {
        match self.try_recv() {
            Ok(msg) => return Ok(msg),
            Err(TryRecvError::Closed) => return Err(RecvError),
            Err(TryRecvError::Empty) => {}
        }
        let mut noted = Noted::default();
        noted.pends(|| wait(&self.shared, Operation::Receive));
        let received = self.real.recv_blocking();
        if received.is_ok() {
            self.shared.has_received();
        }
        received
    }

    /// A receiver that does not keep the channel open.
    pub fn downgrade(&self) -> WeakReceiver<T> {
        WeakReceiver::new(self.real.downgrade(), Arc::clone(&self.shared))
    }
}

/// What both ends can do.
macro_rules! ends {
    ($($End:ident $count:ident $($new:ident)?;)+) => {$(
        impl<T> $End<T> {
            /// Closes the channel. Messages that are in it can still be received. False if it was closed before.
            ///
            /// ```
            /// use loopbook::facade::channel;
            /// let (sender, receiver) = channel::unbounded();
            /// sender.try_send(1).expect("there is room");
            /// assert!(sender.close() && !sender.close());
            /// assert_eq!(receiver.try_recv(), Ok(1));
            /// assert!(receiver.is_closed() && receiver.is_empty());
            /// ```
            pub fn close(&self) -> bool {
                self.real.close()
            }

            /// Whether it is closed.
            pub fn is_closed(&self) -> bool {
                self.real.is_closed()
            }

            /// Whether no message is in it.
            pub fn is_empty(&self) -> bool {
                self.real.is_empty()
            }

            /// Whether there is no room for another message.
            pub fn is_full(&self) -> bool {
                self.real.is_full()
            }

            /// How many messages are in it.
            pub fn len(&self) -> usize {
                self.real.len()
            }

            /// How many messages it has room for; `None` if for any number.
            pub fn capacity(&self) -> Option<usize> {
                self.real.capacity()
            }

            /// How many receivers there are.
            pub fn receiver_count(&self) -> usize {
                self.real.receiver_count()
            }

            /// How many senders there are.
            pub fn sender_count(&self) -> usize {
                self.real.sender_count()
            }

            /// One more end of the channel.
            fn another(real: real::$End<T>, shared: &Arc<Channel>) -> Self {
                shared.$count.fetch_add(1, Ordering::Relaxed);
                Self { real, shared: Arc::clone(shared), $($new: Noted::default())? }
            }
        }

        impl<T> Clone for $End<T> {
            fn clone(&self) -> Self {
                Self::another(self.real.clone(), &self.shared)
            }
        }

        impl<T> Drop for $End<T> {
            fn drop(&mut self) {
                self.shared.$count.fetch_sub(1, Ordering::Relaxed);
            }
        }

        impl<T> fmt::Debug for $End<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.real.fmt(f)
            }
        }
    )+};
}

ends! {
    Sender senders;
    Receiver receivers noted;
}

impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.real).poll_next(cx);
        let this = &mut *self;
        match &polled {
            Poll::Pending => {
                let (shared, how) = (&this.shared, Channel::how(Operation::Receive));
                this.noted
                    .pends_again(|polls| Wait::Passing(Arc::clone(shared) as Arc<dyn objects::Object>, how, polls));
            }
            Poll::Ready(received) => {
                this.noted.is_over();
                if received.is_some() {
                    this.shared.has_received();
                }
            }
        }
        polled
    }
}

impl<T> FusedStream for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.real.is_terminated()
    }
}

/// What a task waits for that wants to send or receive.
fn wait(shared: &Arc<Channel>, operation: Operation) -> Wait {
    Wait::Object(Arc::clone(shared) as Arc<dyn objects::Object>, Channel::how(operation))
}
