//! The cache as a whole: who uses it, and its removal when nobody is left.

use super::workdir::sweep_stale;
use crate::home::Home;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What Loopbook makes in the cache. The user may have named the directory, and have other files in it.
const MADE: [&str; 5] = ["crates", "template", "tools", "work", "work.lock"];

/// What became of a cache that should be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// There was none.
    Absent,
    /// It is gone.
    Removed,
    /// Another program uses it.
    UsedBy(PathBuf),
    /// Kernels of the program that is being uninstalled still run.
    KernelsRun,
}

/// Removes the cache of `home`, unless somebody else than `program` needs it.
///
/// # Errors
/// If something in it cannot be read or removed.
pub fn remove(home: &Home, program: &Path) -> io::Result<Removal> {
    let cache = home.cache_dir();
    if !MADE.iter().any(|name| cache.join(name).exists()) {
        return Ok(Removal::Absent);
    }
    if let Some(other) = other_program(cache, program)? {
        return Ok(Removal::UsedBy(other));
    }
    sweep_stale(home)?;
    if !entries(&cache.join("work"))?.is_empty() {
        return Ok(Removal::KernelsRun);
    }
    for name in MADE {
        let path = cache.join(name);
        match if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) } {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let _has_files_of_others = fs::remove_dir(cache);
    Ok(Removal::Removed)
}

/// Another installed program that has used this cache: each has a directory of shims, which are links to it.
fn other_program(cache: &Path, program: &Path) -> io::Result<Option<PathBuf>> {
    let linked = entries(&cache.join("tools"))?.into_iter().filter_map(|tools| fs::read_link(tools.join("cargo")).ok());
    Ok(linked.into_iter().find(|other| other != program && other.is_file()))
}

/// What is in a directory that may be missing.
fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        found => found?.map(|entry| entry.map(|entry| entry.path())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluator::build::workdir::WorkDir;

    fn home(root: &Path) -> Home {
        Home::at(root.join("image"), root.join("cache"), PathBuf::from("/bin/true"))
    }

    #[test]
    fn a_cache_that_nobody_uses_is_removed_and_what_others_put_there_is_not() {
        let root = tempfile::tempdir().unwrap();
        let home = home(root.path());
        assert_eq!(remove(&home, Path::new("/bin/true")).unwrap(), Removal::Absent);
        drop(WorkDir::create(&home).unwrap());
        fs::write(home.cache_dir().join("mine"), "").unwrap();
        assert_eq!(remove(&home, Path::new("/bin/true")).unwrap(), Removal::Removed);
        assert_eq!(entries(home.cache_dir()).unwrap(), [home.cache_dir().join("mine")]);

        fs::remove_file(home.cache_dir().join("mine")).unwrap();
        drop(WorkDir::create(&home).unwrap());
        assert_eq!(remove(&home, Path::new("/bin/true")).unwrap(), Removal::Removed);
        assert!(!home.cache_dir().exists());
    }

    #[test]
    fn a_cache_stays_while_a_kernel_runs_or_another_program_uses_it() {
        let root = tempfile::tempdir().unwrap();
        let home = home(root.path());
        let living = WorkDir::create(&home).unwrap();
        assert_eq!(remove(&home, Path::new("/bin/true")).unwrap(), Removal::KernelsRun);
        assert_eq!(remove(&home, Path::new("/gone")).unwrap(), Removal::UsedBy("/bin/true".into()));
        assert!(living.root().exists());
    }
}
