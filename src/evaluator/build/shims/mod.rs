//! Shims: programs that evcxr and rust-analyzer start in the place of cargo and rustc.
//!
//! The program is linked under the names `cargo`, `rustc` and `rustup` into a directory that comes first in the kernel's
//! `PATH`, and under the name `cc` into one that only the rustc of cells sees. Started by such a name it does that tool's
//! work through the real tool, and in addition:
//!
//! - `lockfile`: keeps the versions that the runtime was compiled with, although evcxr writes manifests without
//!   dependencies, for which cargo forgets them;
//! - `cargo`: asks the network only if nothing else helps and the user wants a crate of their own;
//! - `analysis`, `analysis_cache`: answers what rust-analyzer asks at every start, from memory and without what no cell can see;
//! - `starved`: leaves evcxr's own rust-analyzer nothing to do;
//! - `rustc_alone`: compiles a cell by rustc alone if nothing but the cell has changed;
//! - `cells`: compiles a cell, or finds it compiled already;
//! - `cell_source`, `order`, `thin`, `unused_variables`: puts what evcxr has written in order, and leaves to the runtime what
//!   evcxr would have every cell compile anew;
//! - `shared_command`: leaves the first call of rustc to other kernels;
//! - `variable_types`, `type_questions`: has rustc tell the types of a cell's variables;
//! - `crates`: knows which of the notebook's own crates a cell is compiled with;
//! - `empty`: builds nothing, when evcxr is only to give up variables;
//! - `subshell`: compiles a cell of a subshell, of which cargo and evcxr know nothing;
//! - `process_group`: lets an interrupt end everything that a build has started, and nothing outlive the kernel;
//! - `progress`: says which crate is being compiled;
//! - `diagnostics`: keeps the compiler's messages, also those of builds that succeed;
//! - `linker`: links cells by rustc's own linker, past the C compiler;
//! - `times`: notes what took how long, for `:timing`;
//! - `look`: mends what evcxr writes to find out what is wrong with a cell.

mod analysis;
mod analysis_cache;
mod cargo;
mod cell_source;
mod cells;
mod crates;
mod diagnostics;
mod empty;
mod invocation;
mod linker;
mod look;
mod manifest;
mod order;
mod process_group;
mod progress;
mod run;
mod rustc;
mod rustc_alone;
mod shared_command;
mod starved;
mod state;
mod subshell;
mod thin;
mod times;
mod type_questions;
mod unused_variables;
mod variable_types;

pub use crates::Crates;
pub use diagnostics::{last_diagnostics, take_moves};
pub use empty::EmptyBuilds;
pub use process_group::kill_running;
pub use progress::{BuildProgress, Watcher, watch};
pub use subshell::{Compiled, Compiler};
pub use thin::STORE;
pub use times::{begin_times, take_times};
pub use variable_types::VariableTypes;

pub(in crate::evaluator) use progress::FETCHING;
pub(in crate::evaluator) use run::{RUSTFLAGS, prepare, run};

use state::State;
use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Exit status of cargo when something has failed.
const FAILED: u8 = 101;

/// Has every build of a cell fail from now on, or none, for the kernel with the working directory `root`.
///
/// # Errors
/// If that cannot be noted.
pub fn refuse(root: &Path, refuse: bool) -> io::Result<()> {
    State::of(root).refuse(refuse)
}

/// Does a tool's work if this program was started by that tool's name; `None` if it was started by its own.
///
/// Call it first in `main`, while the process has one thread only.
pub fn run_as_tool() -> Option<ExitCode> {
    let mut arguments = env::args_os();
    let name = PathBuf::from(arguments.next()?);
    let arguments: Vec<OsString> = arguments.collect();
    match name.file_name()?.to_str()? {
        "cargo" => Some(cargo::main(&arguments)),
        "rustc" => Some(rustc::main(&arguments)),
        linker::NAME => Some(linker::main(&arguments)),
        "rustup" => Some(rustup(&name, &arguments)),
        _ => None,
    }
}

/// evcxr and rust-analyzer ask rustup for paths; they get those of the shims. Nothing else is done: rust-analyzer would
/// let rustup install components.
fn rustup(name: &Path, arguments: &[OsString]) -> ExitCode {
    match arguments {
        [which, tool] if which == "which" && (tool == "cargo" || tool == "rustc") => {
            let directory = search_path_for(name).unwrap_or_else(|| name.to_owned());
            println!("{}", directory.with_file_name(tool).display());
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("rustup does nothing here: the cells of a notebook are compiled by one toolchain");
            ExitCode::FAILURE
        }
    }
}

/// The path of a program that was started by a name without directories.
fn search_path_for(name: &Path) -> Option<PathBuf> {
    if name.is_absolute() {
        return Some(name.to_owned());
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// The path of a real tool, or a message for people.
fn real_tool(variable: &str) -> Result<PathBuf, String> {
    env::var_os(variable).map(PathBuf::from).ok_or_else(|| {
        format!("error: {variable} is not set; this is no cargo or rustc of its own but part of Loopbook's kernel")
    })
}
