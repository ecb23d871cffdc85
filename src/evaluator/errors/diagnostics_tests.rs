//! Diagnostics of cells, in their own lines.

use super::*;
use crate::evaluator::cell::{Notebook, prepare};
use serde_json::json;

const CODE: &str = "let ä = 1;\nlet total: String = ä; let b = 2;";

fn sources() -> Sources {
    let prepared = prepare(3, CODE, &Notebook::default()).expect("a good cell");
    let sources = Sources::default();
    sources.insert(Arc::new(Source { number: 3, code: CODE.into(), map: Some(prepared.map), not_stored: Vec::new() }));
    sources
}

/// A mismatch as rustc reports it in evcxr's file, in which each statement has a line of its own.
fn mismatch() -> Diagnostic {
    let line = "let/*lb:3:2*/ total: String = ä; ";
    let column = line.chars().position(|c| c == 'ä').expect("there is one") + 1;
    let span = |is_primary: bool, start: usize, end: usize, label: &str| {
        json!({ "line_start": 40, "line_end": 40, "column_start": start, "column_end": end, "is_primary": is_primary,
            "label": label, "text": [{ "text": line }], "suggested_replacement": null, "expansion": null })
    };
    Diagnostic::from_json(&json!({
        "message": "mismatched types", "level": "error", "code": { "code": "E0308" },
        "spans": [span(true, column, column + 1, "expected `String`, found integer"),
                  span(false, column - 9, column - 3, "expected due to this")],
        "children": [
            { "message": "`#[warn(x)]` on by default", "level": "note", "spans": [], "children": [] },
            { "message": "think again", "level": "help", "spans": [], "children": [] }],
    }))
    .expect("a diagnostic")
}

fn without_colour(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\x1b') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

#[test]
fn a_diagnostic_shows_the_cell_as_typed() {
    let shown = without_colour(&mismatch().render(&sources(), &["a hint"]));
    expect_test::expect![[r#"
        error[E0308]: mismatched types
         --> In[3]:2:21
          |
        2 | let total: String = ä; let b = 2;
          |            ------   ^ expected `String`, found integer
          |            |
          |            expected due to this
          |
          = help: think again
          = help: a hint"#]]
    .assert_eq(&shown);
}

#[test]
fn the_place_is_the_primary_span_in_lines_and_characters() {
    assert_eq!(mismatch().place(&sources()), Some((3, 2, 21)));
}

#[test]
fn a_span_outside_of_every_cell_is_left_out() {
    let mut diagnostic = mismatch();
    diagnostic.spans[0].text = vec![Line { text: "evcxr_variable_store.put_variable(total);".into() }];
    diagnostic.spans.truncate(1);
    assert_eq!(diagnostic.place(&sources()), None);
    assert_eq!(
        without_colour(&diagnostic.render(&sources(), &[])).lines().next(),
        Some("error[E0308]: mismatched types")
    );
}

/// A help of rustc's with suggestions, each at a column of a line of evcxr's file.
fn suggesting(message: &str, suggestions: &[(&str, u32, &str)]) -> Diagnostic {
    let span = |(line, column, text): &(&str, u32, &str)| {
        json!({ "line_start": 2, "line_end": 2, "column_start": column, "column_end": column, "is_primary": true,
            "label": null, "text": [{ "text": line }], "suggested_replacement": text })
    };
    let spans: Vec<_> = suggestions.iter().map(span).collect();
    Diagnostic::from_json(&json!({ "message": message, "level": "help", "spans": spans })).expect("a help")
}

/// As rustc's error about a name, with this help, of a cell with a command.
fn shown_with(help: Diagnostic, code: &str) -> String {
    let prepared = prepare(4, code, &Notebook::default()).expect("a good cell");
    let sources = sources();
    let line = prepared.rust.lines().last().expect("a line").to_owned();
    sources.insert(Arc::new(Source { number: 4, code: code.into(), map: Some(prepared.map), not_stored: Vec::new() }));
    let span = json!({ "line_start": 9, "line_end": 9, "column_start": 11, "column_end": 14, "is_primary": true,
        "label": null, "text": [{ "text": line }] });
    let error = json!({ "message": "cannot find type", "level": "error", "spans": [span] });
    let mut error = Diagnostic::from_json(&error).expect("a diagnostic");
    error.children.push(help);
    error.choose_imports(|path| (!path.contains("hidden")).then(|| path.replace("inner::", "")));
    let shown = without_colour(&error.render(&sources, &[]));
    shown.split_once("help: ").map_or(shown.clone(), |(_, help)| help.to_owned())
}

#[test]
fn imports_are_suggested_as_the_first_lines_of_the_cell() {
    let first = "use std::time::Duration;";
    let import = |name: &'static str| (first, 1, name);
    let cell = ":dep rand\n// A comment.\n\nMutex::new(0);";
    let three = [import("use a::Mutex;\n"), import("use inner::a::Mutex;\n"), import("use b::Mutex;\n")];
    expect_test::expect![[r#"
        consider importing one of these structs
          |
        2 + use a::Mutex;
          |
        2 + use b::Mutex;
          |"#]]
    .assert_eq(&shown_with(suggesting("consider importing one of these structs", &three), cell));
    let two = [import("use a::Mutex;\n"), import("use hidden::Mutex;\n")];
    let one = shown_with(suggesting("consider importing one of these type aliases instead", &two), "Mutex;");
    assert!(one.starts_with("consider importing this type alias instead\n  |\n1 + use a::Mutex;\n"), "{one}");
    let traits = "the following traits which provide `next` are implemented but not in scope; perhaps you want to import \
        one of them";
    let one = shown_with(suggesting(traits, &two), "Mutex;");
    let wanted = "trait `Mutex` which provides `next` is implemented but not in scope; perhaps you want to import it\n";
    assert!(one.starts_with(wanted), "{one}");
    let none = shown_with(suggesting(traits, &two[1..]), "Mutex;");
    assert!(!none.contains("Mutex` which"), "{none}");
    let many = ["a", "b", "c", "d", "e", "f", "g"].map(|name| format!("use {name}::Mutex;\n"));
    let many: Vec<_> = many.iter().map(|text| (first, 1, text.as_str())).collect();
    let some = shown_with(suggesting("consider importing one of these structs", &many), "Mutex;");
    assert!(some.starts_with("consider importing one of these structs (2 more are not shown)\n"), "{some}");
    assert!(some.contains("use e::Mutex;") && !some.contains("use f::Mutex;"), "{some}");
}

#[test]
fn alternatives_are_shown_one_by_one() {
    let code = "Mutex(1);";
    let line = prepare(4, code, &Notebook::default()).expect("a good cell").rust;
    let at = line.find("Mutex").expect("it is there") as u32 + 1;
    let help = suggesting("try one of the variants", &[(&line, at, "A::"), (&line, at, "B::")]);
    let shown = shown_with(help, code);
    assert!(shown.contains("+ A::Mutex(1)") || shown.contains("| A::Mutex(1)"), "{shown}");
    assert!(shown.contains("| B::Mutex(1)"), "{shown}");
}

#[test]
fn a_suggestion_for_an_earlier_cell_says_to_run_that_again() {
    let help = suggesting("consider annotating", &[("let/*lb:3:2*/ total: String = ä; ", 1, "#[derive(Debug)]\n")]);
    let shown = shown_with(help, "Mutex;");
    assert!(shown.starts_with("consider annotating, in In[3]; then run that cell again\n --> In[3]:2:"), "{shown}");
}
