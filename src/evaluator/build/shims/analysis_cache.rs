//! Answers to rust-analyzer's questions about the project, kept with the template.
//!
//! Before rust-analyzer reads a line of source it starts a dozen programs that look at the same manifest, the same lock and
//! the same toolchain in each kernel. What they say depends on nothing but the template, so the first kernel that asks
//! leaves the answer for the others.

use super::invocation::Invocation;
use super::manifest;
use super::state::{State, replace};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Stands in an answer for the name of the working directory.
const DIRECTORY: &str = "@working-directory@";

/// Variables that change what cargo answers.
const VARIABLES: [&str; 2] = ["RUSTC_BOOTSTRAP", "__CARGO_TEST_CHANNEL_OVERRIDE_DO_NOT_USE_THIS"];

/// A question whose answer can be kept.
#[derive(Debug)]
pub(super) struct Question {
    file: PathBuf,
    directory: String,
}

/// What cargo said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// Its exit status.
    pub(super) status: u8,
    /// What it wrote to stdout.
    pub(super) stdout: String,
    /// What it wrote to stderr.
    pub(super) stderr: String,
}

impl Question {
    /// This call of cargo as a question; `None` if more than the template decides its answer.
    pub(super) fn of(state: &State, call: &Invocation, arguments: &[OsString]) -> Option<Self> {
        let inputs = if call.is_about_library(state) {
            // It comes with the toolchain, and so does its lock.
            Vec::new()
        } else if let Some(directory) = call.is_of_analysis().then(|| subject(state, call)).flatten() {
            let manifest = fs::read_to_string(directory.join("Cargo.toml")).ok()?;
            if manifest::has_foreign(&manifest) {
                return None;
            }
            vec![manifest::in_order(&manifest).into(), fs::read(state.lockfile()).ok()?]
        } else {
            return None;
        };
        let directory = state.crate_dir().parent()?.file_name()?.to_str()?.to_owned();
        let variables = VARIABLES.map(env::var_os);
        let asked = format!("{arguments:?} {variables:?}").replace(&directory, DIRECTORY);
        let mut digest = Sha256::new();
        for part in [asked.into_bytes()].into_iter().chain(inputs) {
            digest.update(part);
            digest.update([0]);
        }
        let file = state.answers().join(hex::encode(&digest.finalize()[..12])).with_extension("json");
        Some(Self { file, directory })
    }

    /// What another kernel was told, if that is still true.
    pub(super) fn answer(&self) -> Option<Answer> {
        let text = fs::read_to_string(&self.file).ok()?;
        let answer: Answer = serde_json::from_str(&text.replace(DIRECTORY, &self.directory)).ok()?;
        // Sources of crates may have been removed from cargo's cache; cargo fetches them again.
        let is_true = manifests(&answer.stdout).all(Path::is_file);
        is_true.then_some(answer)
    }

    /// Leaves the answer for the next kernel.
    pub(super) fn remember(&self, answer: &Answer) -> io::Result<()> {
        let text = serde_json::to_string(answer)?.replace(&self.directory, DIRECTORY);
        replace(&self.file, text.as_bytes())
    }
}

/// The crate that rust-analyzer asks about: that of the cells, or the one that stands for it.
fn subject(state: &State, call: &Invocation) -> Option<PathBuf> {
    if call.is_about_analysis(state) {
        return Some(state.analysis_dir());
    }
    call.is_about_cells(state).then(|| state.crate_dir())
}

/// The manifests that an answer of `cargo metadata` names.
fn manifests(metadata: &str) -> impl Iterator<Item = &Path> {
    metadata.split(r#""manifest_path":""#).skip(1).filter_map(|rest| rest.split('"').next()).map(Path::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kernel's state, with the directory of answers that `shared` names.
    fn kernel(root: &Path, name: &str, shared: &Path) -> State {
        let root = root.join(name);
        fs::create_dir_all(root.join("crate")).unwrap();
        fs::create_dir_all(root.join("state")).unwrap();
        fs::write(root.join("crate/Cargo.toml"), "[dependencies]\nfutures = \"0.3\"\n").unwrap();
        fs::write(root.join("state/Cargo.lock"), "").unwrap();
        std::os::unix::fs::symlink(shared, root.join("state/answers")).unwrap();
        State::of(&root)
    }

    fn ask(state: &State) -> Option<Question> {
        let manifest = state.crate_dir().join("Cargo.toml");
        let arguments: Vec<OsString> = ["metadata", "--filter-platform", "x", "--manifest-path"]
            .map(OsString::from)
            .into_iter()
            .chain([manifest.into_os_string()])
            .collect();
        Question::of(state, &Invocation::parse(&arguments), &arguments)
    }

    #[test]
    fn what_one_kernel_was_told_is_right_for_the_next_one_with_its_own_paths() {
        let root = tempfile::tempdir().unwrap();
        let (one, two) = (kernel(root.path(), "1-aa", root.path()), kernel(root.path(), "2-bb", root.path()));
        let manifest = one.crate_dir().join("Cargo.toml");
        let stdout = format!(r#"{{"packages":[{{"manifest_path":"{}"}}]}}"#, manifest.display());
        assert_eq!(ask(&one).unwrap().answer(), None);
        ask(&one).unwrap().remember(&Answer { status: 0, stdout, stderr: String::new() }).unwrap();
        let answer = ask(&two).unwrap().answer().unwrap();
        assert!(answer.stdout.contains("2-bb/crate") && !answer.stdout.contains("1-aa"), "{}", answer.stdout);
        fs::write(two.crate_dir().join("Cargo.toml"), "[dependencies]\n").unwrap();
        assert_eq!(ask(&two).unwrap().answer(), None);
        fs::write(two.crate_dir().join("Cargo.toml"), "[dependencies]\nrand = \"0.9\"\n").unwrap();
        assert!(ask(&two).is_none());
    }

    #[test]
    fn an_answer_that_names_a_missing_source_is_not_given() {
        let root = tempfile::tempdir().unwrap();
        let state = kernel(root.path(), "1-aa", root.path());
        let stdout = r#"{"manifest_path":"/nowhere/Cargo.toml"}"#.to_owned();
        ask(&state).unwrap().remember(&Answer { status: 0, stdout, stderr: String::new() }).unwrap();
        assert_eq!(ask(&state).unwrap().answer(), None);
    }
}
