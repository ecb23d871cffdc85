//! The Rust toolchain that compiles cells, and the environment in which evcxr and rust-analyzer find our shims
//! instead of it.

use crate::home::home_directory;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why there is no usable toolchain.
#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    /// Neither rustup nor a `PATH` entry knows the program.
    #[error("cannot find {0}; install Rust (https://rustup.rs), or put its bin directory into PATH")]
    NotFound(&'static str),
    /// It is there but does not run.
    #[error("cannot run {}: {source}; reinstall the toolchain (`rustup toolchain install stable`)", program.display())]
    DoesNotRun {
        /// Which program.
        program: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// It runs but says what we cannot read.
    #[error("{} did not say which {what} it has; reinstall the toolchain (`rustup toolchain install stable`)", program.display())]
    Unclear {
        /// Which program.
        program: PathBuf,
        /// What was asked.
        what: &'static str,
    },
    /// It, or rustup in its place, refuses.
    #[error("{} refuses: {reason}{}", program.display(), named_by_user())]
    Refused {
        /// Which program.
        program: PathBuf,
        /// What it said on stderr.
        reason: String,
    },
    /// The compiler is there, and not the source of the standard library.
    #[error(
        "the source of the standard library is missing, without which the types of variables cannot be found out; run \
         `rustup component add rust-src` (or install your system's package rust-src)"
    )]
    NoSource,
}

/// A cargo and a rustc that belong together: the real ones, no proxies of rustup's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    sysroot: PathBuf,
    version: String,
    host: String,
}

impl Toolchain {
    /// Finds the user's default toolchain. A `rust-toolchain.toml` beside a notebook has no say: the runtime that all
    /// cells share is compiled once per machine.
    ///
    /// # Errors
    /// If there is no cargo or rustc, or rustc does not run.
    pub fn find() -> Result<Self, ToolchainError> {
        let rustc = match which_by_rustup("rustc") {
            Some(Ok(rustc)) => rustc,
            refused => match find_program("rustc") {
                Some(rustc) if !is_proxy(&rustc) => rustc,
                _ => return Err(refused.and_then(Result::err).unwrap_or(ToolchainError::NotFound("rustc"))),
            },
        };
        // A rustc in PATH may be a proxy; the sysroot has the real ones.
        let sysroot = match sysroot_around(&rustc) {
            Some(sysroot) => sysroot,
            None => PathBuf::from(ask(&rustc, &["--print", "sysroot"])?.trim()),
        };
        let in_sysroot = |tool: &str| Some(sysroot.join("bin").join(tool)).filter(|path| path.is_file());
        let rustc = in_sysroot("rustc").unwrap_or(rustc);
        let cargo = in_sysroot("cargo").or_else(|| find_program("cargo")).ok_or(ToolchainError::NotFound("cargo"))?;
        let version = ask(&rustc, &["-vV"])?;
        let Some(host) = version.lines().find_map(|line| line.strip_prefix("host: ")) else {
            return Err(ToolchainError::Unclear { program: rustc, what: "host" });
        };
        Ok(Self { host: host.to_owned(), cargo, rustc, sysroot, version })
    }

    /// The real cargo.
    pub fn cargo(&self) -> &Path {
        &self.cargo
    }

    /// The real rustc.
    pub fn rustc(&self) -> &Path {
        &self.rustc
    }

    /// The directory that holds `bin/` and `lib/`.
    pub fn sysroot(&self) -> &Path {
        &self.sysroot
    }

    /// What `rustc -vV` says.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The target triple of this machine, for example `x86_64-unknown-linux-gnu`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the standard library's source is installed, which rust-analyzer needs to find out the types of variables.
    pub fn has_rust_src(&self) -> bool {
        self.library().join("std/src/lib.rs").is_file()
    }

    /// Where the standard library's source lies if it is installed.
    pub fn library(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib/src/rust/library")
    }
}

/// The user's own cargo home, with the registry and the configuration. Ask before changing the environment.
pub fn cargo_home() -> PathBuf {
    let named = env::var_os("CARGO_HOME").filter(|value| !value.is_empty());
    let home = || home_directory().unwrap_or_default();
    named.map_or_else(|| home().join(".cargo"), PathBuf::from)
}

/// The sysroot that this rustc lies in. It need not be asked, which saves a process at every start.
fn sysroot_around(rustc: &Path) -> Option<PathBuf> {
    let sysroot = rustc.parent()?.parent()?;
    sysroot.join("lib/rustlib").is_dir().then(|| sysroot.to_owned())
}

/// Where rustup has the tool, or why it does not say; `None` if there is no rustup.
fn which_by_rustup(tool: &str) -> Option<Result<PathBuf, ToolchainError>> {
    let rustup = find_program("rustup")?;
    let said = ask(&rustup, &["which", tool]);
    Some(said.and_then(|path| match PathBuf::from(path.trim()) {
        path if path.is_file() => Ok(path),
        _ => Err(ToolchainError::Unclear { program: rustup, what: "compiler" }),
    }))
}

/// Whether this is rustup under the name of a tool: it would refuse as rustup itself has.
fn is_proxy(program: &Path) -> bool {
    let same = |other: &Path| match (fs::metadata(program), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    };
    find_program("rustup").is_some_and(|rustup| same(&rustup)) || same(&program.with_file_name("rustup"))
}

/// A hint, if the user has chosen the toolchain by the environment.
fn named_by_user() -> String {
    match env::var("RUSTUP_TOOLCHAIN") {
        Ok(name) => format!("; the environment variable RUSTUP_TOOLCHAIN asks for `{name}`: install that, or unset it"),
        Err(_) => "; install a toolchain (`rustup toolchain install stable`)".to_owned(),
    }
}

/// Looks in `PATH`, then where rustup installs: a Jupyter that a desktop started has a short `PATH`.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    search(&path, name).or_else(|| Some(cargo_home().join("bin").join(name)).filter(|path| path.is_file()))
}

fn search(path: &OsStr, name: &str) -> Option<PathBuf> {
    env::split_paths(path).map(|directory| directory.join(name)).find(|program| program.is_file())
}

fn ask(program: &Path, arguments: &[&str]) -> Result<String, ToolchainError> {
    let program = program.to_owned();
    let output = match Command::new(&program).args(arguments).current_dir("/").stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(source) => return Err(ToolchainError::DoesNotRun { program, source }),
    };
    let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ");
    match String::from_utf8(output.stdout) {
        Ok(text) if output.status.success() => Ok(text),
        _ if said.is_empty() => Err(ToolchainError::Unclear { program, what: "version" }),
        _ => Err(ToolchainError::Refused { program, reason: said }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_toolchain_of_this_machine_is_found_and_is_not_a_proxy() {
        let toolchain = Toolchain::find().unwrap();
        assert!(toolchain.rustc().starts_with(toolchain.sysroot()));
        assert!(toolchain.version().starts_with("rustc "));
        assert!(toolchain.host().contains('-'));
    }

    #[test]
    fn a_tool_that_refuses_is_quoted() {
        let error =
            ask(Path::new("/bin/sh"), &["-c", "echo 'error: no toolchain' >&2; exit 1"]).unwrap_err().to_string();
        assert!(error.starts_with("/bin/sh refuses: error: no toolchain; "), "{error}");
        let error = ask(Path::new("/bin/sh"), &["-c", "exit 1"]).unwrap_err().to_string();
        assert!(error.contains("did not say which version"), "{error}");
    }

    #[test]
    fn the_first_directory_of_the_path_wins() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
            std::fs::write(root.path().join(name).join("tool"), "").unwrap();
        }
        let path = env::join_paths([root.path().join("none"), root.path().join("b"), root.path().join("a")]).unwrap();
        assert_eq!(search(&path, "tool"), Some(root.path().join("b/tool")));
        assert_eq!(search(&path, "other"), None);
    }
}
