//! The rustc that cargo calls: the real one, after a note of what it was called for, unless it is a cell that was compiled
//! before.

use super::rustc_alone::SavedCommand;
use super::state::{Mode, State};
use super::type_questions::Questions;
use super::{FAILED, cells, linker, process_group, real_tool, starved};
use crate::evaluator::build::built_in::CELL_CRATE;
use crate::evaluator::build::built_in::RUSTC_ENV;
use rustix::process::Signal;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

/// evcxr names the type of every variable, also that of a task that never ends, `JoinHandle<!>`, which only unstable Rust
/// can name. No other unstable feature is allowed.
const NEVER_TYPE: [&str; 2] = ["-Zcrate-attr=feature(never_type)", "-Zallow-features=never_type"];

/// The identity of the cells' crate. cargo's own changes with the dependencies and the profile, and with it the identity of
/// every type that a cell has defined: what is of such a type would be lost by each `:dep`.
const IDENTITY: &str = "metadata=loopbook-cells";

/// The crate of the library that all cells share.
const RUNTIME_CRATE: &str = "loopbook";

/// A cell's library stays as long as the process that has loaded it, and half of it would be names that nothing reads: its
/// file is gone by the time a backtrace could look for them.
const NO_SYMBOLS: &str = "-Cstrip=symbols";

/// Loops of cells no longer look whether they are to end, see the runtime's `__tick!`.
const NO_TICKS: &str = "--cfg=loopbook_no_ticks";

/// Tells the linker a place where the loader looks for libraries.
pub(super) const RPATH: &str = "-Clink-arg=-Wl,-rpath,";

/// Lets the compiler know of [`NO_TICKS`].
const KNOWS_TICKS: &str = "--check-cfg=cfg(loopbook_no_ticks)";

/// Makes a stable rustc take [`NEVER_TYPE`].
const BOOTSTRAP: &str = "RUSTC_BOOTSTRAP";

/// Becomes the real rustc; returns only if that fails.
pub(super) fn main(arguments: &[OsString]) -> ExitCode {
    let rustc = match real_tool(RUSTC_ENV) {
        Ok(rustc) => rustc,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(FAILED);
        }
    };
    if starved::asks_for_library(arguments) {
        return ExitCode::FAILURE;
    }
    process_group::die_with_parent(Signal::KILL);
    let mut arguments = arguments.to_owned();
    arguments.extend(library_path(&rustc, &arguments));
    if value_of(&arguments, "--crate-name").is_some_and(|name| name == CELL_CRATE) {
        keep_identity(&mut arguments);
        arguments.extend(NEVER_TYPE.map(OsString::from));
        arguments.extend([NO_SYMBOLS, KNOWS_TICKS].map(OsString::from));
        if is_for_speed(&arguments) {
            arguments.push(NO_TICKS.into());
        }
        // SAFETY: this process has one thread.
        unsafe { std::env::set_var(BOOTSTRAP, "1") };
    }
    if let Some(state) = State::from_environment()
        && let Some(done) = compile_cell(&state, &rustc, &arguments)
    {
        return done;
    }
    let mut command = Command::new(&rustc);
    command.args(&arguments);
    if value_of(&arguments, "--crate-name").is_some_and(|name| name == CELL_CRATE) {
        // Not noted: a call is repeated in the environment of whoever repeats it.
        linker::link_by_us(&mut command, &rustc, &arguments);
    }
    let error = command.exec();
    eprintln!("error: cannot run {}: {error}", rustc.display());
    ExitCode::from(FAILED)
}

/// Notes what rustc is called for, and if that is to build a cell, has it built or finds it built; `None` if rustc is to be
/// called as it is.
fn compile_cell(state: &State, rustc: &Path, arguments: &[OsString]) -> Option<ExitCode> {
    let krate = value_of(arguments, "--crate-name")?;
    let emit = arguments.iter().find(|argument| argument.to_string_lossy().starts_with("--emit"))?;
    let mode = Mode::of_emit(emit);
    let call = SavedCommand::of_this_process(arguments).filter(|_| krate == CELL_CRATE);
    if let Some(call) = &call {
        let _the_next_cell_goes_through_cargo = call.save(&state.command(mode));
    }
    let Some(call) = call.filter(|_| mode == Mode::Build) else {
        // Notes are for tests: one that cannot be written must not stop a build.
        let _only_tests_count = state.log_rustc(&krate.to_string_lossy());
        return None;
    };
    let compiled = cells::compile(state, &call, rustc, &Questions::default()).ok()?;
    io::stderr().write_all(&compiled.said).ok()?;
    // Without a status it was killed.
    Some(compiled.status.and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED).into())
}

/// Puts [`IDENTITY`] in the place of cargo's.
fn keep_identity(arguments: &mut Vec<OsString>) {
    let is_identity = |argument: &&mut OsString| argument.to_string_lossy().starts_with("metadata=");
    match arguments.iter_mut().find(is_identity) {
        Some(identity) => *identity = IDENTITY.into(),
        None => arguments.extend(["-C", IDENTITY].map(OsString::from)),
    }
}

/// Tells the loader where the standard library is, for the libraries that the child loads. rustc writes a path relative to
/// where it puts a library, and cargo and evcxr move both a directory up: that path leads nowhere if rustc and the cache
/// lie in the same home directory.
fn library_path(rustc: &Path, arguments: &[OsString]) -> Option<OsString> {
    let krate = value_of(arguments, "--crate-name")?;
    if krate != CELL_CRATE && krate != RUNTIME_CRATE {
        return None;
    }
    let sysroot = rustc.parent()?.parent()?;
    let libraries = sysroot.join("lib/rustlib").join(value_of(arguments, "--target")?).join("lib");
    let mut argument = OsString::from(RPATH);
    argument.push(&libraries);
    libraries.is_dir().then_some(argument)
}

/// Whether the cell is to be as fast as it can be.
fn is_for_speed(arguments: &[OsString]) -> bool {
    let level = arguments.iter().filter_map(|argument| argument.to_str()?.rsplit_once("opt-level=")).next_back();
    level.is_some_and(|(_, level)| matches!(level, "2" | "3"))
}

fn value_of<'a>(arguments: &'a [OsString], option: &str) -> Option<&'a OsStr> {
    let place = arguments.iter().position(|argument| argument == option)?;
    arguments.get(place + 1).map(OsString::as_os_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_to_be_fast_does_not_tick() {
        let is_for_speed =
            |arguments: &str| is_for_speed(&arguments.split(' ').map(OsString::from).collect::<Vec<_>>());
        for slow in ["--crate-name ctx", "-C opt-level=1 --emit=link", "-Copt-level=2 -Copt-level=0"] {
            assert!(!is_for_speed(slow), "{slow}");
        }
        for fast in ["-C opt-level=2 --emit=link", "-Copt-level=3"] {
            assert!(is_for_speed(fast), "{fast}");
        }
    }

    fn kept(arguments: &[&str]) -> Vec<OsString> {
        let mut arguments = arguments.iter().map(OsString::from).collect();
        keep_identity(&mut arguments);
        arguments
    }

    #[test]
    fn the_cells_crate_has_one_identity_whatever_cargo_says() {
        let one = kept(&["--crate-name", "ctx", "-C", "metadata=0123", "--out-dir", "x"]);
        assert_eq!(one, kept(&["--crate-name", "ctx", "-C", "metadata=4567", "--out-dir", "x"]));
        assert!(one.contains(&IDENTITY.into()) && one.len() == 6);
        assert_eq!(kept(&["--crate-name", "ctx"]), ["--crate-name", "ctx", "-C", IDENTITY]);
    }
}
