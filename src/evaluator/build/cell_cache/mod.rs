//! Compiled cells, kept for other kernels of the same user: a file per cell, named after everything that it was made of.
//!
//! An entry appears under its name when it is complete, and begins with a digest of the rest: what a killed process, a full
//! disk or anything else has left half-done is never taken for a cell. Which entry is the right one is not decided here.

mod entry;
mod private;

pub(super) use entry::Entry;
pub use private::Refused;

use super::files::remove;
use std::env;
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Name of the directory in the cache.
pub(super) const NAME: &str = "cells";

/// Environment variable that turns the cache of cells off: `off`.
pub const SWITCH_ENV: &str = "LOOPBOOK_CELL_CACHE";

/// Environment variable with the bytes that compiled cells may take.
pub const BYTES_ENV: &str = "LOOPBOOK_CELL_CACHE_BYTES";

/// What they may take if nothing else is said.
const BYTES: u64 = 1 << 30;

/// What an unfinished entry is called, and when it is certain that nobody is going to finish it.
const UNFINISHED: &str = ".new-";
const ABANDONED: Duration = Duration::from_secs(600);

/// The directory of compiled cells.
#[derive(Debug, Clone)]
pub struct CellCache {
    directory: PathBuf,
    bytes: u64,
}

/// A file in it.
struct Kept {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

impl CellCache {
    /// The one in this cache, which is made if it is missing; `None` if the user has turned it off.
    ///
    /// # Errors
    /// If it cannot be trusted, or not be made.
    pub fn open(cache: &Path) -> Result<Option<Self>, Refused> {
        if env::var_os(SWITCH_ENV).is_some_and(|value| value == "off") {
            return Ok(None);
        }
        Self::at(cache).map(Some)
    }

    /// The same, whether it is turned off or not.
    ///
    /// # Errors
    /// As [`CellCache::open`].
    pub fn at(cache: &Path) -> Result<Self, Refused> {
        let bytes = env::var(BYTES_ENV).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(BYTES);
        Self::open_with(cache, bytes)
    }

    pub(super) fn open_with(cache: &Path, bytes: u64) -> Result<Self, Refused> {
        let directory = cache.join(NAME);
        private::make(&directory)?;
        Ok(Self { directory, bytes })
    }

    /// What was kept under this name. A damaged entry is none, and is removed.
    pub(super) fn get(&self, name: &str) -> Option<Entry> {
        let path = self.directory.join(name);
        let entry = Entry::parse(&fs::read(&path).ok()?);
        if entry.is_none() {
            let _another_kernel_was_faster = fs::remove_file(path);
        }
        entry
    }

    /// Notes that an entry was of use, so that others go before it.
    pub(super) fn touch(&self, name: &str) {
        let now = FileTimes::new().set_modified(SystemTime::now());
        let file = OpenOptions::new().write(true).open(self.directory.join(name));
        // It only goes sooner.
        let _ignored = file.and_then(|file| file.set_times(now));
    }

    /// Keeps an entry, and lets those go that were not used for longest if there is no room for all.
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub(super) fn put(&self, name: &str, entry: &Entry) -> io::Result<()> {
        let content = entry.to_bytes()?;
        if content.len() as u64 > self.bytes {
            return Ok(());
        }
        let new = self.directory.join(format!("{UNFINISHED}{}", uuid::Uuid::new_v4().simple()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        let written = file.write_all(&content).and_then(|()| fs::rename(&new, self.directory.join(name)));
        if written.is_err() {
            let _it_is_swept = fs::remove_file(&new);
        }
        written?;
        self.trim()
    }

    /// How many cells there are, and how many bytes they take.
    #[cfg(test)]
    fn usage(&self) -> io::Result<(usize, u64)> {
        let kept = self.kept()?;
        Ok((kept.len(), kept.iter().map(|file| file.bytes).sum()))
    }

    /// Removes all of them. Kernels that run compile theirs again.
    ///
    /// # Errors
    /// If one cannot be removed.
    pub fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            remove(&entry?.path())?;
        }
        Ok(())
    }

    /// Makes room. One process at a time does it: two would let more go than need be.
    fn trim(&self) -> io::Result<()> {
        let mut kept = self.kept()?;
        let mut bytes: u64 = kept.iter().map(|file| file.bytes).sum();
        if bytes <= self.bytes {
            return Ok(());
        }
        let turn = File::open(&self.directory)?;
        if turn.try_lock().is_err() {
            return Ok(());
        }
        kept.sort_by_key(|file| file.used);
        for file in kept {
            if bytes <= self.bytes {
                break;
            }
            remove(&file.path)?;
            bytes -= file.bytes;
        }
        Ok(())
    }

    /// The entries. What was left unfinished long ago is removed.
    fn kept(&self) -> io::Result<Vec<Kept>> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            // Another kernel may just have removed it.
            let Ok(metadata) = entry.metadata() else { continue };
            let used = metadata.modified()?;
            if !entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                kept.push(Kept { path: entry.path(), bytes: metadata.len(), used });
            } else if used.elapsed().is_ok_and(|age| age > ABANDONED) {
                remove(&entry.path())?;
            }
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests;
