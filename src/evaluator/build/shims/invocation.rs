//! The arguments with which cargo was called.

use super::state::State;
use crate::evaluator::build::built_in::ANALYSIS_ENV;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Options whose value is an argument of its own.
const WITH_VALUE: [&str; 5] = ["-Z", "-C", "--config", "--color", "--manifest-path"];

/// A call of cargo, as far as we need to understand it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invocation {
    /// `build`, `metadata`, …; empty if there is none.
    pub(super) subcommand: String,
    /// Whether the caller forbids the network.
    pub(super) offline: bool,
    manifest: Option<PathBuf>,
    platform: bool,
    print: bool,
}

impl Invocation {
    /// Reads the arguments behind the program's name.
    pub(super) fn parse(arguments: &[OsString]) -> Self {
        let (mut subcommand, mut offline, mut manifest) = (String::new(), false, None);
        let (mut platform, mut print) = (false, false);
        let mut rest = arguments.iter().map(|argument| argument.to_string_lossy());
        while let Some(argument) = rest.next() {
            if argument == "--" {
                break;
            } else if argument == "--offline" {
                offline = true;
            } else if argument == "--manifest-path" {
                manifest = rest.next().map(|path| PathBuf::from(path.as_ref()));
            } else if argument == "--filter-platform" {
                platform = rest.next().is_some();
            } else if argument == "--print" {
                print = rest.next().is_some();
            } else if WITH_VALUE.contains(&argument.as_ref()) {
                rest.next();
            } else if subcommand.is_empty() && !argument.starts_with(['-', '+']) {
                subcommand = argument.into_owned();
            }
        }
        Self { subcommand, offline, manifest, platform, print }
    }

    /// Whether cargo would resolve the versions of a crate's dependencies and write them to its lock.
    pub(super) fn resolves(&self) -> bool {
        ["build", "check", "metadata", "rustc", "tree"].contains(&self.subcommand.as_str())
    }

    /// Whether rust-analyzer asks for the packages that the crate of the cells is made of.
    pub(super) fn is_metadata_of_analysis(&self) -> bool {
        self.subcommand == "metadata" && self.platform && self.manifest.is_some()
    }

    /// Whether rust-analyzer wants to know something about the project, the toolchain or the configuration.
    pub(super) fn is_of_analysis(&self) -> bool {
        match self.subcommand.as_str() {
            "metadata" => self.is_metadata_of_analysis(),
            "rustc" => self.print,
            // Without a subcommand: `cargo --version`.
            other => ["", "config", "locate-project"].contains(&other),
        }
    }

    /// Whether it is about the crate that evcxr writes. rust-analyzer asks about the standard library, too.
    pub(super) fn is_about_cells(&self, state: &State) -> bool {
        self.is_about(&state.crate_dir())
    }

    /// Whether it is about the crate that our own rust-analyzer reads. Only that one asks.
    pub(super) fn is_about_analysis(&self, state: &State) -> bool {
        is_for_completion() && self.is_about(&state.analysis_dir())
    }

    /// Whether the kernel asks what a notebook's dependencies would change.
    pub(super) fn is_check(&self, state: &State) -> bool {
        self.resolves() && self.is_about(&state.check_dir())
    }

    /// Whether rust-analyzer asks what the standard library is made of.
    pub(super) fn is_about_library(&self, state: &State) -> bool {
        self.is_metadata_of_analysis() && self.is_about(&state.library_dir())
    }

    fn is_about(&self, wanted: &Path) -> bool {
        let directory = match &self.manifest {
            Some(manifest) => manifest.parent().map(PathBuf::from),
            None => env::current_dir().ok(),
        };
        let real = |path: PathBuf| path.canonicalize().unwrap_or(path);
        directory.is_some_and(|directory| real(directory) == real(wanted.to_owned()))
    }
}

/// Whether our own rust-analyzer has made this call, which serves completion and inspection; evcxr has another one.
pub(super) fn is_for_completion() -> bool {
    env::var_os(ANALYSIS_ENV).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Invocation {
        Invocation::parse(&text.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn options_before_the_subcommand_are_not_taken_for_it() {
        let call = parse("--offline build --target x --message-format=json");
        assert_eq!((call.subcommand.as_str(), call.offline), ("build", true));
        let call = parse("-Z unstable-options config get --format toml");
        assert_eq!((call.subcommand.as_str(), call.resolves()), ("config", false));
    }

    #[test]
    fn questions_of_rust_analyzer_are_told_from_evcxrs() {
        assert!(
            parse("metadata --format-version 1 --manifest-path /w/Cargo.toml --filter-platform x").is_of_analysis()
        );
        assert!(!parse("metadata --format-version=1").is_of_analysis());
        assert!(parse("rustc -Z unstable-options --print cfg --target x -- -O").is_of_analysis());
        assert!(parse("--version").is_of_analysis() && parse("locate-project --workspace").is_of_analysis());
        assert!(!parse("build --target x").is_of_analysis());
    }

    #[test]
    fn the_manifest_says_which_crate_is_meant() {
        let state = State::of(std::path::Path::new("/w"));
        assert!(parse("metadata --manifest-path /w/crate/Cargo.toml").is_about_cells(&state));
        assert!(!parse("metadata --manifest-path /rust/library/Cargo.toml").is_about_cells(&state));
        assert!(!parse("metadata").is_about_cells(&state));
        assert!(parse("metadata --manifest-path /w/library/Cargo.toml --filter-platform x").is_about_library(&state));
    }
}
