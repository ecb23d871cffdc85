//! MIME bundles: values in the form in which they go to the kernel.

use loopbook_channel::MimeBundle;
use serde_json::Value;

/// A bundle of plain text.
pub(crate) fn text(text: impl Into<String>) -> MimeBundle {
    MimeBundle::from([("text/plain".to_owned(), Value::String(text.into()))])
}
