//! A notebook's own dependencies: what they would change is found out, and they are compiled, before evcxr hears of them.
//!
//! Cargo compiles a crate once, with the features that anybody in the build asks for. A `:dep` that asks for one more
//! feature of a crate below the runtime makes the runtime another library, and the process that has loaded the present
//! one must end, with every variable and every task in it. So before anything is compiled, cargo resolves the manifest as
//! it would be, in a directory of its own, and what the runtime would be made of is compared with what it is made of.
//!
//! - `specification`: what a `:dep` says;
//! - `ahead`: what `loopbook warm` compiles before a notebook asks;
//! - `builtin`: the crates that every cell sees anyway;
//! - `cargo_errors`: what cargo and rustc say when it does not work, for people.

pub mod ahead;
mod builtin;
mod cargo_errors;
mod specification;

pub use super::closure::{Change, Closure, TREE};
pub use specification::Dependency;

use super::artifacts;
use super::crate_cache::{self, CrateCache};
use super::lockfile::Lockfile;
use super::template::{self, Template};
use super::workdir::WorkDir;
use crate::evaluator::support::wording;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

/// What cargo makes of a notebook's dependencies.
#[derive(Debug)]
pub struct Resolution {
    /// What the runtime would be made of.
    pub runtime: Closure,
    lock: Lockfile,
}

/// Where dependencies are tried out for one kernel. It calls cargo by way of the shim, so that an interrupt ends it and
/// its progress is shown.
#[derive(Debug)]
pub struct Resolver {
    root: PathBuf,
    cargo: PathBuf,
    host: String,
    crates: PathBuf,
    template: Template,
    /// What the calls of cargo have in their environment beside this process's own.
    environment: Vec<(OsString, OsString)>,
}

impl Resolver {
    /// `host` is the target of the toolchain, `template` what the working directory was filled with.
    ///
    /// # Errors
    /// If the template was removed.
    pub fn new(work: &WorkDir, host: &str, template: &Template) -> io::Result<Self> {
        Ok(Self {
            root: work.root().to_owned(),
            cargo: work.tools().join("cargo"),
            host: host.to_owned(),
            crates: template.crates()?,
            template: template.clone(),
            environment: Vec::new(),
        })
    }

    /// For a process that is no kernel: the environment by which the shims know what they are for.
    #[must_use]
    pub fn with_environment(mut self, environment: Vec<(OsString, OsString)>) -> Self {
        self.environment = environment;
        self
    }

    /// Has cargo resolve the built-in crates together with these dependencies. Nothing of the notebook's is touched.
    ///
    /// # Errors
    /// A sentence for the user: why they cannot be had.
    pub fn resolve(&self, dependencies: &[Dependency]) -> Result<Resolution, String> {
        let directory = self.root.join("check");
        self.write_check(&directory, dependencies).map_err(not_written)?;
        let output = thread::scope(|scope| {
            // The build that follows would wait for it; if it fails here, it fails there too, and is told there.
            scope.spawn(|| artifacts::complete(&self.root));
            self.cargo(&directory, &TREE)
        })?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(cargo_errors::of_resolution(&stderr));
        }
        if let Some(name) = cargo_errors::without_library(&stderr) {
            return Err(format!("`{name}` is a program and has no library that a cell could use"));
        }
        let runtime = Closure::parse(&String::from_utf8_lossy(&output.stdout))
            .ok_or("cargo did not say what the runtime is made of; `loopbook doctor` checks the toolchain")?;
        let lock = fs::read_to_string(directory.join("Cargo.lock")).map_err(not_written)?;
        Ok(Resolution { runtime, lock: Lockfile::parse(&lock) })
    }

    /// Compiles them, with the notebook's versions, for a cell that does nothing. What was compiled on this machine before is
    /// taken as it is.
    ///
    /// # Errors
    /// A message for the user: what does not compile, and why.
    pub fn build(&self, dependencies: &[Dependency]) -> Result<(), String> {
        let directory = self.root.join("crate");
        self.write_crate(&directory, dependencies).map_err(not_written)?;
        let kept = self.packages().map(|packages| (packages, CrateCache::of(&self.template)));
        let target = directory.join("target");
        if let Some((packages, cache)) = &kept
            && let Err(error) = cache.link(packages, &target)
        {
            tracing::warn!("compiled crates cannot be taken from the cache: {error}");
        }
        let output = self.cargo(&directory, &["build", "--message-format=json"])?;
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if !output.status.success() {
            return Err(cargo_errors::of_build(&stdout, &stderr));
        }
        if kept.is_none() {
            // What is compiled from now on may be linked to what somebody edits, or lie beside it.
            let _only_then_is_more_kept = fs::write(self.has_had_directories(), "");
        }
        if let Some((packages, cache)) = &kept
            && !self.has_had_directories().exists()
            && let Err(error) = cache.keep(packages, &target)
        {
            tracing::warn!("compiled crates cannot be kept: {error}");
        }
        Ok(())
    }

    fn has_had_directories(&self) -> PathBuf {
        self.root.join("state/has-had-directories")
    }

    /// The packages that were resolved last, beside the built-in ones; `None` if one of them may be edited at any time.
    fn packages(&self) -> Option<BTreeSet<crate_cache::Package>> {
        let lock = fs::read_to_string(self.root.join("check/Cargo.lock")).ok()?;
        let ours = fs::read_to_string(self.template.lockfile()).ok()?;
        crate_cache::packages(&lock, &ours)
    }

    /// Makes the versions of `resolution` the notebook's. Returns those that it had, for [`Resolver::set_versions`].
    ///
    /// # Errors
    /// A sentence for the user, if the working directory cannot be written.
    pub fn adopt(&self, resolution: &Resolution) -> Result<String, String> {
        let before = self.versions()?;
        self.set_versions(&Lockfile::parse(&before).merged(&resolution.lock).to_text())?;
        Ok(before)
    }

    /// The notebook's versions: the text of a lock.
    ///
    /// # Errors
    /// As [`Resolver::adopt`].
    pub fn versions(&self) -> Result<String, String> {
        fs::read_to_string(self.lockfile()).map_err(not_written)
    }

    /// Sets the notebook's versions.
    ///
    /// # Errors
    /// As [`Resolver::adopt`].
    pub fn set_versions(&self, lock: &str) -> Result<(), String> {
        fs::write(self.lockfile(), lock).map_err(not_written)
    }

    /// These dependencies of the notebook's with the versions that it has of them, in words.
    pub fn named<'a>(&self, dependencies: impl IntoIterator<Item = &'a Dependency>) -> String {
        let lock = Lockfile::parse(&self.versions().unwrap_or_default());
        let names: Vec<_> = dependencies.into_iter().map(|dependency| dependency.named(&lock)).collect();
        wording::listed(&names)
    }

    /// The manifest of a crate with these dependencies beside those that are built in.
    pub fn manifest(&self, dependencies: &[Dependency]) -> String {
        let lines: String = dependencies.iter().map(|dependency| dependency.line() + "\n").collect();
        template::manifest(&self.crates) + &lines
    }

    fn write_check(&self, directory: &Path, dependencies: &[Dependency]) -> io::Result<()> {
        self.write_crate(directory, dependencies)?;
        // cargo keeps there what it knows of rustc, so that it need not ask.
        match symlink("../crate/target", directory.join("target")) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        fs::copy(self.lockfile(), directory.join("Cargo.lock")).map(drop)
    }

    fn lockfile(&self) -> PathBuf {
        self.root.join("state/Cargo.lock")
    }

    fn write_crate(&self, directory: &Path, dependencies: &[Dependency]) -> io::Result<()> {
        fs::create_dir_all(directory.join("src"))?;
        fs::write(directory.join("src/lib.rs"), "")?;
        fs::write(directory.join("Cargo.toml"), self.manifest(dependencies))
    }

    fn cargo(&self, directory: &Path, arguments: &[&str]) -> Result<Output, String> {
        Command::new(&self.cargo)
            .args(arguments)
            .args(["--target", &self.host])
            .current_dir(directory)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cargo does not start: {error}; `loopbook doctor` checks the toolchain"))
    }
}

/// Understands the arguments of a `:dep`. `Ok(Err(note))` for a crate that is built in as it is asked for.
///
/// # Errors
/// A sentence for the user.
pub fn understand(args: &str, directory: &Path, runtime: &Closure) -> Result<Result<Dependency, String>, String> {
    let dependency = Dependency::parse(args, directory)?;
    match builtin::answer(&dependency, runtime) {
        None => Ok(Ok(dependency)),
        Some(note) => note.map(Err),
    }
}

fn not_written(error: io::Error) -> String {
    format!("the kernel's working directory cannot be used: {error}; check its permissions and the free space")
}
