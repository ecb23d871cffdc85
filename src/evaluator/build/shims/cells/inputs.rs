//! Files and environment variables that a cell's text asks for: `include_str!`, `#[path]`, `env!` and so on.
//!
//! rustc names them in the file that it writes for makefiles.

use crate::evaluator::build::cell_cache::Entry;
use crate::evaluator::build::shims::rustc_alone::SavedCommand;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The cell itself, whose text is part of the key.
const SOURCE: &str = "src/lib.rs";

/// How a variable is named in rustc's file.
const VARIABLE: &str = "# env-dep:";

/// The system's clock for files is so much behind the other one, at most.
const CLOCKS_DIFFER: Duration = Duration::from_millis(100);

/// What a cell was made of beside its text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Inputs {
    files: Vec<PathBuf>,
    pub(super) variables: Vec<(String, Option<String>)>,
}

impl Inputs {
    /// Understands rustc's file.
    pub(super) fn parse(dep_info: &str) -> Self {
        let mut inputs = Self::default();
        for line in dep_info.lines() {
            if let Some(variable) = line.strip_prefix(VARIABLE) {
                let (name, value) =
                    variable.split_once('=').map_or((variable, None), |(name, value)| (name, Some(value)));
                inputs.variables.push((unescaped(name), value.map(unescaped)));
            } else if let Some(file) = line.strip_suffix(':') {
                // Each file is named once more as a target that depends on nothing.
                let file = file.replace("\\ ", " ");
                if file != SOURCE {
                    inputs.files.push(file.into());
                }
            }
        }
        inputs
    }

    /// What an entry says.
    pub(super) fn of(entry: &Entry) -> Self {
        Self { files: entry.files.iter().map(|(file, _)| file.clone()).collect(), variables: entry.variables.clone() }
    }

    /// rustc's file for this library.
    pub(super) fn to_dep_info(&self, library: &Path) -> String {
        let spaced = |file: &Path| file.to_string_lossy().replace(' ', "\\ ");
        let files: Vec<String> =
            [SOURCE.to_owned()].into_iter().chain(self.files.iter().map(|file| spaced(file))).collect();
        let mut text = format!("{}: {}\n\n", spaced(library), files.join(" "));
        for file in files {
            let _infallible = write!(text, "{file}:\n\n");
        }
        for (name, value) in &self.variables {
            let value = value.as_ref().map(|value| format!("={}", escaped(value))).unwrap_or_default();
            let _infallible = writeln!(text, "{VARIABLE}{}{value}", escaped(name));
        }
        text
    }

    /// The files with the digests of what is in them; `None` if one may have changed since rustc began to read.
    pub(super) fn digests(&self, call: &SavedCommand, started: SystemTime) -> Option<Vec<(PathBuf, String)>> {
        let started = started.duration_since(SystemTime::UNIX_EPOCH).ok()?.checked_sub(CLOCKS_DIFFER)?;
        let mut digests = Vec::new();
        for file in &self.files {
            let path = call.directory().join(file);
            let content = fs::read(&path).ok()?;
            let metadata = fs::metadata(&path).ok()?;
            // Unlike the time of the last change of its content, this one cannot be set.
            let changed = Duration::new(metadata.ctime().try_into().ok()?, metadata.ctime_nsec().try_into().ok()?);
            if changed >= started {
                return None;
            }
            digests.push((file.clone(), digest(&content)));
        }
        Some(digests)
    }
}

/// Whether what the cell of this entry has asked for is what the same cell would find now.
pub(super) fn are_as_they_were(entry: &Entry, call: &SavedCommand) -> bool {
    let is_same = |(file, then): &(PathBuf, String)| {
        fs::read(call.directory().join(file)).is_ok_and(|content| digest(&content) == *then)
    };
    entry.files.iter().all(is_same) && entry.variables.iter().all(|(name, then)| call.variable(name) == then.as_deref())
}

fn digest(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// rustc writes line breaks and backslashes as Rust's strings have them.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        plain.push(match character {
            '\\' => match rest.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                other => other.unwrap_or('\\'),
            },
            other => other,
        });
    }
    plain
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustc_writes_for_makefiles_is_understood_and_written_again() {
        let text = "/t/deps/libctx.so: src/lib.rs /d/a\\ b.txt\n\nsrc/lib.rs:\n\n/d/a\\ b.txt:\n\n# env-dep:HOME=/h=x\\\\\\n\n# env-dep:NONE\n";
        let inputs = Inputs::parse(text);
        assert_eq!(inputs.files, [PathBuf::from("/d/a b.txt")]);
        assert_eq!(inputs.variables, [("HOME".into(), Some("/h=x\\\n".into())), ("NONE".into(), None)]);
        assert_eq!(inputs.to_dep_info(Path::new("/t/deps/libctx.so")), text);
    }
}
