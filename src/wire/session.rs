//! A [`Session`] opens what arrives and seals what leaves: signatures, headers and parents in one place.

use super::{Content, FrameError, Frames, Header, PROTOCOL_VERSION, Parent, Refusal, Request, Signer};
use crate::transport::{Channel, Outgoing};
use serde::Deserialize;
use uuid::Uuid;

/// What the kernel knows about speaking Jupyter's protocol with its clients.
#[derive(Debug)]
pub struct Session {
    signer: Signer,
    id: String,
}

/// A message that arrived, is signed and has a header. Its content may still be refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Whom an answer is for.
    pub parent: Parent,
    /// `msg_id` of the message that this one answers, if it says so.
    pub answers: Option<String>,
    /// What it asks.
    pub request: Result<Request, Refusal>,
}

/// Why there is nobody to reply to.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The frames are wrong.
    #[error(transparent)]
    Frames(#[from] FrameError),
    /// The header is wrong.
    #[error("a signed message whose header cannot be read: {0}")]
    Header(#[from] serde_json::Error),
}

impl Session {
    /// A session of the kernel, with the key of the connection file.
    pub fn new(key: &[u8]) -> Self {
        Self { signer: Signer::new(key), id: Uuid::new_v4().to_string() }
    }

    /// Reads what arrived on a channel.
    ///
    /// # Errors
    /// If the frames or the header cannot be read. Log it: there is no request that a reply could refer to.
    pub fn open(&mut self, channel: Channel, frames: Vec<Vec<u8>>) -> Result<Message, OpenError> {
        let frames = self.signer.open(frames)?;
        let header: Header = serde_json::from_slice(&frames.header)?;
        let request = Request::parse(channel, &header.msg_type, &frames.content);
        // A parent that cannot be read is the same as none: few messages have one, and only its id matters.
        let answers = serde_json::from_slice::<ParentId>(&frames.parent).ok().and_then(|parent| parent.msg_id);
        let parent = Parent::new(channel, frames.identities, frames.header, header);
        Ok(Message { parent, answers, request })
    }

    /// A reply, on the channel of the request and to the client that sent it.
    pub fn reply(&self, parent: &Parent, content: &impl Content) -> Outgoing {
        self.seal(parent.channel(), parent.identities().to_vec(), Some(parent), content).0
    }

    /// A request to another kernel, by a program that is its client.
    pub fn request(&self, channel: Channel, content: &impl Content) -> Outgoing {
        self.seal(channel, Vec::new(), None, content).0
    }

    /// A question to the client that sent the request, and the question's `msg_id`.
    pub fn ask(&self, parent: &Parent, content: &impl Content) -> (Outgoing, String) {
        self.seal(Channel::Stdin, parent.identities().to_vec(), Some(parent), content)
    }

    /// A message for everybody, caused by `parent`. Its topic is its type.
    pub fn publish(&self, parent: Option<&Parent>, content: &impl Content) -> Outgoing {
        self.publish_under(content.msg_type().as_bytes().to_vec(), parent, content)
    }

    /// A message for those who subscribed to this topic.
    pub fn publish_under(&self, topic: Vec<u8>, parent: Option<&Parent>, content: &impl Content) -> Outgoing {
        self.seal(Channel::Iopub, vec![topic], parent, content).0
    }

    fn seal(
        &self,
        channel: Channel,
        identities: Vec<Vec<u8>>,
        parent: Option<&Parent>,
        content: &impl Content,
    ) -> (Outgoing, String) {
        let msg_id = Uuid::new_v4().to_string();
        let header = Header {
            msg_id: msg_id.clone(),
            msg_type: content.msg_type().to_owned(),
            session: self.id.clone(),
            username: "kernel".to_owned(),
            date: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            version: PROTOCOL_VERSION.to_owned(),
            subshell_id: None,
        };
        let frames = Frames {
            identities,
            header: to_json(&header),
            parent: parent.map_or_else(|| b"{}".to_vec(), |parent| parent.raw().to_vec()),
            metadata: b"{}".to_vec(),
            content: to_json(content),
            buffers: Vec::new(),
        };
        (Outgoing { channel, frames: self.signer.seal(frames) }, msg_id)
    }
}

#[derive(Deserialize)]
struct ParentId {
    msg_id: Option<String>,
}

fn to_json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("messages are structs of strings, numbers and JSON values, which all serialize")
}
