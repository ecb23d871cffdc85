//! The part of the standard library's source that rust-analyzer reads.
//!
//! All of it is 45 MB, most of it the vector instructions of every processor (`core_arch`, which `core` includes from
//! outside of its own directory). rust-analyzer would read and keep all that, and look through the instructions whenever it
//! looks for a trait's implementations. So it is shown a directory with links to everything else.

use super::toolchain::Toolchain;
use super::workdir::WorkDir;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;

/// What is not shown.
const HIDDEN: &str = "stdarch";

/// Makes the directory. Without the source (rust-src is not installed) it is left out, and so are the types of variables
/// that are not written down.
///
/// # Errors
/// If the working directory cannot be written.
pub fn link(toolchain: &Toolchain, work: &WorkDir) -> io::Result<()> {
    if !toolchain.has_rust_src() {
        return Ok(());
    }
    let directory = work.library_dir();
    fs::create_dir(&directory)?;
    for entry in fs::read_dir(toolchain.library())? {
        let entry = entry?;
        if entry.file_name() != HIDDEN {
            symlink(entry.path(), directory.join(entry.file_name()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn core_is_shown_and_the_vector_instructions_are_not() {
        let cache = tempfile::tempdir().unwrap();
        let work = WorkDir::create_in(cache.path(), Path::new("/bin/true")).unwrap();
        let toolchain = Toolchain::find().unwrap();
        assert!(toolchain.has_rust_src(), "these tests need `rustup component add rust-src`");
        link(&toolchain, &work).unwrap();
        assert!(work.library_dir().join("core/src/lib.rs").is_file());
        assert!(work.library_dir().join("Cargo.toml").is_file());
        assert!(!work.library_dir().join(HIDDEN).exists());
    }
}
