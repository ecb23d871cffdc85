//! Comms: channels between front end and kernel. The kernel has no targets yet, and says so.

use super::{Okay, content, execute::OK, introspect::Empty};
use serde::{Deserialize, Serialize};

/// `comm_open`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CommOpen {
    /// The comm.
    pub comm_id: String,
    /// Who should be at the other end.
    pub target_name: String,
}

/// `comm_msg` or `comm_close`, as far as they name a comm.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CommId {
    /// The comm.
    pub comm_id: String,
}

/// `comm_close`, from the kernel: nobody is at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommClose {
    comm_id: String,
    data: Empty,
}

impl CommClose {
    /// Closes this comm.
    pub fn new(comm_id: String) -> Self {
        Self { comm_id, data: Empty {} }
    }
}

/// `comm_info_reply`: no comm is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CommInfoReply {
    status: Okay,
    comms: Empty,
}

impl Default for CommInfoReply {
    fn default() -> Self {
        Self { status: OK, comms: Empty {} }
    }
}

content! { CommClose => "comm_close", CommInfoReply => "comm_info_reply" }
