//! A cell as a person would compile it: in a file of its own, with everything that is not the cell's on other lines.

use super::parts::{Kind, Part, parts, variables};

/// What a notebook begins with, in a form that a cell's own names take precedence over.
const BEGIN: &str = "mod prelude {
    pub use async_std::task;
    pub use loopbook::{display, gather, gather_all, input, race, try_gather, try_gather_all};
    pub use std::time::{Duration, Instant};
}
use prelude::*;
fn keep<T>(_: T) {}
";

const KEEP: &str = "keep(";

/// A file with a cell in it.
pub(crate) struct Plain {
    pub(crate) text: String,
    /// The lines on which copies of the cell begin, from 1.
    copies: Vec<u32>,
    lines: u32,
}

/// Puts a cell into a file. The items stand at the top, as a notebook's do; so there are copies of the cell, each with
/// blanks in place of what belongs into another.
pub(crate) fn plain(cell: &str) -> Plain {
    let code = without_commands(cell);
    let parts = parts(&code);
    let mut file = Plain { text: String::new(), copies: Vec::new(), lines: code.matches('\n').count() as u32 + 1 };
    file.add("#![allow(unused_imports, unused_mut, dead_code)]\n");
    file.copy(&code, &parts, Kind::Attribute);
    file.add(BEGIN);
    file.copy(&code, &parts, Kind::Item);
    let statements = only(&code, &parts, Kind::Statement);
    let last = only(&code, &parts, Kind::Last);
    let can_fail = statements.contains('?') || last.contains('?');
    let result = if can_fail { " -> Result<(), Box<dyn std::error::Error>>" } else { "" };
    file.add(&format!("async fn cell(){result} {{\n"));
    file.copy(&code, &parts, Kind::Statement);
    if !last.trim().is_empty() {
        file.add("let _ =\n");
        file.copy(&code, &parts, Kind::Last);
        file.add(";\n");
    }
    for name in variables(&parts) {
        file.add(&format!("{KEEP}{name});\n"));
    }
    file.add(if can_fail { "Ok(())\n}\n" } else { "}\n" });
    file
}

impl Plain {
    /// The line of the cell that stands on a line of the file.
    pub(crate) fn line(&self, line: u32) -> Option<u32> {
        self.copies.iter().filter_map(|first| line.checked_sub(*first)).find(|line| *line < self.lines).map(|n| n + 1)
    }

    /// The file, with a `main` that runs the cell and lets its variables go: some are moved by then.
    pub(crate) fn program(&self) -> String {
        let lines = self.text.split_inclusive('\n').filter(|line| !line.starts_with(KEEP));
        lines.collect::<String>() + "fn main() { let _ = task::block_on(cell()); }\n"
    }

    fn add(&mut self, text: &str) {
        self.text += text;
    }

    fn copy(&mut self, code: &str, parts: &[Part], kind: Kind) {
        self.copies.push(self.text.matches('\n').count() as u32 + 1);
        self.text += &only(code, parts, kind);
        self.text.push('\n');
    }
}

/// The cell with blanks for all parts but those of one kind, as wide as what they stand for.
fn only(code: &str, parts: &[Part], kind: Kind) -> String {
    let mut wanted = parts.iter().filter(|part| part.kind == kind).map(|part| part.range.clone()).peekable();
    let mut text = String::with_capacity(code.len());
    for (at, c) in code.char_indices() {
        while wanted.peek().is_some_and(|range| range.end <= at) {
            wanted.next();
        }
        let is_kept = wanted.peek().is_some_and(|range| range.contains(&at));
        text.push(if is_kept || matches!(c, '\n' | '\r') { c } else { ' ' });
    }
    text
}

/// Commands and notebook comments are no business of rustc's.
fn without_commands(cell: &str) -> String {
    let mut is_top = true;
    let mut line = |line: &str| {
        let first = line.trim_start();
        is_top &= first.is_empty() || first.starts_with(':') || first.starts_with("# ");
        if is_top { line.replace(|c: char| c != '\n' && c != '\r', " ") } else { line.to_owned() }
    };
    cell.split_inclusive('\n').map(&mut line).collect()
}
