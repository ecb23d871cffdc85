//! How the runtime's data looks: text for terminals, HTML for notebooks, JSON for programs. Nothing here asks for anything.

mod lab;
mod lints;
mod loops;
mod table;
mod tasks;
mod tree;
mod units;

#[cfg(test)]
mod tests;

pub(crate) use lab::{arrivals, books, predictions, reactor, server, server_stats, threads, traces};
pub(crate) use lints::lints;
pub(crate) use loops::{loop_stats, resources, task};
pub(crate) use table::Escaped;
pub(crate) use tasks::{tasks, wait};
#[cfg(test)]
pub(crate) use tests::example_task;
pub(crate) use tree::{tree, trees};
pub(crate) use units::duration;

use crate::base64;
use crate::timeline::Timeline;
use loopbook_channel::MimeBundle;
use serde::Serialize;
use serde_json::Value;
use table::Table;

/// The most spans that a timeline's JSON is made of: it has to fit into a message.
const MOST_SPANS: usize = 50_000;

/// What `:timeline` shows.
pub(crate) fn timeline(timeline: &Timeline) -> MimeBundle {
    let mut bundle = MimeBundle::from([
        ("text/plain".to_owned(), Value::String(timeline.to_text())),
        ("text/html".to_owned(), Value::String(timeline.to_html())),
        ("application/pdf".to_owned(), Value::String(base64::encode(&timeline.to_pdf()))),
    ]);
    let spans: usize = timeline.lanes.iter().map(|lane| lane.spans.len()).sum();
    if spans <= MOST_SPANS
        && let Ok(json) = serde_json::to_value(timeline)
    {
        bundle.insert("application/json".to_owned(), json);
    }
    bundle
}

/// A table as text and HTML, and its data as JSON.
fn bundle(table: &Table, data: &impl Serialize) -> MimeBundle {
    let mut bundle = MimeBundle::from([
        ("text/plain".to_owned(), Value::String(table.text())),
        ("text/html".to_owned(), Value::String(table.html())),
    ]);
    if let Ok(json) = serde_json::to_value(data) {
        bundle.insert("application/json".to_owned(), json);
    }
    bundle
}
