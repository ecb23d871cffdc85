//! What must happen before any thread exists: the working directory, and the environment that evcxr and rust-analyzer
//! read when they look for cargo, rustc and their configuration.

use crate::evaluator::dependencies::{Closure, Workshop};
use crate::evaluator::template::Template;
use crate::evaluator::toolchain::Toolchain;
use crate::evaluator::workdir::WorkDir;
use crate::evaluator::{library, template, toolchain};
use crate::home::Home;
use anyhow::Context;
use loopbook_channel::{SOCKET_ENV, SOURCE_ENV};
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::os::fd::IntoRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A working directory with the template in it, and a process whose environment is set up for it.
#[derive(Debug)]
pub struct Prepared {
    pub(super) work: WorkDir,
    pub(super) socket: PathBuf,
    child: PathBuf,
    notebook_dir: PathBuf,
    user_environment: Vec<(OsString, Option<OsString>)>,
    pub(super) home: Home,
    toolchain: Toolchain,
}

/// The compiled runtime that a working directory was filled with.
#[derive(Debug)]
pub(super) struct Linked {
    pub(super) template: Template,
    /// What it is made of.
    pub(super) runtime: Closure,
}

/// Makes the working directory and changes this process's environment and current directory.
///
/// Call it while the process has one thread only.
///
/// # Errors
/// If there is no toolchain, or the directory cannot be made. Each says what to do.
pub fn prepare(home: &Home) -> anyhow::Result<Prepared> {
    let toolchain = Toolchain::find()?;
    let work = WorkDir::create(home)?;
    library::link(&toolchain, &work).context("cannot write into the kernel's working directory")?;
    let notebook_dir = std::env::current_dir().context("the notebook's directory is gone")?;
    let user_environment = toolchain::user_environment();
    for (name, value) in toolchain::environment(&work, &toolchain) {
        // SAFETY: the caller promises that no other thread exists that could read the environment.
        unsafe { std::env::set_var(name, value) };
    }
    // evcxr reads `evcxr.toml` from the current directory; the notebook's must not take over.
    std::env::set_current_dir(work.root()).context("the kernel's working directory is gone")?;
    let socket = socket_in(work.root()).context("the kernel's working directory is gone")?;
    let child = home.child_program();
    Ok(Prepared { home: home.clone(), toolchain, socket, child, notebook_dir, user_environment, work })
}

impl Prepared {
    /// The compiler's version, as in `1.95.0`.
    pub fn rust_version(&self) -> &str {
        let mut lines = self.toolchain.version().lines();
        lines.find_map(|line| line.strip_prefix("release: ")).unwrap_or_default()
    }

    /// What rustc has to say about an error code, in Markdown; `None` if it does not know it.
    ///
    /// # Errors
    /// If rustc does not run.
    pub(super) fn explain(&self, code: &str) -> io::Result<Option<String>> {
        let output = Command::new(self.toolchain.rustc()).args(["--explain", code]).stdin(Stdio::null()).output()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok((output.status.success() && !text.is_empty()).then_some(text))
    }

    /// The program that runs the cells, started where the notebook is, with the user's own environment.
    pub(super) fn child_command(&self) -> Command {
        let mut command = self.with_user_environment(Command::new(&self.child));
        command.env(SOCKET_ENV, &self.socket).env(SOURCE_ENV, self.work.source());
        command
    }

    /// Puts the compiled runtime into the working directory. If it was never compiled, that is done first, by
    /// `loopbook warm` with the user's own environment: this process's own would give cargo another registry, and what
    /// it compiled would not be fresh for any other kernel. `on_line` gets the progress.
    ///
    /// # Errors
    /// If it does not compile.
    pub(super) fn link_template(&self, mut on_line: impl FnMut(&str)) -> anyhow::Result<Linked> {
        if !template::is_warm(&self.home, &self.toolchain) {
            let mut warm = self.with_user_environment(Command::new(self.home.program()));
            // SAFETY: between fork and exec only a system call is made.
            unsafe { warm.pre_exec(die_with_the_kernel) };
            let mut warm =
                warm.arg("warm").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
            let output = warm.stdout.take().map(BufReader::new);
            for line in output.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
                on_line(&line);
            }
            let ended = warm.wait_with_output()?;
            anyhow::ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr).trim());
        }
        let template = template::warm(&self.home, &self.toolchain, &mut |_| {})?;
        template::link(&template, &self.work)?;
        let runtime = template.runtime().context("the compiled runtime cannot be read; remove the cache")?;
        Ok(Linked { template, runtime })
    }

    /// The real compiler.
    pub(super) fn rustc(&self) -> &Path {
        self.toolchain.rustc()
    }

    /// The directory that the notebook lies in.
    pub(super) fn notebook_dir(&self) -> &Path {
        &self.notebook_dir
    }

    /// Where this kernel tries out dependencies, once the template has been linked.
    ///
    /// # Errors
    /// If the template was removed.
    pub(super) fn workshop(&self, linked: &Linked) -> io::Result<Workshop> {
        Ok(Workshop::new(&self.work, self.toolchain.host(), linked.template.crates()?))
    }

    fn with_user_environment(&self, mut command: Command) -> Command {
        command.current_dir(&self.notebook_dir);
        for (name, value) in &self.user_environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }
}

/// A runtime that is being compiled for a kernel that has died is nobody's.
fn die_with_the_kernel() -> io::Result<()> {
    // SAFETY: prctl with these arguments touches no memory.
    let set = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Longest path that a Unix socket can have, in bytes.
const LONGEST_SOCKET: usize = 107;

/// The path of a socket in this directory. A long one goes by way of an open directory of this process, which the child
/// can follow too.
fn socket_in(root: &Path) -> io::Result<PathBuf> {
    let path = root.join("channel");
    if path.as_os_str().len() <= LONGEST_SOCKET {
        return Ok(path);
    }
    // Stays open for as long as the kernel lives.
    let directory = std::fs::File::open(root)?.into_raw_fd();
    Ok(PathBuf::from(format!("/proc/{}/fd/{directory}/channel", std::process::id())))
}
