//! The command line of the program `loopbook`.

mod cache;
mod doctor;
mod inspect;
mod install;
mod link;
mod places;
mod uninstall;
mod warm;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::evaluator::support::wording::sentence;
use crate::kernel::{self, Language};

/// Runs the command that the command line names. Errors are printed, with their causes.
pub fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("loopbook: {}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    if !matches!(command, Command::Kernel { .. }) {
        end_with_the_reader();
    }
    match command {
        Command::Install { place, display_name } => install::install(&place, &display_name)?,
        Command::Uninstall { place } => uninstall::uninstall(&place)?,
        Command::Kernel { connection_file, toy } => {
            kernel::run(&connection_file, if toy { Language::Toy } else { Language::Rust })?;
        }
        Command::Inspect { options, question } => inspect::inspect(options, question)?,
        Command::Warm { wanted } => warm::warm(&wanted)?,
        Command::Cache { clear } => cache::cache(clear)?,
        Command::Doctor { place } => return doctor::doctor(&place),
    }
    Ok(ExitCode::SUCCESS)
}

/// Ends quietly, as other programs do, when nobody reads what is printed any more (`loopbook doctor | head`). A kernel
/// must not: it has pipes and sockets whose other ends may close.
fn end_with_the_reader() {
    // SAFETY: sets the default handling of a signal, before any thread exists.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

/// A Jupyter kernel for async Rust.
#[derive(Debug, Parser)]
#[command(name = "loopbook", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the kernel known to Jupyter
    Install {
        #[command(flatten)]
        place: Place,
        /// The name that JupyterLab shows
        #[arg(long, default_value = "Rust (async)")]
        display_name: String,
    },
    /// Remove what `install` and `warm` have made, and what install.sh has put beside it
    Uninstall {
        #[command(flatten)]
        place: Place,
    },
    /// Run a kernel (Jupyter calls this)
    Kernel {
        /// The file in which Jupyter says where to listen
        #[arg(short = 'f', value_name = "FILE")]
        connection_file: PathBuf,
        /// Run a toy language instead of Rust, to test the protocol
        #[arg(long, hide = true)]
        toy: bool,
    },
    /// Look at the loop of a kernel that runs: its tasks, or what else a question asks for
    Inspect {
        #[command(flatten)]
        options: inspect::Options,
        /// A command as in a cell, such as `tasks --all`, `task 7`, `pstree`, `loop`, `resources`, `lints`; the options may
        /// stand behind it as well
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        question: Vec<String>,
    },
    /// Compile the crates that cells use, once per machine
    Warm {
        /// Crates that notebooks will ask for, as `:dep` takes them (`serde`, `rand@0.9`, 'regex = "1"'), and notebooks, whose
        /// crates are compiled
        #[arg(value_name = "CRATE|NOTEBOOK")]
        wanted: Vec<String>,
    },
    /// Show what is kept to be fast: compiled cells and crates
    Cache {
        /// Empty it; what is needed is compiled again
        #[arg(long)]
        clear: bool,
    },
    /// Check everything that the kernel needs, and say what to do about what is missing
    Doctor {
        #[command(flatten)]
        place: Place,
    },
}

/// Where the kernel is installed.
#[derive(Debug, Args)]
struct Place {
    #[command(flatten)]
    scope: Scope,
    /// The name by which Jupyter knows the kernel: `loopbook` if nothing else is installed or asked for
    #[arg(long, value_parser = places::kernel_name)]
    name: Option<String>,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct Scope {
    /// For the current user (the default, unless this program is installed elsewhere)
    #[arg(long)]
    user: bool,
    /// Into the Python environment of the `python3` found in PATH
    #[arg(long)]
    sys_prefix: bool,
    /// Below this directory
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn jupyters_call_is_understood() {
        let cli = Cli::try_parse_from(["loopbook", "kernel", "-f", "/run/kernel-1.json"]).unwrap();
        assert!(matches!(cli.command, Command::Kernel { toy: false, .. }));
    }

    #[test]
    fn only_one_place_can_be_named() {
        assert!(Cli::try_parse_from(["loopbook", "install", "--user", "--prefix", "/opt"]).is_err());
        assert!(Cli::try_parse_from(["loopbook", "install", "--name", "no spaces"]).is_err());
    }
}
