//! The crates that cargo has fetched on this machine before, which `:dep` can add without a network.

use super::built_in::CARGO_HOME_ENV;
use super::toolchain::cargo_home;
use crate::evaluator::Completion;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// Names of crates, each with its versions, the newest first.
#[derive(Debug, Default)]
pub(in crate::evaluator) struct Crates(BTreeMap<String, Vec<Version>>);

/// Ordered by the numbers, then by what follows them.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    numbers: Vec<u64>,
    text: String,
}

impl Crates {
    /// Looks into cargo's cache. Reads directories: not for the dispatcher's own loop.
    pub(in crate::evaluator) fn cached() -> Self {
        // In a kernel, cargo's own variable leads to an empty directory.
        let home = std::env::var_os(CARGO_HOME_ENV).map_or_else(cargo_home, PathBuf::from);
        let registries = fs::read_dir(home.join("registry/cache")).ok();
        let files =
            registries.into_iter().flatten().flatten().filter_map(|registry| fs::read_dir(registry.path()).ok());
        let names = files.flatten().flatten().filter_map(|file| file.file_name().into_string().ok());
        Self::of(names.filter_map(|name| name.strip_suffix(".crate").map(str::to_owned)))
    }

    /// Crates by the names of their files: `serde-1.0.219`.
    pub(in crate::evaluator) fn of(names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut crates = BTreeMap::<String, Vec<Version>>::new();
        for name in names {
            if let Some((name, version)) = split(name.as_ref()) {
                crates.entry(name.to_owned()).or_default().push(Version::of(version));
            }
        }
        for versions in crates.values_mut() {
            versions.sort_by(|a, b| b.cmp(a));
            versions.dedup();
        }
        Self(crates)
    }

    /// Crates whose names begin with this; `-` and `_` are one, as for cargo.
    pub(in crate::evaluator) fn beginning_with(&self, word: &str) -> Vec<Completion> {
        let begins = |name: &str| name.len() >= word.len() && plain(name).starts_with(&plain(word));
        let found = self.0.iter().filter(|(name, _)| begins(name));
        let newest = |versions: &[Version]| versions.first().map(|version| version.text.clone());
        let item = |(name, versions): (&String, &Vec<Version>)| Completion {
            text: name.clone(),
            kind: "module",
            signature: newest(versions),
        };
        found.map(item).collect()
    }

    /// The package that code knows by this name, and its newest version; one before its release only if there is no other.
    pub(in crate::evaluator) fn newest(&self, name: &str) -> Option<(&str, &str)> {
        let (package, versions) = self.0.iter().find(|(known, _)| plain(known) == plain(name))?;
        let released = versions.iter().find(|version| !version.text.contains('-'));
        Some((package, &released.or(versions.first())?.text))
    }

    /// The versions of a crate that begin with this, as strings with their quotes.
    pub(in crate::evaluator) fn versions(&self, name: &str, word: &str) -> Vec<Completion> {
        let versions = self.0.get(name).into_iter().flatten();
        let quoted = versions.map(|version| format!("\"{}\"", version.text)).filter(|text| text.starts_with(word));
        quoted.map(|text| Completion { text, kind: "keyword", signature: Some(name.to_owned()) }).collect()
    }
}

impl Version {
    fn of(text: &str) -> Self {
        let release = text.split(['-', '+']).next().unwrap_or_default();
        let numbers = release.split('.').filter_map(|number| number.parse().ok()).collect();
        Self { numbers, text: text.to_owned() }
    }
}

/// A name may have digits and hyphens in it; the version is behind the first hyphen that a number with a dot follows.
fn split(name: &str) -> Option<(&str, &str)> {
    let is_version = |text: &str| {
        let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
        digits.len() < text.len() && digits.starts_with('.')
    };
    let (hyphen, _) = name.match_indices('-').find(|(hyphen, _)| is_version(&name[hyphen + 1..]))?;
    Some((&name[..hyphen], &name[hyphen + 1..]))
}

fn plain(name: &str) -> String {
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_are_told_apart() {
        assert_eq!(split("serde-1.0.219"), Some(("serde", "1.0.219")));
        assert_eq!(split("utf8-ranges-1.0.5"), Some(("utf8-ranges", "1.0.5")));
        assert_eq!(split("sha-1-0.10.1"), Some(("sha-1", "0.10.1")));
        assert_eq!(split("x-1.0.0-alpha-2.1"), Some(("x", "1.0.0-alpha-2.1")));
        assert_eq!(split("no_version"), None);
    }

    #[test]
    fn hyphens_and_underscores_are_one() {
        let crates = Crates::of(["async-std-1.13.0", "async_cell-0.2.2"]);
        let texts: Vec<_> = crates.beginning_with("async_").into_iter().map(|item| item.text).collect();
        assert_eq!(texts, ["async-std", "async_cell"]);
    }

    #[test]
    fn the_newest_version_comes_first() {
        let crates = Crates::of(["a-0.9.0", "a-0.10.0", "a-0.10.0"]);
        let texts: Vec<_> = crates.versions("a", "").into_iter().map(|item| item.text).collect();
        assert_eq!(texts, ["\"0.10.0\"", "\"0.9.0\""]);
        assert_eq!(crates.beginning_with("a")[0].signature.as_deref(), Some("0.10.0"));
    }
}
