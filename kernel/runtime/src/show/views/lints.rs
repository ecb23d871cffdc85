//! The table of lints.

use super::table::{Column, Table};
use crate::tasks::lints::Lint;
use loopbook_channel::{MimeBundle, cell_label, grouped, line_label};
use serde_json::Value;

/// The table of these lints, as `text/plain` and `text/html`.
pub(crate) fn lints(lints: &[Lint]) -> MimeBundle {
    let caption = match lints.len() {
        0 => "no lints: nothing was noticed that keeps tasks from running".to_owned(),
        1 => "1 lint".to_owned(),
        n => format!("{n} lints"),
    };
    let left = |title| Column { title, right: false, wraps: false };
    let columns = vec![
        left("lint"),
        left("cell:line"),
        left("tasks"),
        Column { title: "times", right: true, wraps: false },
        Column { title: "what happened, and what to do", right: false, wraps: true },
    ];
    let row = |lint: &Lint| {
        let place = match (lint.cell, lint.line) {
            (Some(cell), Some(line)) => line_label(cell, line),
            (Some(cell), None) => cell_label(cell),
            (None, _) => String::new(),
        };
        let tasks: Vec<String> = lint.tasks.iter().map(u64::to_string).collect();
        vec![
            lint.name.as_str().into(),
            place.into(),
            tasks.join(", ").into(),
            grouped(lint.times).into(),
            lint.message.as_str().into(),
        ]
    };
    let table = Table { caption, columns, rows: lints.iter().map(row).collect(), footer: None };
    MimeBundle::from([
        ("text/plain".to_owned(), Value::String(table.text())),
        ("text/html".to_owned(), Value::String(table.html())),
    ])
}
