//! The forms in which values are shown: MIME bundles of what the runtime knows, `Debug` for the rest.

use crate::{
    base64, graph::CallGraph, lab, lints::Lint, loop_stats::LoopStats, predict::Prediction, reactor::Reactor,
    resources::Resource, seen::Seen, timeline::Timeline, views,
};
use loopbook_channel::{MimeBundle, TaskInfo};
use serde_json::Value;

/// HTML to show.
///
/// ```
/// loopbook::display(loopbook::Html("<b>bold</b>".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Html(pub String);

/// Markdown to show, with mathematics between dollar signs.
///
/// ```
/// loopbook::display(loopbook::Markdown("Waiting costs **nothing**: $t = 0$".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markdown(pub String);

/// A drawing to show, as the text of an SVG file.
///
/// ```
/// loopbook::display(loopbook::Svg("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>".into()));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Svg(pub String);

impl std::fmt::Debug for Svg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Svg({} characters)", self.0.chars().count())
    }
}

/// A picture to show, as the bytes of a PNG file.
///
/// ```no_run
/// loopbook::display(loopbook::Png(std::fs::read("plot.png")?));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Png(pub Vec<u8>);

impl std::fmt::Debug for Png {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Png({} bytes)", self.0.len())
    }
}

/// A bundle of plain text.
pub(crate) fn text(text: impl Into<String>) -> MimeBundle {
    MimeBundle::from([("text/plain".to_owned(), Value::String(text.into()))])
}

/// What a value shows as when it is the value of a cell; `()` does not show.
pub(crate) fn result(value: &Seen<'_>) -> Option<MimeBundle> {
    value.as_a::<()>().is_none().then(|| bundle(value))
}

/// What a value shows as.
pub(crate) fn bundle(value: &Seen<'_>) -> MimeBundle {
    known(value).unwrap_or_else(|| text(format!("{:?}", value.debug())))
}

fn known(value: &Seen<'_>) -> Option<MimeBundle> {
    let with_fallback = |mime: &str, content: String| {
        let mut bundle = text(format!("{:?}", value.debug()));
        bundle.insert(mime.to_owned(), Value::String(content));
        bundle
    };
    if let Some(Html(html)) = value.as_a() {
        return Some(with_fallback("text/html", html.clone()));
    }
    if let Some(Markdown(markdown)) = value.as_a() {
        let mut bundle = text(markdown);
        bundle.insert("text/markdown".to_owned(), Value::String(markdown.clone()));
        return Some(bundle);
    }
    if let Some(Svg(svg)) = value.as_a() {
        return Some(with_fallback("image/svg+xml", svg.clone()));
    }
    if let Some(Png(bytes)) = value.as_a() {
        return Some(with_fallback("image/png", base64::encode(bytes)));
    }
    if let Some(json) = value.as_a::<Value>() {
        let mut bundle = text(format!("{json:#}"));
        bundle.insert("application/json".to_owned(), json.clone());
        return Some(bundle);
    }
    // Without JSON: JupyterLab would prefer its tree to the table.
    inspected(value)
}

/// What tells of the loop and its tasks.
fn inspected(value: &Seen<'_>) -> Option<MimeBundle> {
    if let Some(lints) = value.as_a::<Vec<Lint>>() {
        return Some(views::lints(lints));
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
fn of_lessons(value: &Seen<'_>) -> Option<MimeBundle> {
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
fn tasks_in(value: &Seen<'_>) -> Option<Vec<TaskInfo>> {
    if let Some(tasks) = value.as_a::<Vec<TaskInfo>>() {
        return Some(tasks.clone());
    }
    if let Some(task) = value.as_a::<TaskInfo>() {
        return Some(vec![task.clone()]);
    }
    value.as_a::<Option<TaskInfo>>()?.clone().map(|task| vec![task])
}
