//! The source of the crates that cells use, copied into the cache under a name made from its content.
//!
//! cargo looks at paths and modification times to see whether a crate is fresh, and a kernel may live while the program is
//! installed anew: so a template is made from a copy that nobody changes.

use super::remove;
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Files of the crates, as paths and contents.
#[derive(Debug)]
pub(super) struct Sources {
    files: Vec<(PathBuf, Vec<u8>)>,
    digest: String,
}

impl Sources {
    /// Reads what lies in the installation's `crates` directory.
    pub(super) fn read(directory: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        // Without it there is no installation, only a directory.
        fs::metadata(directory.join("runtime/Cargo.toml"))?;
        collect(directory, Path::new(""), &mut files)?;
        files.sort_unstable();
        let mut digest = Sha256::new();
        for (path, content) in &files {
            digest.update(path.to_string_lossy().as_bytes());
            digest.update(content.len().to_le_bytes());
            digest.update(content);
        }
        Ok(Self { digest: hex::encode(&digest.finalize()[..8]), files })
    }

    /// Different for different content.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    /// Writes the files below `cache`, unless they are there as they should be, and returns their directory without
    /// symbolic links.
    pub(super) fn copy_to(&self, cache: &Path) -> io::Result<PathBuf> {
        let directory = cache.join(&self.digest);
        if !self.are_in(&directory) {
            let new = cache.join(format!("{}.new-{}", self.digest, std::process::id()));
            remove(&new)?;
            for (path, content) in &self.files {
                let path = new.join(path);
                fs::create_dir_all(path.parent().unwrap_or(&new))?;
                fs::write(path, content)?;
            }
            match self.put(&new, &directory) {
                // Somebody else was faster, with the same content.
                Err(_) if self.are_in(&directory) => remove(&new)?,
                other => other?,
            }
        }
        directory.canonicalize()
    }

    /// Gives the directory its own name; what had that name and is damaged is removed.
    fn put(&self, new: &Path, directory: &Path) -> io::Result<()> {
        if !self.are_in(directory) {
            remove(directory)?;
        }
        fs::rename(new, directory)
    }

    fn are_in(&self, directory: &Path) -> bool {
        Self::read(directory).is_ok_and(|present| present.digest == self.digest)
    }
}

/// Removes copies that no template links to, if they are older than that: a younger one may be about to be used.
pub(super) fn remove_unused(cache: &Path, age: Duration) -> io::Result<()> {
    let crates = cache.join("crates");
    if !crates.is_dir() {
        return Ok(());
    }
    let used: Vec<PathBuf> = fs::read_dir(cache.join("template"))?
        .flatten()
        .filter_map(|entry| entry.path().join("crates").canonicalize().ok())
        .collect();
    for entry in fs::read_dir(crates)? {
        let entry = entry?;
        let unchanged = SystemTime::now().duration_since(entry.metadata()?.modified()?).unwrap_or_default();
        if unchanged > age && !used.contains(&entry.path().canonicalize()?) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn collect(root: &Path, below: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let name = entry.file_name();
        let path = below.join(&name);
        if name == "target" || name.to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.push((path, fs::read(entry.path())?));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, content: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[test]
    fn a_copy_is_named_by_its_content_and_has_no_build_directories() {
        let root = tempfile::tempdir().unwrap();
        let (crates, cache) = (root.path().join("image"), root.path().join("cache"));
        assert!(Sources::read(&crates).is_err());
        write(&crates, "runtime/Cargo.toml", "[package]");
        write(&crates, "target/debug/big", "");
        let first = Sources::read(&crates).unwrap();
        let copy = first.copy_to(&cache).unwrap();
        assert_eq!(first.copy_to(&cache).unwrap(), copy);
        assert!(copy.join("runtime/Cargo.toml").is_file() && !copy.join("target").exists());
        write(&crates, "runtime/src/lib.rs", "");
        assert_ne!(Sources::read(&crates).unwrap().digest(), first.digest());
    }

    #[test]
    fn a_copy_that_was_damaged_is_made_anew() {
        let root = tempfile::tempdir().unwrap();
        let (crates, cache) = (root.path().join("image"), root.path().join("cache"));
        write(&crates, "runtime/Cargo.toml", "[package]");
        write(&crates, "runtime/src/lib.rs", "// all of it");
        let sources = Sources::read(&crates).unwrap();
        let copy = sources.copy_to(&cache).unwrap();
        let damages: [fn(&Path); 4] = [
            |copy| fs::remove_file(copy.join("runtime/src/lib.rs")).unwrap(),
            |copy| fs::write(copy.join("runtime/src/lib.rs"), "").unwrap(),
            |copy| fs::write(copy.join("runtime/build.rs"), "").unwrap(),
            |copy| fs::remove_dir_all(copy).and_then(|()| fs::write(copy, "")).unwrap(),
        ];
        for damage in damages {
            damage(&copy);
            assert_eq!(sources.copy_to(&cache).unwrap(), copy);
            assert!(sources.are_in(&copy));
            assert_eq!(fs::read_dir(&cache).unwrap().count(), 1);
        }
    }

    #[test]
    fn copies_of_removed_templates_are_removed() {
        let cache = tempfile::tempdir().unwrap();
        write(cache.path(), "crates/used/runtime/Cargo.toml", "");
        write(cache.path(), "crates/unused/runtime/Cargo.toml", "");
        fs::create_dir_all(cache.path().join("template/key")).unwrap();
        std::os::unix::fs::symlink(cache.path().join("crates/used"), cache.path().join("template/key/crates")).unwrap();
        remove_unused(cache.path(), UNUSED).unwrap();
        assert!(cache.path().join("crates/unused").exists());
        remove_unused(cache.path(), Duration::ZERO).unwrap();
        assert!(cache.path().join("crates/used").exists());
        assert!(!cache.path().join("crates/unused").exists());
    }

    const UNUSED: Duration = Duration::from_secs(1000);
}
