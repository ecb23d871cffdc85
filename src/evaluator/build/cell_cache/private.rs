//! A directory that is one user's alone: what is in it was typed by that user, and is going to be run as that user.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Why compiled cells are not kept.
#[derive(Debug, thiserror::Error)]
#[error("compiled cells are not kept: {} {why}", path.display())]
pub struct Refused {
    path: PathBuf,
    why: String,
}

/// Makes the directory if it is missing.
///
/// # Errors
/// If it is not a directory of this user's that only this user can look into.
pub(super) fn make(directory: &Path) -> Result<(), Refused> {
    let refused = |why: &str| Refused { path: directory.to_owned(), why: why.to_owned() };
    let failed = |error: io::Error| Refused { path: directory.to_owned(), why: format!("cannot be used: {error}") };
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            directory.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
            DirBuilder::new().mode(0o700).create(directory).map_err(failed)?;
        }
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    // Whoever made it: what counts is what is there.
    let found = fs::symlink_metadata(directory).map_err(failed)?;
    if !found.is_dir() {
        return Err(refused("is not a directory; remove it"));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused("belongs to somebody else; remove it, or set LOOPBOOK_CACHE to a directory of your own"));
    }
    if found.mode() & 0o077 != 0 {
        return Err(refused("is open to other users; remove it, and it is made anew"));
    }
    Ok(())
}
