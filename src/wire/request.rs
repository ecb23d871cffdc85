//! The requests that the kernel accepts, parsed once.

use super::{
    CommInfoRequest, CommMessage, CommOpen, CompleteRequest, Content, DeleteSubshellRequest, ErrorInfo, ExecuteRequest,
    HistoryRequest, InputReply, InspectRequest, IsCompleteRequest, ShutdownRequest,
};
use crate::transport::Channel;
use serde::{Serialize, de::DeserializeOwned};

/// A request, or the answer to one of the kernel's.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// `kernel_info_request`
    KernelInfo,
    /// `execute_request`
    Execute(ExecuteRequest),
    /// `complete_request`
    Complete(CompleteRequest),
    /// `inspect_request`
    Inspect(InspectRequest),
    /// `is_complete_request`
    IsComplete(IsCompleteRequest),
    /// `history_request`
    History(HistoryRequest),
    /// `comm_info_request`
    CommInfo(CommInfoRequest),
    /// `comm_open`
    CommOpen(CommOpen),
    /// `comm_msg`
    CommMessage(CommMessage),
    /// `comm_close`
    CommClose(CommMessage),
    /// `interrupt_request`
    Interrupt,
    /// `shutdown_request`
    Shutdown(ShutdownRequest),
    /// `create_subshell_request`
    CreateSubshell,
    /// `delete_subshell_request`
    DeleteSubshell(DeleteSubshellRequest),
    /// `list_subshell_request`
    ListSubshells,
    /// `usage_request`, ipykernel's: what the kernel costs
    Usage,
    /// `input_reply`
    InputReply(InputReply),
}

/// Why a message with a valid header is not a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A type that the kernel does not know. It gets no reply.
    #[error("a message of the unknown type `{0}`")]
    Unknown(String),
    /// A type that does not belong on this channel. It gets no reply.
    #[error("a message of type `{msg_type}` on the {channel:?} channel, where it does not belong")]
    WrongChannel {
        /// The type.
        msg_type: String,
        /// Where it came.
        channel: Channel,
    },
    /// Content that is not what the type demands. Requests get an error reply.
    #[error("the content of `{msg_type}` is not what the protocol says: {reason}")]
    Malformed {
        /// The type.
        msg_type: &'static str,
        /// What is wrong, and where.
        reason: String,
    },
}

impl Request {
    /// Reads the content of a message of this type.
    ///
    /// # Errors
    /// As the variants of [`Refusal`] say.
    pub fn parse(channel: Channel, msg_type: &str, content: &[u8]) -> Result<Self, Refusal> {
        let request = match msg_type {
            "kernel_info_request" => Self::KernelInfo,
            "execute_request" => Self::Execute(read("execute_request", content)?),
            "complete_request" => Self::Complete(read("complete_request", content)?),
            "inspect_request" => Self::Inspect(read("inspect_request", content)?),
            "is_complete_request" => Self::IsComplete(read("is_complete_request", content)?),
            "history_request" => Self::History(read("history_request", content)?),
            "comm_info_request" => Self::CommInfo(read("comm_info_request", content)?),
            "comm_open" => Self::CommOpen(read("comm_open", content)?),
            "comm_msg" => Self::CommMessage(read("comm_msg", content)?),
            "comm_close" => Self::CommClose(read("comm_close", content)?),
            "interrupt_request" => Self::Interrupt,
            "shutdown_request" => Self::Shutdown(read("shutdown_request", content)?),
            "create_subshell_request" => Self::CreateSubshell,
            "delete_subshell_request" => Self::DeleteSubshell(read("delete_subshell_request", content)?),
            "list_subshell_request" => Self::ListSubshells,
            "usage_request" => Self::Usage,
            "input_reply" => Self::InputReply(read("input_reply", content)?),
            other => return Err(Refusal::Unknown(other.to_owned())),
        };
        let right = match request {
            Self::Execute(_) => channel == Channel::Shell,
            Self::InputReply(_) => channel == Channel::Stdin,
            Self::CreateSubshell | Self::DeleteSubshell(_) | Self::ListSubshells => channel == Channel::Control,
            // Older clients interrupt and shut down on shell; kernel_info is allowed on control (JEP 80).
            _ => matches!(channel, Channel::Shell | Channel::Control),
        };
        if right { Ok(request) } else { Err(Refusal::WrongChannel { msg_type: msg_type.to_owned(), channel }) }
    }
}

impl Refusal {
    /// The error reply that the sender waits for; `None` if it waits for none.
    pub fn reply(&self) -> Option<ErrorReply> {
        let Self::Malformed { msg_type, .. } = self else { return None };
        ErrorReply::to(msg_type, self.to_string())
    }
}

/// The reply to a request that cannot be handled as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorReply {
    #[serde(skip)]
    reply_type: &'static str,
    status: &'static str,
    #[serde(flatten)]
    error: ErrorInfo,
}

impl ErrorReply {
    /// A reply to a request of this type that says why there is none of the usual; `None` if such a message gets no reply.
    pub fn to(msg_type: &str, why: String) -> Option<Self> {
        let (_, reply_type) = REPLIES.iter().find(|(request, _)| *request == msg_type)?;
        let error = ErrorInfo { ename: "BadRequest".to_owned(), evalue: why, traceback: Vec::new() };
        Some(Self { reply_type, status: "error", error })
    }
}

impl Content for ErrorReply {
    fn msg_type(&self) -> &'static str {
        self.reply_type
    }
}

/// Every request that has a reply, and the reply.
const REPLIES: &[(&str, &str)] = &[
    ("kernel_info_request", "kernel_info_reply"),
    ("execute_request", "execute_reply"),
    ("complete_request", "complete_reply"),
    ("inspect_request", "inspect_reply"),
    ("is_complete_request", "is_complete_reply"),
    ("history_request", "history_reply"),
    ("comm_info_request", "comm_info_reply"),
    ("interrupt_request", "interrupt_reply"),
    ("shutdown_request", "shutdown_reply"),
    ("create_subshell_request", "create_subshell_reply"),
    ("delete_subshell_request", "delete_subshell_reply"),
    ("list_subshell_request", "list_subshell_reply"),
    ("usage_request", "usage_reply"),
];

fn read<T: DeserializeOwned>(msg_type: &'static str, content: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(content).map_err(|error| Refusal::Malformed { msg_type, reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(msg_type: &str, content: &str) -> Result<Request, Refusal> {
        Request::parse(Channel::Shell, msg_type, content.as_bytes())
    }

    #[test]
    fn what_a_client_leaves_out_has_the_protocols_default() {
        let Ok(Request::Execute(request)) = parse("execute_request", r#"{"code":"1"}"#) else {
            panic!("a request with code only was refused");
        };
        assert!(!request.silent && request.store_history() && request.allow_stdin && request.stop_on_error);
    }

    #[test]
    fn silent_executions_are_never_stored() {
        let Ok(Request::Execute(request)) =
            parse("execute_request", r#"{"code":"1","silent":true,"store_history":true}"#)
        else {
            panic!("a silent request was refused");
        };
        assert!(!request.store_history());
    }

    #[test]
    fn malformed_requests_say_what_is_wrong_and_get_a_reply() {
        let refusal =
            parse("complete_request", r#"{"code":"x","cursor_pos":-1}"#).expect_err("a cursor before the text");
        assert!(refusal.to_string().contains("-1"), "{refusal}");
        assert_eq!(refusal.reply().map(|reply| reply.msg_type()), Some("complete_reply"));
        let refusal = parse("comm_close", "[]").expect_err("a comm_close that is a list");
        assert!(refusal.reply().is_none());
    }

    #[test]
    fn a_message_on_the_wrong_channel_is_refused() {
        let refusal = Request::parse(Channel::Control, "execute_request", br#"{"code":"1"}"#);
        assert!(matches!(refusal, Err(Refusal::WrongChannel { .. })));
        assert_eq!(Request::parse(Channel::Control, "kernel_info_request", b"{}"), Ok(Request::KernelInfo));
    }
}
