//! Where Loopbook keeps its files: the installed image (program, crates that cells link) and the cache (templates,
//! working directories of kernels).

use std::env;
use std::io;
use std::path::{Path, PathBuf};

/// Environment variable that names the data directory, for installations in unusual places.
pub const DATA_ENV: &str = "LOOPBOOK_HOME";

/// Environment variable that names the cache directory.
pub const CACHE_ENV: &str = "LOOPBOOK_CACHE";

/// Environment variable that names the file of the history; if it is empty, nothing is remembered.
pub const HISTORY_ENV: &str = "LOOPBOOK_HISTORY";

/// Why no place could be found.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// There is no home directory.
    #[error(
        "there is no home directory: the environment variable HOME is not set, and the system knows none for this user; set \
         HOME, or set {CACHE_ENV} to a directory that can be written"
    )]
    NoHomeDirectory,
    /// The program does not know its own path.
    #[error("cannot find the path of the running program: {0}")]
    NoProgram(#[source] io::Error),
}

/// The directories of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    data_dir: PathBuf,
    cache_dir: PathBuf,
    program: PathBuf,
}

impl Home {
    /// Finds the directories of the running program. None of them need exist.
    ///
    /// The data directory is `$LOOPBOOK_HOME`, else the one that the program itself was installed in, else
    /// `$XDG_DATA_HOME/loopbook` (`~/.local/share/loopbook`). The cache directory is `$LOOPBOOK_CACHE`, else
    /// `$XDG_CACHE_HOME/loopbook` (`~/.cache/loopbook`).
    ///
    /// # Errors
    /// If a home directory is needed and there is none, or the operating system cannot say which program is running.
    pub fn find() -> Result<Self, HomeError> {
        // `canonicalize` makes a symbolic link to the program find the image that the link points into.
        let program = env::current_exe().and_then(|path| path.canonicalize()).map_err(HomeError::NoProgram)?;
        let data_dir = match (directory(DATA_ENV), image_around(&program)) {
            (Some(named), _) => named,
            (None, Some(image)) => image,
            (None, None) => Self::user_data_dir()?,
        };
        let cache_dir = match directory(CACHE_ENV) {
            Some(named) => named,
            None => xdg("XDG_CACHE_HOME", ".cache")?.join("loopbook"),
        };
        Ok(Self { data_dir, cache_dir, program })
    }

    /// An installation with these directories and this program.
    pub fn at(data_dir: PathBuf, cache_dir: PathBuf, program: PathBuf) -> Self {
        Self { data_dir, cache_dir, program }
    }

    /// Where `loopbook install --user` puts the image: `$XDG_DATA_HOME/loopbook`.
    ///
    /// # Errors
    /// If `XDG_DATA_HOME` is not set and there is no home directory.
    pub fn user_data_dir() -> Result<PathBuf, HomeError> {
        Ok(xdg("XDG_DATA_HOME", ".local/share")?.join("loopbook"))
    }

    /// The installed image: `bin/` and `crates/`.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The installed image that the running program is part of; `None` if it was built and not installed.
    pub fn image(&self) -> Option<PathBuf> {
        image_around(&self.program)
    }

    /// The workspace of the crates that cells link: `Cargo.toml`, `Cargo.lock`, `channel/`, `runtime/`, `async-std/`,
    /// `tokio/`.
    pub fn crates_dir(&self) -> PathBuf {
        self.data_dir.join("crates")
    }

    /// What can be made again: templates, working directories.
    pub fn cache_dir(&self) -> &Path {
        &self.cache_dir
    }

    /// The running program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The program that loads and runs cells: it lies beside the running one.
    pub fn child_program(&self) -> PathBuf {
        self.program.with_file_name("loopbook-child")
    }
}

/// The file that remembers what people executed, for `history_request`s in kernels to come: `$LOOPBOOK_HISTORY`, else
/// `history.sqlite` in `$XDG_STATE_HOME/loopbook` (`~/.local/state/loopbook`). It is not among what `uninstall` removes,
/// nor in the cache, which can be made again. `None` if nothing is to be remembered, or there is no home directory.
pub fn history_file() -> Option<PathBuf> {
    match env::var_os(HISTORY_ENV) {
        Some(named) if named.is_empty() => None,
        Some(named) => Some(PathBuf::from(named)),
        None => Some(xdg("XDG_STATE_HOME", ".local/state").ok()?.join("loopbook/history.sqlite")),
    }
}

/// The image that this program is part of: `IMAGE/bin/loopbook` beside `IMAGE/crates`.
fn image_around(program: &Path) -> Option<PathBuf> {
    let image = program.parent()?.parent()?;
    let crates = image.join("crates").join("Cargo.toml");
    (program.parent()?.ends_with("bin") && crates.is_file()).then(|| image.to_path_buf())
}

fn xdg(variable: &str, below_home: &str) -> Result<PathBuf, HomeError> {
    match directory(variable) {
        Some(named) => Ok(named),
        None => Ok(home_directory().ok_or(HomeError::NoHomeDirectory)?.join(below_home)),
    }
}

/// The user's home directory: `$HOME`, else what the system's list of users says, as cargo and rustup find it.
pub fn home_directory() -> Option<PathBuf> {
    env::home_dir().filter(|path| path.is_absolute())
}

/// The directory that an environment variable names. The XDG specification says to ignore relative ones.
fn directory(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_program_inside_an_image_finds_that_image() {
        let image = tempfile::tempdir().unwrap();
        let program = image.path().join("bin/loopbook");
        assert_eq!(image_around(&program), None);
        fs::create_dir_all(image.path().join("crates")).unwrap();
        fs::write(image.path().join("crates/Cargo.toml"), "").unwrap();
        assert_eq!(image_around(&program).as_deref(), Some(image.path()));
        assert_eq!(image_around(&image.path().join("debug/loopbook")), None);
    }

    #[test]
    fn the_child_lies_beside_the_program() {
        let home = Home { data_dir: "/d".into(), cache_dir: "/c".into(), program: "/d/bin/loopbook".into() };
        assert_eq!(home.child_program(), Path::new("/d/bin/loopbook-child"));
        assert_eq!(home.crates_dir(), Path::new("/d/crates"));
    }
}
