//! Each kernel's own directory below the cache, and the removal of those that dead kernels left.
//!
//! ```text
//! CACHE/work/PID-RANDOM/  alive     locked while the kernel lives
//!                         crate/    the crate that evcxr writes (its tmpdir)
//!                         analysis/ the crate that rust-analyzer reads for completions, once it has been started
//!                         crates    link to the sources of the crates that cells use
//!                         state/    what the shims for cargo and rustc remember
//!                         library/  links to the standard library's source, as rust-analyzer sees it
//!                         config/   empty: evcxr's configuration, rust-analyzer's cargo home
//!                         .cargo/   how cells are compiled
//! ```

use crate::home::Home;
use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Names under which the program stands in for another one.
const TOOLS: [&str; 4] = ["cargo", "rustc", "rustup", "linker/cc"];

/// Prefix of a directory that is being removed.
const DEAD: &str = ".dead-";

/// Why there is no working directory.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the kernel's working directory {}: {source}; check its permissions and the free space", path.display())]
pub struct WorkDirError {
    path: PathBuf,
    source: io::Error,
}

/// A kernel's working directory: nobody but its owner can look into it, since it holds what the user typed. Dropping it
/// removes it.
#[derive(Debug)]
pub struct WorkDir {
    cache: PathBuf,
    program: PathBuf,
    root: PathBuf,
    tools: PathBuf,
    /// Locked: says that we live. `None` before the directory is made.
    alive: Mutex<Option<File>>,
}

/// How often a directory that is still being written to is tried to be removed.
const REMOVALS: usize = 50;

/// What every working directory has once a template is in it: without one of them it is not used as it is.
const ESSENTIAL: [&str; 6] = ["crate/src", "crate/target", "crates", "state/running", "config", ".cargo/config.toml"];

impl WorkDir {
    /// Makes a directory that no other kernel has.
    ///
    /// # Errors
    /// If the cache directory is not writable.
    pub fn create(home: &Home) -> Result<Self, WorkDirError> {
        Self::create_in(home.cache_dir(), home.program())
    }

    pub(super) fn create_in(cache: &Path, program: &Path) -> Result<Self, WorkDirError> {
        let work = Self::plan_in(cache, program);
        work.make()?;
        Ok(work)
    }

    /// A directory that no other kernel has, and that is not there before [`WorkDir::make`].
    pub fn plan(home: &Home) -> Self {
        Self::plan_in(home.cache_dir(), home.program())
    }

    fn plan_in(cache: &Path, program: &Path) -> Self {
        let short = uuid::Uuid::new_v4().simple().to_string();
        Self {
            root: cache.join("work").join(format!("{}-{}", std::process::id(), &short[..8])),
            tools: cache.join("tools").join(tools_name(program)),
            cache: cache.to_owned(),
            program: program.to_owned(),
            alive: Mutex::default(),
        }
    }

    /// Makes the directory, without a template in it. What is left of an earlier one is removed.
    ///
    /// # Errors
    /// If the cache directory is not writable.
    pub fn make(&self) -> Result<(), WorkDirError> {
        let make = || -> io::Result<File> {
            make_tools(&self.tools, &self.program)?;
            // A sweep must not see the directory before it is locked.
            let _turn = take_turn(&self.cache)?;
            self.remove();
            make_private(&self.root)?;
            for name in ["crate/src", "state/running", "config", ".cargo"] {
                fs::create_dir_all(self.root.join(name))?;
            }
            let alive = File::create(self.root.join("alive"))?;
            alive.lock()?;
            Ok(alive)
        };
        let alive = make().map_err(|source| WorkDirError { path: self.root.clone(), source })?;
        *self.alive.lock().unwrap_or_else(PoisonError::into_inner) = Some(alive);
        Ok(())
    }

    /// Whether the directory, and the template in it, is still there: somebody may have emptied the cache.
    pub fn is_whole(&self) -> bool {
        let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = alive.as_ref().and_then(|file| file.metadata().ok()).map(|metadata| metadata.ino());
        let present = fs::metadata(self.root.join("alive")).ok().map(|metadata| metadata.ino());
        let tools = || self.tools.join("cargo").exists();
        ours.is_some() && ours == present && tools() && ESSENTIAL.iter().all(|part| self.root.join(part).exists())
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The crate that evcxr writes and compiles.
    pub fn crate_dir(&self) -> PathBuf {
        self.root.join("crate")
    }

    /// The crate that rust-analyzer reads for completions.
    pub fn analysis_dir(&self) -> PathBuf {
        self.root.join("analysis")
    }

    /// The source file that evcxr writes for each cell.
    pub fn source(&self) -> PathBuf {
        self.root.join("crate/src/lib.rs")
    }

    /// The standard library's source as rust-analyzer sees it.
    pub fn library_dir(&self) -> PathBuf {
        self.root.join("library")
    }

    /// What the shims remember.
    pub fn state_dir(&self) -> PathBuf {
        self.root.join("state")
    }

    /// Removes the directory; for a kernel that ends while its threads still hold it. May be called again.
    pub fn remove(&self) {
        // A build that is just being killed may still write a file into what is being removed.
        for attempt in 1..=REMOVALS {
            match fs::remove_dir_all(&self.root) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return,
                Err(error) if attempt == REMOVALS => {
                    tracing::warn!("cannot remove {}: {error}; the next kernel will", self.root.display());
                }
                Err(_) => {}
                Ok(()) => return,
            }
        }
    }

    /// The directory with the shims for cargo, rustc and rustup.
    pub fn tools(&self) -> &Path {
        &self.tools
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Removes the working directories of kernels that no longer live, however they ended. Returns how many.
///
/// # Errors
/// If the cache cannot be read or something in it not be removed.
pub fn sweep_stale(home: &Home) -> io::Result<usize> {
    sweep_in(home.cache_dir())
}

fn sweep_in(cache: &Path) -> io::Result<usize> {
    let work = cache.join("work");
    if !work.is_dir() {
        return Ok(0);
    }
    let dead = rename_dead(cache, &work)?;
    for path in &dead {
        match fs::remove_dir_all(path) {
            // Another kernel that sweeps at the same time was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(dead.len())
}

/// Gives dead directories another name while no kernel can be making one; removing them takes longer than that.
fn rename_dead(cache: &Path, work: &Path) -> io::Result<Vec<PathBuf>> {
    let _turn = take_turn(cache)?;
    let mut dead = Vec::new();
    for entry in fs::read_dir(work)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(DEAD) {
            dead.push(entry.path());
        } else if is_dead(&entry.path())? {
            let mut renamed = std::ffi::OsString::from(DEAD);
            renamed.push(&name);
            let renamed = work.join(renamed);
            fs::rename(entry.path(), &renamed)?;
            dead.push(renamed);
        }
    }
    Ok(dead)
}

/// The system unlocks a file when the process that locked it ends; a process id could belong to someone else by now.
fn is_dead(root: &Path) -> io::Result<bool> {
    match File::open(root.join("alive")) {
        Ok(file) => match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Waits until no other kernel makes or sweeps directories; the turn ends when the file is dropped.
fn take_turn(cache: &Path) -> io::Result<File> {
    fs::create_dir_all(cache)?;
    let file = File::create(cache.join("work.lock"))?;
    file.lock()?;
    Ok(file)
}

/// A directory name for the shims of `program`. One for all its kernels: cargo keeps what it knows about a rustc by
/// the rustc's path.
pub(super) fn tools_name(program: &Path) -> String {
    hex::encode(&Sha256::digest(program.as_os_str().as_bytes())[..8])
}

/// Makes the links under whose names `program` stands in for the tools. One that leads elsewhere is replaced.
pub(super) fn make_tools(tools: &Path, program: &Path) -> io::Result<()> {
    for name in TOOLS {
        let link = tools.join(name);
        fs::create_dir_all(link.parent().unwrap_or(tools))?;
        if fs::read_link(&link).is_ok_and(|target| target == program) {
            continue;
        }
        // Another kernel may use it, or be making it, at this moment: it is replaced as a whole.
        let new = tools.join(format!("{name}.new-{}", uuid::Uuid::new_v4().simple()));
        symlink(program, &new)?;
        fs::rename(&new, &link)?;
    }
    Ok(())
}

/// Makes a directory that only its owner can use, whatever the umask says.
fn make_private(directory: &Path) -> io::Result<()> {
    if let Some(parent) = directory.parent() {
        fs::create_dir_all(parent)?;
    }
    DirBuilder::new().mode(0o700).create(directory)?;
    fs::set_permissions(directory, Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_directory_is_gone_and_a_sweep_leaves_the_living() {
        let cache = tempfile::tempdir().unwrap();
        let program = Path::new("/bin/true");
        let first = WorkDir::create_in(cache.path(), program).unwrap();
        let second = WorkDir::create_in(cache.path(), program).unwrap();
        assert_ne!(first.root(), second.root());
        assert!(first.tools().join("cargo").exists());
        assert_eq!(sweep_in(cache.path()).unwrap(), 0);
        let root = first.root().to_owned();
        drop(first);
        assert!(!root.exists());
        assert!(second.state_dir().is_dir());
    }

    #[test]
    fn a_directory_is_its_owners_alone_and_is_made_anew_when_it_was_removed() {
        let cache = tempfile::tempdir().unwrap();
        let work = WorkDir::plan_in(cache.path(), Path::new("/bin/true"));
        assert!(!work.root().exists() && !work.is_whole());
        work.make().unwrap();
        assert_eq!(fs::metadata(work.root()).unwrap().mode() & 0o777, 0o700);
        fill(&work);
        assert!(work.is_whole());
        fs::remove_dir_all(work.root()).unwrap();
        assert!(!work.is_whole());
        work.make().unwrap();
        fill(&work);
        assert!(work.is_whole());
        assert_eq!(sweep_in(cache.path()).unwrap(), 0, "it is locked anew");
        fs::remove_dir_all(work.crate_dir()).unwrap();
        assert!(!work.is_whole());
    }

    #[test]
    fn links_that_lead_elsewhere_are_replaced() {
        let cache = tempfile::tempdir().unwrap();
        let tools = cache.path().join("tools");
        let program = Path::new("/bin/true");
        make_tools(&tools, program).unwrap();
        fs::remove_file(tools.join("cargo")).unwrap();
        symlink("/nowhere", tools.join("cargo")).unwrap();
        fs::remove_file(tools.join("rustc")).unwrap();
        fs::write(tools.join("rustc"), "garbage").unwrap();
        make_tools(&tools, program).unwrap();
        for name in TOOLS {
            assert_eq!(fs::read_link(tools.join(name)).unwrap(), program);
        }
        assert_eq!(fs::read_dir(&tools).unwrap().count(), TOOLS.len());
    }

    /// Puts something in the places of what a template brings.
    fn fill(work: &WorkDir) {
        for part in ESSENTIAL {
            fs::create_dir_all(work.root().join(part)).unwrap();
        }
    }

    #[test]
    fn what_a_killed_kernel_left_is_swept() {
        let cache = tempfile::tempdir().unwrap();
        let living = WorkDir::create_in(cache.path(), Path::new("/bin/true")).unwrap();
        let dead = cache.path().join("work/1-deadbeef");
        fs::create_dir_all(dead.join("crate/target")).unwrap();
        fs::write(dead.join("alive"), "").unwrap();
        fs::create_dir_all(cache.path().join("work/.dead-2-half")).unwrap();
        assert_eq!(sweep_in(cache.path()).unwrap(), 2);
        assert_eq!(fs::read_dir(cache.path().join("work")).unwrap().count(), 1);
        assert!(living.root().exists());
    }

    #[test]
    fn a_cache_that_does_not_exist_has_nothing_to_sweep() {
        let cache = tempfile::tempdir().unwrap();
        assert_eq!(sweep_in(&cache.path().join("none")).unwrap(), 0);
    }
}
