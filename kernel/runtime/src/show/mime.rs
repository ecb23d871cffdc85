//! The forms in which values are shown: MIME bundles of what the runtime knows, `Debug` for the rest.

use crate::inspect::{graph::CallGraph, loop_stats::LoopStats, reactor::Reactor, timeline::Timeline};
use crate::lessons::{lab, predict::Prediction};
use crate::show::{
    forms::{Html, Markdown, Png, Svg},
    views,
};
use crate::support::{
    base64,
    brief::{self, Whole},
    bundle::text,
    erased::Erased,
};
use crate::tasks::{cancel::CancelOutcome, lints::Lint, objects::Resource};
use loopbook_channel::{MimeBundle, TaskInfo};
use serde_json::Value;

/// What a value shows as when it is the value of a cell: text in quotation marks, as in code. `()` does not show.
pub(crate) fn result(value: &Erased<'_>) -> Option<MimeBundle> {
    if value.as_a::<()>().is_some() {
        return None;
    }
    Some(value.as_text().map_or_else(|| other(value), |shown| text(brief::quoted(shown))))
}

/// What a value shows as when it is displayed: text as itself.
pub(crate) fn bundle(value: &Erased<'_>) -> MimeBundle {
    value.as_text().map_or_else(|| other(value), |shown| text(brief::shown_text(shown)))
}

/// What anything but text shows as.
fn other(value: &Erased<'_>) -> MimeBundle {
    known(value).unwrap_or_else(|| text(brief::debug(value.debug(), value.items())))
}

fn known(value: &Erased<'_>) -> Option<MimeBundle> {
    let with_fallback = |mime: &str, content: String| {
        let mut bundle = text(brief::debug(value.debug(), None));
        bundle.insert(mime.to_owned(), Value::String(content));
        bundle
    };
    if let Some(Whole(whole)) = value.as_a() {
        return Some(text(whole));
    }
    if let Some(html) = value.as_a::<Html>() {
        return Some(with_fallback("text/html", html.as_str().to_owned()));
    }
    if let Some(markdown) = value.as_a::<Markdown>() {
        let mut bundle = text(markdown.as_str());
        bundle.insert("text/markdown".to_owned(), Value::String(markdown.as_str().to_owned()));
        return Some(bundle);
    }
    if let Some(svg) = value.as_a::<Svg>() {
        return Some(with_fallback("image/svg+xml", svg.as_str().to_owned()));
    }
    if let Some(png) = value.as_a::<Png>() {
        return Some(with_fallback("image/png", base64::encode(png.as_bytes())));
    }
    if let Some(json) = value.as_a::<Value>() {
        return Some(of_json(json));
    }
    // Without JSON: JupyterLab would prefer its tree to the table.
    inspected(value)
}

/// JSON as text and, if a front end can be expected to unfold it, as a tree.
fn of_json(json: &Value) -> MimeBundle {
    const LONGEST_TREE: usize = 1_000_000;
    let pretty = format!("{json:#}");
    let mut bundle = text(brief::shown_text(&pretty));
    if pretty.len() <= LONGEST_TREE {
        bundle.insert("application/json".to_owned(), json.clone());
    }
    bundle
}

/// What tells of the loop and its tasks.
fn inspected(value: &Erased<'_>) -> Option<MimeBundle> {
    if let Some(lints) = value.as_a::<Vec<Lint>>() {
        return Some(views::lints(lints));
    }
    if let Some(outcome) = value.as_a::<CancelOutcome>() {
        return Some(text(outcome.line()));
    }
    if let Some(stats) = value.as_a::<LoopStats>() {
        return Some(views::loop_stats(stats));
    }
    if let Some(resources) = value.as_a::<Vec<Resource>>() {
        return Some(views::resources(resources));
    }
    if let Some(graph) = value.as_a::<CallGraph>() {
        return Some(views::trees(std::slice::from_ref(graph)));
    }
    if let Some(Some(graph)) = value.as_a::<Option<CallGraph>>() {
        return Some(views::trees(std::slice::from_ref(graph)));
    }
    if let Some(timeline) = value.as_a::<Timeline>() {
        return Some(views::timeline(timeline));
    }
    if let Some(tasks) = tasks_in(value) {
        return Some(views::tasks(&tasks, None));
    }
    of_lessons(value)
}

/// What lessons look at.
fn of_lessons(value: &Erased<'_>) -> Option<MimeBundle> {
    if let Some(reactor) = value.as_a::<Reactor>() {
        return Some(views::reactor(reactor));
    }
    if let Some(threads) = value.as_a::<Vec<lab::Thread>>() {
        return Some(views::threads(threads));
    }
    if let Some(server) = value.as_a::<lab::Server>() {
        return Some(views::server(server));
    }
    if let Some(stats) = value.as_a::<lab::ServerStats>() {
        return Some(views::server_stats(stats));
    }
    if let Some(arrivals) = value.as_a::<Vec<lab::Arrival>>() {
        return Some(views::arrivals(arrivals));
    }
    if let Some(books) = value.as_a::<Vec<lab::Book>>() {
        return Some(views::books(books));
    }
    if let Some(predictions) = value.as_a::<Vec<Prediction>>() {
        return Some(views::predictions(predictions));
    }
    if let Some(traces) = value.as_a::<Vec<lab::Trace>>() {
        return Some(views::traces(traces));
    }
    if let Some(Some(trace)) = value.as_a::<Option<lab::Trace>>() {
        return Some(views::traces(std::slice::from_ref(trace)));
    }
    Some(views::traces(std::slice::from_ref(value.as_a::<lab::Trace>()?)))
}

/// The forms in which [`crate::all_tasks`] and its kin give tasks, and what is left of them after a filter.
fn tasks_in(value: &Erased<'_>) -> Option<Vec<TaskInfo>> {
    if let Some(tasks) = value.as_a::<Vec<TaskInfo>>() {
        return Some(tasks.clone());
    }
    if let Some(task) = value.as_a::<TaskInfo>() {
        return Some(vec![task.clone()]);
    }
    value.as_a::<Option<TaskInfo>>()?.clone().map(|task| vec![task])
}
