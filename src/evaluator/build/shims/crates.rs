//! Which of the notebook's own crates a cell is compiled with, and whether they are still what they were.
//!
//! Types of a crate that was compiled anew may be laid out differently, although nothing in a cell's own text has changed.

use super::manifest;
use super::rustc_alone::SavedCommand;
use super::state::{Mode, State};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The notebook's own crates: by the name that code knows them by, what tells one compilation from another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crates(BTreeMap<String, Compilation>);

/// A file that cargo names after version, features and dependencies, and writes again if the crate's text changes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Compilation {
    file: String,
    /// Seconds and nanoseconds of its last change, and its length; `None` if it is not there.
    written: Option<(i64, i64, u64)>,
}

impl Crates {
    /// Those that rustc was last given for a cell of the kernel with this working directory; none if it was not called.
    pub fn of(root: &Path) -> Self {
        let command = SavedCommand::load(&State::of(root).command(Mode::Build));
        Self(command.map(|command| command.externs().filter_map(of_extern).collect()).unwrap_or_default())
    }

    /// Whether code can name this crate.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The crates that both have, and that are not the same.
    pub fn changed(&self, newer: &Self) -> BTreeSet<String> {
        let is_other = |(name, old): &(&String, &Compilation)| newer.0.get(*name).is_some_and(|new| new != *old);
        self.0.iter().filter(is_other).map(|(name, _)| name.clone()).collect()
    }
}

/// Understands `name=path`; what is built in is no crate of the notebook's.
fn of_extern(argument: &str) -> Option<(String, Compilation)> {
    let (name, path) = argument.split_once('=')?;
    let name = name.rsplit(':').next()?;
    let path = Path::new(path);
    let file = path.file_name()?.to_string_lossy().into_owned();
    let written = fs::metadata(path).ok().map(|file| (file.mtime(), file.mtime_nsec(), file.len()));
    (!manifest::is_ours(name)).then(|| (name.to_owned(), Compilation { file, written }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crates(externs: &[String]) -> Crates {
        Crates(externs.iter().filter_map(|argument| of_extern(argument)).collect())
    }

    #[test]
    fn a_crate_has_changed_if_its_file_has_another_name_or_was_written_again() {
        let root = tempfile::tempdir().unwrap();
        let file = |name: &str| root.path().join(name).display().to_string();
        for name in ["liba-1.rlib", "libb-1.rlib", "libb-2.rlib", "libtokio-1.rlib"] {
            fs::write(file(name), "old").unwrap();
        }
        let with = |b: &str| {
            let externs =
                [("a", "liba-1.rlib"), ("priv:b", b), ("tokio", "libtokio-1.rlib"), ("loopbook", "libloopbook.so")];
            crates(&externs.map(|(name, path)| format!("{name}={}", file(path))))
        };
        let first = with("libb-1.rlib");
        assert!(first.has("a") && first.has("b") && !first.has("c"));
        assert!(first.changed(&with("libb-1.rlib")).is_empty());
        assert_eq!(first.changed(&with("libb-2.rlib")), BTreeSet::from(["b".to_owned()]));
        fs::write(file("liba-1.rlib"), "newer").unwrap();
        fs::write(file("libtokio-1.rlib"), "newer").unwrap();
        assert_eq!(first.changed(&with("libb-1.rlib")), BTreeSet::from(["a".to_owned()]));
        assert!(Crates::default().changed(&first).is_empty() && first.changed(&Crates::default()).is_empty());
    }
}
