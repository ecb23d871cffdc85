//! Advice for cells that name a crate which the notebook does not have: the line that adds it.

use super::diagnostics::Diagnostic;
use crate::evaluator::build::cached_crates::Crates;
use semver::Version;
use std::collections::BTreeSet;

/// Well-known crates, as they are best added: with a version that is known to work, and what most people want of them.
const WELL_KNOWN: &str = r#"
anyhow = "1"
approx = "0.5"
async-io = "2"
async-recursion = "1"
async-stream = "0.3"
async-trait = "0.1"
axum = "0.8"
base64 = "0.22"
bitflags = "2"
bytes = "1"
chrono = { version = "0.4", features = ["serde"] }
clap = { version = "4", features = ["derive"] }
colored = "3"
criterion = "0.5"
crossbeam = "0.8"
csv = "1"
dashmap = "6"
derive_more = { version = "2", features = ["full"] }
either = "1"
env_logger = "0.11"
fastrand = "2"
flate2 = "1"
futures-concurrency = "7"
futures-lite = "2"
futures-util = "0.3"
hex = "0.4"
hyper = { version = "1", features = ["full"] }
indexmap = "2"
indicatif = "0.18"
isahc = "1"
itertools = "0.14"
lazy_static = "1"
libc = "0.2"
log = "0.4"
moka = { version = "0.12", features = ["future"] }
nalgebra = "0.34"
ndarray = "0.16"
nix = { version = "0.30", features = ["fs", "process", "signal"] }
num = "0.4"
num-traits = "0.2"
once_cell = "1"
ordered-float = "5"
parking_lot = "0.12"
petgraph = "0.8"
pin-project = "1"
pin-project-lite = "0.2"
plotly = "0.12"
plotters = "0.3"
pollster = "0.4"
proptest = "1"
rand = "0.9"
rayon = "1"
regex = "1"
reqwest = { version = "0.12", features = ["json"] }
rusqlite = { version = "0.37", features = ["bundled"] }
semver = "1"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
serde_with = "3"
sha2 = "0.10"
slab = "0.4"
smallvec = "1"
smol = "2"
sqlx = { version = "0.8", features = ["runtime-tokio", "sqlite"] }
strum = { version = "0.27", features = ["derive"] }
tempfile = "3"
thiserror = "2"
time = { version = "0.3", features = ["formatting", "macros", "parsing"] }
tokio-stream = "0.1"
tokio-test = "0.4"
tokio-util = { version = "0.7", features = ["full"] }
toml = "0.9"
tower = { version = "0.5", features = ["full"] }
tracing = "0.1"
tracing-subscriber = { version = "0.3", features = ["env-filter"] }
url = "2"
uuid = { version = "1", features = ["v4"] }
walkdir = "2"
"#;

/// Macros by whose names everybody knows a crate: kind, name, crate.
const MACROS: [(&str, &str, &str); 27] = [
    ("attribute", "async_recursion", "async-recursion"),
    ("attribute", "async_trait", "async-trait"),
    ("attribute", "instrument", "tracing"),
    ("attribute", "pin_project", "pin-project"),
    ("attribute", "serde_as", "serde_with"),
    ("derive macro", "Deserialize", "serde"),
    ("derive macro", "EnumIter", "strum"),
    ("derive macro", "EnumString", "strum"),
    ("derive macro", "Error", "thiserror"),
    ("derive macro", "Parser", "clap"),
    ("derive macro", "Serialize", "serde"),
    ("derive macro", "ValueEnum", "clap"),
    ("macro", "anyhow", "anyhow"),
    ("macro", "bail", "anyhow"),
    ("macro", "bitflags", "bitflags"),
    ("macro", "debug", "log"),
    ("macro", "ensure", "anyhow"),
    ("macro", "error", "log"),
    ("macro", "info", "log"),
    ("macro", "izip", "itertools"),
    ("macro", "json", "serde_json"),
    ("macro", "lazy_static", "lazy_static"),
    ("macro", "pin_project", "pin-project-lite"),
    ("macro", "smallvec", "smallvec"),
    ("macro", "stream", "async-stream"),
    ("macro", "trace", "log"),
    ("macro", "warn", "log"),
];

/// How rustc says that a name is that of no crate it was given.
const NO_SUCH_CRATE: [&str; 3] = ["unlinked crate", "in the list of imported crates", "no external crate"];

/// A line for each crate that these errors miss. Looks into cargo's cache.
pub fn hints(errors: &[Diagnostic]) -> Vec<String> {
    let missing: Vec<Missing> = errors.iter().flat_map(Missing::in_error).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let cached = Crates::cached();
    let mut seen = BTreeSet::new();
    missing.iter().filter_map(|missing| missing.hint(&cached)).filter(|hint| seen.insert(hint.clone())).collect()
}

/// How to get the crate that code knows by this name. Looks into cargo's cache.
pub fn hint(name: &str) -> String {
    line(name, &Crates::cached()).map_or_else(|| guess(name), |line| adds(&line))
}

enum Missing {
    /// By the name that code knows it by; and whether rustc knows something of that name to import.
    Crate(String, bool),
    /// Its package's name, and the macro's.
    Macro(&'static str, &'static str),
}

impl Missing {
    fn in_error(error: &Diagnostic) -> Vec<Self> {
        let labels: Vec<&str> =
            error.labels().filter(|label| NO_SUCH_CRATE.iter().any(|sign| label.contains(sign))).collect();
        let label_names = labels.iter().filter_map(|label| quoted(label));
        // rustc knows better where a macro or a module is that a crate of the notebook's has.
        let is_known = error.children.iter().any(|child| child.message.contains("import"));
        let mut missing: Vec<Self> = label_names.map(|name| Self::Crate(name.to_owned(), is_known)).collect();
        if let Some(name) = error.message.strip_prefix("can't find crate for").and_then(quoted) {
            missing.push(Self::Crate(name.to_owned(), is_known));
        }
        let of_macro =
            MACROS.iter().find(|(kind, name, _)| error.message.starts_with(&format!("cannot find {kind} `{name}`")));
        missing.extend(of_macro.filter(|_| !is_known).map(|(_, name, krate)| Self::Macro(krate, name)));
        missing
    }

    fn hint(&self, cached: &Crates) -> Option<String> {
        match self {
            // A module that can be imported is more likely meant than a crate that nobody has heard of.
            Self::Crate(name, is_known) => {
                line(name, cached).map(|line| adds(&line)).or_else(|| (!is_known).then(|| guess(name)))
            }
            Self::Macro(krate, name) => {
                let line = line(krate, cached).unwrap_or_else(|| format!("{krate} = \"*\""));
                let path = krate.replace('-', "_");
                let found = format!("`{name}` is in the crate `{krate}`");
                Some(format!("{found}: `:dep {line}` adds it, and `use {path}::{name};` imports it"))
            }
        }
    }
}

fn adds(line: &str) -> String {
    format!("`:dep {line}` in a cell, before the code that needs it, adds the crate")
}

fn guess(name: &str) -> String {
    format!("if `{name}` is a crate, `:dep {name}` in a cell adds its newest version")
}

/// What stands behind `:dep`, if it is known that there is such a crate.
fn line(name: &str, cached: &Crates) -> Option<String> {
    let plain = |name: &str| name.replace('-', "_");
    let known = WELL_KNOWN.lines().filter_map(|line| Some((line.split_once(" = ")?.0, line)));
    let known = known.into_iter().find(|(known, _)| plain(known) == plain(name));
    let (package, newest) = cached.newest(name).unzip();
    match (known, newest) {
        (Some((_, line)), _) => Some(line.to_owned()),
        (None, Some(version)) => Some(format!("{} = \"{}\"", package?, compatible(version))),
        (None, None) => None,
    }
}

/// As much of a version as decides what it is compatible with.
fn compatible(version: &Version) -> String {
    match version {
        Version { pre, .. } if !pre.is_empty() => version.to_string(),
        Version { major: 0, minor: 0, .. } => version.to_string(),
        Version { major: 0, minor, .. } => format!("0.{minor}"),
        Version { major, .. } => major.to_string(),
    }
}

/// The first word in backticks.
fn quoted(text: &str) -> Option<&str> {
    text.split('`').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(message: &str, label: &str, child: &str) -> String {
        let span = json!({
            "line_start": 1, "line_end": 1, "column_start": 1, "column_end": 2, "is_primary": true, "label": label,
            "suggested_replacement": null, "expansion": null,
        });
        let child = json!({ "message": child, "level": "help" });
        let error = json!({ "message": message, "level": "error", "spans": [span], "children": [child] });
        let error = Diagnostic::from_json(&error).expect("a diagnostic");
        let cached = Crates::of(["rand-0.10.3", "rand-0.9.2", "tokio-util-0.7.1", "odd-name-1.2.3", "young-0.0.3"]);
        let hints: Vec<String> = Missing::in_error(&error).iter().filter_map(|missing| missing.hint(&cached)).collect();
        hints.join("|")
    }

    #[test]
    fn a_crate_that_is_missing_is_answered_with_the_line_that_adds_it() {
        let unlinked = |name: &str| format!("use of unresolved module or unlinked crate `{name}`");
        for (name, line) in [
            ("rand", "`:dep rand = \"0.9\"`"),
            ("tokio_util", "`:dep tokio-util = { version = \"0.7\", features = [\"full\"] }`"),
            ("odd_name", "`:dep odd-name = \"1\"`"),
            ("young", "`:dep young = \"0.0.3\"`"),
            ("nobody_knows", "if `nobody_knows` is a crate, `:dep nobody_knows`"),
        ] {
            let hint = said(&format!("unresolved import `{name}`"), &unlinked(name), "");
            assert!(hint.starts_with(line), "{hint}");
        }
        let import = "consider importing this module";
        assert_eq!(said("cannot find module or crate `stream` in this scope", &unlinked("stream"), import), "");
        assert!(said("cannot find module or crate `rand` in this scope", &unlinked("rand"), import).contains("0.9"));
        let in_list = said("unresolved import `rand`", "could not find `rand` in the list of imported crates", "");
        let external = said("can't find crate for `rand`", "can't find crate", "");
        assert!(in_list == external && external.contains(":dep rand"), "{in_list}{external}");
    }

    #[test]
    fn a_macro_that_everybody_knows_names_its_crate() {
        let derive = said("cannot find derive macro `Serialize` in this scope", "", "");
        assert!(derive.contains(":dep serde = { version = \"1\", features = [\"derive\"] }`"), "{derive}");
        assert!(derive.contains("use serde::Serialize;"), "{derive}");
        assert!(
            said("cannot find attribute `async_trait` in this scope", "", "").contains("use async_trait::async_trait;")
        );
        assert!(said("cannot find macro `anyhow` in this scope", "", "").contains(":dep anyhow = \"1\""));
        let known = said("cannot find macro `anyhow` in this scope", "", "consider importing this macro");
        assert_eq!(known + &said("cannot find macro `mine` in this scope", "", ""), "");
    }

    #[test]
    fn other_names_that_are_not_found_are_no_crates() {
        assert_eq!(said("unresolved import `a::B`", "no `B` in `a`", ""), "");
        assert_eq!(said("cannot find value `x` in this scope", "not found in this scope", ""), "");
    }

    #[test]
    fn each_well_known_crate_is_a_line_of_a_manifest() {
        let manifest: toml::Table = WELL_KNOWN.parse().expect("a manifest");
        let version =
            |value: &toml::Value| value.as_str().or_else(|| value.get("version")?.as_str()).map(str::to_owned);
        let versions = manifest.values().filter_map(version);
        assert_eq!(versions.filter(|version| semver::VersionReq::parse(version).is_ok()).count(), manifest.len());
        assert!(MACROS.iter().all(|(_, _, krate)| line(krate, &Crates::default()).is_some()));
    }
}
