//! The name under which a compiled cell is kept: a digest of all that is known of it before rustc runs.

use crate::evaluator::build::shims::rustc_alone::SavedCommand;
use crate::evaluator::build::shims::state::{State, replace};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Raised when cells of earlier versions of this program must not be used.
const FORMAT: &str = "3";

/// Stands for the kernel's working directory.
const DIRECTORY: &str = "@working-directory@";

/// Variables that rustc and the linker read themselves. Those that the cell's text asks for are known afterwards.
const VARIABLES: [&str; 9] = [
    "RUSTC_",
    "RUST_TARGET_PATH",
    "LD_",
    "LIBRARY_PATH",
    "COMPILER_PATH",
    "GCC_EXEC_PREFIX",
    "COLLECT_",
    "SOURCE_DATE_EPOCH",
    "CARGO_ENCODED_RUSTFLAGS",
];

/// The names of programs by which rustc links.
const LINKERS: [&str; 3] = ["cc", "ld", "ld.lld"];

/// Procedural macros whose output depends on nothing but their input. Others may read files, ask a database or the clock, and
/// rustc sees nothing of it: a cell that could call one is always compiled.
const PURE_MACROS: [&str; 51] = [
    "async_attributes",
    "async_recursion",
    "async_stream_impl",
    "async_trait",
    "auto_impl",
    "axum_macros",
    "bytecheck_derive",
    "bytemuck_derive",
    "clap_derive",
    "darling_macro",
    "delegate",
    "derivative",
    "derive_arbitrary",
    "derive_builder_macro",
    "derive_more",
    "derive_more_impl",
    "derive_new",
    "displaydoc",
    "educe",
    "enum_as_inner",
    "foreign_types_macros",
    "futures_macro",
    "getset",
    "indoc",
    "miette_derive",
    "monostate_impl",
    "num_derive",
    "openssl_macros",
    "phf_macros",
    "pin_project_internal",
    "prost_derive",
    "ptr_meta_derive",
    "ref_cast_impl",
    "rkyv_derive",
    "rustversion",
    "schemars_derive",
    "serde_derive",
    "serde_repr",
    "serde_with_macros",
    "smart_default",
    "strum_macros",
    "thiserror_impl",
    "time_macros",
    "tokio_macros",
    "tracing_attributes",
    "typed_builder_macro",
    "yoke_derive",
    "zerocopy_derive",
    "zerofrom_derive",
    "zeroize_derive",
    "zerovec_derive",
];

/// The name of the cell that is about to be compiled; `None` if it depends on what we cannot see.
pub(super) fn of(state: &State, call: &SavedCommand, rustc: &Path) -> Option<String> {
    if !has_known_packages_only(state)? || !has_pure_macros_only(state, call)? {
        return None;
    }
    let root = state.root();
    let root = root.to_str()?;
    let mut parts = vec![
        FORMAT.to_owned(),
        // Libraries name each other by relative paths.
        state.cache().display().to_string(),
        env!("CARGO_PKG_VERSION").to_owned(),
        identity(rustc)?,
        // It has the size, time and digest of each file of the template.
        identity(&state.template()?.join("listing"))?,
    ];
    let mut crates = Crates::read(state);
    for argument in call.arguments() {
        parts.push(match argument.split_once('=') {
            Some((name, path)) if path.starts_with(root) && Path::new(path).is_file() => {
                format!("{name}={}", crates.identity(Path::new(path))?)
            }
            Some(("native", path)) if Path::new(path).is_dir() => {
                format!("native={}", crates.identity_of_directory(Path::new(path))?)
            }
            _ => argument.replace(root, DIRECTORY),
        });
    }
    crates.write();
    for (name, value) in call.environment() {
        if VARIABLES.iter().any(|start| name.starts_with(start)) {
            parts.push(format!("{name}={}", value.replace(root, DIRECTORY)));
        }
    }
    let path = call.variable("PATH").unwrap_or_default();
    parts.extend(LINKERS.iter().map(|linker| identity_in(path, linker)));
    parts.push(fs::read_to_string(call.directory().join("src/lib.rs")).ok()?);
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    Some(hex::encode(&digest.finalize()[..20]))
}

/// Whether every crate of the notebook's is one that nobody edits. One in a directory may have macros and C code that have
/// changed without a trace in what rustc is given.
fn has_known_packages_only(state: &State) -> Option<bool> {
    let lock = fs::read_to_string(state.crate_dir().join("Cargo.lock")).unwrap_or_default();
    let ours = fs::read_to_string(state.template()?.join("Cargo.lock")).unwrap_or_default();
    let ours = packages_in_directories(&ours);
    Some(packages_in_directories(&lock).iter().all(|name| *name == "ctx" || ours.contains(name)))
}

/// The names of a lock's packages that have no source.
fn packages_in_directories(lock: &str) -> Vec<&str> {
    let without_source = lock.split("[[package]]").skip(1).filter(|package| !package.contains("\nsource = "));
    without_source.filter_map(|package| package.split("name = \"").nth(1)?.split('"').next()).collect()
}

/// Whether the macros of the notebook's crates are all known to be pure. cargo puts macros where it puts what runs while it
/// builds; those of the template are part of it.
fn has_pure_macros_only(state: &State, call: &SavedCommand) -> Option<bool> {
    let template = state.template()?;
    let places = call.arguments().iter().filter_map(|argument| argument.strip_prefix("dependency="));
    for place in places.map(Path::new).filter(|place| call.library().is_some_and(|library| !library.starts_with(place)))
    {
        let Ok(files) = fs::read_dir(place) else { continue };
        for file in files {
            let file = file.ok()?;
            let name = file.file_name().to_string_lossy().into_owned();
            let Some(name) = name.strip_suffix(".so").and_then(|name| name.strip_prefix("lib")) else { continue };
            let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
            if !PURE_MACROS.contains(&name) && !is_of_template(state, &template, &file.path()) {
                return Some(false);
            }
        }
    }
    Some(true)
}

/// Whether a file of the working directory is one that the template was linked with.
fn is_of_template(state: &State, template: &Path, file: &Path) -> bool {
    let Ok(relative) = file.strip_prefix(state.crate_dir()) else { return false };
    let (Ok(own), Ok(other)) = (fs::metadata(file), fs::metadata(template.join("crate").join(relative))) else {
        return false;
    };
    let same_file = (own.dev(), own.ino()) == (other.dev(), other.ino());
    // Where it could not be linked it was copied, with its time.
    same_file || (own.mtime(), own.mtime_nsec(), own.len()) == (other.mtime(), other.mtime_nsec(), other.len())
}

/// Path, time and size of a file that is replaced as a whole.
fn identity(file: &Path) -> Option<String> {
    let found = fs::metadata(file).ok()?;
    Some(format!("{} {} {} {}", file.display(), found.mtime(), found.mtime_nsec(), found.len()))
}

fn identity_in(path: &str, program: &str) -> String {
    std::env::split_paths(path).find_map(|directory| identity(&directory.join(program))).unwrap_or_default()
}

/// The digests of crates that were compiled for a kernel, so that each is read once.
struct Crates {
    file: PathBuf,
    template: Option<PathBuf>,
    state: State,
    known: BTreeMap<String, String>,
    is_new: bool,
}

impl Crates {
    fn read(state: &State) -> Self {
        let file = state.digests();
        let known = fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Self { file, template: state.template(), state: state.clone(), known, is_new: false }
    }

    fn write(&self) {
        if self.is_new
            && let Ok(text) = serde_json::to_vec(&self.known)
        {
            let _they_are_read_again = replace(&self.file, &text);
        }
    }

    /// What tells one compilation of a crate from another: a file of the template is known by its place there.
    fn identity(&mut self, path: &Path) -> Option<String> {
        if let Some(template) = &self.template
            && is_of_template(&self.state, template, path)
        {
            let relative = path.strip_prefix(self.state.crate_dir()).ok()?;
            return Some(format!("template {}", relative.display()));
        }
        let found = fs::metadata(path).ok()?;
        let id = format!("{} {} {} {}", identity(path)?, found.dev(), found.ino(), found.ctime_nsec());
        let digest = match self.known.get(&id) {
            Some(digest) => digest.clone(),
            None => {
                let digest = hex::encode(Sha256::digest(fs::read(path).ok()?));
                self.known.insert(id, digest.clone());
                self.is_new = true;
                digest
            }
        };
        Some(format!("{} {digest}", path.file_name()?.to_string_lossy()))
    }

    /// The same for all files that a build script has left for the linker.
    fn identity_of_directory(&mut self, directory: &Path) -> Option<String> {
        let mut files: Vec<PathBuf> = fs::read_dir(directory).ok()?.flatten().map(|file| file.path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "a" || extension == "so"));
        files.sort();
        files.iter().map(|file| self.identity(file)).collect::<Option<Vec<_>>>().map(|all| all.join(" "))
    }
}
