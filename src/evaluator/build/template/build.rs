//! Making a template: cargo run as evcxr will run it, on the manifest that evcxr will write.

use super::listing::{Listing, Look};
use super::{TemplateError, link, remove};
use crate::evaluator::build::built_in::{CARGO_CONFIG, DEPENDENCIES};
use crate::evaluator::build::built_in::{CARGO_ENV, RUSTC_ENV, STATE_ENV};
use crate::evaluator::build::closure::{Closure, TREE};
use crate::evaluator::build::lockfile::Lockfile;
use crate::evaluator::build::shims::{BuildProgress, RUSTFLAGS, prepare, run};
use crate::evaluator::build::toolchain::Toolchain;
#[cfg(feature = "rust")]
use crate::evaluator::reference;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What evcxr 0.22 writes above the dependencies.
const MANIFEST: &str = r#"
[package]
name = "ctx"
version = "1.0.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]
path = "src/lib.rs"

[profile.dev]
opt-level = 2
debug = false
strip = "debuginfo"
rpath = true
lto = false
debug-assertions = true
codegen-units = 16
panic = 'unwind'
incremental = true
overflow-checks = true

[dependencies]
"#;

/// How the system's message of a full disk begins, whichever program passes it on.
const DISK_IS_FULL: &str = "No space left on device";

/// What to make, where and of what.
pub(super) struct Order<'a> {
    /// Where the template will lie.
    pub(super) directory: &'a Path,
    /// The crates in it, by a path without symbolic links.
    pub(super) crates: &'a Path,
    /// The shims: the path of rustc must be the one that kernels use.
    pub(super) tools: &'a Path,
    /// What compiles.
    pub(super) toolchain: &'a Toolchain,
}

/// Makes a template in a directory of another name and gives it its own name when it is complete.
pub(super) fn build(
    order: &Order<'_>,
    on_progress: &mut (dyn FnMut(BuildProgress) + Send),
) -> Result<(), TemplateError> {
    let new = order.directory.with_extension("new");
    let in_cache = |source| TemplateError::Cache { path: new.clone(), source };
    write_inputs(order, &new).map_err(in_cache)?;
    take_over(order, &new);
    for subcommand in ["build", "check"] {
        compile(order, &new, subcommand, on_progress)?;
    }
    fetch_library(order);
    #[cfg(feature = "rust")]
    write_names(&new);
    let tree = tree(order, &new)?;
    finish(&new, order, &tree).map_err(in_cache)
}

fn write_inputs(order: &Order<'_>, new: &Path) -> io::Result<()> {
    // Left by a process that was killed: only one at a time makes this template.
    remove(new)?;
    fs::create_dir_all(new.join("crate/src"))?;
    fs::create_dir_all(new.join(".cargo"))?;
    fs::create_dir_all(new.join("answers"))?;
    fs::write(new.join("crate/Cargo.toml"), manifest(order.crates))?;
    fs::write(new.join("crate/src/lib.rs"), "")?;
    fs::write(new.join(".cargo/config.toml"), CARGO_CONFIG)?;
    symlink(order.crates, new.join("crates"))?;
    match fs::copy(order.crates.join("Cargo.lock"), new.join("crate/Cargo.lock")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Takes over what is whole of the damaged template whose place this one takes, or else what another one has compiled of
/// the same versions with the same compiler: after an update of this program only its own crates are compiled. If that
/// fails, all of them are.
fn take_over(order: &Order<'_>, new: &Path) {
    let ingredients = [order.toolchain.version(), RUSTFLAGS, CARGO_CONFIG, MANIFEST].join("\n");
    let same = |other: &Path, name: &str| {
        fs::read(other.join(name)).is_ok_and(|text| fs::read(new.join(name)).is_ok_and(|own| own == text))
    };
    let taken = || -> io::Result<()> {
        fs::write(new.join("ingredients"), ingredients)?;
        if take_whole(order.directory, new)? {
            return Ok(());
        }
        for other in fs::read_dir(order.directory.parent().unwrap_or(new))? {
            let other = other?.path();
            let is_alike = other.extension().is_none() && other != order.directory;
            if is_alike && same(&other, "ingredients") && same(&other, "crates/Cargo.lock") && take_whole(&other, new)?
            {
                return link::remove_ours(&new.join("crate/target"));
            }
        }
        Ok(())
    };
    if let Err(error) = taken() {
        tracing::warn!("nothing is taken over from an older runtime: {error}");
        let _was_not_made = fs::remove_dir_all(new.join("crate/target"));
    }
}

/// Takes over those files of another template's build that are what they were; cargo makes the others again. Of a template
/// without a listing nothing is certain, and nothing is taken: then this says false.
fn take_whole(other: &Path, new: &Path) -> io::Result<bool> {
    let Some(listing) = Listing::read(other) else { return Ok(false) };
    let target = other.join("crate/target");
    let damaged = listing.damaged(other, Look::Contents).into_iter().map(|path| other.join(path));
    let damaged: HashSet<PathBuf> = damaged.filter(|path| path.starts_with(&target)).collect();
    link::take_over(&target, &new.join("crate/target"), damaged)?;
    Ok(true)
}

/// The manifest as evcxr writes it when it knows our crates by these paths. Further dependencies are lines behind it.
pub fn manifest(crates: &Path) -> String {
    let relative = r#"path = "crates/"#;
    let absolute = format!(r#"path = "{}/"#, crates.display());
    DEPENDENCIES.iter().fold(String::from(MANIFEST), |text, (name, specification)| {
        format!("{text}{name} = {}\n", specification.replace(relative, &absolute))
    })
}

/// What the runtime is made of, as cargo says it.
fn tree(order: &Order<'_>, new: &Path) -> Result<String, TemplateError> {
    let mut command = Command::new(order.toolchain.cargo());
    prepare(&mut command, &order.tools.join("rustc"));
    let output = command
        .args(TREE)
        .args(["--target", order.toolchain.host()])
        .current_dir(new.join("crate"))
        .env("CARGO_NET_OFFLINE", "true")
        .env(CARGO_ENV, order.toolchain.cargo())
        .env(RUSTC_ENV, order.toolchain.rustc())
        .env_remove(STATE_ENV)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| TemplateError::Cargo { path: order.toolchain.cargo().into(), source })?;
    let tree = String::from_utf8_lossy(&output.stdout).into_owned();
    if Closure::parse(&tree).is_none() {
        return Err(TemplateError::DoesNotCompile { messages: String::from_utf8_lossy(&output.stderr).into_owned() });
    }
    Ok(tree)
}

/// Has cargo fetch what the standard library is made of, for its source to be read later, without the network. Without it
/// the types of some variables (maps) are not found out, so a failure is no reason to stop.
fn fetch_library(order: &Order<'_>) {
    let manifest = order.toolchain.library().join("Cargo.toml");
    let fetched = Command::new(order.toolchain.cargo())
        .args(["metadata", "--locked", "--format-version", "1", "--manifest-path"])
        .arg(manifest)
        .args(["--filter-platform", order.toolchain.host()])
        .env("RUSTC", order.toolchain.rustc())
        // std's manifest uses what only an unstable cargo knows.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("__CARGO_TEST_CHANNEL_OVERRIDE_DO_NOT_USE_THIS", "nightly")
        .env_remove(STATE_ENV)
        .stdin(Stdio::null())
        .output();
    match fetched {
        Ok(output) if output.status.success() => {}
        Ok(output) => tracing::warn!("std's crates: {}", String::from_utf8_lossy(&output.stderr).trim()),
        Err(error) => tracing::warn!("std's crates: {error}"),
    }
}

/// Writes down the names of the crates that cells see. Without them less is known while rust-analyzer is busy, so a failure
/// is no reason to stop.
#[cfg(feature = "rust")]
fn write_names(new: &Path) {
    /// rust-analyzer recurses as deeply as types nest.
    const STACK: usize = 64 << 20;
    let (directory, file) = (new.join("crate"), new.join(super::NAMES));
    let write = move || reference::read(&directory).and_then(|names| Ok(names.write(&file)?));
    match std::thread::Builder::new().stack_size(STACK).spawn(write).map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::warn!("the names of the crates are not known: {error:#}"),
        Ok(Err(_)) => tracing::warn!("the names of the crates are not known: rust-analyzer panicked"),
        Err(error) => tracing::warn!("the names of the crates are not known: {error}"),
    }
}

/// Runs cargo, with the network only if it must be.
fn compile(
    order: &Order<'_>,
    new: &Path,
    subcommand: &str,
    on_progress: &mut (dyn FnMut(BuildProgress) + Send),
) -> Result<(), TemplateError> {
    let mut last = None;
    for offline in ["true", "false"] {
        let mut command = Command::new(order.toolchain.cargo());
        prepare(&mut command, &order.tools.join("rustc"));
        command
            .args([subcommand, "--target", order.toolchain.host(), "--message-format=json"])
            .current_dir(new.join("crate"))
            .env("CARGO_NET_OFFLINE", offline)
            .env(CARGO_ENV, order.toolchain.cargo())
            .env(RUSTC_ENV, order.toolchain.rustc())
            .env_remove(STATE_ENV);
        let finished = run(&mut command, on_progress)
            .map_err(|source| TemplateError::Cargo { path: order.toolchain.cargo().into(), source })?;
        if finished.status.success() {
            return Ok(());
        }
        let compiled = finished.compiled_something();
        last = Some(finished);
        if compiled {
            break;
        }
    }
    let messages = last.map(|finished| finished.messages()).unwrap_or_default();
    match messages.contains(DISK_IS_FULL) {
        true => Err(TemplateError::DiskFull { path: order.directory.to_owned() }),
        false => Err(TemplateError::DoesNotCompile { messages }),
    }
}

/// Completes the template: the full lock, nothing of the empty cell, nothing writable, its own name.
fn finish(new: &Path, order: &Order<'_>, tree: &str) -> io::Result<()> {
    let given = fs::read_to_string(order.crates.join("Cargo.lock")).unwrap_or_default();
    let resolved = fs::read_to_string(new.join("crate/Cargo.lock"))?;
    let full = Lockfile::parse(&given).merged(&Lockfile::parse(&resolved));
    fs::write(new.join("Cargo.lock"), full.to_text())?;
    fs::write(new.join("tree"), tree)?;
    protect(&new.join("crate/target"))?;
    Listing::take(new)?.write(new)?;
    // A damaged one; kernels have links of their own to what they use.
    remove(order.directory)?;
    fs::rename(new, order.directory)
}

/// Makes files read-only: kernels have links to them.
fn protect(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path: PathBuf = entry.path();
        if entry.file_type()?.is_dir() {
            protect(&path)?;
        } else {
            let mut permissions = entry.metadata()?.permissions();
            permissions.set_readonly(true);
            fs::set_permissions(&path, permissions)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_has_the_absolute_paths_that_evcxr_makes() {
        let manifest = manifest(Path::new("/c/crates/0"));
        assert!(manifest.contains("loopbook = { path = \"/c/crates/0/runtime\" }\n"), "{manifest}");
        assert!(manifest.contains("path = \"/c/crates/0/tokio\" }\n"), "{manifest}");
        assert!(manifest.ends_with("futures = \"0.3\"\n"), "{manifest}");
    }
}
