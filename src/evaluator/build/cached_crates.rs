//! The crates that cargo has fetched on this machine before, which `:dep` can add without a network.

use super::built_in::CARGO_HOME_ENV;
use super::toolchain::cargo_home;
use crate::evaluator::Completion;
use semver::Version;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// Names of crates, each with its versions, the newest first.
#[derive(Debug, Default)]
pub(in crate::evaluator) struct Crates(BTreeMap<String, Vec<Version>>);

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
                crates.entry(name.to_owned()).or_default().push(version);
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
        let newest = |versions: &[Version]| versions.first().map(Version::to_string);
        let item = |(name, versions): (&String, &Vec<Version>)| Completion {
            text: name.clone(),
            kind: "module",
            signature: newest(versions),
        };
        found.map(item).collect()
    }

    /// The package that code knows by this name, and its newest version; one before its release only if there is no other.
    pub(in crate::evaluator) fn newest(&self, name: &str) -> Option<(&str, &Version)> {
        let (package, versions) = self.0.iter().find(|(known, _)| plain(known) == plain(name))?;
        let released = versions.iter().find(|version| version.pre.is_empty());
        Some((package, released.or(versions.first())?))
    }

    /// The versions of a crate that begin with this, as strings with their quotes.
    pub(in crate::evaluator) fn versions(&self, name: &str, word: &str) -> Vec<Completion> {
        let versions = self.0.get(name).into_iter().flatten();
        let quoted = versions.map(|version| format!("\"{version}\"")).filter(|text| text.starts_with(word));
        quoted.map(|text| Completion { text, kind: "keyword", signature: Some(name.to_owned()) }).collect()
    }
}

/// A name may have digits and hyphens in it; the version is all behind the first hyphen that a version follows.
fn split(name: &str) -> Option<(&str, Version)> {
    name.match_indices('-').find_map(|(hyphen, _)| Some((&name[..hyphen], Version::parse(&name[hyphen + 1..]).ok()?)))
}

fn plain(name: &str) -> String {
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_are_told_apart() {
        for (file, name, version) in [
            ("serde-1.0.219", "serde", "1.0.219"),
            ("utf8-ranges-1.0.5", "utf8-ranges", "1.0.5"),
            ("sha-1-0.10.1", "sha-1", "0.10.1"),
            ("x-1.0.0-alpha-2.1", "x", "1.0.0-alpha-2.1"),
        ] {
            assert_eq!(split(file), Some((name, Version::parse(version).expect("a version"))));
        }
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
        let crates = Crates::of(["a-1.0.0", "a-0.10.0", "a-1.0.0-alpha", "a-1.0.0-alpha.10", "a-1.0.0-alpha.9"]);
        let texts: Vec<_> = crates.versions("a", "\"1").into_iter().map(|item| item.text).collect();
        assert_eq!(texts, ["\"1.0.0\"", "\"1.0.0-alpha.10\"", "\"1.0.0-alpha.9\"", "\"1.0.0-alpha\""]);
    }
}
