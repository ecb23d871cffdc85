//! Jupyter's messages as data: no sockets, no tasks, no state but the signatures already seen.
//!
//! Bytes become a [`Request`] once, in [`Session::open`]; past this module nothing looks at untyped JSON. In reading order:
//!
//! - `frames`: multipart messages, signed and verified,
//! - `header`: who said it, and whom an answer is for,
//! - `session`: both together: [`Session`] opens what arrives and seals what leaves,
//! - `request`: all that the kernel accepts, with one file per family of messages: `execute`, `introspect`, `history`,
//!   `comm`, `lifecycle`, `subshell`, `usage`, `info`, `input`,
//! - `publish`: all that it says on iopub.
//!
//! The protocol is [`PROTOCOL_VERSION`] of <https://jupyter-client.readthedocs.io/en/stable/messaging.html>.

mod comm;
mod execute;
mod frames;
mod header;
mod history;
mod info;
mod input;
mod introspect;
mod lifecycle;
mod publish;
mod request;
mod session;
mod subshell;
mod text;
mod usage;

pub use comm::{
    CommAnswer, CommClose, CommData, CommInfoReply, CommInfoRequest, CommMessage, CommOpen, INSPECT, InspectComm, Told,
};
pub use execute::{Aborted, ErrorInfo, ExecuteInput, ExecuteReply, ExecuteRequest, Expression, Payload};
pub use frames::{DELIMITER, FrameError, Frames, Signer};
pub use header::{Header, Parent};
pub use history::{Access, HistoryEntry, HistoryReply, HistoryRequest};
pub use info::{HelpLink, KernelInfoReply, LanguageInfo};
pub use input::{InputReply, InputRequest};
pub use introspect::{
    CompleteReply, CompleteRequest, CompletionType, InspectReply, InspectRequest, IsCompleteReply, IsCompleteRequest,
};
pub use lifecycle::{InterruptReply, ShutdownReply, ShutdownRequest};
pub use publish::{
    ClearOutput, Display, DisplayMessage, ErrorMessage, ExecuteResult, IopubWelcome, Metadata, Status, StreamText,
    Transient, UpdateDisplay, mime_value,
};
pub use request::{ErrorReply, Refusal, Request};
pub use session::{Message, OpenError, Session};
pub use subshell::{CreateSubshellReply, DeleteSubshellReply, DeleteSubshellRequest, ListSubshellReply};
pub use text::{byte_offset, code_point_offset};
pub use usage::{HostMemory, Usage, UsageReply};

use serde::Serialize;

/// The version of Jupyter's messaging protocol that the kernel speaks.
pub const PROTOCOL_VERSION: &str = "5.5";

/// The content of a message that the kernel sends.
pub trait Content: Serialize {
    /// `msg_type` of its header.
    fn msg_type(&self) -> &'static str;
}

/// Names the `msg_type` of each type of content.
macro_rules! content {
    ($($type:ty => $name:literal),+ $(,)?) => {
        $(impl $crate::wire::Content for $type {
            fn msg_type(&self) -> &'static str {
                $name
            }
        })+
    };
}
use content;

/// `status: "ok"`, as every reply that is not an error says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Okay {
    Ok,
}
