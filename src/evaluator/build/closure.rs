//! The closure of the runtime: every crate below it, with its version and features.
//!
//! A library that cells are linked with stays the same file for as long as this stays the same.

use std::collections::{BTreeMap, BTreeSet};

/// What `cargo tree` must be asked for, apart from `--target`: the crates that the built-in ones are made of, those of
/// procedural macros and build scripts too. Features are resolved apart for those, so that a crate may stand there twice.
pub const TREE: [&str; 14] = [
    "tree",
    "--package",
    "loopbook",
    "--package",
    "loopbook-async-std",
    "--package",
    "loopbook-tokio",
    "--edges",
    "normal,build",
    "--format",
    "{p}|{f}",
    "--prefix",
    "none",
    "--no-dedupe",
];

/// The crates below the runtime.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closure {
    /// By name and version; as many sets of features as the crate is compiled with.
    crates: BTreeMap<(String, String), BTreeSet<Vec<String>>>,
}

/// One difference between two closures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A crate would be compiled with further features.
    Features {
        /// The crate's name.
        krate: String,
        /// Those that it does not have now; empty if some of its present ones would go.
        features: Vec<String>,
    },
    /// A crate would have another version.
    Version {
        /// The crate's name.
        krate: String,
        /// What the runtime is made of now.
        from: String,
        /// What it would be made of.
        to: String,
    },
    /// A crate would become part of the runtime, or no longer be.
    Crate {
        /// The crate's name.
        krate: String,
    },
}

impl Closure {
    /// Reads what cargo says when it is asked for [`TREE`]. `None` if the runtime is not in it.
    pub fn parse(tree: &str) -> Option<Self> {
        let mut crates: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for line in tree.lines() {
            let Some((package, features)) = line.rsplit_once('|') else { continue };
            let mut words = package.split(' ');
            let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
            let mut features: Vec<String> = features.split(',').map(str::to_owned).collect();
            features.retain(|feature| !feature.is_empty());
            features.sort_unstable();
            let id = (name.to_owned(), version.trim_start_matches('v').to_owned());
            crates.entry(id).or_default().insert(features);
        }
        crates.keys().any(|(name, _)| name == "loopbook").then_some(Self { crates })
    }

    /// What is different in `other`.
    pub fn changes(&self, other: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (id, features) in &other.crates {
            match self.crates.get(id) {
                Some(present) if present == features => {}
                Some(present) => {
                    changes.push(Change::Features { krate: id.0.clone(), features: further(present, features) })
                }
                None => changes.push(self.new_crate(id, other)),
            }
        }
        for id in self.crates.keys().filter(|id| !other.crates.contains_key(*id)) {
            // One that has another version now is in the list already.
            if !other.crates.keys().any(|(name, _)| *name == id.0) {
                changes.push(Change::Crate { krate: id.0.clone() });
            }
        }
        changes
    }

    /// The version of a crate in it; the newest if there are several.
    pub fn version(&self, krate: &str) -> Option<&str> {
        self.crates.keys().rev().find(|(name, _)| name == krate).map(|(_, version)| version.as_str())
    }

    /// The features that a crate in it has, whatever its version.
    pub fn features(&self, krate: &str) -> BTreeSet<&str> {
        let of_crate = self.crates.iter().filter(|((name, _), _)| name == krate);
        of_crate.flat_map(|(_, sets)| sets).flatten().map(String::as_str).collect()
    }

    fn new_crate(&self, id: &(String, String), other: &Self) -> Change {
        let replaced = self.crates.keys().find(|old| old.0 == id.0 && !other.crates.contains_key(*old));
        match replaced {
            Some((krate, from)) => Change::Version { krate: krate.clone(), from: from.clone(), to: id.1.clone() },
            None => Change::Crate { krate: id.0.clone() },
        }
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Features { krate, features } => match features.as_slice() {
                [] => write!(f, "`{krate}` with other features"),
                [feature] => write!(f, "`{krate}` with its feature `{feature}`"),
                several => write!(f, "`{krate}` with its features `{}`", several.join("`, `")),
            },
            Self::Version { krate, from, to } => write!(f, "`{krate}` {to} in the place of {from}"),
            Self::Crate { krate } => write!(f, "`{krate}`"),
        }
    }
}

fn further(present: &BTreeSet<Vec<String>>, wanted: &BTreeSet<Vec<String>>) -> Vec<String> {
    let present: BTreeSet<&String> = present.iter().flatten().collect();
    let wanted: BTreeSet<&String> = wanted.iter().flatten().collect();
    wanted.difference(&present).map(|feature| (*feature).clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closure(lines: &[&str]) -> Closure {
        Closure::parse(&format!("loopbook v0.1.0 (/x/runtime)|\n{}\n", lines.join("\n"))).unwrap()
    }

    #[test]
    fn order_and_repetition_are_no_differences() {
        let one = closure(&["tokio v1.2.3|full,rt", "syn v3.0.1 (proc-macro)|", "tokio v1.2.3|full,rt"]);
        let other = closure(&["syn v3.0.1 (proc-macro)|", "tokio v1.2.3|rt,full", ""]);
        assert_eq!(one.changes(&other), []);
        assert_eq!(one.version("tokio"), Some("1.2.3"));
        assert_eq!(one.features("tokio"), BTreeSet::from(["full", "rt"]));
        assert_eq!(Closure::parse("tokio v1.2.3|\n"), None);
    }

    #[test]
    fn each_kind_of_change_is_named() {
        let now = closure(&["log v0.4.1|", "serde v1.0.0|std", "syn v1.0.0|", "mio v1.0.0|net", "syn v2.0.0|"]);
        let then = closure(&[
            "log v0.4.2|",
            "serde v1.0.0|std",
            "serde v1.0.0|alloc",
            "syn v1.0.0|",
            "tracing v0.1.0|",
            "mio v1.0.0|",
        ]);
        let mut said: Vec<_> = now.changes(&then).iter().map(ToString::to_string).collect();
        said.sort();
        let expected = [
            "`log` 0.4.2 in the place of 0.4.1",
            "`mio` with other features",
            "`serde` with its feature `alloc`",
            "`tracing`",
        ];
        assert_eq!(said, expected);
    }
}
