//! How the runtime's data looks: text for terminals, HTML for notebooks. Everything is handed in; nothing here asks the
//! registry.

mod awaits;
mod lab;
mod lints;
mod loops;
mod order;
mod table;
mod tasks;
mod tree;

#[cfg(test)]
mod tests;

pub(crate) use lab::{arrivals, books, predictions, reactor, server, server_stats, threads, traces};
pub(crate) use lints::lints;
pub(crate) use loops::{loop_stats, resources, task};
pub(crate) use tasks::tasks;
pub(crate) use tree::trees;

use crate::inspect::timeline::Timeline;
use crate::support::base64;
use loopbook_channel::MimeBundle;
use serde_json::Value;
use table::Table;

/// What `:timeline` shows.
pub(crate) fn timeline(timeline: &Timeline) -> MimeBundle {
    MimeBundle::from([
        ("text/plain".to_owned(), Value::String(timeline.to_text())),
        ("text/html".to_owned(), Value::String(timeline.to_html())),
        ("application/pdf".to_owned(), Value::String(base64::encode(&timeline.to_pdf()))),
    ])
}

/// A table as text and HTML.
fn bundle(table: &Table) -> MimeBundle {
    MimeBundle::from([
        ("text/plain".to_owned(), Value::String(table.text())),
        ("text/html".to_owned(), Value::String(table.html())),
    ])
}
