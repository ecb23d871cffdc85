//! Crates of notebooks' own (`:dep`), kept once they are compiled, for other kernels with the same template.
//!
//! ```text
//! CACHE/compiled/KEY/        KEY is the template's
//!         SET/               what cargo has made beyond the template for one notebook
//!             target/        the files, as they lay in that kernel's working directory
//!             contents       the packages that they are made of, and the size of every file
//! ```
//!
//! Cargo names what it compiles after everything that it depends on: version, features, what it is linked with. So a set whose
//! packages are all in another notebook's lock is put into that kernel's working directory as it is, and cargo finds it fresh or
//! does not look at it. A set appears under its name when it is complete, after a build that has succeeded.

mod contents;

use super::artifacts::{Linker, is_of_the_cell};
use super::files::{entries, remove};
use super::template::Template;
use contents::Contents;
use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File, FileTimes};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

pub(super) use contents::{Package, packages};

/// Name of the directory in the cache.
pub(super) const NAME: &str = "compiled";

/// Environment variable with the bytes that compiled crates may take; with 0 there are none.
pub const BYTES_ENV: &str = "LOOPBOOK_CRATE_CACHE_BYTES";

/// What they may take if nothing else is said.
const BYTES: u64 = 5 << 30;

/// What an unfinished set is called, and when it is certain that nobody is going to finish it.
const UNFINISHED: &str = ".new-";
const ABANDONED: Duration = Duration::from_secs(600);

/// The library that all cells share: if it is not the template's, neither is what else there is.
const RUNTIME: &str = "libloopbook.so";

/// The compiled crates that fit to one template.
#[derive(Debug, Clone)]
pub struct CrateCache {
    directory: PathBuf,
    /// What cargo has made of the template.
    template: PathBuf,
    bytes: u64,
}

impl CrateCache {
    /// Those that fit to this template.
    pub fn of(template: &Template) -> Self {
        let bytes = env::var(BYTES_ENV).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(BYTES);
        let key = template.directory().file_name().unwrap_or_default();
        let cache = template.directory().ancestors().nth(2).unwrap_or(Path::new("/"));
        Self { directory: cache.join(NAME).join(key), template: template.directory().join("crate/target"), bytes }
    }

    /// Puts what is kept of these packages into a working directory's `target`.
    ///
    /// # Errors
    /// If a file can be neither read nor written. What is there by then does no harm.
    pub(super) fn link(&self, packages: &BTreeSet<Package>, target: &Path) -> io::Result<()> {
        if self.bytes == 0 || !self.is_of_template(target) {
            return Ok(());
        }
        let mut sets: Vec<(PathBuf, Contents)> = Vec::new();
        for set in self.sets()? {
            match Contents::read(&set) {
                Some(contents) if !contents.is_whole(&set.join("target")) => remove(&set)?,
                Some(contents) if contents.packages.is_subset(packages) => sets.push((set, contents)),
                Some(_) => {}
                None => remove(&set)?,
            }
        }
        // The largest first: what it has in common with others was compiled together.
        sets.sort_by_key(|(_, contents)| std::cmp::Reverse(contents.packages.len()));
        for (set, contents) in sets {
            if contents.fits(&set.join("target"), target) {
                contents.put(&set.join("target"), target)?;
                // It only goes sooner.
                let _ignored = touch(&set);
            }
        }
        Ok(())
    }

    /// Keeps what cargo has made beyond the template.
    ///
    /// # Errors
    /// If a file can be neither read nor written.
    pub(super) fn keep(&self, packages: &BTreeSet<Package>, target: &Path) -> io::Result<()> {
        if self.bytes == 0 || packages.is_empty() || !self.is_of_template(target) {
            return Ok(());
        }
        let mut files = Vec::new();
        self.beyond_template(target, Path::new(""), &mut files)?;
        let contents = Contents::of(packages.clone(), target, files)?;
        let set = self.directory.join(contents.name());
        if contents.files.is_empty() || set.exists() {
            return Ok(());
        }
        let new = self.directory.join(format!("{UNFINISHED}{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir_all(&new)?;
        let kept = contents.put(target, &new.join("target")).and_then(|()| contents.write(&new));
        // Another kernel may have kept the same meanwhile.
        if kept.and_then(|()| fs::rename(&new, &set)).is_err() && !set.exists() {
            remove(&new)?;
            return Err(io::Error::other(format!("{} cannot be written", set.display())));
        }
        remove(&new)?;
        self.trim()
    }

    fn is_of_template(&self, target: &Path) -> bool {
        let id = |file: PathBuf| fs::metadata(file).map(|found| (found.dev(), found.ino(), found.len()));
        let directories = || fs::read_dir(&self.template).into_iter().flatten().flatten();
        directories().any(|host| {
            let relative = Path::new(&host.file_name()).join("debug/deps").join(RUNTIME);
            match (id(self.template.join(&relative)), id(target.join(&relative))) {
                (Ok(theirs), Ok(ours)) => theirs == ours,
                _ => false,
            }
        })
    }

    /// The files that the template does not have, without those of the cell.
    fn beyond_template(&self, target: &Path, below: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(target.join(below))? {
            let entry = entry?;
            let relative = below.join(entry.file_name());
            if is_of_the_cell(&entry.file_name().to_string_lossy()) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.beyond_template(target, &relative, files)?;
            } else if !self.template.join(&relative).exists() {
                files.push(relative);
            }
        }
        Ok(())
    }

    fn sets(&self) -> io::Result<Vec<PathBuf>> {
        let mut sets = Vec::new();
        for set in entries(&self.directory)? {
            let name = set.file_name().unwrap_or_default().to_string_lossy();
            if !name.starts_with(UNFINISHED) {
                sets.push(set);
            } else if let Ok(found) = fs::metadata(&set)
                && found.modified()?.elapsed().is_ok_and(|age| age > ABANDONED)
            {
                remove(&set)?;
            }
        }
        Ok(sets)
    }

    /// Lets those go that were not used for longest, and those of templates that are gone.
    fn trim(&self) -> io::Result<()> {
        let all = self.directory.parent().unwrap_or(&self.directory);
        let templates = self.template.ancestors().nth(3).unwrap_or(Path::new("/"));
        let mut kept = Vec::new();
        for of_template in entries(all)? {
            if !templates.join(of_template.file_name().unwrap_or_default()).exists() {
                remove(&of_template)?;
                continue;
            }
            for set in entries(&of_template)? {
                let Some(contents) = Contents::read(&set) else { continue };
                kept.push((fs::metadata(set.join(contents::NAME))?.modified()?, contents.bytes(), set));
            }
        }
        kept.sort();
        let mut bytes: u64 = kept.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, size, set) in kept {
            if bytes <= self.bytes {
                break;
            }
            remove(&set)?;
            bytes -= size;
        }
        Ok(())
    }
}

/// Notes that a set was of use.
fn touch(set: &Path) -> io::Result<()> {
    let now = FileTimes::new().set_modified(SystemTime::now());
    File::options().write(true).open(set.join(contents::NAME))?.set_times(now)
}

/// Puts files elsewhere as a template's are put: what is replaced as a whole is linked, the rest copied with its time.
fn put(files: &[PathBuf], from: &Path, to: &Path) -> io::Result<()> {
    let mut linker = Linker::default();
    for file in files {
        let (from, to) = (from.join(file), to.join(file));
        if to.exists() {
            continue;
        }
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        linker.place(&from, &to)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
