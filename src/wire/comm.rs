//! Comms: channels between front end and kernel. The kernel has one target, [`INSPECT`]: each message of the front end
//! asks the loop's inspector, and is answered by one of the kernel's.

use super::{Content, Okay, Request, content, execute::OK, introspect::Empty};
use loopbook_channel::{MimeBundle, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The target that answers questions about the loop.
pub const INSPECT: &str = "loopbook.inspect";

/// `comm_open`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CommOpen {
    /// The comm.
    pub comm_id: String,
    /// Who should be at the other end.
    pub target_name: String,
    /// A first message, if it says something.
    #[serde(default)]
    pub data: CommData,
}

/// `comm_msg` or `comm_close`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CommMessage {
    /// The comm.
    pub comm_id: String,
    /// What it says.
    #[serde(default)]
    pub data: CommData,
}

/// What a front end says on a comm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct CommData(Map<String, Value>);

impl CommData {
    /// The question to the inspector, such as `{"query": "tasks", "all": true}`; `None` if it asks nothing. The error is a
    /// sentence that says what is wrong with it.
    pub fn query(&self) -> Option<Result<Query, String>> {
        self.0.get("query")?;
        let query = serde_json::from_value(Value::Object(self.0.clone()));
        Some(query.map_err(|error| format!("the inspector cannot answer this: {error}")))
    }

    /// The question's name, for its answer.
    pub fn name(&self) -> String {
        self.0.get("query").and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// `comm_info_request`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct CommInfoRequest {
    /// Only comms to this target.
    #[serde(default)]
    pub target_name: Option<String>,
}

/// `comm_msg`, from the kernel: what the inspector says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CommAnswer {
    comm_id: String,
    data: Answer,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Answer {
    query: String,
    #[serde(flatten)]
    said: Said,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Said {
    Answer { data: Value, text: String },
    Error { error: String },
}

impl CommAnswer {
    /// The answer to the question with this name: `data` and `text`, or an `error` that says why there is neither. What has
    /// no data has its text there too.
    pub fn new(comm_id: String, query: String, answer: Result<MimeBundle, String>) -> Self {
        let said = match answer {
            Ok(mut bundle) => {
                let text = bundle.remove("text/plain").and_then(|text| text.as_str().map(str::to_owned));
                let text = text.unwrap_or_default();
                let data = bundle.remove("application/json").unwrap_or_else(|| text.clone().into());
                Said::Answer { data, text }
            }
            Err(error) => Said::Error { error },
        };
        Self { comm_id, data: Answer { query, said } }
    }
}

/// `comm_open`, from a client of a kernel: a comm to [`INSPECT`] with a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InspectComm<'a> {
    comm_id: String,
    target_name: &'static str,
    data: &'a Query,
}

/// What a kernel tells of its loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// For people.
    pub text: String,
    /// For programs.
    pub json: String,
}

impl<'a> InspectComm<'a> {
    /// A comm of its own for this question.
    pub fn new(query: &'a Query) -> Self {
        Self { comm_id: Uuid::new_v4().to_string(), target_name: INSPECT, data: query }
    }

    /// The answer, if this message has it. The error is a sentence that says why there is none.
    pub fn answer_in(&self, heard: Request) -> Option<Result<Told, String>> {
        match heard {
            Request::CommMessage(comm) if comm.comm_id == self.comm_id => {
                Some(match serde_json::from_value(Value::Object(comm.data.0)) {
                    Ok(Said::Answer { data, text }) => Ok(Told { text, json: format!("{data:#}") }),
                    Ok(Said::Error { error }) => Err(error),
                    Err(error) => Err(format!("the kernel's answer cannot be read: {error}")),
                })
            }
            Request::CommClose(comm) if comm.comm_id == self.comm_id => {
                Some(Err("this kernel has no inspector; it is none of Loopbook's, or too old".to_owned()))
            }
            _ => None,
        }
    }
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

/// `comm_info_reply`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommInfoReply {
    status: Okay,
    comms: BTreeMap<String, CommInfo>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct CommInfo {
    target_name: &'static str,
}

impl CommInfoReply {
    /// These comms to [`INSPECT`] are open.
    pub fn new(open: impl IntoIterator<Item = String>) -> Self {
        let comms = open.into_iter().map(|id| (id, CommInfo { target_name: INSPECT })).collect();
        Self { status: OK, comms }
    }
}

impl Content for InspectComm<'_> {
    fn msg_type(&self) -> &'static str {
        "comm_open"
    }
}

content! { CommAnswer => "comm_msg", CommClose => "comm_close", CommInfoReply => "comm_info_reply" }
