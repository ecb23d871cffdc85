//! What the pages for people say, against what there is: names of files, and the names that need no `use`.

use loopbook_kernel::evaluator::commands;
use loopbook_kernel::evaluator::support::prelude;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Endings of names that are files of this repository, unless somebody else's are meant.
const ENDINGS: [&str; 7] = [".rs", ".py", ".md", ".sh", ".ipynb", ".toml", ".txt"];

/// Files of others that are talked about.
const OTHERS: [&str; 3] = ["evcxr.toml", "rust-toolchain.toml", "main.rs"];

/// Directories with what was made from the source.
const MADE: [&str; 3] = ["target", ".git", "node_modules"];

/// Where paths from the root begin.
const TOPS: [&str; 5] = ["src/", "kernel/", "tests/", "benches/", "notebooks/"];

/// The most lines that a newcomer reads at once.
const LONGEST_ARCHITECTURE: usize = 150;

#[test]
fn every_file_that_is_named_in_prose_is_there() {
    let files = files(&root());
    for (page, text) in pages() {
        for name in named(&text) {
            let is_there = files.iter().any(|file| file == &name || file.ends_with(&format!("/{name}")));
            assert!(is_there, "{page} names `{name}`, and there is no such file");
        }
    }
}

#[test]
fn the_architecture_fits_on_a_page() {
    let lines = read("ARCHITECTURE.md").lines().count();
    assert!(lines <= LONGEST_ARCHITECTURE, "ARCHITECTURE.md has {lines} lines");
}

#[test]
fn every_folder_that_the_architecture_names_is_there() {
    let spans = spans(&read("ARCHITECTURE.md"));
    let is_path = |span: &&str| TOPS.iter().any(|top| span.starts_with(top));
    // Behind a program stand its arguments.
    let paths: Vec<&str> = spans.iter().filter_map(|span| span.split(' ').next()).filter(is_path).collect();
    assert!(paths.len() > 40, "only {} paths are found", paths.len());
    for path in paths {
        assert!(root().join(path).exists(), "ARCHITECTURE.md names `{path}`, and there is no such thing");
    }
}

#[test]
fn every_test_that_the_architecture_names_is_there() {
    let python = files(&root().join("tests/jupyter")).into_iter().filter(|file| file.ends_with(".py"));
    let python: Vec<(String, String)> = python.map(|file| (read(&file), file)).collect();
    let guards = spans(&read("ARCHITECTURE.md"));
    let is_there = |guard: &str| match guard.strip_prefix("it::") {
        Some(module) => root().join("tests/it").join(module).with_extension("rs").is_file(),
        None => python
            .iter()
            .any(|(text, file)| file.ends_with(&format!("/{guard}.py")) || text.contains(&format!("\ndef {guard}("))),
    };
    let is_guard = |span: &&String| (span.starts_with("it::") && span.len() > 4) || span.starts_with("test_");
    let guards: Vec<&String> = guards.iter().filter(is_guard).filter(|guard| *guard != "test_…").collect();
    assert!(guards.len() > 15, "only {} tests are found", guards.len());
    for guard in guards {
        assert!(is_there(guard), "ARCHITECTURE.md names `{guard}`, and there is no such test");
    }
}

#[test]
fn a_file_that_is_not_there_is_noticed() {
    let named = |text: &str| named(text).join(" ");
    assert_eq!(
        named("see `src/{a,b}.rs` and [it](docs/x.md), `ex02_dont_block`"),
        "src/a.rs src/b.rs ex02_dont_block docs/x.md"
    );
    assert_eq!(named("`x.len()`, `a.b`, [far](https://example.com/x.md), [heading](#here), `tests/…/x.rs`"), "");
}

#[test]
fn the_names_that_need_no_use_are_told_everywhere() {
    let sentence = prelude::sentence();
    let help = commands::help(None).expect("the list of commands")["text/plain"].to_string();
    assert!(help.contains(&sentence), "{help}");
    for page in ["README.md", "notebooks/00_tour.ipynb", "notebooks/01_what_is_async.ipynb"] {
        let (_, text) = pages().into_iter().find(|(name, _)| name == page).expect("the page is there");
        assert!(text.contains(&sentence), "{page} does not say: {sentence}");
    }
}

/// The README, the architecture, and what notebooks say beside their code: names and texts.
fn pages() -> Vec<(String, String)> {
    let mut pages: Vec<_> = ["README.md", "ARCHITECTURE.md"].map(|name| (name.to_owned(), read(name))).into();
    for file in files(&root()).into_iter().filter(|file| file.starts_with("notebooks/") && file.ends_with(".ipynb")) {
        let notebook: Value = serde_json::from_str(&read(&file)).expect("a notebook is JSON");
        let cells = notebook["cells"].as_array().expect("a notebook has cells").iter();
        let prose = cells.filter(|cell| cell["cell_type"] == "markdown").map(|cell| {
            let lines = cell["source"].as_array().into_iter().flatten();
            lines.filter_map(Value::as_str).collect::<String>()
        });
        pages.push((file, prose.collect::<Vec<_>>().join("\n\n")));
    }
    assert!(pages.len() > 10, "the notebooks are there");
    pages
}

/// The files that a text names: in code spans, and as targets of links.
fn named(text: &str) -> Vec<String> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()).map(str::to_owned);
    let is_file = |name: &String| {
        let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
        let is_exercise =
            name.len() > 5 && name.starts_with("ex") && name[2..4].parse::<u8>().is_ok() && name[4..].starts_with('_');
        let has_ending = ENDINGS.iter().any(|ending| name.len() > ending.len() && name.ends_with(ending));
        is_plain && (is_exercise || has_ending) && !OTHERS.contains(&name.as_str()) && !name.starts_with('/')
    };
    spans(text).into_iter().chain(links).map(|name| name.trim_start_matches("./").to_owned()).filter(is_file).collect()
}

/// What stands in code spans.
fn spans(text: &str) -> Vec<String> {
    without_blocks(text).split('`').skip(1).step_by(2).flat_map(|span| alternatives(span.trim())).collect()
}

/// `a.rs` and `b.rs` for `{a,b}.rs`.
fn alternatives(span: &str) -> Vec<String> {
    let Some((before, rest)) = span.split_once('{') else { return vec![span.to_owned()] };
    let Some((words, after)) = rest.split_once('}') else { return vec![span.to_owned()] };
    words.split(',').map(|word| format!("{before}{word}{after}")).collect()
}

/// The text without its blocks of code, whose fences would be taken for spans.
fn without_blocks(text: &str) -> String {
    text.split("```").step_by(2).collect::<Vec<_>>().join("\n")
}

fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory of the source").map(|entry| entry.expect("an entry")) {
        let path = entry.path();
        if MADE.iter().any(|made| entry.file_name() == *made) {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path.strip_prefix(root()).expect("it is below the root").to_string_lossy().into_owned());
        }
    }
    found
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
