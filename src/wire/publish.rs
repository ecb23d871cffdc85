//! The messages of iopub (except `execute_input`, which is next to its request, in `execute`).

use super::{ErrorInfo, content};
use loopbook_channel::{MimeBundle, Stream};
use serde::Serialize;
use serde_json::{Map, Value};

/// Jupyter's metadata: passed on as it is.
pub type Metadata = Map<String, Value>;

/// `status`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "execution_state", rename_all = "lowercase")]
pub enum Status {
    /// The kernel has begun to listen.
    Starting,
    /// A request is being handled.
    Busy,
    /// A request has been handled: nothing else comes for it.
    Idle,
}

/// `stream`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamText {
    /// Which stream.
    pub name: Stream,
    /// What was printed.
    pub text: String,
}

/// What `display_data`, `update_display_data` and `execute_result` show.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Display {
    /// The content, by MIME type.
    pub data: MimeBundle,
    /// How to show it.
    pub metadata: Metadata,
    /// What is not saved with a notebook.
    pub transient: Transient,
}

/// The transient part of a display.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Transient {
    /// Name by which later updates find the display.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_id: Option<String>,
}

/// `display_data`
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct DisplayMessage(pub Display);

/// `update_display_data`
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct UpdateDisplay(pub Display);

/// `execute_result`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExecuteResult {
    /// The cell's number.
    pub execution_count: u32,
    /// Its value.
    #[serde(flatten)]
    pub display: Display,
}

/// `clear_output`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClearOutput {
    /// Wait for the next output first.
    pub wait: bool,
}

/// `error`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ErrorMessage(pub ErrorInfo);

/// `iopub_welcome` (JEP 65): the subscription has arrived, and nothing from now on is missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IopubWelcome {
    /// The topic.
    pub subscription: String,
}

content! {
    Status => "status",
    StreamText => "stream",
    DisplayMessage => "display_data",
    UpdateDisplay => "update_display_data",
    ExecuteResult => "execute_result",
    ClearOutput => "clear_output",
    ErrorMessage => "error",
    IopubWelcome => "iopub_welcome",
}

/// The value of a MIME bundle for content that came as text: JSON types travel as JSON, all others as text.
///
/// ```
/// use loopbook_kernel::wire::mime_value;
/// assert!(mime_value("application/json", "{}".to_owned()).is_object());
/// assert!(mime_value("text/html", "{}".to_owned()).is_string());
/// ```
pub fn mime_value(mime: &str, content: String) -> Value {
    if mime == "application/json" || mime.ends_with("+json") {
        return serde_json::from_str(&content).unwrap_or_else(|_| content.into());
    }
    content.into()
}
