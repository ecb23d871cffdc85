//! The commands that a cell can begin with: a closed list, each ours or refused with a reason.
//!
//! None of evcxr's own commands is passed on blindly: several of them lose state, end the kernel, or replace the crates
//! that the loop lives in.

mod arguments;
pub mod foreign;
mod help;
mod list;
#[cfg(test)]
mod tests;

pub use arguments::{Argument, Arguments, Value};
pub use help::{describe, help};
pub use list::{COMMANDS, Description, find};

use super::{EVCXR_VERSION, Printing};
use loopbook_channel::Query;

/// A command, understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// `:clear`.
    Clear,
    /// `:dep`: what stands behind it, for each of several that follow each other.
    Dep(Vec<String>),
    /// `:deps`.
    Deps,
    /// `:doc`.
    Doc(String),
    /// `:env`: a name and its value.
    Env(String, String),
    /// `:expand-cell`.
    ExpandCell,
    /// `:explain`: an error code, else that of the last error.
    Explain(Option<String>),
    /// `:opt`: the level.
    Opt(String),
    /// `:output`.
    Output(Printing),
    /// `:restart`.
    Restart,
    /// `:timing`.
    Timing,
    /// What changes nothing.
    Look(Look),
    /// `:types`.
    Types,
}

/// A command that only looks. So it is obeyed in a subshell as well, also while the main shell is busy.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// What the inspector answers.
    Ask(Query),
    /// The same, kept up to date.
    Follow(Query),
    /// `:help`.
    Help(Option<String>),
    /// `:type`.
    Type(String),
    /// `:vars`.
    Vars,
    /// `:version`.
    Version,
}

/// Understands a command: `name` with its colon, `args` as typed.
///
/// ```
/// use loopbook_kernel::evaluator::commands::{Command, Look, parse};
/// assert_eq!(parse(":vars", ""), Ok(Command::Look(Look::Vars)));
/// assert!(parse(":quit", "").unwrap_err().contains("Shut Down"));
/// ```
///
/// # Errors
/// A sentence for the user: what is wrong and what to type instead.
pub fn parse(name: &str, args: &str) -> Result<Command, String> {
    find(name).map_or_else(|| Err(refusal(name)), |command| command.parse(args.trim()))
}

/// What `:version` says.
pub fn version() -> String {
    format!("loopbook {} on evcxr {EVCXR_VERSION}", env!("CARGO_PKG_VERSION"))
}

/// The name that a cell asks about if it is nothing but `NAME?`, as in IPython. For a variable that is an expression, so
/// ask only if it is none.
///
/// ```
/// use loopbook_kernel::evaluator::commands::asked_about;
/// assert_eq!(asked_about("task::spawn?"), Some("task::spawn"));
/// assert_eq!(asked_about("spawn()?"), None);
/// ```
pub fn asked_about(code: &str) -> Option<&str> {
    let name = code.trim().strip_suffix('?')?.trim_end_matches('?');
    let is_path = name.strip_suffix('!').unwrap_or(name).split("::").all(|part| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    });
    is_path.then_some(name)
}

fn refusal(name: &str) -> String {
    let reason = match name {
        ":load_config" => "evcxr's start-up files are not read; put `:dep` lines and `use` items into the first cell",
        ":toolchain" | ":linker" | ":codegen_backend" => {
            "the runtime that the cells share was compiled with one toolchain; run `loopbook warm` under another one \
             to change it"
        }
        ":fmt" => "write the format into the cell, as in `println!(\"{value:#?}\")`",
        ":efmt" => "a failed `?` shows what the error's `Display` says, and its sources; without one, its `Debug`",
        ":build_env" => "set it before the kernel starts, in its terminal or in kernel.json",
        ":internal_debug" | ":time_passes" | ":last_compile_dir" | ":last_error_json" | ":clear_cache" => {
            "it is about the insides of evcxr; `:expand-cell` shows what the compiler gets, `:timing` how long it takes"
        }
        ":sccache" | ":cache" | ":allow_static_linking" | ":offline" | ":preserve_vars_on_panic" => {
            "this setting of evcxr's would separate the cells from the loop that they share"
        }
        _ => return unknown(name),
    };
    format!("`{name}` is not available: {reason}")
}

fn unknown(name: &str) -> String {
    if let Some(instead) = foreign::instead(name.strip_prefix(':').unwrap_or(name)) {
        return format!("there is no command `{name}` here; {instead}");
    }
    let similar = COMMANDS.iter().map(|command| command.name).find(|known| {
        let start: String = name.chars().take(3).collect();
        start.chars().count() == 3 && known.starts_with(&start)
    });
    let hint = similar.map(|known| format!(", did you mean `{known}`?")).unwrap_or_default();
    format!("there is no command `{name}`{hint} (`:help` lists them all)")
}
