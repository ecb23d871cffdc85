//! The seam between the sockets and the dispatcher: multipart messages, in and out, on in-memory channels.
//!
//! The sockets fill one of these from ZeroMQ; the fast tests fill one by hand.

use async_std::channel::{Receiver, Sender};

/// Which of Jupyter's sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Requests that wait for each other.
    Shell,
    /// Requests that must not wait.
    Control,
    /// Input requests, asked by the kernel.
    Stdin,
    /// What everybody may see.
    Iopub,
}

/// Something that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A message on shell, control or stdin: ZeroMQ's frames, routing identities first.
    Message {
        /// Where.
        channel: Channel,
        /// The frames.
        frames: Vec<Vec<u8>>,
    },
    /// A client has subscribed to this topic on iopub (JEP 65: it now waits for `iopub_welcome`).
    Subscribed {
        /// The topic, mostly empty.
        topic: Vec<u8>,
    },
}

/// A message to send. On iopub the first frame is the topic; elsewhere the frames begin with the routing identities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Where.
    pub channel: Channel,
    /// The frames.
    pub frames: Vec<Vec<u8>>,
}

/// Both directions. The incoming side closes when the sockets are gone.
#[derive(Debug, Clone)]
pub struct Transport {
    /// What arrives.
    pub incoming: Receiver<Incoming>,
    /// What to send. Messages of one channel keep their order; so do messages of different channels as far as they leave
    /// this queue in order.
    pub outgoing: Sender<Outgoing>,
}
