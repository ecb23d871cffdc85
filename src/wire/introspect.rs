//! Asking about code: completion, inspection, completeness. Positions count code points.

use super::{Okay, content, execute::OK};
use loopbook_channel::MimeBundle;
use serde::{Deserialize, Serialize};

/// `complete_request`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CompleteRequest {
    /// The cell.
    pub code: String,
    /// The cursor, in code points.
    pub cursor_pos: usize,
}

/// `complete_reply`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompleteReply {
    status: Okay,
    matches: Vec<String>,
    cursor_start: usize,
    cursor_end: usize,
    metadata: CompletionMetadata,
}

impl CompleteReply {
    /// A reply with these completions, which replace the code points from `start` to `end`.
    pub fn new(start: usize, end: usize, completions: Vec<CompletionType>) -> Self {
        Self {
            status: OK,
            matches: completions.iter().map(|completion| completion.text.clone()).collect(),
            cursor_start: start,
            cursor_end: end,
            metadata: CompletionMetadata { types: completions },
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct CompletionMetadata {
    #[serde(rename = "_jupyter_types_experimental")]
    types: Vec<CompletionType>,
}

/// A completion with what IPython and JupyterLab show beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompletionType {
    /// First code point that it replaces.
    pub start: usize,
    /// The one behind the last.
    pub end: usize,
    /// What to insert.
    pub text: String,
    /// `function`, `class`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// `(a: u32) -> u32`, empty if unknown.
    pub signature: String,
}

/// `inspect_request`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InspectRequest {
    /// The cell.
    pub code: String,
    /// The cursor, in code points.
    pub cursor_pos: usize,
    /// 0, or 1 for all that is known.
    #[serde(default)]
    pub detail_level: u8,
}

/// `inspect_reply`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InspectReply {
    status: Okay,
    found: bool,
    data: MimeBundle,
    metadata: Empty,
}

impl InspectReply {
    /// A reply with what was found.
    pub fn new(found: Option<MimeBundle>) -> Self {
        Self { status: OK, found: found.is_some(), data: found.unwrap_or_default(), metadata: Empty {} }
    }
}

/// `is_complete_request`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IsCompleteRequest {
    /// The cell so far.
    pub code: String,
}

/// `is_complete_reply`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum IsCompleteReply {
    /// Ready to run.
    Complete,
    /// More is needed.
    Incomplete {
        /// What the next line begins with.
        indent: String,
    },
    /// More will not help.
    Invalid,
}

/// `{}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Empty {}

content! {
    CompleteReply => "complete_reply",
    InspectReply => "inspect_reply",
    IsCompleteReply => "is_complete_reply",
}
