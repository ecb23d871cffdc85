//! What cargo and rustc say when a dependency cannot be had, as people want to read it.

use loopbook_channel::counted;
use serde_json::Value;
use std::path::Path;

/// Lines of cargo's that say nothing about what went wrong, by their beginnings.
const NOISE: &[&str] = &[
    "--> ",
    "Adding ",
    "As a reminder, you're using offline mode",
    "Blocking ",
    "Caused by:",
    "Compiling ",
    "Downloaded ",
    "Downloading ",
    "If a previous `-C",
    "Locking ",
    "Updating ",
    "failed to load source for dependency `",
    "failed to select a version for `",
    "help: ",
    "if you are looking for the prerelease",
    "location searched: ",
    "note: ",
    "required by package `ctx",
    "versions that meet the requirements",
    "warning: ",
    "|",
];

/// How cargo says that there is no network.
const NO_NETWORK: &[&str] = &[
    "Could not resolve host",
    "Could not connect",
    "Couldn't connect",
    "Connection refused",
    "Timeout was reached",
    "Network is unreachable",
    "SSL connect error",
    "failed to resolve address",
];

/// Most lines of a message that are shown.
const LINES: usize = 30;

/// Why cargo did not find what it was asked for.
pub(super) fn of_resolution(stderr: &str) -> String {
    if let Some(line) = stderr.lines().rev().find(|line| NO_NETWORK.iter().any(|sign| line.contains(sign))) {
        let line = line.trim().trim_start_matches("error: ");
        return format!("not all of it is on this machine, and the network cannot be reached: {line}");
    }
    cargo_error(stderr)
}

/// Why a dependency does not compile. `output` is what cargo wrote to stdout: a JSON message per line.
pub(super) fn of_build(output: &str, stderr: &str) -> String {
    let errors: Vec<String> = output
        .lines()
        .filter(|line| line.starts_with(r#"{"reason":"compiler-message""#))
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["message"]["level"] == "error")
        .filter_map(|line| rendered(&line))
        .collect();
    if errors.is_empty() {
        return of_resolution(stderr);
    }
    shortened(errors.join("\n").lines())
}

/// The crate that a cell asks for although it has no library, if cargo warned of one.
pub(super) fn without_library(stderr: &str) -> Option<&str> {
    let line = stderr.lines().find(|line| line.contains("which is missing a lib target"))?;
    line.split('`').nth(1)
}

/// A compiler's error with the crate that it is about. Paths begin at the crate's directory.
fn rendered(line: &Value) -> Option<String> {
    let text = line["message"]["rendered"].as_str()?.trim();
    if text.starts_with("error: aborting due to") {
        return None;
    }
    let manifest = Path::new(line["manifest_path"].as_str().unwrap_or_default());
    let directory = manifest.parent().map(|directory| format!("{}/", directory.display())).unwrap_or_default();
    let text = if directory.len() > 1 { text.replace(&directory, "") } else { text.to_owned() };
    let krate = line["target"]["name"].as_str().unwrap_or_default();
    if line["message"]["code"].is_null() && text.contains("linking with") {
        return Some(linker(&text));
    }
    Some(format!("in `{krate}`: {text}"))
}

/// A linker's error without its command, which is longer than a page.
fn linker(text: &str) -> String {
    let said = text.lines().map(str::trim).filter(|line| line.contains("ld: ") || line.contains("error: "));
    let said: Vec<_> = said.map(|line| line.trim_start_matches("= note: ")).collect();
    format!("the linker failed:\n{}", said.join("\n"))
}

/// cargo's own error: of a chain of causes all that are not about the place where the notebook is compiled.
fn cargo_error(stderr: &str) -> String {
    let lines = stderr
        .lines()
        .skip_while(|line| !line.starts_with("error"))
        .map(|line| line.trim_start_matches("error: ").trim())
        .filter(|line| !(line.is_empty() || is_place(line) || NOISE.iter().any(|noise| line.starts_with(noise))));
    let mut lines: Vec<&str> = lines.filter(|line| !line.starts_with("... required by package `ctx")).collect();
    // A build script says a lot before it fails, and why at its end.
    if let Some(place) = lines.iter().position(|line| *line == "--- stderr") {
        let said = lines.split_off(place + 1);
        lines.truncate(1);
        let said: Vec<&str> = said.into_iter().filter(|line| !line.contains("RUST_BACKTRACE")).collect();
        lines.extend(&said[said.len().saturating_sub(LINES / 2)..]);
    }
    if lines.is_empty() {
        // All was noise: then the noise is the message.
        lines = stderr.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
    }
    let lines: Vec<String> = lines.iter().map(|line| of_notebook(line)).collect();
    shortened(lines.iter().map(String::as_str))
}

/// Whether a line is about where the notebook is compiled, or quotes the manifest that nobody but us has written.
fn is_place(line: &str) -> bool {
    let quotes = line.split_once(" |").is_some_and(|(number, _)| number.chars().all(|c| c.is_ascii_digit()));
    let is_manifest = line.contains("manifest at `") && line.trim_end_matches('`').ends_with("/check/Cargo.toml");
    quotes || is_manifest || line.starts_with("process didn't exit successfully")
}

/// The crate that evcxr writes is the notebook.
fn of_notebook(line: &str) -> String {
    let Some((before, rest)) = line.split_once("package `ctx") else { return line.to_owned() };
    let after = rest.split_once('`').map_or("", |(_, after)| after);
    format!("{before}the notebook{after}")
}

fn shortened<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines: Vec<&str> = lines.collect();
    let mut text = lines.iter().take(LINES).copied().collect::<Vec<_>>().join("\n");
    if lines.len() > LINES {
        text += &format!("\n… and {}", counted(lines.len() - LINES, "more line"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_or_version_that_does_not_exist_is_named_without_the_place_of_the_notebook() {
        let unknown = "    Updating crates.io index\nerror: no matching package named `nope` found\nlocation searched: \
            crates.io index\nrequired by package `ctx v1.0.0 (/home/x/.cache/loopbook/work/1-a/check)`\n";
        assert_eq!(of_resolution(unknown), "no matching package named `nope` found");
        let version = "error: failed to select a version for the requirement `itoa = \"^99\"`\ncandidate versions found \
            which didn't match: 1.0.18, 1.0.17, 1.0.16, ...\nlocation searched: crates.io index\nrequired by package \
            `ctx v1.0.0 (/x)`\nif you are looking for the prerelease package it needs to be specified explicitly\n";
        assert_eq!(
            of_resolution(version),
            "failed to select a version for the requirement `itoa = \"^99\"`\ncandidate versions found which didn't \
             match: 1.0.18, 1.0.17, 1.0.16, ..."
        );
    }

    #[test]
    fn a_feature_that_does_not_exist_is_named() {
        let feature = "error: failed to select a version for `itoa`.\n    ... required by package `ctx v1.0.0 (/x)`\n\
            versions that meet the requirements `^1` are: 1.0.18\n\npackage `ctx` depends on `itoa` with feature `nope` \
            but `itoa` does not have that feature.\n\n\nfailed to select a version for `itoa` which could resolve this conflict\n";
        let said = of_resolution(feature);
        assert!(said.starts_with("the notebook depends on `itoa` with feature `nope`"), "{said}");
        assert!(!said.contains("ctx") && !said.contains("/x"), "{said}");
    }

    #[test]
    fn what_is_wrong_in_the_line_is_said_without_the_manifest_that_it_became() {
        let version = "error: failed to parse manifest at `/x/work/1-a/check/Cargo.toml`\n\nCaused by:\n  failed to parse the \
            version requirement `one` for dependency `serde`\n\nCaused by:\n  unexpected character 'o'\n";
        let said = of_resolution(version);
        assert!(said.starts_with("failed to parse the version requirement `one`") && !said.contains("/x"), "{said}");
        let kind = "error: invalid type: string \"derive\", expected a sequence\n\n --> Cargo.toml:6:9\n  |\n6 | serde = 1\n  |  ^^\n";
        assert_eq!(of_resolution(kind), "invalid type: string \"derive\", expected a sequence");
        let renamed = "error: no matching package found\nsearched package name: `async_trait`\nperhaps you meant:      \
            async-trait\nlocation searched: crates.io index\nrequired by package `ctx v1.0.0 (/x)`\n";
        assert!(of_resolution(renamed).contains("`async_trait`\nperhaps you meant"));
    }

    #[test]
    fn a_network_that_is_not_there_is_one_sentence() {
        let offline = "    Updating crates.io index\nwarning: spurious network error (1 try remaining): [6] Could not \
            resolve hostname (Could not resolve host: index.example)\nerror: failed to get `nope` as a dependency of \
            package `ctx v1.0.0 (/x)`\n\nCaused by:\n  download of config.json failed\n\nCaused by:\n  [6] Could not \
            resolve hostname (Could not resolve host: index.example)\n";
        let said = of_resolution(offline);
        assert!(said.contains("network cannot be reached") && !said.contains('\n'), "{said}");
    }

    #[test]
    fn of_a_compilation_the_errors_are_shown_with_paths_inside_the_crate() {
        let message = serde_json::json!({
            "reason": "compiler-message", "manifest_path": "/r/broken-1/Cargo.toml", "target": {"name": "broken"},
            "message": {"level": "error", "code": {"code": "E0425"}, "rendered": "error[E0425]: cannot find value `x`\n --> /r/broken-1/src/lib.rs:1:1\n"},
        });
        let text = message.to_string();
        let (reason, rest) = (r#""reason":"compiler-message""#, text.trim_start_matches('{'));
        let line = format!("{{{reason},{rest}");
        assert_eq!(of_build(&line, ""), "in `broken`: error[E0425]: cannot find value `x`\n --> src/lib.rs:1:1");
    }

    #[test]
    fn of_a_build_script_its_last_words_are_shown() {
        let said = of_build(
            "",
            "   Compiling x-sys v0.1.0\nerror: failed to run custom build command for `x-sys v0.1.0`\n\nCaused by:\n  process \
             didn't exit successfully: `/t/build-script-build` (exit status: 101)\n  --- stdout\n  cargo:rerun-if-env-changed=A\n\
             \n  --- stderr\n  thread 'main' panicked:\n  no library x\n  note: run with `RUST_BACKTRACE=1`\n",
        );
        assert_eq!(
            said,
            "failed to run custom build command for `x-sys v0.1.0`\nthread 'main' panicked:\nno library x"
        );
    }

    #[test]
    fn a_program_is_no_library() {
        let warning = "warning: ctx v1.0.0 (/x) ignoring invalid dependency `ripgrep` which is missing a lib target";
        assert_eq!(without_library(warning), Some("ripgrep"));
        assert_eq!(without_library("warning: other"), None);
    }
}
