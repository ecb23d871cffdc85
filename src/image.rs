//! The install image: what `loopbook install` writes to the data directory. The sources of the crates that cells link
//! are part of the program, so that an installed kernel needs nothing of the place where it was built.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Path below `crates/` and content, packed by `build.rs`.
const CRATES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/crates.rs"));

/// Writes the crates that cells link to `dir` and removes files of earlier versions.
///
/// A file that has the right content is not touched: cargo compares modification times, and a newer one would make every
/// template look stale.
///
/// # Errors
/// If a file or directory cannot be read, written or removed.
pub fn write_crates(dir: &Path) -> io::Result<()> {
    for (path, content) in CRATES {
        write_if_changed(&dir.join(path), content)?;
    }
    remove_others(dir, Path::new(""))
}

/// Writes `content` to `path` unless it is there already, making directories as needed. Says whether it wrote.
///
/// The file is replaced as a whole, so that nobody ever reads half of it.
///
/// # Errors
/// If the file or its directory cannot be written.
pub fn write_if_changed(path: &Path, content: &[u8]) -> io::Result<bool> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(false);
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let new = beside(path);
    fs::write(&new, content)?;
    fs::rename(&new, path)?;
    Ok(true)
}

/// Copies a program like [`write_if_changed`], with its permissions. A running copy goes on undisturbed.
///
/// # Errors
/// If `from` cannot be read or `to` not be written.
pub fn copy_if_changed(from: &Path, to: &Path) -> io::Result<bool> {
    let changed = write_if_changed(to, &fs::read(from)?)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    Ok(changed)
}

/// Removes files below `root/below` that are not ours. `target` is cargo's: it stays.
fn remove_others(root: &Path, below: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let relative = below.join(entry.file_name());
        let is_ours = CRATES.iter().any(|(path, _)| Path::new(path).starts_with(&relative));
        let is_dir = entry.file_type()?.is_dir();
        if entry.file_name() == "target" {
            continue;
        }
        match (is_ours, is_dir) {
            (true, true) => remove_others(root, &relative)?,
            (true, false) => {}
            (false, true) => fs::remove_dir_all(entry.path())?,
            (false, false) => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_are_written_once_and_leftovers_removed() {
        let dir = tempfile::tempdir().unwrap();
        write_crates(dir.path()).unwrap();
        let manifest = dir.path().join("channel/Cargo.toml");
        let written = fs::metadata(&manifest).unwrap().modified().unwrap();
        fs::write(dir.path().join("channel/build.rs"), "of an earlier version").unwrap();
        fs::create_dir_all(dir.path().join("target/debug")).unwrap();

        write_crates(dir.path()).unwrap();
        assert_eq!(fs::metadata(&manifest).unwrap().modified().unwrap(), written);
        assert!(!dir.path().join("channel/build.rs").exists());
        assert!(dir.path().join("target/debug").exists());
        assert!(dir.path().join("Cargo.toml").exists());
    }

    #[test]
    fn a_copied_program_stays_executable() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("a"), dir.path().join("bin/b"));
        fs::write(&from, "x").unwrap();
        fs::set_permissions(&from, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(copy_if_changed(&from, &to).unwrap());
        assert!(!copy_if_changed(&from, &to).unwrap());
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o755);
    }
}
