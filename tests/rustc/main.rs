//! The preprocessing pass against plain rustc: what a person reads about a cell that does not compile is what rustc says
//! about the same code in a file, and a cell that does compile does the same.
//!
//! These tests compile the runtime, so the fast tier leaves them out; `tests/run real` runs them.

mod compile;
mod evcxr;
mod parts;
mod plain;

use compile::{Compiler, each};
use loopbook_kernel::evaluator::cell::{Notebook, PreparedCell, prepare};
use loopbook_kernel::evaluator::errors::diagnostics::{Diagnostic, Source, Sources, depends_on_rewrites, distinct};
use plain::Plain;
use serde_json::Value;
use std::sync::Arc;

/// Cells that do not compile, or only with warnings. Behind `%%%%` stands what differs from rustc and why, if
/// something does.
const WRONG: &str = include_str!("wrong.txt");

/// Cells that run, with something on their standard output.
const SOUND: &str = include_str!("sound.txt");

/// What a person reads of a diagnostic. Lines and columns of the cell count from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    start: (u32, u32),
    end: (u32, u32),
    level: String,
    code: String,
    message: String,
}

struct Case {
    cell: String,
    differs: Option<Differs>,
}

/// What is said differently than rustc says it of the plain cell, and why.
enum Differs {
    /// The sentence; place and code are the same.
    Message(&'static str),
    /// Something is missing or elsewhere.
    Place(&'static str),
}

#[test]
#[ignore = "compiles crates"]
fn errors_and_warnings_are_where_rustc_sees_them() {
    let compiler = Compiler::new();
    let cases = cases(WRONG);
    assert!(cases.len() >= 200, "{} cells", cases.len());
    let failures = each(&cases, |index, case| judge(&compiler, index, case));
    let failures: Vec<String> = failures.into_iter().flatten().collect();
    assert!(failures.is_empty(), "{} of {} cells:\n{}", failures.len(), cases.len(), failures.join("\n\n"));
}

#[test]
#[ignore = "compiles crates"]
fn cells_do_what_they_do_in_a_file() {
    let compiler = Compiler::new();
    let cases = cases(SOUND);
    assert!(cases.len() >= 60, "{} cells", cases.len());
    let failures = each(&cases, |index, case| {
        let prepared = prepared(&case.cell);
        let expected = compiler.run(&format!("plain_{index}"), &plain::plain(&case.cell).program());
        let found = compiler.run(&format!("cell_{index}"), &evcxr::program(&prepared.rust));
        let is_sound = expected.as_ref().is_ok_and(|said| !said.is_empty()) && expected == found;
        let said = |said: Result<String, String>| said.unwrap_or_else(|error| format!("error: {error}"));
        (!is_sound)
            .then(|| format!("{}\nexpected {}\nfound {}\n{}", case.cell, said(expected), said(found), prepared.rust))
    });
    let failures: Vec<String> = failures.into_iter().flatten().collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// What is wrong with what we say of a cell.
fn judge(compiler: &Compiler, index: usize, case: &Case) -> Option<String> {
    let cell = &case.cell;
    let plain = plain::plain(cell);
    let expected = of_rustc(&compiler.check(&format!("plain_{index}"), &plain.text), &plain);
    let mut prepared = prepared(cell);
    let (mut sources, mut said) = of_cell(compiler, index, cell, &prepared);
    let errors: Vec<_> = said.iter().filter(|diagnostic| diagnostic.level == "error").cloned().collect();
    if let Some(typed) = prepared.as_typed().filter(|_| depends_on_rewrites(&errors)) {
        prepared = typed;
        (sources, said) = of_cell(compiler, index, cell, &prepared);
    }
    let mut found: Vec<_> = said.iter().filter_map(|diagnostic| seen(diagnostic, &sources)).collect();
    found.sort();
    if expected.is_empty() {
        return Some(format!("nothing is wrong with {cell}"));
    }
    let same_places = places(&expected).eq(places(&found));
    let internal =
        said.iter().map(|d| d.render(&sources, &[])).find(|text| INTERNAL.iter().any(|name| text.contains(name)));
    let wrong = match (expected == found, &case.differs) {
        (true, Some(Differs::Message(why) | Differs::Place(why))) => format!("no longer differs: {why}"),
        (false, None) => "differs".to_owned(),
        (false, Some(Differs::Message(why))) if !same_places => format!("differs by more than its message: {why}"),
        (false, Some(Differs::Place(why))) if same_places => format!("differs by its message only: {why}"),
        _ => internal.map(|text| format!("shows names of ours: {text}"))?,
    };
    Some(format!("{wrong}\n{cell}\nrustc: {expected:#?}\nours: {found:#?}\n{}", prepared.rust))
}

/// What rustc says of what evcxr compiles for a cell.
fn of_cell(compiler: &Compiler, index: usize, cell: &str, prepared: &PreparedCell) -> (Sources, Vec<Diagnostic>) {
    let sources = Sources::default();
    sources.insert(Arc::new(Source {
        number: 1,
        code: cell.to_owned(),
        map: Some(prepared.map.clone()),
        not_stored: Vec::new(),
    }));
    let said = compiler.check(&format!("cell_{index}"), &evcxr::file(&prepared.rust));
    let said = distinct(said.iter().filter_map(Diagnostic::from_json).collect(), &sources);
    (sources, said)
}

/// Names that nobody has written.
const INTERNAL: [&str; 6] = ["__try", "__show", "lb_", "/*lb:", "evcxr_", "__private"];

fn places(all: &[Seen]) -> impl Iterator<Item = (&str, &str, (u32, u32), (u32, u32))> {
    all.iter().map(|seen| (seen.level.as_str(), seen.code.as_str(), seen.start, seen.end))
}

fn seen(diagnostic: &Diagnostic, sources: &Sources) -> Option<Seen> {
    let stretch = diagnostic.stretch(sources)?;
    Some(Seen {
        start: stretch.start,
        end: stretch.end,
        level: diagnostic.level.clone(),
        code: diagnostic.code.as_ref().map(|code| code.code.clone()).unwrap_or_default(),
        message: diagnostic.message(),
    })
}

/// The diagnostics that lie in the cell.
fn of_rustc(said: &[Value], plain: &Plain) -> Vec<Seen> {
    let mut found: Vec<_> = said.iter().filter_map(|diagnostic| in_cell(diagnostic, plain)).collect();
    found.sort();
    // rustc says some things twice.
    found.dedup();
    found
}

fn in_cell(diagnostic: &Value, plain: &Plain) -> Option<Seen> {
    let spans = diagnostic["spans"].as_array()?.iter().filter(|span| span["is_primary"] == true);
    let (start, end) = spans.into_iter().find_map(|span| place(span, plain))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (level, code, message) = (&diagnostic["level"], &diagnostic["code"]["code"], &diagnostic["message"]);
    Some(Seen { start, end, level: text(level), code: text(code), message: text(message) })
}

/// Where a span lies in the cell: itself, or the macro call that it was expanded from.
fn place(span: &Value, plain: &Plain) -> Option<((u32, u32), (u32, u32))> {
    let number = |name: &str| span[name].as_u64().map(|number| number as u32);
    let position = |line: &str, column: &str| Some((plain.line(number(line)?)?, number(column)?));
    let is_here = span["file_name"].as_str().is_some_and(|name| name.contains("plain_"));
    let here = || Some((position("line_start", "column_start")?, position("line_end", "column_end")?));
    is_here.then(here).flatten().or_else(|| place(span["expansion"].get("span")?, plain))
}

fn prepared(cell: &str) -> PreparedCell {
    let mut notebook = Notebook::default();
    notebook.local_slots = true;
    notebook.ticks = true;
    prepare(1, cell, &notebook).unwrap_or_else(|problems| panic!("{cell}\n{problems:#?}"))
}

/// The cells of a corpus. `\r` and `\t` stand for themselves in it, so that editors leave them alone.
fn cases(corpus: &'static str) -> Vec<Case> {
    let parts = corpus.split("%%%%").filter_map(|part| part.split_once('\n'));
    let case = |(reason, cell): (&'static str, &str)| {
        let cell = cell.strip_suffix('\n').unwrap_or(cell).replace("␍", "\r").replace("␉", "\t");
        let differs = match reason.trim().split_once(": ") {
            Some(("message", why)) => Some(Differs::Message(why)),
            Some(("place", why)) => Some(Differs::Place(why)),
            _ => None,
        };
        Case { cell, differs }
    };
    parts.map(case).collect()
}
