//! The files in which the shims of one kernel remember things.

use crate::evaluator::build::artifacts::linked;
use crate::evaluator::build::built_in::STATE_ENV;
use std::env;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A kernel's state directory.
#[derive(Debug, Clone)]
pub(super) struct State {
    directory: PathBuf,
}

impl State {
    /// The one that the environment names. A shim without one passes everything on.
    pub(super) fn from_environment() -> Option<Self> {
        let directory = PathBuf::from(env::var_os(STATE_ENV)?);
        directory.is_dir().then_some(Self { directory })
    }

    /// That of the kernel with this working directory.
    pub(super) fn of(root: &Path) -> Self {
        Self { directory: root.join("state") }
    }

    /// The kernel's working directory.
    pub(super) fn root(&self) -> &Path {
        self.directory.parent().unwrap_or(&self.directory)
    }

    /// The cache in which the working directory lies.
    pub(super) fn cache(&self) -> &Path {
        self.root().ancestors().nth(2).unwrap_or(&self.directory)
    }

    /// The template that the kernel was given.
    pub(super) fn template(&self) -> Option<PathBuf> {
        linked(&self.directory)
    }

    /// The crate that evcxr writes: the only one whose lock is ours to keep.
    pub(super) fn crate_dir(&self) -> PathBuf {
        self.directory.with_file_name("crate")
    }

    /// The text of the cell that is compiled.
    pub(super) fn cell(&self) -> PathBuf {
        self.crate_dir().join("src/lib.rs")
    }

    /// Where dependencies are tried out before the crate gets them.
    pub(super) fn check_dir(&self) -> PathBuf {
        self.directory.with_file_name("check")
    }

    /// The crate that our own rust-analyzer reads in the place of the one that evcxr writes.
    pub(super) fn analysis_dir(&self) -> PathBuf {
        self.directory.with_file_name("analysis")
    }

    /// The standard library's source as rust-analyzer sees it.
    pub(super) fn library_dir(&self) -> PathBuf {
        self.directory.with_file_name("library")
    }

    /// Every package that was ever locked for this kernel.
    pub(super) fn lockfile(&self) -> PathBuf {
        self.directory.join("Cargo.lock")
    }

    /// Leads to the template's directory of answers that hold for every kernel.
    pub(super) fn answers(&self) -> PathBuf {
        self.directory.join("answers")
    }

    /// Is there as long as builds of cells are to fail.
    fn refusal(&self) -> PathBuf {
        self.directory.join("refuse")
    }

    /// Has builds of cells fail from now on, or not.
    pub(super) fn refuse(&self, refuse: bool) -> io::Result<()> {
        if refuse {
            return File::create(self.refusal()).map(drop);
        }
        fs::remove_file(self.refusal()).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })
    }

    /// Whether builds of cells are to fail.
    pub(super) fn refuses(&self) -> bool {
        self.refusal().exists()
    }

    /// The pipe that takes progress.
    pub(super) fn progress(&self) -> PathBuf {
        self.directory.join("progress")
    }

    /// Holds a file per process group that runs.
    pub(super) fn running(&self) -> PathBuf {
        self.directory.join("running")
    }

    /// rustc's messages about the last cell, a JSON object per line.
    pub(super) fn diagnostics(&self) -> PathBuf {
        self.directory.join("diagnostics.jsonl")
    }

    /// Is there as long as builds are to be of nothing.
    pub(super) fn builds_nothing(&self) -> PathBuf {
        self.directory.join("builds-nothing")
    }

    /// rustc's messages about variables that cells have moved, a JSON object per line.
    pub(super) fn moves(&self) -> PathBuf {
        self.directory.join("moves.jsonl")
    }

    /// What is known of the types of variables.
    pub(super) fn types(&self) -> PathBuf {
        self.directory.join("types.json")
    }

    /// Where rustc prints how it has understood a cell.
    pub(super) fn mir(&self) -> PathBuf {
        self.directory.join("mir")
    }

    /// Where rustc puts what nobody needs.
    pub(super) fn unneeded(&self) -> PathBuf {
        self.directory.join("unneeded")
    }

    /// Empty libraries that cells are linked to, in the place of large ones.
    pub(super) fn stubs(&self) -> PathBuf {
        self.directory.join("stubs")
    }

    /// Takes what the shims did when; is there only while somebody wants to know.
    pub(super) fn times(&self) -> PathBuf {
        self.directory.join("times")
    }

    /// How rustc was last called for a cell.
    pub(super) fn command(&self, mode: Mode) -> PathBuf {
        self.directory.join(mode.name()).with_extension("command")
    }

    /// What that call depended on, apart from the cell.
    pub(super) fn key(&self, mode: Mode) -> PathBuf {
        self.directory.join(mode.name()).with_extension("key")
    }

    /// The digests of the notebook's own crates.
    pub(super) fn digests(&self) -> PathBuf {
        self.directory.join("digests.json")
    }

    /// A line for each time that a cell was compiled: by whom.
    pub(super) fn compilations(&self) -> PathBuf {
        self.directory.join("compilations.log")
    }

    /// Notes who has compiled a cell: `rustc`, or `cache` if nobody had to.
    pub(super) fn log_compilation(&self, by: &str) -> io::Result<()> {
        append(&self.compilations(), by)
    }

    /// Waits until no other cargo works on the crate; the turn ends when the file is dropped.
    pub(super) fn take_turn(&self) -> io::Result<File> {
        let file = File::create(self.directory.join("turn"))?;
        file.lock()?;
        Ok(file)
    }

    /// Notes that rustc compiles a crate, so that tests can count.
    pub(super) fn log_rustc(&self, krate: &str) -> io::Result<()> {
        append(&self.directory.join("rustc.log"), krate)
    }
}

/// What is made of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A shared library.
    Build,
    /// Diagnostics only.
    Check,
}

impl Mode {
    /// By cargo's subcommand.
    pub(super) fn of_subcommand(name: &str) -> Option<Self> {
        match name {
            "build" => Some(Self::Build),
            "check" => Some(Self::Check),
            _ => None,
        }
    }

    /// By the `--emit` that cargo gives to rustc.
    pub(super) fn of_emit(emit: &OsStr) -> Self {
        let links = emit.to_string_lossy().split(['=', ',']).any(|kind| kind == "link");
        if links { Self::Build } else { Self::Check }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Check => "check",
        }
    }
}

/// Writes a file so that a reader, or a process killed half-way, leaves the old or the new content.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let new = path.with_file_name(name);
    fs::write(&new, content)?;
    fs::rename(&new, path)
}

/// Adds a line to a file.
fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut log = OpenOptions::new().create(true).append(true).open(path)?;
    log.write_all(format!("{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustc_is_to_emit_tells_a_build_from_a_check() {
        assert_eq!(Mode::of_emit(OsStr::new("--emit=dep-info,link")), Mode::Build);
        assert_eq!(Mode::of_emit(OsStr::new("--emit=dep-info,metadata")), Mode::Check);
    }
}
