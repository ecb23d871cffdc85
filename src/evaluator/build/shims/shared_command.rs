//! The call of rustc by which cells are compiled, left for other kernels with the same template.
//!
//! Before a notebook has crates of its own, cargo comes to the same call of rustc in each kernel, and needs half a second for
//! that, since it asks rustc a few things first. So the first kernel leaves the call with the template: the arguments, and
//! what cargo has added to the environment. The rest of the environment is everybody's own.

use super::manifest;
use super::run;
use super::rustc_alone::SavedCommand;
use super::state::{Mode, State, replace};
use crate::evaluator::build::built_in::CARGO_HOME_ENV;
use sha2::{Digest, Sha256};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Stands for the name of the working directory.
const DIRECTORY: &str = "@working-directory@";

/// Leaves the call that cargo has just made to other kernels, at the [`place`] of before: the build may have changed the lock.
/// What is there already was of no use, or cargo would not have been asked.
///
/// # Errors
/// If it cannot be written; then they find out for themselves.
pub(super) fn leave(state: &State, mode: Mode, place: &Path) -> io::Result<()> {
    let Some(command) = SavedCommand::load(&state.command(mode)) else { return Ok(()) };
    let own: Vec<_> = own_environment().collect();
    let added = command.environment.iter().filter(|variable| !own.contains(variable)).cloned().collect();
    let text = serde_json::to_string(&SavedCommand { environment: added, ..command })?;
    replace(place, text.replace(&name(state)?, DIRECTORY).as_bytes())
}

/// Takes the call that another kernel has left; says whether there was one.
///
/// # Errors
/// If it cannot be read, or noted.
pub(super) fn take(state: &State, mode: Mode, place: &Path) -> io::Result<bool> {
    let Ok(text) = fs::read_to_string(place) else { return Ok(false) };
    let mut command: SavedCommand = serde_json::from_str(&text.replace(DIRECTORY, &name(state)?))?;
    let added = std::mem::take(&mut command.environment);
    let is_new = |name: &str| added.iter().all(|(added, _)| added != name);
    command.environment = own_environment().filter(|(name, _)| is_new(name)).collect();
    command.environment.extend(added);
    let libraries = command.externs().filter_map(|given| given.split_once('=')).map(|(_, library)| library);
    if !libraries.map(|library| command.directory.join(library)).all(|library| library.is_file()) {
        return Ok(false);
    }
    command.save(&state.command(mode))?;
    Ok(true)
}

/// Where the call is left for kernels to which it applies; `None` if the template does not decide everything.
pub(super) fn place(state: &State, mode: Mode, arguments: &[OsString]) -> Option<PathBuf> {
    let manifest = fs::read_to_string(state.crate_dir().join("Cargo.toml")).ok()?;
    if manifest::has_foreign(&manifest) {
        return None;
    }
    let mut digest = Sha256::new();
    // cargo puts its own before what the user has there.
    let libraries = env::var_os("LD_LIBRARY_PATH");
    let asked = format!("{mode:?} {arguments:?} {libraries:?} {:?}", program()?);
    let manifest = manifest::in_order(&manifest.replace(&name(state).ok()?, DIRECTORY));
    for part in [manifest.into_bytes(), asked.into_bytes(), fs::read(state.lockfile()).ok()?] {
        digest.update(part);
        digest.update([0]);
    }
    for configuration in configurations(state) {
        digest.update(fs::read(configuration).unwrap_or_default());
        digest.update([0]);
    }
    Some(state.answers().join(hex::encode(&digest.finalize()[..12])).with_extension("command"))
}

/// Where cargo looks for settings, which may say how rustc is called and what is in its environment.
fn configurations(state: &State) -> Vec<PathBuf> {
    let crate_dir = state.crate_dir();
    let above = crate_dir.ancestors().map(|directory| directory.join(".cargo"));
    let directories = above.chain(env::var_os(CARGO_HOME_ENV).map(PathBuf::from));
    directories.flat_map(|directory| ["config.toml", "config"].map(|name| directory.join(name))).collect()
}

/// Which program says how rustc is called.
fn program() -> Option<(PathBuf, u64, u128)> {
    let program = env::current_exe().ok()?;
    let metadata = program.metadata().ok()?;
    let written = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((program, metadata.len(), written.as_nanos()))
}

/// What this process would give to cargo, and cargo to rustc.
fn own_environment() -> impl Iterator<Item = (String, String)> {
    let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    env::vars_os().filter_map(text).filter(|(name, _)| !run::meddles(name))
}

/// The name of the working directory, which no other kernel has.
fn name(state: &State) -> io::Result<String> {
    let directory = state.crate_dir();
    let name = directory.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| io::Error::other("the working directory has no name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kernel's state, with the answers of the template at `shared`.
    fn kernel(shared: &Path, name: &str, dependencies: &str) -> State {
        let root = shared.join(name);
        for directory in ["crate/.cargo", "state", ".cargo"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        let own = format!("loopbook = {{ path = \"{}/crates/runtime\" }}", root.display());
        fs::write(root.join("crate/Cargo.toml"), format!("[dependencies]\n{own}\n{dependencies}\n")).unwrap();
        fs::write(root.join("state/Cargo.lock"), "").unwrap();
        fs::write(root.join("crate/libfutures-1.rlib"), "").unwrap();
        std::os::unix::fs::symlink(shared, root.join("state/answers")).unwrap();
        State::of(&root)
    }

    fn left_by_the_first(shared: &Path) -> Vec<OsString> {
        let state = kernel(shared, "1-aa", "futures = \"0.3\"");
        let library = format!("futures={}", state.crate_dir().join("libfutures-1.rlib").display());
        let command = SavedCommand {
            arguments: vec!["--extern".into(), library],
            environment: vec![("CARGO_CRATE_NAME".into(), "ctx".into()), ("LOOPBOOK_TEST_FOREIGN".into(), "1".into())],
            directory: state.crate_dir(),
        };
        command.save(&state.command(Mode::Build)).unwrap();
        let arguments = vec!["build".into()];
        let place = place(&state, Mode::Build, &arguments).unwrap();
        // As it is after a build.
        fs::write(state.lockfile(), "more").unwrap();
        leave(&state, Mode::Build, &place).unwrap();
        arguments
    }

    fn is_left(state: &State, mode: Mode, arguments: &[OsString]) -> bool {
        place(state, mode, arguments).is_some_and(|place| take(state, mode, &place).unwrap())
    }

    #[test]
    fn what_is_damaged_is_of_no_use_and_is_left_anew() {
        let shared = tempfile::tempdir().unwrap();
        let arguments = left_by_the_first(shared.path());
        let next = kernel(shared.path(), "22-bb", "futures = \"0.3\"");
        let place = place(&next, Mode::Build, &arguments).unwrap();
        fs::write(&place, "garbage").unwrap();
        assert!(!take(&next, Mode::Build, &place).unwrap_or_default());
        fs::remove_dir_all(shared.path().join("1-aa")).unwrap();
        left_by_the_first(shared.path());
        assert!(take(&next, Mode::Build, &place).unwrap());
    }

    #[test]
    fn a_kernel_takes_what_another_has_left_with_its_own_paths() {
        let shared = tempfile::tempdir().unwrap();
        let arguments = left_by_the_first(shared.path());
        let state = kernel(shared.path(), "2-bb", "futures = \"0.3\"");
        assert!(is_left(&state, Mode::Build, &arguments));
        let taken = SavedCommand::load(&state.command(Mode::Build)).unwrap();
        assert!(taken.arguments[1].contains("2-bb") && taken.directory == state.crate_dir());
        assert!(taken.environment.contains(&("CARGO_CRATE_NAME".into(), "ctx".into())));
        assert!(taken.environment.iter().any(|(name, _)| name == "PATH"));
    }

    #[test]
    fn what_belongs_to_another_build_is_not_taken() {
        let shared = tempfile::tempdir().unwrap();
        let arguments = left_by_the_first(shared.path());
        let is_taken = |name: &str, dependencies: &str, change: &dyn Fn(&State)| {
            let state = kernel(shared.path(), name, dependencies);
            change(&state);
            is_left(&state, Mode::Build, &arguments)
        };
        assert!(!is_taken("3-cc", "futures = \"0.3\"\nserde = \"1\"", &|_| {}));
        assert!(!is_taken("4-dd", "futures = \"0.3\"", &|state| {
            fs::write(state.crate_dir().join("../.cargo/config.toml"), "opt-level = 3").unwrap();
        }));
        assert!(!is_taken("5-ee", "futures = \"0.3\"", &|state| fs::write(state.lockfile(), "other").unwrap()));
        assert!(!is_taken("6-ff", "futures = \"0.3\"", &|state| {
            fs::remove_file(state.crate_dir().join("libfutures-1.rlib")).unwrap();
        }));
        let state = kernel(shared.path(), "7-gg", "futures = \"0.3\"");
        assert!(!is_left(&state, Mode::Check, &arguments));
    }
}
