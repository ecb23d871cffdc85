//! What must happen before any thread exists: the environment that evcxr and rust-analyzer read when they look for cargo,
//! rustc and their configuration. And what can be tried again later: to find the compiled runtime.

use crate::evaluator::build::cell_cache::CellCache;
use crate::evaluator::build::closure::Closure;
use crate::evaluator::build::dependencies::Resolver;
use crate::evaluator::build::environment;
use crate::evaluator::build::template::{Condition, Look, Template};
use crate::evaluator::build::toolchain::{Toolchain, ToolchainError};
use crate::evaluator::build::workdir::WorkDir;
use crate::evaluator::build::{std_source, template};
use crate::home::Home;
use anyhow::Context;
use loopbook_channel::{SOCKET_ENV, SOURCE_ENV, USER_BACKTRACE_ENV};
use rustix::io::DupFlags;
use rustix::process::{Signal, set_parent_process_death_signal};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// A process whose environment is set up for a working directory, which need not be there yet.
#[derive(Debug)]
pub struct Environment {
    pub(super) work: WorkDir,
    /// Leads to the socket if its own path is too long.
    way: Mutex<Option<OwnedFd>>,
    child: PathBuf,
    notebook_dir: PathBuf,
    /// As it was when the kernel was started.
    user_environment: Vec<(OsString, OsString)>,
    home: Home,
    toolchain: Toolchain,
}

/// The compiled runtime that a working directory was filled with.
#[derive(Debug)]
pub(super) struct Linked {
    pub(super) template: Template,
    /// What it is made of.
    pub(super) runtime: Closure,
}

/// Makes the environment of this process that of a kernel with a working directory of its own.
///
/// Call it while the process has one thread only.
///
/// # Errors
/// If there is no toolchain, or the notebook's directory is gone. Each says what to do; the kernel has to be restarted
/// then.
pub fn prepare(home: &Home) -> anyhow::Result<Environment> {
    let toolchain = Toolchain::find()?;
    let notebook_dir = std::env::current_dir().context("the notebook's directory is gone")?;
    let user_environment = std::env::vars_os().collect();
    let work = WorkDir::plan(home);
    for (name, value) in environment::of_evcxr(&work, &toolchain) {
        // SAFETY: the caller promises that no other thread exists that could read the environment.
        unsafe { std::env::set_var(name, value) };
    }
    let child = home.child_program();
    Ok(Environment {
        home: home.clone(),
        toolchain,
        way: Mutex::default(),
        child,
        notebook_dir,
        user_environment,
        work,
    })
}

impl Environment {
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
        command.env(SOCKET_ENV, self.socket()).env(SOURCE_ENV, self.work.source());
        // evcxr sets this one for its own child.
        if let Some(value) = std::env::var_os("RUST_BACKTRACE") {
            command.env(USER_BACKTRACE_ENV, value);
        }
        command
    }

    /// Makes the working directory, without a template, and enters it. May be called again.
    ///
    /// # Errors
    /// If it cannot be made, or something else that every cell needs is missing.
    pub(super) fn make_work_dir(&self) -> anyhow::Result<()> {
        let is_installed = self.child.is_file();
        anyhow::ensure!(is_installed, "{} is missing; run `loopbook install` again", self.child.display());
        anyhow::ensure!(self.toolchain.has_rust_src(), ToolchainError::NoSource);
        self.work.make()?;
        if let Err(refused) = CellCache::open(self.home.cache_dir()) {
            tracing::warn!("{refused}");
        }
        std_source::link(&self.toolchain, &self.work).context("cannot write into the kernel's working directory")?;
        // evcxr reads `evcxr.toml` from the current directory; the notebook's must not take over.
        std::env::set_current_dir(self.work.root()).context("the kernel's working directory is gone")?;
        self.find_way().context("the kernel's working directory is gone")
    }

    /// Puts the compiled runtime into the working directory. If it was never compiled, or is damaged, that is done first,
    /// by `loopbook warm` with the user's own environment: this process's own would give cargo another registry, and what
    /// it compiled would not be fresh for any other kernel. `on_line` gets the progress.
    ///
    /// # Errors
    /// If it does not compile.
    pub(super) fn link_template(&self, mut on_line: impl FnMut(&str)) -> anyhow::Result<Linked> {
        match template::condition(&self.home, &self.toolchain, Look::Sizes) {
            Condition::Whole => {}
            Condition::Missing => self.warm(|line| on_line(&format!("{FIRST}: {line}")))?,
            Condition::Damaged(_) => self.warm(|line| on_line(&format!("{MENDED}: {line}")))?,
        }
        let template = template::warm(&self.home, &self.toolchain, Look::Sizes, &mut |_| {})?;
        self.link(template)
    }

    /// Puts the runtime that `linked` is into the working directory once more, as [`Environment::link_template`] does.
    ///
    /// # Errors
    /// If it cannot be had any more.
    pub(super) fn link_again(&self, linked: &Linked, on_line: impl FnMut(&str)) -> anyhow::Result<Linked> {
        if linked.template.is_whole() {
            return self.link(linked.template.clone());
        }
        let again = self.link_template(on_line)?;
        let is_same = again.template == linked.template;
        anyhow::ensure!(is_same, "Loopbook or the compiler was updated meanwhile; restart the kernel");
        Ok(again)
    }

    fn link(&self, template: Template) -> anyhow::Result<Linked> {
        template::link(&template, &self.work)?;
        let runtime = template.runtime().context("the compiled runtime cannot be read; remove the cache")?;
        Ok(Linked { template, runtime })
    }

    fn warm(&self, on_line: impl FnMut(&str)) -> anyhow::Result<()> {
        let mut warm = self.with_user_environment(Command::new(self.home.program()));
        // SAFETY: between fork and exec only a system call is made.
        unsafe { warm.pre_exec(die_with_the_kernel) };
        let mut warm = warm.arg("warm").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let output = warm.stdout.take().map(BufReader::new);
        let mut on_line = on_line;
        for line in output.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            on_line(&line);
        }
        let ended = warm.wait_with_output()?;
        let said = String::from_utf8_lossy(&ended.stderr);
        anyhow::ensure!(ended.status.success(), "{}", said.trim().trim_start_matches("loopbook: "));
        Ok(())
    }

    /// The installation.
    pub(super) fn home(&self) -> &Home {
        &self.home
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
    pub(super) fn resolver(&self, linked: &Linked) -> io::Result<Resolver> {
        Resolver::new(&self.work, self.toolchain.host(), &linked.template)
    }

    fn with_user_environment(&self, mut command: Command) -> Command {
        command.current_dir(&self.notebook_dir).env_clear().envs(self.user_environment.iter().cloned());
        command
    }

    /// Where the child finds the kernel. Always the same: evcxr keeps the command by which it starts children.
    pub(super) fn socket(&self) -> PathBuf {
        let way = self.way.lock().unwrap_or_else(PoisonError::into_inner);
        match &*way {
            Some(way) => format!("/proc/{}/fd/{}/{SOCKET}", std::process::id(), way.as_raw_fd()).into(),
            None => self.work.root().join(SOCKET),
        }
    }

    /// Makes sure that [`Environment::socket`] leads into the working directory. A long path goes by way of an open directory
    /// of this process, which the child can follow too.
    fn find_way(&self) -> io::Result<()> {
        let root = self.work.root();
        if root.join(SOCKET).as_os_str().len() <= LONGEST_SOCKET {
            return Ok(());
        }
        let opened = File::open(root)?;
        let mut way = self.way.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *way {
            None => *way = Some(opened.into()),
            // The number stays, since evcxr keeps the path. The directory behind it was removed, and nobody reads from it.
            Some(way) => rustix::io::dup3(&opened, way, DupFlags::CLOEXEC)?,
        }
        Ok(())
    }
}

/// Has the compilation of the runtime end with the kernel that has started it.
fn die_with_the_kernel() -> io::Result<()> {
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// Longest path that a Unix socket can have, in bytes.
const LONGEST_SOCKET: usize = 107;

/// The socket in the working directory.
const SOCKET: &str = "channel";

/// Why a cell waits for the runtime.
const FIRST: &str = "The runtime is compiled for the first time, which takes a few minutes";

/// The same for a runtime that is not what it was.
const MENDED: &str = "The compiled runtime in the cache is damaged, and what is damaged is compiled again";
