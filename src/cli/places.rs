//! Where an installation lies: Jupyter's directory of kernels, and the image beside it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::{Place, Scope};
use crate::home::Home;

/// The directories of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    /// `kernels` in one of Jupyter's data directories.
    pub(super) kernels: PathBuf,
    /// `kernels/NAME`.
    pub(super) kernel: PathBuf,
    /// `bin/` and `crates/`.
    pub(super) image: PathBuf,
}

impl Places {
    pub(super) fn of(place: &Place) -> anyhow::Result<Self> {
        let (jupyter, image) = match &place.scope {
            Scope { prefix: Some(prefix), .. } => below(&std::path::absolute(prefix)?),
            Scope { sys_prefix: true, .. } => below(&sys_prefix()?),
            _ => (jupyter_data_dir()?, Home::user_data_dir()?),
        };
        let kernels = jupyter.join("kernels");
        Ok(Self { kernel: kernels.join(&place.name), kernels, image })
    }

    /// The installed program.
    pub(super) fn program(&self) -> PathBuf {
        self.image.join("bin").join("loopbook")
    }

    /// The installed program that runs cells.
    pub(super) fn child_program(&self) -> PathBuf {
        self.image.join("bin").join("loopbook-child")
    }

    /// The specification that Jupyter reads.
    pub(super) fn specification(&self) -> PathBuf {
        self.kernel.join("kernel.json")
    }
}

/// Checks a name as Jupyter does.
pub(super) fn kernel_name(name: &str) -> Result<String, String> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match !name.is_empty() && name.chars().all(known) && !name.starts_with('.') {
        true => Ok(name.to_owned()),
        false => Err("Jupyter allows letters, digits, `-`, `_` and `.` only".to_owned()),
    }
}

fn below(prefix: &Path) -> (PathBuf, PathBuf) {
    let share = prefix.join("share");
    (share.join("jupyter"), share.join("loopbook"))
}

/// Jupyter's data directory of the user, found as `jupyter --data-dir` finds it.
fn jupyter_data_dir() -> anyhow::Result<PathBuf> {
    let named = |variable| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(dir) = named("JUPYTER_DATA_DIR") {
        return Ok(std::path::absolute(dir)?);
    }
    let home = || named("HOME").context("the environment variable HOME is not set; set it, or use --prefix DIR");
    if cfg!(target_os = "macos") {
        return Ok(home()?.join("Library").join("Jupyter"));
    }
    let share = match named("XDG_DATA_HOME") {
        Some(dir) => dir,
        None => home()?.join(".local").join("share"),
    };
    Ok(share.join("jupyter"))
}

fn sys_prefix() -> anyhow::Result<PathBuf> {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.prefix)"])
        .output()
        .context("cannot run `python3` to find its prefix; put it in PATH, or use --prefix DIR")?;
    if !output.status.success() {
        bail!("`python3` does not tell its prefix; use --prefix DIR");
    }
    let prefix =
        String::from_utf8(output.stdout).context("`python3` has a prefix that is not UTF-8; use --prefix DIR")?;
    Ok(PathBuf::from(prefix.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_both_jupyters_files_and_ours() {
        let scope = Scope { user: false, sys_prefix: false, prefix: Some("/opt/x".into()) };
        let places = Places::of(&Place { scope, name: "rust-2".into() }).unwrap();
        assert_eq!(places.specification(), Path::new("/opt/x/share/jupyter/kernels/rust-2/kernel.json"));
        assert_eq!(places.program(), Path::new("/opt/x/share/loopbook/bin/loopbook"));
    }

    #[test]
    fn names_that_jupyter_would_refuse_are_refused() {
        assert!(kernel_name("loopbook-0.1").is_ok());
        for name in ["", "a b", "a/b", ".."] {
            assert!(kernel_name(name).is_err(), "{name}");
        }
    }
}
