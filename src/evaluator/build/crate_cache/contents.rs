//! What is in a set of compiled crates.

use super::put;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Name of its file in the set's directory.
pub(super) const NAME: &str = "contents";

/// A package of a lock: its name, its version and where it comes from.
pub(in crate::evaluator::build) type Package = (String, String, String);

/// The packages and the files of a set.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Contents {
    pub(super) packages: BTreeSet<Package>,
    /// Paths in `target` with their sizes in bytes.
    pub(super) files: Vec<(PathBuf, u64)>,
}

impl Contents {
    pub(super) fn of(packages: BTreeSet<Package>, target: &Path, mut files: Vec<PathBuf>) -> io::Result<Self> {
        files.sort();
        let sized = |file: PathBuf| Ok((target.join(&file).symlink_metadata()?.len(), file));
        let files = files.into_iter().map(|file| sized(file).map(|(size, file)| (file, size)));
        Ok(Self { packages, files: files.collect::<io::Result<_>>()? })
    }

    pub(super) fn read(set: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(set.join(NAME)).ok()?).ok()
    }

    pub(super) fn write(&self, set: &Path) -> io::Result<()> {
        fs::write(set.join(NAME), serde_json::to_vec(self)?)
    }

    /// A name for the set: cargo has named the files after everything that is in them.
    pub(super) fn name(&self) -> String {
        let mut digest = Sha256::new();
        for (file, _) in &self.files {
            digest.update(file.as_os_str().as_encoded_bytes());
            digest.update([0]);
        }
        hex::encode(&digest.finalize()[..12])
    }

    /// Whether nothing of it is missing or cut off.
    pub(super) fn is_whole(&self, target: &Path) -> bool {
        self.files
            .iter()
            .all(|(file, size)| target.join(file).symlink_metadata().is_ok_and(|found| found.len() == *size))
    }

    /// Whether nothing of it was compiled once more, into a file of the same name: what was compiled with the one does not fit
    /// to the other.
    pub(super) fn fits(&self, from: &Path, to: &Path) -> bool {
        let id = |file: PathBuf| fs::metadata(file).map(|found| (found.dev(), found.ino()));
        let is_crate =
            |file: &PathBuf| file.extension().is_some_and(|end| ["rlib", "rmeta", "so"].iter().any(|one| end == *one));
        self.files.iter().map(|(file, _)| file).filter(|file| is_crate(file)).all(|file| {
            match (id(from.join(file)), id(to.join(file))) {
                (_, Err(_)) => true,
                (theirs, ours) => theirs.ok() == ours.ok(),
            }
        })
    }

    /// Puts the files elsewhere.
    pub(super) fn put(&self, from: &Path, to: &Path) -> io::Result<()> {
        let files: Vec<PathBuf> = self.files.iter().map(|(file, _)| file.clone()).collect();
        put(&files, from, to)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, size)| size).sum()
    }
}

/// The packages of a lock that are not in another one; `None` if one of them has no source: it may be edited at any time.
pub(in crate::evaluator::build) fn packages(lock: &str, without: &str) -> Option<BTreeSet<Package>> {
    let all = |lock: &str| -> BTreeSet<Package> {
        let table: toml::Table = lock.parse().unwrap_or_default();
        let packages = table.get("package").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        let text = |package: &toml::Value, key: &str| {
            package.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned()
        };
        packages.iter().map(|one| (text(one, "name"), text(one, "version"), text(one, "source"))).collect()
    };
    let ours: BTreeSet<Package> = all(lock).difference(&all(without)).cloned().collect();
    ours.iter().all(|(_, _, source)| !source.is_empty()).then_some(ours)
}
