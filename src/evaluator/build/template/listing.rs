//! What a template consists of: size, time and digest of each of its files, so that damage is noticed.
//!
//! A kernel that starts compares sizes and times, which takes milliseconds; `loopbook warm` and `loopbook doctor` read
//! every byte.
//!
//! A damaged template is made again from those of its files that are whole. They are copied, not linked, because cargo
//! must be able to write what depends on the rest.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The parts of a template that stay as they were made.
const PARTS: [&str; 5] = [SOURCES, "crate/target", "Cargo.lock", "tree", "ingredients"];

/// The part in which cargo would also use files that the listing does not have (a `build.rs`).
const SOURCES: &str = "crates";

/// The file in the template.
const NAME: &str = "listing";

/// How closely a template is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// At sizes and times; at the content only of a file whose time is another one.
    Sizes,
    /// At every byte.
    Contents,
}

/// The files of a template as they were when it was complete, by their paths below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listing(BTreeMap<PathBuf, Entry>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// In bytes.
    size: u64,
    modified: SystemTime,
    digest: String,
}

impl Listing {
    /// Lists the files of a complete template. Reads all of them.
    ///
    /// # Errors
    /// If one cannot be read.
    pub(super) fn take(template: &Path) -> io::Result<Self> {
        let mut entries = BTreeMap::new();
        for part in PARTS {
            for path in files(template, Path::new(part))? {
                let entry = Entry::of(&template.join(&path))?;
                entries.insert(path, entry);
            }
        }
        Ok(Self(entries))
    }

    /// Leaves the listing in the template.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn write(&self, template: &Path) -> io::Result<()> {
        fs::write(template.join(NAME), serde_json::to_vec(self)?)
    }

    /// The listing of a template; `None` if it has none that can be read.
    pub(super) fn read(template: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(template.join(NAME)).ok()?).ok()
    }

    /// The files, by their paths below the template, that are missing or not what they were, and those that were added to
    /// the sources. A file that has only got another time gets its own back, by which cargo knows that it is fresh.
    pub(super) fn damaged(&self, template: &Path, look: Look) -> Vec<PathBuf> {
        let changed = self.0.iter().filter(|(path, entry)| !entry.is_whole(&template.join(path), look));
        let sources = files(template, Path::new(SOURCES)).unwrap_or_default();
        let added = sources.into_iter().filter(|path| !self.0.contains_key(path));
        changed.map(|(path, _)| path.clone()).chain(added).collect()
    }
}

impl Entry {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self { size: metadata.len(), modified: metadata.modified()?, digest: digest_of(path)? })
    }

    fn is_whole(&self, path: &Path, look: Look) -> bool {
        let Ok(metadata) = fs::metadata(path) else { return false };
        if !metadata.is_file() || metadata.len() != self.size {
            return false;
        }
        let has_its_time = metadata.modified().is_ok_and(|modified| modified == self.modified);
        if has_its_time && look == Look::Sizes {
            return true;
        }
        let has_its_content = digest_of(path).is_ok_and(|digest| digest == self.digest);
        if has_its_content && !has_its_time {
            // Somebody else's file keeps the wrong time: then cargo compiles it once more.
            let _it_stays = File::open(path).and_then(|file| file.set_modified(self.modified));
        }
        has_its_content
    }
}

fn digest_of(path: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    io::copy(&mut File::open(path)?, &mut digest)?;
    Ok(hex::encode(digest.finalize()))
}

/// The files of one part, by their paths below the template. Symbolic links are followed.
fn files(template: &Path, part: &Path) -> io::Result<Vec<PathBuf>> {
    if fs::metadata(template.join(part))?.is_file() {
        return Ok(vec![part.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(template.join(part))? {
        found.extend(files(template, &part.join(entry?.file_name()))?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn template() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for name in ["crates/runtime/Cargo.toml", "crate/target/deps/libx.so", "Cargo.lock", "tree", "ingredients"] {
            fs::create_dir_all(root.path().join(name).parent().unwrap()).unwrap();
            fs::write(root.path().join(name), format!("the content of {name}")).unwrap();
        }
        Listing::take(root.path()).unwrap().write(root.path()).unwrap();
        root
    }

    fn damaged(root: &Path, look: Look) -> Vec<PathBuf> {
        Listing::read(root).unwrap().damaged(root, look)
    }

    #[test]
    fn a_file_that_is_gone_shorter_or_emptied_is_noticed_at_a_glance() {
        let root = template();
        assert!(damaged(root.path(), Look::Contents).is_empty());
        let library = root.path().join("crate/target/deps/libx.so");
        File::options().write(true).open(&library).unwrap().set_len(3).unwrap();
        fs::write(root.path().join("tree"), "").unwrap();
        fs::remove_file(root.path().join("Cargo.lock")).unwrap();
        fs::write(root.path().join("crates/build.rs"), "").unwrap();
        let expected = ["Cargo.lock", "crate/target/deps/libx.so", "tree", "crates/build.rs"].map(PathBuf::from);
        assert_eq!(damaged(root.path(), Look::Sizes), expected);
        fs::remove_dir_all(root.path().join("crates")).unwrap();
        assert!(damaged(root.path(), Look::Sizes).contains(&"crates/runtime/Cargo.toml".into()));
    }

    #[test]
    fn a_file_of_the_same_size_and_time_is_told_by_its_content() {
        let root = template();
        let library = root.path().join("crate/target/deps/libx.so");
        let (time, mut bytes) = (fs::metadata(&library).unwrap().modified().unwrap(), fs::read(&library).unwrap());
        bytes[0] ^= 1;
        fs::write(&library, bytes).unwrap();
        File::open(&library).unwrap().set_modified(time).unwrap();
        assert!(damaged(root.path(), Look::Sizes).is_empty());
        assert_eq!(damaged(root.path(), Look::Contents), [PathBuf::from("crate/target/deps/libx.so")]);
    }

    #[test]
    fn a_file_that_was_only_copied_gets_its_time_back() {
        let root = template();
        let library = root.path().join("crate/target/deps/libx.so");
        let time = fs::metadata(&library).unwrap().modified().unwrap();
        File::open(&library).unwrap().set_modified(time + Duration::from_secs(100)).unwrap();
        assert!(damaged(root.path(), Look::Sizes).is_empty());
        assert_eq!(fs::metadata(&library).unwrap().modified().unwrap(), time);
    }

    #[test]
    fn a_listing_that_is_garbage_is_none() {
        let root = template();
        fs::write(root.path().join("listing"), "{").unwrap();
        assert_eq!(Listing::read(root.path()), None);
    }
}
