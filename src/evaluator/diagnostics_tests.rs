//! Diagnostics of cells, in their own lines.

use super::super::cell::{Known, prepare};
use super::*;
use serde_json::json;

const CODE: &str = "let ä = 1;\nlet total: String = ä; let b = 2;";

fn sources() -> Sources {
    let prepared = prepare(3, CODE, &Known::default()).expect("a good cell");
    let sources = Sources::default();
    sources.insert(Arc::new(Source { number: 3, code: CODE.into(), map: Some(prepared.map), unkept: Vec::new() }));
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
