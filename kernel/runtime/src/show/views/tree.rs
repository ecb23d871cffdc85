//! Call graphs as trees.

use super::awaits;
use crate::inspect::graph::CallGraph;

use loopbook_channel::{AwaitSite, Escaped, MimeBundle, TaskKind, cell_label, grouped, line_label};
use serde_json::Value;
use std::fmt::{self, Display};

/// How many `.await`s beside each other are shown.
const MOST: usize = 20;

/// The trees, as `text/plain` and `text/html`.
pub(crate) fn trees(graphs: &[CallGraph]) -> MimeBundle {
    let text = if graphs.is_empty() { "no tasks".to_owned() } else { tree(graphs) };
    MimeBundle::from([
        ("text/html".to_owned(), Value::String(format!("<pre style=\"line-height:1.3\">{}</pre>", Escaped(&text)))),
        ("text/plain".to_owned(), Value::String(text)),
    ])
}

impl Display for CallGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&tree(std::slice::from_ref(self)))
    }
}

/// The trees as lines of text.
fn tree(graphs: &[CallGraph]) -> String {
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
    lines.push(format!("{first}({kind} {}){name} {}{place}", graph.task, graph.state.word()));
    if let Some(cycle) = &graph.cycle {
        let circle: Vec<String> = cycle.iter().chain(cycle.first()).map(u64::to_string).collect();
        lines.push(format!("{rest}└── cycle: {} wait for each other for ever", circle.join(" → ")));
        return;
    }
    below(lines, graph, &graph.sites, &rest);
}

/// The `.await`s at which a task stands, and below the innermost, or beside several, what it waits for there.
fn below(lines: &mut Vec<String>, graph: &CallGraph, sites: &[AwaitSite], rest: &str) {
    let groups = awaits::groups(sites);
    if let [group] = groups[..] {
        lines.push(format!("{rest}└── {}", awaits::line(&group[0])));
        return below(lines, graph, &group[1..], &format!("{rest}    "));
    }
    let left_out = groups.len().saturating_sub(MOST);
    let count = groups.len().min(MOST) + usize::from(left_out > 0) + graph.waits.len() + graph.awaits.len();
    let mut corners = (1..=count).map(|at| if at == count { ("└── ", "    ") } else { ("├── ", "│   ") });
    for group in groups.iter().take(MOST) {
        add_sites(lines, group, rest, corners.next().unwrap_or_default());
    }
    if left_out > 0 {
        let more = grouped(left_out as u64);
        lines.push(format!("{rest}{}and {more} more", corners.next().unwrap_or_default().0));
    }
    for wait in &graph.waits {
        lines.push(format!("{rest}{}{wait}", corners.next().unwrap_or_default().0));
    }
    for inner in &graph.awaits {
        let (corner, bar) = corners.next().unwrap_or_default();
        add(lines, inner, format!("{rest}{corner}"), format!("{rest}{bar}"));
    }
}

/// One of several `.await`s, and those inside of it.
fn add_sites(lines: &mut Vec<String>, sites: &[AwaitSite], rest: &str, (corner, bar): (&str, &str)) {
    let Some((first, inner)) = sites.split_first() else { return };
    lines.push(format!("{rest}{corner}{}", awaits::line(first)));
    let groups = awaits::groups(inner);
    for (at, group) in groups.iter().enumerate() {
        let corner = if at + 1 == groups.len() { ("└── ", "    ") } else { ("├── ", "│   ") };
        add_sites(lines, group, &format!("{rest}{bar}"), corner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loopbook_channel::TaskState;
    use std::time::Duration;

    fn site(line: u32, depth: u32) -> AwaitSite {
        AwaitSite { cell: 1, line, column: 1, text: "f()".into(), depth, since: Duration::from_secs(2) }
    }

    fn graph(sites: Vec<AwaitSite>) -> CallGraph {
        let waits = vec!["sleep".to_owned()];
        let (awaits, awaited_by) = (Vec::new(), Vec::new());
        let (kind, state) = (TaskKind::Task, TaskState::Idle);
        CallGraph {
            task: 7,
            name: None,
            kind,
            state,
            cell: None,
            line: None,
            sites,
            waits,
            awaits,
            awaited_by,
            cycle: None,
        }
    }

    #[test]
    fn what_a_task_waits_for_stands_below_the_await_that_it_belongs_to() {
        let expected = "\
(task 7) idle
└── In[1]:1 f(), for 2.00 s
    └── In[1]:2 f(), for 2.00 s
        └── sleep";
        assert_eq!(tree(&[graph(vec![site(1, 0), site(2, 1)])]), expected);
    }

    #[test]
    fn awaits_beside_each_other_are_told_apart() {
        let expected = "\
(task 7) idle
└── In[1]:1 f(), for 2.00 s
    ├── In[1]:2 f(), for 2.00 s
    │   └── In[1]:3 f(), for 2.00 s
    ├── In[1]:4 f(), for 2.00 s
    └── sleep";
        assert_eq!(tree(&[graph(vec![site(1, 0), site(2, 1), site(3, 2), site(4, 1)])]), expected);
        let many = vec![site(5, 0); MOST + 3];
        assert!(tree(&[graph(many)]).contains("├── and 3 more\n"));
    }
}
