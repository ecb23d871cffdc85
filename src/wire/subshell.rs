//! Subshells (JEP 91): further shells of one kernel, each with a queue and a count of its own.

use super::{Okay, content, execute::OK};
use serde::{Deserialize, Serialize};

/// `create_subshell_reply`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreateSubshellReply {
    status: Okay,
    subshell_id: String,
}

impl CreateSubshellReply {
    /// The subshell with this id was made.
    pub fn new(subshell_id: String) -> Self {
        Self { status: OK, subshell_id }
    }
}

/// `delete_subshell_request`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DeleteSubshellRequest {
    /// Which.
    pub subshell_id: String,
}

/// `delete_subshell_reply`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DeleteSubshellReply {
    status: Okay,
}

impl Default for DeleteSubshellReply {
    fn default() -> Self {
        Self { status: OK }
    }
}

/// `list_subshell_reply`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListSubshellReply {
    status: Okay,
    subshell_id: Vec<String>,
}

impl ListSubshellReply {
    /// A reply with these ids; the main shell has none.
    pub fn new(subshell_id: Vec<String>) -> Self {
        Self { status: OK, subshell_id }
    }
}

content! {
    CreateSubshellReply => "create_subshell_reply",
    DeleteSubshellReply => "delete_subshell_reply",
    ListSubshellReply => "list_subshell_reply",
}
