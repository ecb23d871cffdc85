//! The pass as a whole.
use super::parse::problem;
use super::*;

/// What evcxr gets for cell 1, without marks and with every `.await` as typed.
pub(super) fn unmarked(code: &str) -> String {
    let prepared = prepared(code);
    without_marks(&prepared.without_await_marks().unwrap_or(prepared).rust)
}

pub(super) fn prepared(code: &str) -> PreparedCell {
    prepare(1, code, &Notebook::default()).unwrap_or_else(|problems| panic!("{code}: {problems:?}"))
}

pub(super) fn without_marks(rust: &str) -> String {
    let mut parts = rust.split("/*lb:");
    let mut text = parts.next().unwrap_or_default().to_owned();
    text.extend(parts.map(|part| part.split_once("*/").map_or(part, |(_, rest)| rest)));
    text
}

use super::parse::syntax::Tree;
use loopbook_channel::Mark;
use ra_ap_syntax::{AstNode, Edition, SourceFile, SyntaxKind, ast};
use std::time::{Duration, Instant};

/// Cells that parse, and cells that do not with the first problem's place and message.
const GOOD: &str = include_str!("corpus/good.txt");
const BROKEN: &str = include_str!("corpus/broken.txt");

fn cells(corpus: &str) -> impl Iterator<Item = &str> {
    corpus.split("%%%%\n")
}

fn good() -> impl Iterator<Item = (&'static str, PreparedCell)> {
    let prepared = |code, ticks| match prepare(3, code, &Notebook { ticks, ..Notebook::default() }) {
        Ok(prepared) => (code, prepared),
        Err(problems) => panic!("{code}\n{problems:#?}"),
    };
    cells(GOOD).flat_map(move |code| [false, true].map(|ticks| prepared(code, ticks)))
}

/// Cuts a cell as evcxr's `code_block.rs` and `statement_splitter.rs` do; panics at a line that it takes for a command.
fn segments(rust: &str) -> Vec<&str> {
    let is_ignored = |line: &str| line.starts_with("//") || line.trim().is_empty();
    let mut start = 0;
    for line in rust.split_inclusive('\n') {
        if !is_ignored(line.trim_end_matches('\n')) {
            assert!(!line.starts_with('!') && !line.trim_start_matches(' ').starts_with(':'), "a command: {line}");
            break;
        }
        start += line.len();
    }
    let code = &rust[start..];
    let prelude = "fn f(){";
    let parse = SourceFile::parse(&format!("{prelude}{code}\n}}"), Edition::Edition2024);
    let list = parse.tree().syntax().children().next().and_then(ast::Fn::cast).and_then(|f| f.body()?.stmt_list());
    let nodes: Vec<_> = list.expect("a body").syntax().children().collect();
    let end = |node: usize| nodes.get(node).map_or(code.len(), |n| usize::from(n.text_range().start()) - prelude.len());
    let mut at = 0;
    let mut segments = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let is_last = index + 1 == nodes.len();
        assert!(!(is_last && ast::Expr::can_cast(node.kind())), "an expression at the end: {rust}");
        segments.push(&code[at..end(index + 1)]);
        at = end(index + 1);
    }
    segments
}

#[test]
fn the_corpus_is_large() {
    assert!(cells(GOOD).count() >= 200, "{} cells", cells(GOOD).count());
}

#[test]
fn what_evcxr_gets_parses() {
    for (code, prepared) in good() {
        if let Err(problems) = Tree::parse(&prepared.rust) {
            panic!("{code}\n{}\n{problems:#?}", prepared.rust);
        }
    }
}

#[test]
fn every_segment_of_evcxr_s_knows_its_lines() {
    for (code, prepared) in good() {
        for segment in segments(&prepared.rust) {
            let is_attribute = segment.trim_start().starts_with("#!");
            let is_impl_name = segment.starts_with("#[allow(non_camel_case_types");
            let begins_in_literal = segment.starts_with('"') && segment.contains("\n");
            let is_marked = Mark::find(segment).is_some_and(|(_, mark)| mark.cell == 3);
            assert!(is_marked || is_attribute || is_impl_name || begins_in_literal, "{code}\n{segment}");
            for line in segment.lines().filter(|line| line.contains("/*lb:3:")) {
                let (start, Mark { line: number, .. }) = Mark::find(line).expect("a mark");
                if number == 1 && code.contains("s = \"/*lb:3:1*/\"") {
                    continue;
                }
                let rest = line[start..].split_once("*/").expect("a mark ends").1;
                let rest = rest.split("/*lb:").next().unwrap_or_default().trim();
                let is_ours = |word: &str| {
                    [
                        "loopbook", "private", "unstored", "try", "show", "Slot", "mutex", "early", "tick", "let",
                        "lb", "shield",
                    ]
                    .contains(&word)
                };
                let mut words = rest.split(|c: char| !c.is_alphanumeric());
                let word = words.find(|word| word.len() > 2 && !is_ours(word)).unwrap_or_default();
                let original = code.lines().nth(number as usize - 1).expect("a line of the cell");
                assert!(original.contains(word), "{code}\n{line}");
            }
        }
    }
}

#[test]
fn every_identifier_is_found_again() {
    for (code, prepared) in good() {
        let source = prepared.map.source();
        let Ok(tree) = Tree::parse(&prepared.rust) else { panic!("{code}") };
        let is_name = |kind| kind == SyntaxKind::IDENT;
        let mut found = std::collections::BTreeSet::new();
        for (at, token) in tree.tokens().filter(|(_, token)| is_name(token.kind())) {
            let origin = prepared.map.source_offset(at);
            if source[origin..].starts_with(token.text()) {
                found.insert(origin);
            }
        }
        let original = Tree::parse(source).unwrap_or_else(|problems| panic!("{problems:?}"));
        for (at, token) in original.tokens().filter(|(_, token)| is_name(token.kind())) {
            // A cell is no test build: `#[test]` is taken away.
            assert!(
                found.contains(&at) || [MUTEX, "test"].contains(&token.text()),
                "{code}\n`{}` at {at} is lost",
                token.text()
            );
        }
    }
}

#[test]
fn a_place_in_a_line_of_evcxr_s_is_found_in_the_cell() {
    for (code, prepared) in good() {
        let mut from = 0;
        for segment in segments(&prepared.rust) {
            let segment_at = from + prepared.rust[from..].find(segment).expect("cut from it");
            from = segment_at + segment.len();
            let mut at = segment_at;
            for line in segment.split_inclusive('\n') {
                let is_fake = code.contains("/*lb:") || !line.contains("/*lb:3:");
                for (column, (offset, c)) in line.trim_end_matches('\n').char_indices().enumerate() {
                    if is_fake || !c.is_alphabetic() {
                        continue;
                    }
                    let direct = problem::position(prepared.map.source(), prepared.map.source_offset(at + offset));
                    let located = prepared.map.locate(line, column as u32 + 1);
                    // Two equal statements on one line cannot be told apart.
                    assert_eq!(located, Some(direct), "{code}\n{line} column {}", column + 1);
                }
                at += line.len();
            }
        }
    }
}

#[test]
fn broken_cells_are_refused_at_the_right_place() {
    for case in cells(BROKEN) {
        let (expected, code) = case.split_once('\n').expect("a place and a cell");
        let code = code.strip_suffix('\n').unwrap_or(code);
        let problems = prepare(1, code, &Notebook::default()).expect_err(code);
        let (line, col) = problems[0].place();
        let found = format!("{line}:{col} {}", problems[0].message);
        assert!(found.starts_with(expected), "{code}\nexpected {expected}\nfound {found}");
        assert!(problems.len() <= problem::MOST);
    }
}

#[test]
fn carriage_returns_change_nothing() {
    for (code, prepared) in good() {
        let other = prepare(3, &code.replace('\n', "\r\n"), &prepared.origin.notebook).expect("as good as without");
        assert_eq!(other.rust, prepared.rust);
    }
}

#[test]
fn preparing_is_repeatable() {
    for (code, prepared) in good() {
        assert_eq!(prepare(3, code, &prepared.origin.notebook).as_ref(), Ok(&prepared));
    }
}

/// Deletes, doubles and replaces pieces of the corpus; whatever comes of it, nothing panics.
#[test]
fn two_thousand_mutations_do_no_harm() {
    let corpus: Vec<_> = cells(GOOD).chain(cells(BROKEN)).collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let notebook = Notebook { local_slots: true, ticks: true, ..Notebook::default() };
    for _ in 0..2_000 {
        let mut bytes = corpus[random(corpus.len())].as_bytes().to_vec();
        for _ in 0..=random(3) {
            let start = random(bytes.len());
            let end = (start + random(9)).min(bytes.len());
            match random(3) {
                0 => drop(bytes.drain(start..end)),
                1 => bytes.splice(start..start, bytes[start..end].to_vec()).for_each(drop),
                _ => bytes.splice(start..end, [b"\"'{}()[]/*!?:#\n"[random(15)]]).for_each(drop),
            }
        }
        let code = String::from_utf8_lossy(&bytes);
        is_complete(&code);
        if let Ok(prepared) = prepare(1, &code, &notebook) {
            segments(&prepared.rust);
            assert!(Tree::parse(&prepared.rust).is_ok(), "{code}\n{}", prepared.rust);
        }
    }
}

#[test]
fn large_cells_take_time_in_proportion() {
    let texts = [
        format!("let s = \"{}\";", "x".repeat(1_000_000)),
        format!("let v = [{}];", "1, ".repeat(20_000)),
        "let a = f(1)?; ".repeat(2_000),
        (0..2_000).map(|number| format!("fn f{number}() {{ g(); }}\n")).collect(),
        format!("// {}\n1", "x".repeat(1_000_000)),
    ];
    for text in texts {
        let start = Instant::now();
        let prepared = prepare(1, &text, &Notebook::default());
        assert!(prepared.is_ok(), "{:.40}", text);
        assert!(start.elapsed() < Duration::from_secs(20), "{:.40} took {:?}", text, start.elapsed());
    }
}

#[test]
fn nesting_up_to_the_limit_is_survived() {
    for text in ["!".repeat(1_900) + "x", "a+".repeat(900) + "1", "(".repeat(190) + &")".repeat(190)] {
        let _ = prepare(1, &format!("let y = {text};"), &Notebook::default());
    }
    let deep = "let y = ".to_owned() + &"!".repeat(1_000_000) + "x;";
    assert!(prepare(1, &deep, &Notebook::default()).is_err());
}
