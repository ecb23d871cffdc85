//! Compiling a cell of a subshell: the way the main shell's last cell was compiled, in a directory of its own.

use super::rustc_alone::{SavedCommand, is_worth_telling};
use super::state::{Mode, State};
use crate::evaluator::build::built_in::CELL_CRATE;
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// A compiler that works on a subshell's cell.
#[derive(Debug)]
pub struct Compiler {
    child: Child,
    directory: PathBuf,
}

/// What came of it.
#[derive(Debug)]
pub struct Compiled {
    /// The shared object; `None` if the cell does not compile.
    pub library: Option<PathBuf>,
    /// The file that was compiled.
    pub source: PathBuf,
    /// rustc's messages, as `--error-format=json` writes them.
    pub diagnostics: Vec<Value>,
}

impl Compiler {
    /// Starts `rustc` on `text` in `directory`, which is made, for the kernel with the working directory `root`.
    ///
    /// # Errors
    /// If nothing can be written or started, or no cell of the main shell has been compiled yet.
    pub fn start(root: &Path, rustc: &Path, directory: PathBuf, text: &str) -> io::Result<Self> {
        let saved = SavedCommand::load(&State::of(root).command(Mode::Build))
            .ok_or_else(|| io::Error::other("no cell of the main shell has been compiled since its crates changed"))?;
        fs::create_dir_all(directory.join("src"))?;
        fs::write(directory.join("src/lib.rs"), text)?;
        let mut command = saved.in_directory(rustc, &directory);
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        // SAFETY: the closure makes one system call and allocates nothing.
        unsafe {
            command.pre_exec(|| {
                super::process_group::die_with_parent(Signal::KILL);
                Ok(())
            });
        }
        Ok(Self { child: command.spawn()?, directory })
    }

    /// Its process group, by which it can be ended.
    pub fn group(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end. `before_the_end` is called when it has said everything and its group still exists.
    ///
    /// # Errors
    /// If it cannot be waited for.
    pub fn finish(mut self, before_the_end: impl FnOnce()) -> io::Result<Compiled> {
        let lines = self.child.stderr.take().map(BufReader::new).into_iter().flat_map(BufRead::lines);
        let messages = lines.map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok());
        let diagnostics = messages.filter(is_worth_telling).collect();
        before_the_end();
        let success = self.child.wait()?.success();
        let library = self.directory.join(format!("lib{CELL_CRATE}.so"));
        let library = (success && library.exists()).then_some(library);
        Ok(Compiled { library, source: self.directory.join("src/lib.rs"), diagnostics })
    }
}
