//! Where an installation lies: Jupyter's directory of kernels, the image beside it, and the link by which shells find it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::Scope;
use crate::home::Home;

/// The directories of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    /// `kernels` in one of Jupyter's data directories.
    pub(super) kernels: PathBuf,
    /// `bin/` and `crates/`.
    pub(super) image: PathBuf,
    /// The link to the program in a directory where shells look: `~/.local/bin`, or the prefix's `bin`. `None` without a
    /// home directory.
    pub(super) link: Option<PathBuf>,
}

impl Places {
    /// Where a scope says; if it says nothing, where the running program is installed, else where the user's own
    /// installation is.
    pub(super) fn of(scope: &Scope) -> anyhow::Result<Self> {
        match scope {
            Scope { prefix: Some(prefix), .. } => Ok(Self::below(&std::path::absolute(prefix)?)),
            Scope { sys_prefix: true, .. } => Ok(Self::below(&sys_prefix()?)),
            Scope { user: true, .. } => Self::of_user(),
            _ => match Home::find()?.image().and_then(|image| prefix_around(&image)) {
                Some(prefix) => Ok(Self::below(&prefix)),
                None => Self::of_user(),
            },
        }
    }

    /// `kernels/NAME`.
    pub(super) fn kernel(&self, name: &str) -> PathBuf {
        self.kernels.join(name)
    }

    /// The specification that Jupyter reads.
    pub(super) fn specification(&self, name: &str) -> PathBuf {
        self.kernel(name).join("kernel.json")
    }

    /// The installed program.
    pub(super) fn program(&self) -> PathBuf {
        self.image.join("bin").join("loopbook")
    }

    /// The installed program that runs cells.
    pub(super) fn child_program(&self) -> PathBuf {
        self.image.join("bin").join("loopbook-child")
    }

    /// The `jupyter` of the environment that install.sh makes if there is no JupyterLab.
    pub(super) fn own_jupyter(&self) -> PathBuf {
        self.image.join("jupyter").join("bin").join("jupyter")
    }

    pub(super) fn below(prefix: &Path) -> Self {
        let share = prefix.join("share");
        Self {
            kernels: share.join("jupyter").join("kernels"),
            image: share.join("loopbook"),
            link: Some(prefix.join("bin").join("loopbook")),
        }
    }

    fn of_user() -> anyhow::Result<Self> {
        let link = named("HOME").map(|home| home.join(".local").join("bin").join("loopbook"));
        Ok(Self { kernels: jupyter_data_dir()?.join("kernels"), image: Home::user_data_dir()?, link })
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

/// Whether shells look for programs in this directory.
pub(super) fn is_in_path(directory: &Path) -> bool {
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|entry| entry == directory)
}

/// The prefix that this image is installed below, unless it is the user's own image: Jupyter's directory for that need not
/// lie beside it.
fn prefix_around(image: &Path) -> Option<PathBuf> {
    let users = Home::user_data_dir().ok()?;
    let is_users = users.canonicalize().is_ok_and(|users| users == image);
    (!is_users && image.ends_with("share/loopbook")).then(|| image.ancestors().nth(2).map(Path::to_path_buf))?
}

/// Jupyter's data directory of the user, found as `jupyter --data-dir` finds it.
fn jupyter_data_dir() -> anyhow::Result<PathBuf> {
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

fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
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
    fn a_prefix_holds_jupyters_files_and_ours_and_the_link() {
        let places = Places::of(&Scope { user: false, sys_prefix: false, prefix: Some("/opt/x".into()) }).unwrap();
        assert_eq!(places.specification("rust-2"), Path::new("/opt/x/share/jupyter/kernels/rust-2/kernel.json"));
        assert_eq!(places.program(), Path::new("/opt/x/share/loopbook/bin/loopbook"));
        assert_eq!(places.link.as_deref(), Some(Path::new("/opt/x/bin/loopbook")));
    }

    #[test]
    fn an_image_below_a_prefix_knows_the_prefix() {
        assert_eq!(prefix_around(Path::new("/opt/x y/share/loopbook")).as_deref(), Some(Path::new("/opt/x y")));
        assert_eq!(prefix_around(Path::new("/opt/loopbook")), None);
    }

    #[test]
    fn names_that_jupyter_would_refuse_are_refused() {
        assert!(kernel_name("loopbook-0.1").is_ok());
        for name in ["", "a b", "a/b", ".."] {
            assert!(kernel_name(name).is_err(), "{name}");
        }
    }
}
