//! Who waits for whom, as a tree.

use super::{Escaped, tasks::word};
use crate::graph::CallGraph;
use loopbook_channel::{MimeBundle, TaskKind, cell_label, line_label};
use serde_json::Value;

/// The trees, as `text/plain` and `text/html`.
pub(crate) fn trees(graphs: &[CallGraph]) -> MimeBundle {
    let text = if graphs.is_empty() { "no tasks".to_owned() } else { tree(graphs) };
    MimeBundle::from([
        ("text/html".to_owned(), Value::String(format!("<pre style=\"line-height:1.3\">{}</pre>", Escaped(&text)))),
        ("text/plain".to_owned(), Value::String(text)),
    ])
}

/// The trees as lines of text.
pub(crate) fn tree(graphs: &[CallGraph]) -> String {
    let mut lines = Vec::new();
    graphs.iter().for_each(|graph| add(&mut lines, graph, String::new(), String::new()));
    lines.join("\n")
}

/// `first` stands before the task itself, `rest` before what is below it.
fn add(lines: &mut Vec<String>, graph: &CallGraph, first: String, rest: String) {
    let kind = if graph.kind == TaskKind::Branch { "branch" } else { "task" };
    let name = graph.name.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default();
    let place = match (graph.cell, graph.line) {
        (Some(cell), Some(line)) => format!(" {}", line_label(cell, line)),
        (Some(cell), None) => format!(" {}", cell_label(cell)),
        (None, _) => String::new(),
    };
    lines.push(format!("{first}({kind} {}){name} {}{place}", graph.task, word(graph.state)));
    if let Some(cycle) = &graph.cycle {
        let circle: Vec<String> = cycle.iter().chain(cycle.first()).map(u64::to_string).collect();
        lines.push(format!("{rest}└── cycle: {} wait for each other for ever", circle.join(" → ")));
        return;
    }
    let below = graph.waits.len() + graph.awaits.len();
    let branch = |at: usize| if at + 1 == below { ("└── ", "    ") } else { ("├── ", "│   ") };
    for (at, wait) in graph.waits.iter().enumerate() {
        lines.push(format!("{rest}{}{wait}", branch(at).0));
    }
    for (at, inner) in graph.awaits.iter().enumerate() {
        let (corner, bar) = branch(graph.waits.len() + at);
        add(lines, inner, format!("{rest}{corner}"), format!("{rest}{bar}"));
    }
}
