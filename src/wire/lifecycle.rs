//! Interrupting and shutting down.

use super::{Okay, content, execute::OK};
use serde::{Deserialize, Serialize};

/// `interrupt_reply`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct InterruptReply {
    status: Okay,
}

impl Default for InterruptReply {
    fn default() -> Self {
        Self { status: OK }
    }
}

/// `shutdown_request`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ShutdownRequest {
    /// Whether a kernel is started in its place.
    #[serde(default)]
    pub restart: bool,
}

/// `shutdown_reply`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ShutdownReply {
    status: Okay,
    restart: bool,
}

impl ShutdownReply {
    /// The reply to a request with this `restart`.
    pub fn new(restart: bool) -> Self {
        Self { status: OK, restart }
    }
}

content! { InterruptReply => "interrupt_reply", ShutdownReply => "shutdown_reply" }
