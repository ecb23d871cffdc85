//! The cache as a whole: what is in it, who uses it, and its removal when nobody is left.

use super::cell_cache::{self, CellCache};
use super::crate_cache;
use super::files::{self, entries};
use super::workdir::sweep_stale;
use crate::home::Home;
use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What Loopbook makes in the cache. The user may have named the directory, and have other files in it.
const MADE: [&str; 7] = [cell_cache::NAME, crate_cache::NAME, "crates", "template", "tools", "work", "work.lock"];

/// What of that is shown: its name, and what it holds, for people. Working directories come last: what they share with a
/// template is the template's.
const SHOWN: [(&str, &str); 5] = [
    (cell_cache::NAME, "compiled cells"),
    (crate_cache::NAME, "compiled crates of notebooks, by template"),
    ("template", "compiled crates of every cell"),
    ("crates", "their sources"),
    ("work", "what the kernels that run have of their own"),
];

/// A part of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its directory in the cache.
    pub name: &'static str,
    /// What it holds.
    pub what: &'static str,
    /// How many of them.
    pub entries: usize,
    /// How much of the disk they take. A file with several names counts once.
    pub bytes: u64,
}

/// What emptying a cache has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What has stayed.
    pub what: &'static str,
    /// Why.
    pub why: String,
}

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

/// What is in the cache of `home`.
///
/// # Errors
/// If something in it cannot be read.
pub fn parts(home: &Home) -> io::Result<Vec<Part>> {
    let mut seen = HashSet::new();
    let part = |(name, what)| {
        let directory = home.cache_dir().join(name);
        let is_entry = |path: &&PathBuf| path.extension().is_none_or(|extension| extension != "lock");
        let entries = entries(&directory)?.iter().filter(is_entry).count();
        Ok(Part { name, what, entries, bytes: bytes(&directory, &mut seen)? })
    };
    SHOWN.into_iter().map(part).collect()
}

/// Empties the cache of `home`, but for what kernels that run have under their feet. Says what has stayed.
///
/// # Errors
/// If something cannot be read or removed.
pub fn clear(home: &Home) -> io::Result<Vec<Kept>> {
    let cache = home.cache_dir();
    let mut kept = Vec::new();
    if cache.join(cell_cache::NAME).exists() {
        match CellCache::at(cache) {
            Ok(cells) => cells.clear()?,
            Err(refused) => kept.push(Kept { what: "compiled cells", why: refused.to_string() }),
        }
    }
    // Kernels that run have linked what they use of it.
    files::remove(&cache.join(crate_cache::NAME))?;
    sweep_stale(home)?;
    let kernels = entries(&cache.join("work"))?.len();
    if kernels > 0 {
        let run = if kernels == 1 { "a kernel runs".to_owned() } else { format!("{kernels} kernels run") };
        kept.push(Kept { what: "compiled crates", why: format!("{run} with them") });
        return Ok(kept);
    }
    if is_being_made(&cache.join("template"))? {
        kept.push(Kept { what: "compiled crates", why: "they are just being compiled".into() });
        return Ok(kept);
    }
    for name in ["template", "crates"] {
        files::remove(&cache.join(name))?;
    }
    Ok(kept)
}

/// Whether a template is being compiled, by a kernel or by `loopbook warm`.
fn is_being_made(templates: &Path) -> io::Result<bool> {
    let locks = entries(templates)?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "lock"));
    Ok(locks
        .filter_map(|lock| File::open(lock).ok())
        .any(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock))))
}

/// What the files below a directory take on the disk, without those that were seen before.
fn bytes(directory: &Path, seen: &mut HashSet<(u64, u64)>) -> io::Result<u64> {
    let mut sum = 0;
    for path in entries(directory)? {
        // A kernel may just have removed it.
        let Ok(found) = fs::symlink_metadata(&path) else { continue };
        if found.is_dir() {
            sum += bytes(&path, seen)?;
        } else if seen.insert((found.dev(), found.ino())) {
            sum += found.blocks() * 512;
        }
    }
    Ok(sum)
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
        files::remove(&cache.join(name))?;
    }
    let _has_files_of_others = fs::remove_dir(cache);
    Ok(Removal::Removed)
}

/// Another installed program that has used this cache: each has a directory of shims, which are links to it.
fn other_program(cache: &Path, program: &Path) -> io::Result<Option<PathBuf>> {
    let linked = entries(&cache.join("tools"))?.into_iter().filter_map(|tools| fs::read_link(tools.join("cargo")).ok());
    Ok(linked.into_iter().find(|other| other != program && other.is_file()))
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
    fn what_is_in_a_cache_is_counted_and_goes_unless_a_kernel_runs_with_it() {
        let root = tempfile::tempdir().unwrap();
        let home = home(root.path());
        assert!(parts(&home).unwrap().iter().all(|part| (part.entries, part.bytes) == (0, 0)));
        assert_eq!(clear(&home).unwrap(), []);
        let living = WorkDir::create(&home).unwrap();
        let template = home.cache_dir().join("template/key");
        fs::create_dir_all(&template).unwrap();
        fs::write(template.join("a.rlib"), vec![1; 5000]).unwrap();
        fs::write(template.with_extension("lock"), "").unwrap();
        fs::hard_link(template.join("a.rlib"), living.root().join("a.rlib")).unwrap();
        drop(CellCache::at(home.cache_dir()).unwrap());
        fs::write(home.cache_dir().join("cells/one"), vec![1; 5000]).unwrap();
        let found = parts(&home).unwrap();
        let of = |name: &str| found.iter().find(|part| part.name == name).unwrap();
        assert_eq!((of("cells").entries, of("template").entries, of("work").entries), (1, 1, 1));
        assert!(of("template").bytes >= 5000 && of("cells").bytes >= 5000);
        assert!(of("work").bytes < 5000, "what is linked counts once");

        let kept = clear(&home).unwrap();
        assert_eq!(kept, [Kept { what: "compiled crates", why: "a kernel runs with them".into() }]);
        assert!(template.exists() && !home.cache_dir().join("cells/one").exists());
        drop(living);
        assert_eq!(clear(&home).unwrap(), []);
        assert!(!template.exists() && home.cache_dir().join("cells").exists());
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
