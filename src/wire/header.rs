//! Headers: the sender of a message, and the parent that it answers.

use crate::transport::Channel;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The header of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Unique to the message.
    pub msg_id: String,
    /// What sort of message.
    pub msg_type: String,
    /// The client's session, or the kernel's.
    #[serde(default)]
    pub session: String,
    /// Name of the person.
    #[serde(default)]
    pub username: String,
    /// When it was made, in ISO 8601.
    #[serde(default)]
    pub date: String,
    /// Protocol version of the sender.
    #[serde(default)]
    pub version: String,
    /// The subshell that a request is for; `None` for the main shell (JEP 91).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subshell_id: Option<String>,
}

/// The request that caused something: where a reply goes and which parent header it carries. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    channel: Channel,
    identities: Vec<Vec<u8>>,
    /// The header as it came. Sent back byte for byte, so that fields that we do not know stay.
    raw: Vec<u8>,
    header: Header,
}

impl Parent {
    pub(super) fn new(channel: Channel, identities: Vec<Vec<u8>>, raw: Vec<u8>, header: Header) -> Self {
        Self(Arc::new(Inner { channel, identities, raw, header }))
    }

    /// The channel on which the request came, so where its reply goes.
    pub fn channel(&self) -> Channel {
        self.0.channel
    }

    /// Routing identities of the client.
    pub fn identities(&self) -> &[Vec<u8>] {
        &self.0.identities
    }

    /// The request's header.
    pub fn header(&self) -> &Header {
        &self.0.header
    }

    /// The header's JSON as it came.
    pub(super) fn raw(&self) -> &[u8] {
        &self.0.raw
    }
}
