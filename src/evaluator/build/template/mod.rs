//! The compiled runtime: made once per machine, linked into each kernel's working directory.
//!
//! ```text
//! CACHE/crates/DIGEST/    the crates that cells use, as they were when the template was made
//! CACHE/template/KEY/     crate/target/  what cargo made of them, read-only
//!                         crates         link to CACHE/crates/DIGEST
//!                         Cargo.lock     the versions in it
//!                         tree           what the runtime is made of, as `cargo tree` says it
//!                         ingredients    compiler and settings: what a later template has to have in common to start from it
//!                         listing        size, time and digest of every file of these, to notice damage
//!                         names.json     what the crates that cells see have for names, with their documentation
//!                         answers/       what kernels found out that is true for every kernel with this template
//! CACHE/template/KEY.lock locked while KEY is made; its time says when KEY was last used
//! ```
//!
//! A template lies as deep below the cache as a working directory, because shared libraries name each other and the
//! toolchain's by relative paths.

mod build;
mod link;
mod listing;
mod sources;

pub use build::manifest;
pub use link::{forget_runtime, link, restore_runtime};
pub use listing::Look;

use super::built_in::CARGO_CONFIG;
use super::closure::Closure;
use super::files::remove;
use super::shims::{BuildProgress, RUSTFLAGS};
use super::toolchain::Toolchain;
use super::workdir::make_tools;
use super::workdir::tools_name;
use crate::evaluator::EVCXR_VERSION;
use crate::home::Home;
use listing::Listing;
use sha2::{Digest, Sha256};
use sources::Sources;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Raised when templates of earlier versions of this program must not be used.
const FORMAT: &str = "6";

/// The file with the names of the crates that cells see.
const NAMES: &str = "names.json";

/// A template that nobody used for so long is removed.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Why the runtime could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The crates of the installation are not there.
    #[error("cannot read the runtime's source {}: {source}; run `loopbook install` again", path.display())]
    Sources {
        /// Where they should be.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The cache is not writable.
    #[error("cannot write {}: {source}; check its permissions and the free space", path.display())]
    Cache {
        /// What was being written.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// cargo does not start.
    #[error("cannot run {}: {source}; reinstall the toolchain", path.display())]
    Cargo {
        /// The cargo that was tried.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// There is no room for what cargo makes.
    #[error("the disk is full at {}; free 3 GB there, or set LOOPBOOK_CACHE to a directory on a larger disk", path.display())]
    DiskFull {
        /// Where the template was being made.
        path: PathBuf,
    },
    /// It is our program's or the machine's fault.
    #[error("the runtime does not compile; `loopbook doctor` checks the toolchain and the C linker\n{messages}")]
    DoesNotCompile {
        /// What cargo and rustc said.
        messages: String,
    },
}

/// A compiled runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    directory: PathBuf,
}

impl Template {
    /// Where it lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The source of the crates in it, without symbolic links.
    ///
    /// # Errors
    /// If it was removed.
    pub fn crates(&self) -> io::Result<PathBuf> {
        self.directory.join("crates").canonicalize()
    }

    /// The names of the crates that cells see.
    pub fn names(&self) -> PathBuf {
        self.directory.join(NAMES)
    }

    /// Where kernels leave for each other what is true for all of them.
    pub fn answers(&self) -> PathBuf {
        self.directory.join("answers")
    }

    /// What the runtime in it is made of.
    ///
    /// # Errors
    /// If the template was removed or damaged.
    pub fn runtime(&self) -> io::Result<Closure> {
        let tree = fs::read_to_string(self.directory.join("tree"))?;
        Closure::parse(&tree).ok_or_else(|| io::Error::other("the list of the runtime's crates is damaged"))
    }

    /// Whether its files are there and have their sizes.
    pub fn is_whole(&self) -> bool {
        examine(&self.directory, Look::Sizes) == Condition::Whole
    }

    /// The versions in it.
    pub fn lockfile(&self) -> PathBuf {
        self.directory.join("Cargo.lock")
    }
}

/// In which state the template for an installation and a toolchain is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// [`warm`] would return at once.
    Whole,
    /// It was not made yet, or was removed.
    Missing,
    /// These of its files are not what they were, by their paths in it. [`warm`] compiles again what they belong to.
    Damaged(Vec<PathBuf>),
}

/// In which state the template for this installation and toolchain is.
pub fn condition(home: &Home, toolchain: &Toolchain, look: Look) -> Condition {
    let Ok(sources) = Sources::read(&home.crates_dir()) else { return Condition::Missing };
    examine(&place(home.cache_dir(), &key(home, toolchain, &sources)), look)
}

/// Compiles the runtime, unless that was done before; of one that is damaged, what is damaged. If another kernel is just
/// doing it, waits for that.
///
/// # Errors
/// If the crates are missing, the cache is not writable or the crates do not compile. Nothing half-made is left.
pub fn warm(
    home: &Home,
    toolchain: &Toolchain,
    look: Look,
    on_progress: &mut (dyn FnMut(BuildProgress) + Send),
) -> Result<Template, TemplateError> {
    let crates = home.crates_dir();
    let sources = Sources::read(&crates).map_err(|source| TemplateError::Sources { path: crates, source })?;
    let key = key(home, toolchain, &sources);
    let directory = place(home.cache_dir(), &key);
    let in_cache = |source| TemplateError::Cache { path: directory.clone(), source };
    let turn = take_turn(home.cache_dir(), &key).map_err(in_cache)?;
    if examine(&directory, look) != Condition::Whole {
        let crates = sources.copy_to(&home.cache_dir().join("crates")).map_err(in_cache)?;
        // If only the sources were damaged, nothing has to be compiled.
        if link::point_to(&directory, &crates).is_err() || examine(&directory, look) != Condition::Whole {
            let tools = home.cache_dir().join("tools").join(tools_name(home.program()));
            make_tools(&tools, home.program()).map_err(in_cache)?;
            build::build(
                &build::Order { directory: &directory, crates: &crates, tools: &tools, toolchain },
                on_progress,
            )?;
        }
    }
    drop(turn);
    if let Err(error) = make_answers(&directory) {
        tracing::warn!("what rust-analyzer is told cannot be kept for the next kernel: {error}");
    }
    if let Err(error) = remove_unused(home.cache_dir(), &key) {
        tracing::warn!("cannot remove old templates: {error}");
    }
    Ok(Template { directory })
}

fn examine(directory: &Path, look: Look) -> Condition {
    if !directory.is_dir() {
        return Condition::Missing;
    }
    let Some(listing) = Listing::read(directory) else { return Condition::Damaged(vec!["listing".into()]) };
    match listing.damaged(directory, look) {
        damaged if damaged.is_empty() => Condition::Whole,
        damaged => Condition::Damaged(damaged),
    }
}

/// Answers are not listed: each is looked at when it is given.
fn make_answers(directory: &Path) -> io::Result<()> {
    let answers = directory.join("answers");
    if answers.is_dir() {
        return Ok(());
    }
    remove(&answers)?;
    fs::create_dir(answers)
}

/// A digest of everything that decides what the compiled runtime is.
fn key(home: &Home, toolchain: &Toolchain, sources: &Sources) -> String {
    let cache = home.cache_dir().to_string_lossy();
    let program = home.program().to_string_lossy();
    let mut digest = Sha256::new();
    let ours = [FORMAT, EVCXR_VERSION, RUSTFLAGS, CARGO_CONFIG, &cache, &program];
    for part in ours.into_iter().chain([toolchain.version(), sources.digest()]) {
        digest.update(part);
        digest.update([0]);
    }
    hex::encode(&digest.finalize()[..8])
}

fn place(cache: &Path, key: &str) -> PathBuf {
    cache.join("template").join(key)
}

/// Waits until nobody else makes this template and notes that it is used.
fn take_turn(cache: &Path, key: &str) -> io::Result<File> {
    fs::create_dir_all(cache.join("template"))?;
    let file = File::create(place(cache, key).with_extension("lock"))?;
    file.set_modified(SystemTime::now())?;
    file.lock()?;
    Ok(file)
}

/// Removes templates that were not used for a month, and sources that belong to no template. Kernels keep their own
/// links to what they use, except for the sources, which stay as long as the template does.
fn remove_unused(cache: &Path, current: &str) -> io::Result<()> {
    for entry in fs::read_dir(cache.join("template"))? {
        let lock = entry?.path();
        let is_current = lock.file_stem().is_some_and(|stem| stem == current);
        if is_current || lock.extension().is_none_or(|extension| extension != "lock") {
            continue;
        }
        let file = File::open(&lock)?;
        let age = SystemTime::now().duration_since(file.metadata()?.modified()?).unwrap_or_default();
        if age > UNUSED && file.try_lock().is_ok() {
            let directory = lock.with_extension("");
            if directory.is_dir() {
                fs::remove_dir_all(&directory)?;
            }
            fs::remove_file(&lock)?;
        }
    }
    sources::remove_unused(cache, UNUSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_templates_are_removed_and_the_current_one_is_not() {
        let cache = tempfile::tempdir().unwrap();
        for key in ["old", "young", "current"] {
            drop(take_turn(cache.path(), key).unwrap());
            fs::create_dir_all(place(cache.path(), key).join("crate")).unwrap();
        }
        for key in ["old", "current"] {
            let lock = File::options().write(true).open(place(cache.path(), key).with_extension("lock")).unwrap();
            lock.set_modified(SystemTime::now() - 2 * UNUSED).unwrap();
        }
        remove_unused(cache.path(), "current").unwrap();
        assert!(!place(cache.path(), "old").exists());
        assert!(place(cache.path(), "young").exists());
        assert!(place(cache.path(), "current").exists());
    }
}
