//! Asking the user: the only request that the kernel makes.

use super::content;
use serde::{Deserialize, Serialize};

/// `input_request`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputRequest {
    /// Text to show.
    pub prompt: String,
    /// Whether to hide the answer.
    pub password: bool,
}

/// `input_reply`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InputReply {
    /// The line.
    pub value: String,
}

content! { InputRequest => "input_request" }
