//! Showing things in the middle of a cell, and changing what is shown.

use crate::show::mime;
use crate::support::{base64, erased::Erased};
use crate::tasks::outbox;
use loopbook_channel::{DisplayKind, MimeBundle};
use serde_json::Value;
use std::{
    fmt::Debug,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// Shows a value, in the form in which it would show as the value of a cell. What the handle shows can be replaced later,
/// also by another cell or task.
///
/// ```
/// # use loopbook::facade as async_std;
/// # async_std::task::block_on(async {
/// let status = loopbook::display("starting");
/// async_std::task::sleep(std::time::Duration::from_millis(10)).await;
/// status.update("done");
/// # });
/// ```
///
/// Shown richly: [`Html`](crate::Html), [`Markdown`](crate::Markdown), [`Svg`](crate::Svg), [`Png`](crate::Png),
/// `serde_json::Value`, and tasks. Text shows as itself, everything else as its `Debug`: of a long one the first and last
/// items, and all of it with [`whole`](crate::whole). A type of yours with an `evcxr_display` shows itself by calling that;
/// for any other form there is [`display_as`].
pub fn display<T: Displayable>(value: T) -> DisplayHandle {
    DisplayHandle::show(value.bundle())
}

/// Shows content of a given MIME type: text, JSON for JSON types, or bytes for pictures.
///
/// ```
/// let figure = loopbook::display_as("text/html", "<progress value=1 max=2></progress>");
/// figure.update_as("text/html", "<progress value=2 max=2></progress>");
/// ```
pub fn display_as(mime: impl AsRef<str>, content: impl Into<Content>) -> DisplayHandle {
    DisplayHandle::show(content.into().bundle(mime.as_ref()))
}

/// Removes what the cell has shown and printed so far; with `wait` only when the next output arrives, which does not
/// flicker.
///
/// ```
/// for n in 1..=3 {
///     loopbook::clear_output(true);
///     println!("step {n}");
/// }
/// ```
pub fn clear_output(wait: bool) {
    outbox::clear_output(wait);
}

/// Something that is shown and can be changed. Its clones change the same thing. As the value of a cell it shows
/// nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayHandle {
    id: String,
}

impl DisplayHandle {
    pub(crate) fn show(bundle: MimeBundle) -> Self {
        let id = next_id();
        outbox::display(DisplayKind::Display, bundle, Some(id.clone()));
        Self { id }
    }

    /// Shows this value instead, wherever the display stands by now.
    ///
    /// ```
    /// loopbook::display(1).update(vec![1, 2]);
    /// ```
    pub fn update<T: Displayable>(&self, value: T) {
        self.replace(value.bundle());
    }

    /// Shows content of a given MIME type instead, as [`display_as`] does.
    ///
    /// ```
    /// loopbook::display("…").update_as("text/markdown", "**done**");
    /// ```
    pub fn update_as(&self, mime: impl AsRef<str>, content: impl Into<Content>) {
        self.replace(content.into().bundle(mime.as_ref()));
    }

    /// Jupyter's `display_id`.
    ///
    /// ```
    /// assert_ne!(loopbook::display(1).id(), loopbook::display(1).id());
    /// ```
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it stands for is shown already.
    #[doc(hidden)]
    pub fn evcxr_display(&self) {}

    pub(crate) fn replace(&self, bundle: MimeBundle) {
        outbox::display(DisplayKind::Update, bundle, Some(self.id.clone()));
    }
}

/// What [`display`] takes: everything with `Debug`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be displayed",
    label = "has no `Debug`",
    note = "give its type `#[derive(Debug)]`; a future has to be awaited first"
)]
pub trait Displayable {
    #[doc(hidden)]
    fn bundle(&self) -> MimeBundle;
}

#[diagnostic::do_not_recommend]
impl<T: Debug> Displayable for T {
    fn bundle(&self) -> MimeBundle {
        mime::bundle(&Erased::new(self, self))
    }
}

/// What [`display_as`] shows: made from text, bytes or a `serde_json::Value`. For a JSON type the text of JSON will do.
///
/// ```
/// use loopbook::display_as;
/// display_as("text/plain", "text");
/// display_as("image/png", vec![0x89, b'P', b'N', b'G']);
/// display_as("application/json", r#"{"n": 1}"#);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Content(Value);

impl Content {
    fn bundle(self, mime: &str) -> MimeBundle {
        let is_json = mime == "application/json" || mime.ends_with("+json");
        let content = match self.0 {
            Value::String(text) if is_json => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            content => content,
        };
        MimeBundle::from([(mime.to_owned(), content)])
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self(Value::String(text.to_owned()))
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self(Value::String(text))
    }
}

impl From<&String> for Content {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&[u8]> for Content {
    fn from(bytes: &[u8]) -> Self {
        Self(Value::String(base64::encode(bytes)))
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl From<&Vec<u8>> for Content {
    fn from(bytes: &Vec<u8>) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl From<Value> for Content {
    fn from(json: Value) -> Self {
        Self(json)
    }
}

fn next_id() -> String {
    static PROCESS: LazyLock<String> = LazyLock::new(|| {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        format!("{:x}-{started:x}", std::process::id())
    });
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("loopbook-{}-{}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed))
}
