//! What cargo has compiled, put into another directory as if it had been compiled there.
//!
//! What cargo and rustc replace as a whole is linked; what cargo writes in place (fingerprints, `*.d`) is copied, so
//! that no kernel's build changes another's. These are four times as many files, and most kernels never run a cargo: they are
//! put there when one is about to run ([`complete`]).

use super::built_in::CELL_CRATE;
use super::files::remove;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, FileTimes};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// In the directory of the state as long as there is nothing but what rustc needs.
pub(super) const LIBRARIES_ONLY: &str = "libraries-only";

/// The template that was linked, by the directory of the state.
pub(super) fn linked(state: &Path) -> Option<PathBuf> {
    Some(fs::read_link(state.join("answers")).ok()?.parent()?.to_owned())
}

/// Makes it appear so to cargo as well, in the working directory `work`. Does nothing where that has been done.
///
/// # Errors
/// If the working directory cannot be written, or the template was removed.
pub(super) fn complete(work: &Path) -> io::Result<()> {
    let mark = work.join("state").join(LIBRARIES_ONLY);
    let lock = match File::open(&mark) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    lock.lock()?;
    // The one that had the lock before has done it.
    if !mark.exists() {
        return Ok(());
    }
    let template = linked(&work.join("state")).ok_or(io::ErrorKind::NotFound)?;
    let mut linker = Linker::of(Part::Rest);
    linker.directory(&template.join("crate/target"), &work.join("crate/target"))?;
    fs::remove_file(mark)
}

/// Knows which files it had to copy, because a library that has two names must remain one file: loaded by both names, it
/// must be the same library.
#[derive(Default)]
pub(super) struct Linker {
    copies: HashMap<u64, PathBuf>,
    /// Files that are neither linked nor copied.
    left_out: HashSet<PathBuf>,
    only_copies: bool,
    part: Part,
}

/// What of a template is put somewhere.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    #[default]
    Everything,
    /// What cells are compiled with.
    Libraries,
    /// Everything, where the libraries may be already.
    Rest,
    /// Everything, but what is there already is left as it is.
    Missing,
}

impl Linker {
    /// Puts this part.
    pub(super) fn of(part: Part) -> Self {
        Self { part, ..Self::default() }
    }

    /// Leaves these files out. If there are any, all others are copied.
    pub(super) fn without(left_out: HashSet<PathBuf>) -> Self {
        Self { only_copies: !left_out.is_empty(), left_out, ..Self::default() }
    }

    /// Puts all that is in a directory into another one.
    ///
    /// # Errors
    /// If a file can be neither read nor written.
    pub(super) fn directory(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            if is_of_the_cell(&entry.file_name().to_string_lossy()) || self.left_out.contains(&from) {
                continue;
            }
            let is_directory = entry.file_type()?.is_dir();
            if self.is_needless(&from, &to, is_directory) {
                continue;
            }
            if is_directory {
                self.directory(&from, &to)?;
            } else if is_replaced_as_a_whole(&from) && self.only_copies {
                self.copy_once(&from, &to)?;
            } else {
                self.place(&from, &to)?;
            }
        }
        Ok(())
    }

    fn is_needless(&self, from: &Path, to: &Path, is_directory: bool) -> bool {
        match self.part {
            Part::Everything => false,
            Part::Missing => to.is_file(),
            Part::Libraries if is_directory => {
                [".fingerprint", "build"].iter().any(|name| from.file_name() == Some(name.as_ref()))
            }
            Part::Libraries => !is_replaced_as_a_whole(from) && !is_of_rustc(from),
            Part::Rest if is_of_rustc(from) => to.exists(),
            // One that is smaller was being copied when somebody ended that.
            Part::Rest => {
                let size = |path: &Path| fs::metadata(path).map(|found| found.len()).ok();
                !is_directory && is_replaced_as_a_whole(from) && size(to) == size(from)
            }
        }
    }

    /// Links or copies one file.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub(super) fn place(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        if is_replaced_as_a_whole(from) { self.link(from, to) } else { copy(from, to) }
    }

    fn link(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        if self.part == Part::Rest {
            remove(to)?;
        }
        match fs::hard_link(from, to) {
            // Another user's file, another file system, or one without links.
            Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists) => {
                self.copy_once(from, to)
            }
            other => other,
        }
    }

    fn copy_once(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let inode = fs::metadata(from)?.ino();
        if let Some(copy) = self.copies.get(&inode) {
            return fs::hard_link(copy, to);
        }
        copy(from, to)?;
        self.copies.insert(inode, to.to_owned());
        Ok(())
    }
}

/// The template's own, empty cell.
pub(super) fn is_of_the_cell(name: &str) -> bool {
    let stem = name.strip_prefix("lib").unwrap_or(name).split(['-', '.']).next().unwrap_or_default();
    stem == CELL_CRATE || name == "incremental"
}

fn is_replaced_as_a_whole(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_program = (name.starts_with("build-script-") || name.starts_with("build_script_")) && !name.ends_with(".d");
    is_program || [".rlib", ".rmeta", ".so"].iter().any(|end| name.ends_with(end))
}

/// Where cargo notes what it knows of rustc, which it wants to know also where it only resolves.
fn is_of_rustc(path: &Path) -> bool {
    path.file_name() == Some(".rustc_info.json".as_ref())
}

/// Copies a file with its time, by which cargo knows that it is fresh, and makes the copy writable.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    let metadata = fs::metadata(from)?;
    fs::set_permissions(to, fs::Permissions::from_mode(metadata.mode() | 0o200))?;
    let times = FileTimes::new().set_modified(metadata.modified()?).set_accessed(metadata.accessed()?);
    File::options().write(true).open(to)?.set_times(times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_only_cargo_needs_comes_when_a_cargo_is_about_to_run_whatever_was_half_done() {
        let root = tempfile::tempdir().unwrap();
        let (template, work) = (root.path().join("template"), root.path().join("work"));
        let files = [
            "deps/libx-1.rlib",
            "deps/x-1.d",
            ".fingerprint/x-1/lib-x",
            "build/y-1/build-script-build",
            "build/y-1/output",
        ];
        for name in files {
            let path = template.join("crate/target/host/debug").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let (state, target) = (work.join("state"), work.join("crate/target/host/debug"));
        fs::create_dir_all(&state).unwrap();
        fs::create_dir_all(template.join("answers")).unwrap();
        symlink(template.join("answers"), state.join("answers")).unwrap();
        let from = template.join("crate/target");
        let mut linker = Linker::of(Part::Libraries);
        linker.directory(&from, &work.join("crate/target")).unwrap();
        File::create(state.join(LIBRARIES_ONLY)).unwrap();
        assert_eq!(files.map(|name| target.join(name).exists()), [true, false, false, false, false]);

        // Somebody was killed while he did it.
        fs::create_dir_all(target.join("build/y-1")).unwrap();
        fs::write(target.join("build/y-1/build-script-build"), "bu").unwrap();
        fs::write(target.join("deps/x-1.d"), "de").unwrap();
        complete(&work).unwrap();
        let read = |directory: &Path, name: &str| fs::read_to_string(directory.join(name)).unwrap();
        assert!(files.iter().all(|name| read(&target, name) == *name));

        // From now on this is the kernel's own.
        fs::write(target.join("deps/x-1.d"), "mine").unwrap();
        complete(&work).unwrap();
        assert_eq!(read(&target, "deps/x-1.d"), "mine");
        assert_eq!(read(&from.join("host/debug"), "deps/x-1.d"), "deps/x-1.d");
    }

    #[test]
    fn artifacts_are_linked_and_what_cargo_writes_in_place_is_copied_with_its_time() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        fs::create_dir_all(from.join("deps")).unwrap();
        for name in ["deps/libx-1.rlib", "deps/x-1.d", "deps/libctx.so", "deps/ctx.d", "invoked.timestamp"] {
            fs::write(from.join(name), name).unwrap();
        }
        let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        File::options().write(true).open(from.join("deps/x-1.d")).unwrap().set_modified(old).unwrap();
        Linker::default().directory(&from, &to).unwrap();
        let inode = |path: PathBuf| fs::metadata(path).unwrap().ino();
        assert_eq!(inode(from.join("deps/libx-1.rlib")), inode(to.join("deps/libx-1.rlib")));
        assert_ne!(inode(from.join("deps/x-1.d")), inode(to.join("deps/x-1.d")));
        assert_eq!(fs::metadata(to.join("deps/x-1.d")).unwrap().modified().unwrap(), old);
        assert!(to.join("invoked.timestamp").exists());
        assert!(!to.join("deps/libctx.so").exists() && !to.join("deps/ctx.d").exists());
    }

    #[test]
    fn a_file_with_two_names_stays_one_file_when_it_must_be_copied() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::write(path("a.so"), "text").unwrap();
        fs::hard_link(path("a.so"), path("b.so")).unwrap();
        let mut linker = Linker::default();
        linker.copy_once(&path("a.so"), &path("c.so")).unwrap();
        linker.copy_once(&path("b.so"), &path("d.so")).unwrap();
        let inode = |name: &str| fs::metadata(path(name)).unwrap().ino();
        assert_eq!(inode("c.so"), inode("d.so"));
        assert_ne!(inode("a.so"), inode("c.so"));
    }
}
