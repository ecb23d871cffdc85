//! Rules of the source that the compiler does not know.

mod rooms;

use loopbook_kernel::evaluator::EVCXR_VERSION;
use std::fs;
use std::path::{Path, PathBuf};

/// The longest file, in lines.
const MAX_LINES: usize = 400;

#[test]
fn every_file_begins_with_what_it_is_for() {
    let bare = |(_, text): &(String, String)| !text.starts_with("//!");
    assert_none("these files have no module doc", sources(&["src", "kernel", "tests"]).into_iter().filter(bare));
}

#[test]
fn no_file_is_too_long_to_read() {
    let long = |(_, text): &(String, String)| text.lines().count() >= MAX_LINES;
    assert_none("these files have 400 lines or more", sources(&["src", "kernel", "tests"]).into_iter().filter(long));
}

#[test]
fn zeromq_is_named_only_by_the_sockets() {
    assert_named_only_in("zeromq", "src/sockets/");
}

#[test]
fn evcxr_is_named_only_by_the_evaluator() {
    assert_named_only_in("evcxr", "src/evaluator/");
}

#[test]
fn nothing_in_the_program_sleeps_on_a_thread() {
    let sleeps = |(_, text): &(String, String)| code(text).contains("thread::sleep");
    assert_none("these files sleep where they should wait for an event", sources(&["src"]).into_iter().filter(sleeps));
}

#[test]
fn nothing_past_the_wire_looks_at_untyped_json() {
    let untyped =
        |(_, text): &(String, String)| code(text.split("#[cfg(test)]").next().unwrap_or(text)).contains("serde_json");
    let files = sources(&["src/dispatcher", "src/evaluator", "src/sockets"]).into_iter();
    // Tests make JSON to compare with; the connection file is JSON and is read into a struct. What cargo and rustc say is
    // JSON, and so is a file of ours with names; the metadata of displays are passed on.
    let expected = ["_tests.rs", "connection_file.rs", "src/evaluator/mod.rs", "src/evaluator/reference/mod.rs"];
    let about_cargo = ["src/evaluator/build/", "src/evaluator/errors/"];
    let files = files.filter(|(path, _)| {
        !expected.iter().any(|end| path.ends_with(end)) && !about_cargo.iter().any(|start| path.starts_with(start))
    });
    assert_none("these files use serde_json", files.filter(untyped));
}

#[test]
fn the_changelog_knows_this_version() {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).expect("CHANGELOG.md is at the root");
    let version = env!("CARGO_PKG_VERSION");
    let newest = changelog.lines().find(|line| line.starts_with("## ")).unwrap_or_default();
    assert!(newest.contains(version), "the newest entry of CHANGELOG.md is `{newest}`, Cargo.toml says {version}");
}

#[test]
fn the_version_of_evcxr_is_that_of_the_manifest() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml is at the root");
    let line = format!("evcxr = {{ version = \"={EVCXR_VERSION}\", optional = true }}");
    assert!(manifest.lines().any(|known| known == line), "Cargo.toml has no line `{line}`");
}

/// Modules and paths of this crate are named where it is used; words in comments and in texts for people do not count.
#[track_caller]
fn assert_named_only_in(name: &str, home: &str) {
    let uses = [format!("{name}::"), format!("use {name}"), format!("extern crate {name}")];
    let named = |(path, text): &(String, String)| {
        !path.starts_with(home) && code(text).lines().any(|line| uses.iter().any(|usage| names(line, usage)))
    };
    assert_none(&format!("`{name}` belongs in {home}"), sources(&["src"]).into_iter().filter(named));
}

/// Whether the line has this text, not as the end of a longer word.
fn names(line: &str, usage: &str) -> bool {
    line.match_indices(usage).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// The text without its comment lines.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn assert_none(what: &str, offenders: impl Iterator<Item = (String, String)>) {
    let paths: Vec<String> = offenders.map(|(path, _)| path).collect();
    assert!(paths.is_empty(), "{what}: {paths:#?}");
}

/// Path (from the root) and text of every Rust file in these directories.
fn sources(directories: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    directories.iter().for_each(|directory| collect(&root().join(directory), &mut found));
    assert!(!found.is_empty(), "no sources in {directories:?}");
    found
}

fn collect(directory: &Path, found: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for path in entries.map(|entry| entry.expect("a readable directory").path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root()).expect("found below the root").display().to_string();
            found.push((relative, fs::read_to_string(&path).expect("sources are UTF-8")));
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
