//! Executing: the request, its echo to everybody, and its reply.

use super::{Metadata, Okay, content};
use loopbook_channel::MimeBundle;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// `execute_request`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ExecuteRequest {
    /// The cell.
    pub code: String,
    /// Publish nothing but the status.
    #[serde(default)]
    pub silent: bool,
    #[serde(default = "yes")]
    store_history: bool,
    /// Expressions to evaluate afterwards, by key.
    #[serde(default, deserialize_with = "or_default")]
    pub user_expressions: BTreeMap<String, String>,
    /// Whether the client answers input requests.
    #[serde(default = "yes")]
    pub allow_stdin: bool,
    /// Whether an error aborts the requests that wait.
    #[serde(default = "yes")]
    pub stop_on_error: bool,
}

impl ExecuteRequest {
    /// Whether the execution is counted and remembered; never if it is silent.
    pub fn store_history(&self) -> bool {
        self.store_history && !self.silent
    }
}

/// `execute_input`: tells everybody what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExecuteInput<'a> {
    /// The cell.
    pub code: &'a str,
    /// Its number.
    pub execution_count: u32,
}

/// `execute_reply`
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum ExecuteReply {
    /// The cell ran to its end.
    Ok {
        /// The cell's number.
        execution_count: u32,
        /// Deprecated by Jupyter, but demanded by its clients, and the only way to a front end's pager.
        payload: Vec<Payload>,
        /// A value or an error for each of the request's.
        user_expressions: BTreeMap<String, Expression>,
    },
    /// The cell failed.
    Error {
        /// The cell's number.
        execution_count: u32,
        /// How.
        #[serde(flatten)]
        error: ErrorInfo,
    },
}

/// `execute_reply` to a request that never ran, because one before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename = "aborted")]
pub struct Aborted {}

/// An error, as replies and the `error` message carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorInfo {
    /// What sort.
    pub ename: String,
    /// One line.
    pub evalue: String,
    /// Lines with ANSI colour.
    pub traceback: Vec<String>,
}

/// What became of one of `user_expressions`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum Expression {
    /// It has a value.
    Ok {
        /// The value, by MIME type.
        data: MimeBundle,
        /// How to show it.
        metadata: Metadata,
    },
    /// It failed.
    Error {
        /// How.
        #[serde(flatten)]
        error: ErrorInfo,
    },
}

/// What a front end shall do when the cell is done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "source", rename_all = "lowercase")]
pub enum Payload {
    /// Show this beside the notebook, in a pager if there is one.
    Page {
        /// The content, by MIME type.
        data: MimeBundle,
        /// First line to show.
        start: u32,
    },
}

/// The `status` of a success, for replies that are not enums.
pub(super) const OK: Okay = Okay::Ok;

content! { ExecuteInput<'_> => "execute_input", ExecuteReply => "execute_reply", Aborted => "execute_reply" }

fn yes() -> bool {
    true
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
