//! History: what was executed.

use super::{Okay, content, execute::OK};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `history_request`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRequest {
    /// Whether outputs are wanted too.
    pub output: bool,
    /// Which entries.
    pub access: Access,
}

/// Which entries of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// The last `n`.
    Tail {
        /// How many.
        n: usize,
    },
    /// Some lines of one session.
    Range {
        /// Number of the session; 0 or less counts back from the current one.
        session: i64,
        /// First line.
        start: u32,
        /// The line behind the last one; to the end if `None`.
        stop: Option<u32>,
    },
    /// Those that match a glob.
    Search {
        /// `*` and `?` as in a shell.
        pattern: String,
        /// The last `n` of them; all if `None`.
        n: Option<usize>,
        /// Each text only once.
        unique: bool,
    },
}

/// Jupyter's content has every field of every access type, each of them optional.
#[derive(Deserialize)]
struct Fields {
    hist_access_type: AccessType,
    output: Option<bool>,
    session: Option<i64>,
    start: Option<i64>,
    stop: Option<i64>,
    n: Option<i64>,
    pattern: Option<String>,
    unique: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum AccessType {
    Tail,
    Range,
    Search,
}

impl<'de> Deserialize<'de> for HistoryRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        let count = |n: i64| usize::try_from(n).unwrap_or(0);
        let line = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
        let access = match fields.hist_access_type {
            AccessType::Tail => Access::Tail { n: fields.n.map_or(10, count) },
            AccessType::Range => Access::Range {
                session: fields.session.unwrap_or(0),
                start: fields.start.map_or(0, line),
                stop: fields.stop.map(line),
            },
            AccessType::Search => Access::Search {
                pattern: fields.pattern.unwrap_or_else(|| "*".to_owned()),
                n: fields.n.map(count),
                unique: fields.unique.unwrap_or(false),
            },
        };
        Ok(Self { output: fields.output.unwrap_or(false), access })
    }
}

/// `history_reply`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryReply {
    status: Okay,
    history: Vec<HistoryEntry>,
}

impl HistoryReply {
    /// A reply with these entries.
    pub fn new(history: Vec<HistoryEntry>) -> Self {
        Self { status: OK, history }
    }
}

/// One execution. In JSON: `[session, line, input]`, or `[session, line, [input, output]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Number of the session.
    pub session: i64,
    /// Execution count.
    pub line: u32,
    /// The cell.
    pub input: String,
    /// Its result as text, if outputs were asked for.
    pub output: Option<Option<String>>,
}

impl Serialize for HistoryEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.output {
            Some(output) => (self.session, self.line, (&self.input, output)).serialize(serializer),
            None => (self.session, self.line, &self.input).serialize(serializer),
        }
    }
}

content! { HistoryReply => "history_reply" }
