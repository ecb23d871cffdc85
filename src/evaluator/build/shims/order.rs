//! The parts of a cell's `lib.rs` in one order. evcxr keeps items, imports and variables in hash maps and writes them in
//! another order in each kernel, so that no cell would have the text that it had before.
//!
//! Only whole lines change places. evcxr knows its code by line numbers, so that errors are told to it with the lines as it
//! has written them.

use ra_ap_syntax::ast::{self, HasAttrs};
use ra_ap_syntax::{AstNode, Edition, SourceFile, SyntaxNode};
use serde_json::Value;
use std::ops::Range;

/// How lines begin that are about one variable each.
const ABOUT_A_VARIABLE: [&str; 3] = [
    "vars_ok &= evcxr_variable_store.check_variable::<",
    "evcxr_variable_store.put_variable::<",
    // With the name between them: see `is_about_a_variable`.
    "let ",
];

/// What stands behind the name in a line that begins with the last of these.
const TAKES: &str = " = evcxr_variable_store.take_variable::<";

/// A text whose lines were put in order: for each of them where it came from. Both count from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ordered {
    pub(super) text: String,
    pub(super) lines: Vec<usize>,
}

/// Puts the lines of evcxr's text in order.
pub(super) fn order(text: &str) -> Ordered {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (mut blocks, mut done): (Vec<Range<usize>>, usize) = (Vec::new(), 0);
    for mut group in groups(text, &lines) {
        let (Some(first), Some(last)) = (group.first().cloned(), group.last().cloned()) else { continue };
        blocks.push(done..first.start);
        done = last.end;
        // A last line without an end must stay where it is.
        if lines[last].concat().ends_with('\n') {
            group.sort_by_key(|block| lines[block.clone()].concat());
        }
        blocks.extend(group);
    }
    blocks.push(done..lines.len());
    let order: Vec<usize> = blocks.into_iter().flatten().collect();
    Ordered { text: order.iter().map(|line| lines[*line]).collect(), lines: order }
}

/// rustc's messages in cargo's words, with the lines as evcxr has written them.
pub(super) fn told_to_evcxr(stdout: &str, lines: &[usize]) -> String {
    let translated = |line: &str| {
        if !line.starts_with(r#"{"reason":"compiler-message""#) {
            return line.to_owned();
        }
        let Ok(mut message) = serde_json::from_str::<Value>(line) else { return line.to_owned() };
        translate(&mut message["message"], lines);
        // The reason must come first, and this map is sorted otherwise.
        let (target, message) = (message["target"].clone(), message["message"].clone());
        format!(r#"{{"reason":"compiler-message","target":{target},"message":{message}}}"#)
    };
    stdout.lines().map(|line| translated(line) + "\n").collect()
}

fn translate(message: &mut Value, lines: &[usize]) {
    for span in message["spans"].as_array_mut().into_iter().flatten() {
        translate_span(span, lines);
    }
    for child in message["children"].as_array_mut().into_iter().flatten() {
        translate(child, lines);
    }
}

fn translate_span(span: &mut Value, lines: &[usize]) {
    if span["file_name"].as_str().is_some_and(|name| name.ends_with("src/lib.rs")) {
        for end in ["line_start", "line_end"] {
            let line = span[end].as_u64().and_then(|line| usize::try_from(line).ok()?.checked_sub(1));
            if let Some(written) = line.and_then(|line| lines.get(line)) {
                span[end] = (written + 1).into();
            }
        }
    }
    if span["expansion"].is_object() {
        translate_span(&mut span["expansion"]["span"], lines);
    }
}

/// Blocks of lines that may change places with the others of their group, in the order of the text.
fn groups(text: &str, lines: &[&str]) -> Vec<Vec<Range<usize>>> {
    let mut groups = items(text);
    let mut at = groups.last().and_then(|group| group.last()).map_or(0, |block| block.end);
    while at < lines.len() {
        let Some(kind) = is_about_a_variable(lines[at]) else {
            at += 1;
            continue;
        };
        let same = lines[at..].iter().take_while(|line| is_about_a_variable(line) == Some(kind)).count();
        groups.push((at..at + same).map(|line| line..line + 1).collect());
        at += same;
    }
    groups
}

/// A type that the user has written may have several lines: then the first of them is no statement.
fn is_about_a_variable(line: &str) -> Option<usize> {
    if !line.contains("(stringify!(") || !line.trim_end().ends_with(';') {
        return None;
    }
    let kind = ABOUT_A_VARIABLE.iter().position(|start| line.starts_with(start))?;
    (ABOUT_A_VARIABLE[kind] != "let " || line.contains(TAKES)).then_some(kind)
}

/// The items above the function that evcxr calls, as groups within which order means nothing.
fn items(text: &str) -> Vec<Vec<Range<usize>>> {
    let starts: Vec<usize> = [0].into_iter().chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let line_of = |offset: usize| starts.partition_point(|start| *start <= offset) - 1;
    let file = SourceFile::parse(text, Edition::Edition2024).tree();
    let (mut groups, mut group): (Vec<Vec<Range<usize>>>, Vec<Range<usize>>) = (Vec::new(), Vec::new());
    for item in file.syntax().children() {
        let range = item.text_range();
        let block = line_of(range.start().into())..line_of(usize::from(range.end()).saturating_sub(1)) + 1;
        let above = group.last().or(groups.last().and_then(|group| group.last())).map_or(0, |block| block.end);
        let stands_alone = block.start >= above && text[starts[block.start]..range.start().into()].trim().is_empty();
        let is_next = group.last().is_none_or(|last| last.end == block.start);
        if !is_movable(&item) || !stands_alone || !is_next {
            groups.extend((!group.is_empty()).then(|| std::mem::take(&mut group)));
        }
        if is_generated(&item) {
            break;
        }
        if is_movable(&item) && stands_alone {
            group.push(block);
        } else if let Some(last) = groups.last_mut().and_then(|group| group.last_mut())
            && !stands_alone
        {
            // What shares a line with another item stays with it, and both where they are.
            last.end = last.end.max(block.end);
            let whole = groups.pop().unwrap_or_default();
            groups.extend(whole.iter().take(whole.len() - 1).cloned().map(|block| vec![block]));
        }
    }
    groups.extend((!group.is_empty()).then_some(group));
    groups
}

/// Whether it means the same wherever it stands. Macros are known only below their definition.
fn is_movable(item: &SyntaxNode) -> bool {
    match ast::Item::cast(item.clone()) {
        Some(ast::Item::Module(module)) => !module.attrs().any(|attribute| attribute.to_string().contains("macro_use")),
        Some(ast::Item::MacroRules(_) | ast::Item::MacroCall(_) | ast::Item::MacroDef(_)) | None => false,
        Some(_) => true,
    }
}

/// What evcxr writes around the cell's own statements begins here.
fn is_generated(item: &SyntaxNode) -> bool {
    match ast::Item::cast(item.clone()) {
        Some(ast::Item::Module(module)) => module.to_string().contains("mod evcxr_internal_runtime"),
        Some(ast::Item::Fn(function)) => function.to_string().contains("fn run_user_code_"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const HEAD: &str = "#![allow(unused_imports)]\n";
    const END: &str = "#[unsafe(no_mangle)]\npub extern \"C\" fn run_user_code_1(\nx: u8) {\n";

    fn written(items: &[&str], variables: &[&str]) -> String {
        let takes = variables.iter().map(|name| format!("let {name}{TAKES}u8>(stringify!({name}));\n"));
        let puts = variables.iter().map(|name| format!("{}u8>(stringify!({name}), {name});\n", ABOUT_A_VARIABLE[1]));
        let (takes, puts): (String, String) = (takes.collect(), puts.collect());
        format!("{HEAD}{}{END}{takes}f();\n{puts}}}\n", items.concat())
    }

    #[test]
    fn whatever_order_evcxr_writes_in_the_text_is_the_same() {
        let (a, b, c) = ("use a::b;\n", "// about f\n#[inline]\nfn f() {\n    g()\n}\n", "struct S;\n");
        let one = order(&written(&[a, b, c], &["x", "y", "z"]));
        for other in [written(&[c, b, a], &["z", "x", "y"]), written(&[b, a, c], &["y", "z", "x"])] {
            assert_eq!(order(&other).text, one.text);
            let lines: Vec<&str> = other.lines().collect();
            let told: Vec<&str> = order(&other).lines.iter().map(|line| lines[*line]).collect();
            assert_eq!(told, one.text.lines().collect::<Vec<_>>(), "each line is known by where it came from");
        }
        assert_eq!(order(&one.text).text, one.text);
    }

    #[test]
    fn macros_stay_above_and_below_what_they_are() {
        for text in [
            written(&["use z::z;\n", "macro_rules! m { () => {} }\n", "m!();\n", "use a::a;\n"], &[]),
            written(&["#[macro_use] mod m { macro_rules! n { () => {} } }\n", "n!();\n", "fn a() {}\n"], &[]),
            written(&["fn z() {} fn y() {}\n"], &["a"]),
            written(&["struct Z; struct Y;\n", "fn a() {} fn b() {\n}\n"], &[]),
            "fn z() {}\nfn a() {}".to_owned(),
            "not Rust {{{".to_owned(),
            String::new(),
        ] {
            assert_eq!(order(&text).text, text);
        }
    }

    #[test]
    fn evcxr_hears_of_the_lines_that_it_has_written() {
        let span =
            |line: usize| json!({"file_name": "src/lib.rs", "line_start": line, "line_end": line, "expansion": null});
        let elsewhere = json!({"file_name": "/std/lib.rs", "line_start": 1, "line_end": 1});
        let message = json!({"spans": [span(1), elsewhere], "children": [{"spans": [span(2)], "children": []}]});
        let stdout = format!("{{\"reason\":\"compiler-message\",\"target\":{{}},\"message\":{message}}}\nother\n");
        let told = told_to_evcxr(&stdout, &[1, 0]);
        assert!(told.starts_with(r#"{"reason":"compiler-message""#) && told.ends_with("other\n"));
        let told: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
        assert_eq!(told["message"]["spans"], json!([span(2), elsewhere]));
        assert_eq!(told["message"]["children"][0]["spans"], json!([span(1)]));
    }

    #[test]
    fn a_statement_of_several_lines_stays_whole() {
        let put = ABOUT_A_VARIABLE[1];
        let table = format!("{put}HashMap<\n    String,\n    u8,\n>>(stringify!(t), t);\n");
        let text = format!("{HEAD}{END}{put}u8>(stringify!(z), z);\n{table}{put}u8>(stringify!(a), a);\n}}\n");
        assert!(order(&text).text.contains(&table), "{}", order(&text).text);
    }
}
