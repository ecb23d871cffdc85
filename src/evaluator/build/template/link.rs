//! Putting a template into a kernel's working directory.

use super::{Template, TemplateError, remove};
use crate::evaluator::build::artifacts::{LIBRARIES_ONLY, Linker, Part, complete};
use crate::evaluator::build::built_in::CARGO_CONFIG;
use crate::evaluator::build::workdir::WorkDir;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Makes the compiled runtime appear as if the kernel had compiled it, to rustc.
///
/// # Errors
/// If the working directory cannot be written.
pub fn link(template: &Template, work: &WorkDir) -> Result<(), TemplateError> {
    let root = work.root();
    let fill = || -> io::Result<()> {
        symlink(template.crates()?, root.join("crates"))?;
        fs::write(root.join(".cargo/config.toml"), CARGO_CONFIG)?;
        fs::copy(template.lockfile(), work.state_dir().join("Cargo.lock"))?;
        symlink(template.answers(), work.state_dir().join("answers"))?;
        File::create(work.state_dir().join(LIBRARIES_ONLY))?;
        let from = template.directory().join("crate/target");
        Linker::of(Part::Libraries).directory(&from, &work.crate_dir().join("target"))
    };
    fill().map_err(|source| TemplateError::Cache { path: root.to_owned(), source })
}

/// Puts what one template's build left into another's, without these files. If there are any, cargo makes them again, and
/// with them others whose files have to be writable then, and must not be those of kernels that live: all are copied.
///
/// # Errors
/// If a directory cannot be read or written.
pub(super) fn take_over(from: &Path, to: &Path, left_out: HashSet<PathBuf>) -> io::Result<()> {
    Linker::without(left_out).directory(from, to)
}

/// Makes the template's link to its sources lead there.
///
/// # Errors
/// If the template is missing or cannot be written.
pub(super) fn point_to(template: &Path, crates: &Path) -> io::Result<()> {
    let link = template.join("crates");
    if link.canonicalize().is_ok_and(|present| present == crates) {
        return Ok(());
    }
    remove(&link)?;
    symlink(crates, link)
}

/// Has the next build compile the runtime anew. Its library has one name whatever it is made of, so that cargo would take
/// one for another.
///
/// # Errors
/// If the working directory cannot be written.
pub fn forget_runtime(work: &WorkDir) -> io::Result<()> {
    complete(work.root())?;
    remove_ours(&work.crate_dir().join("target"))
}

/// Puts the template's runtime and versions in the place of others.
///
/// # Errors
/// If the working directory cannot be written, or the template was removed.
pub fn restore_runtime(template: &Template, work: &WorkDir) -> io::Result<()> {
    forget_runtime(work)?;
    fs::copy(template.lockfile(), work.state_dir().join("Cargo.lock"))?;
    let mut linker = Linker::of(Part::Missing);
    linker.directory(&template.directory().join("crate/target"), &work.crate_dir().join("target"))
}

/// Removes what cargo made of the built-in crates, and what it knows of that.
///
/// # Errors
/// If something cannot be removed.
pub(super) fn remove_ours(directory: &Path) -> io::Result<()> {
    let mut hashes = HashSet::new();
    remove_where(directory, &mut |name| {
        let is_ours = name.contains("loopbook");
        // `loopbook-async-std-0123456789abcdef` of cargo's own notes is `libasync_std-0123456789abcdef.rlib`.
        hashes.extend(hash_in(name).filter(|_| is_ours).map(str::to_owned));
        is_ours
    })?;
    remove_where(directory, &mut |name| hash_in(name).is_some_and(|hash| hashes.contains(hash)))
}

/// Removes files and directories by their names.
fn remove_where(directory: &Path, is_meant: &mut dyn FnMut(&str) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let is_directory = entry.file_type()?.is_dir();
        match is_meant(&entry.file_name().to_string_lossy()) {
            true if is_directory => fs::remove_dir_all(entry.path())?,
            true => fs::remove_file(entry.path())?,
            false if is_directory => remove_where(&entry.path(), is_meant)?,
            false => {}
        }
    }
    Ok(())
}

/// What cargo puts behind a crate's name, to tell it from others of the name.
fn hash_in(name: &str) -> Option<&str> {
    let hash = name.split('.').next()?.rsplit('-').next()?;
    (hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_over_has_nothing_of_our_crates_under_whatever_name() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        let ours = [
            ".fingerprint/loopbook-async-std-0123456789abcdef/lib",
            "deps/libasync_std-0123456789abcdef.rlib",
            "libloopbook.so",
        ];
        let others = [".fingerprint/async-std-aaaaaaaaaaaaaaaa/lib", "deps/libasync_std-aaaaaaaaaaaaaaaa.rlib"];
        for name in ours.iter().chain(&others) {
            fs::create_dir_all(from.join(name).parent().unwrap()).unwrap();
            fs::write(from.join(name), name).unwrap();
        }
        take_over(&from, &to, HashSet::new()).unwrap();
        remove_ours(&to).unwrap();
        assert!(others.iter().all(|name| to.join(name).is_file()));
        assert!(!ours.iter().any(|name| to.join(name).exists()));
    }
}
