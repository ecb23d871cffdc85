//! How the runtime's data looks: text for terminals, HTML for notebooks, JSON for programs. Nothing here asks for anything.

mod awaits;
mod lints;
mod loops;
mod table;
mod tasks;
mod tree;
mod units;

#[cfg(test)]
mod tests;

pub(crate) use lints::lints;
pub(crate) use loops::{loop_stats, resources, task};
pub(crate) use table::Escaped;
pub(crate) use tasks::{tasks, wait};
#[cfg(test)]
pub(crate) use tests::example_task;
pub(crate) use tree::{tree, trees};
pub(crate) use units::duration;

use crate::timeline::Timeline;
use loopbook_channel::MimeBundle;
use serde_json::Value;

/// The most spans that a timeline's JSON is made of: it has to fit into a message.
const MOST_SPANS: usize = 50_000;

/// What `:timeline` shows.
pub(crate) fn timeline(timeline: &Timeline) -> MimeBundle {
    let mut bundle = MimeBundle::from([
        ("text/plain".to_owned(), Value::String(timeline.to_text())),
        ("text/html".to_owned(), Value::String(timeline.to_html())),
    ]);
    let spans: usize = timeline.lanes.iter().map(|lane| lane.spans.len()).sum();
    if spans <= MOST_SPANS
        && let Ok(json) = serde_json::to_value(timeline)
    {
        bundle.insert("application/json".to_owned(), json);
    }
    bundle
}
