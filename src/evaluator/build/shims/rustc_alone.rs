//! Compiling a cell by rustc alone.
//!
//! cargo takes longer to find out that nothing but `src/lib.rs` has changed than rustc takes to begin. So the call of rustc
//! that cargo made last is saved, together with a key of everything that it depended on. While the key holds, that call is
//! repeated and its messages are passed on as cargo would.
//!
//! The result is left in `deps/` and evcxr moves it away, so that the next cargo sees that it must compile anew.

use super::FAILED;
use super::analysis_cache::Answer;
use super::manifest;
use super::state::{Mode, State, replace};
use super::type_questions::Questions;
use super::{cell_source, cells, diagnostics, linker, process_group};
use crate::evaluator::build::built_in::CELL_CRATE;
use crate::evaluator::build::files::remove;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A call of rustc.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedCommand {
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) directory: PathBuf,
}

impl SavedCommand {
    /// The call by which this process was started; `None` if it cannot be repeated exactly.
    pub(super) fn of_this_process(arguments: &[OsString]) -> Option<Self> {
        let arguments = arguments.iter().map(|argument| argument.to_str().map(str::to_owned)).collect::<Option<_>>()?;
        let environment = env::vars_os()
            .map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            // They name descriptors of the cargo that is running now.
            .filter(|(name, _)| !["CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS"].contains(&name.as_str()))
            .collect();
        Some(Self { arguments, environment, directory: env::current_dir().ok()? })
    }

    #[cfg(test)]
    pub(super) fn new(arguments: Vec<String>, environment: Vec<(String, String)>, directory: PathBuf) -> Self {
        Self { arguments, environment, directory }
    }

    /// Writes it to a file.
    pub(super) fn save(&self, path: &Path) -> io::Result<()> {
        replace(path, &serde_json::to_vec(self)?)
    }

    pub(super) fn load(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// The same call on the file of the same name in another directory, into which its results go too.
    pub(super) fn in_directory(&self, rustc: &Path, directory: &Path) -> Command {
        let mut command = self.command(rustc, &self.arguments_into(directory));
        command.current_dir(directory);
        command
    }

    /// Calls it again, with more arguments.
    ///
    /// # Errors
    /// If rustc cannot be started.
    pub(super) fn call(&self, rustc: &Path, more: &[String]) -> io::Result<Output> {
        self.call_with(rustc, &self.arguments, more)
    }

    /// The same without generating code.
    ///
    /// # Errors
    /// As [`SavedCommand::call`].
    pub(super) fn check(&self, state: &State, rustc: &Path, more: &[String]) -> io::Result<Output> {
        let mut arguments = self.arguments_into(&state.unneeded());
        if let Some(emit) = arguments.iter_mut().find(|argument| argument.starts_with("--emit=")) {
            *emit = "--emit=metadata".to_owned();
        }
        self.call_with(rustc, &arguments, more)
    }

    fn call_with(&self, rustc: &Path, arguments: &[String], more: &[String]) -> io::Result<Output> {
        let mut command = self.command(rustc, arguments);
        command.args(more).stdin(Stdio::null());
        // SAFETY: the closure makes one system call and allocates nothing.
        unsafe {
            command.pre_exec(|| {
                process_group::die_with_parent(Signal::KILL);
                Ok(())
            });
        }
        command.output()
    }

    fn command(&self, rustc: &Path, arguments: &[String]) -> Command {
        let mut command = Command::new(rustc);
        command.args(arguments).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).current_dir(&self.directory);
        linker::link_by_us(&mut command, rustc, &arguments.iter().map(OsString::from).collect::<Vec<_>>());
        command
    }

    /// The arguments, with another directory for what is made.
    fn arguments_into(&self, directory: &Path) -> Vec<String> {
        let mut arguments = self.arguments.clone();
        if let Some(place) = arguments.iter().position(|argument| argument == "--out-dir")
            && let Some(value) = arguments.get_mut(place + 1)
        {
            *value = directory.to_string_lossy().into_owned();
        }
        arguments
    }

    /// The crates that rustc was given, as `name=path`.
    pub(super) fn externs(&self) -> impl Iterator<Item = &str> {
        let given = self.arguments.windows(2).filter(|pair| pair[0] == "--extern");
        given.map(|pair| pair[1].as_str())
    }

    /// How rustc is called.
    pub(super) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// With which environment.
    pub(super) fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// A variable of that environment.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Where.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether a library is made, or only found out what is wrong.
    pub(super) fn links(&self) -> bool {
        let emit = self.arguments.iter().find(|argument| argument.starts_with("--emit"));
        emit.is_some_and(|emit| Mode::of_emit(emit.as_ref()) == Mode::Build)
    }

    /// The library that rustc makes.
    pub(super) fn library(&self) -> Option<PathBuf> {
        Some(self.out_dir()?.join(format!("lib{CELL_CRATE}.so")))
    }

    /// Where rustc says what it has read.
    pub(super) fn dep_info(&self) -> Option<PathBuf> {
        let extra = self.arguments.iter().find_map(|argument| argument.strip_prefix("extra-filename="));
        Some(self.out_dir()?.join(format!("{CELL_CRATE}{}.d", extra.unwrap_or_default())))
    }

    fn out_dir(&self) -> Option<PathBuf> {
        let place = self.arguments.iter().position(|argument| argument == "--out-dir")?;
        Some(self.directory.join(self.arguments.get(place + 1)?))
    }
}

/// A digest of everything but the cell's text that the saved call depends on. `None` if there is more that we cannot see.
pub(super) fn key(state: &State, arguments: &[OsString]) -> Option<String> {
    let crate_dir = state.crate_dir();
    let manifest = fs::read_to_string(crate_dir.join("Cargo.toml")).ok()?;
    if manifest::has_foreign_path(&manifest) {
        return None;
    }
    let mut environment: Vec<_> = env::vars_os().collect();
    environment.sort_unstable();
    let mut digest = Sha256::new();
    for part in [manifest::in_order(&manifest), format!("{arguments:?}"), format!("{environment:?}")] {
        digest.update(part);
        digest.update([0]);
    }
    for file in [crate_dir.join(".cargo/config.toml"), crate_dir.join("../.cargo/config.toml"), state.lockfile()] {
        digest.update(fs::read(file).unwrap_or_default());
        digest.update([0]);
    }
    Some(hex::encode(digest.finalize()))
}

/// Notes that cargo has just built what `key` describes.
pub(super) fn remember(state: &State, mode: Mode, key: &str) -> io::Result<()> {
    replace(&state.key(mode), key.as_bytes())
}

/// Whether the saved call is that of a build which `key` describes.
pub(super) fn is_remembered(state: &State, mode: Mode, key: &str) -> bool {
    fs::read_to_string(state.key(mode)).is_ok_and(|saved| saved == key)
}

/// Lets the next build go through cargo.
pub(super) fn forget(state: &State, mode: Mode) -> io::Result<()> {
    for file in [state.key(mode), state.command(mode)] {
        remove(&file)?;
    }
    Ok(())
}

/// Repeats the saved call if it is still the right one, and says what cargo would have said. `None`: cargo must do it.
pub(super) fn replay(
    state: &State,
    mode: Mode,
    key: Option<&str>,
    rustc: &Path,
    questions: &Questions,
) -> Option<Answer> {
    if !is_remembered(state, mode, key?) {
        return None;
    }
    repeat(state, mode, rustc, questions)
}

/// Repeats the saved call, and says what cargo would have said, or what evcxr would have said of a variable. `None` if there is
/// none, or rustc itself fails: cargo starts from a clean state.
pub(super) fn repeat(state: &State, mode: Mode, rustc: &Path, questions: &Questions) -> Option<Answer> {
    let command = SavedCommand::load(&state.command(mode))?;
    let library = command.library()?;
    let mut compiled = cells::compile(state, &command, rustc, questions).ok()?;
    if compiled.status == Some(1) && cell_source::rewrite_after(state, &String::from_utf8_lossy(&compiled.said)).ok()? {
        compiled = cells::compile(state, &command, rustc, questions).ok()?;
    }
    if let Some(refused) = compiled.refused {
        return Some(Answer { status: FAILED, stdout: String::new(), stderr: refused + "\n" });
    }
    let success = match compiled.status {
        Some(0) => true,
        Some(1) => false,
        // rustc itself has failed; cargo starts from a clean state.
        _ => return None,
    };
    let artifact = (mode == Mode::Build && success).then_some(&*library);
    let (stdout, stderr) = as_cargo_would_say(&compiled.said, artifact);
    diagnostics::keep(state, stdout.as_bytes());
    Some(Answer { status: if success { 0 } else { FAILED }, stdout, stderr })
}

/// Wraps rustc's messages as cargo does; what is not JSON stays on stderr.
fn as_cargo_would_say(rustc_stderr: &[u8], library: Option<&Path>) -> (String, String) {
    let (mut stdout, mut stderr) = (String::new(), String::new());
    for line in String::from_utf8_lossy(rustc_stderr).lines() {
        match serde_json::from_str::<Value>(line) {
            Ok(mut message) if is_worth_telling(&message) => {
                if let Some(rendered) = message["rendered"].as_str() {
                    message["rendered"] = without_colours(rendered).into();
                }
                // The reason must come first: readers look at how a line begins.
                let target = json!({"name": CELL_CRATE});
                stdout += &format!(r#"{{"reason":"compiler-message","target":{target},"message":{message}}}"#);
                stdout.push('\n');
            }
            Ok(_) => {}
            Err(_) => {
                stderr += line;
                stderr.push('\n');
            }
        }
    }
    if let Some(library) = library {
        let artifact = json!({"reason": "compiler-artifact", "target": {"name": CELL_CRATE}, "filenames": [library], "fresh": false});
        stdout += &format!("{artifact}\n");
    }
    (stdout, stderr)
}

/// cargo keeps rustc's own counts of errors and warnings to itself.
pub(super) fn is_worth_telling(message: &Value) -> bool {
    let text = message["message"].as_str().unwrap_or_default();
    let is_count = text.starts_with("aborting due to ")
        || text.ends_with(" warning emitted")
        || text.ends_with(" warnings emitted");
    message["$message_type"] == "diagnostic" && !is_count
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or(part, |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_rustc_are_wrapped_and_lose_their_colours() {
        let rustc = concat!(
            r#"{"$message_type":"diagnostic","message":"unused","rendered":"\u001b[33mwarning\u001b[0m: unused"}"#,
            "\n",
            r#"{"$message_type":"artifact","artifact":"libctx.so","emit":"link"}"#,
            "\n",
            r#"{"$message_type":"diagnostic","message":"1 warning emitted","rendered":"1 warning emitted"}"#,
            "\nnot JSON\n",
        );
        let (stdout, stderr) = as_cargo_would_say(rustc.as_bytes(), Some(Path::new("/t/deps/libctx.so")));
        assert_eq!(stderr, "not JSON\n");
        let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["message"]["rendered"], "warning: unused");
        assert_eq!(lines[1]["filenames"][0], "/t/deps/libctx.so");
    }

    #[test]
    fn a_call_survives_being_saved() {
        let root = tempfile::tempdir().unwrap();
        let command = SavedCommand {
            arguments: ["--crate-name", "ctx", "--out-dir", "/t/deps"].map(String::from).into(),
            environment: vec![("A".into(), "b".into())],
            directory: "/w".into(),
        };
        command.save(&root.path().join("file")).unwrap();
        let loaded = SavedCommand::load(&root.path().join("file")).unwrap();
        assert_eq!(loaded, command);
        assert_eq!(loaded.library(), Some("/t/deps/libctx.so".into()));
    }

    #[test]
    fn the_key_changes_with_the_dependencies_and_not_with_their_order() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("crate")).unwrap();
        let state = State::of(root.path());
        let key_of = |dependencies: &str| {
            fs::write(root.path().join("crate/Cargo.toml"), format!("[dependencies]\n{dependencies}")).unwrap();
            key(&state, &["build".into()])
        };
        assert_eq!(key_of("a = \"1\"\nb = \"1\"\n"), key_of("b = \"1\"\na = \"1\"\n"));
        assert_ne!(key_of("a = \"1\"\n"), key_of("a = \"2\"\n"));
        assert_eq!(key_of("mine = { path = \"/x\" }\n"), None);
    }
}
