//! The cargo that evcxr and rust-analyzer call.

use super::analysis_cache::{Answer, Question};
use super::invocation::Invocation;
use super::progress::{BuildProgress, FETCHING, Reporter};
use super::run::{self, Finished};
use super::rustc_alone::SavedCommand;
use super::state::{Mode, State, replace};
use super::type_questions::{Questions, Told};
use super::{
    FAILED, analysis, cell_source, diagnostics, empty, look, manifest, order, process_group, real_tool, rustc_alone,
    shared_command, starved, times,
};
use crate::evaluator::build::artifacts::complete;
use crate::evaluator::build::built_in::{CARGO_ENV, RUSTC_ENV};
use crate::evaluator::build::lockfile::Lockfile;
use crate::evaluator::support::timing::Step;
use rustix::process::Signal;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::time::SystemTime;

/// Does what cargo was asked to do.
pub(super) fn main(arguments: &[OsString]) -> ExitCode {
    let cargo = match real_tool(CARGO_ENV) {
        Ok(cargo) => cargo,
        Err(message) => return failed(&message),
    };
    let call = Invocation::parse(arguments);
    let Some(state) = State::from_environment() else { return pass_on(&cargo, &call, arguments) };
    let question = Question::of(&state, &call, arguments);
    let known = starved::metadata(&state, &call).or_else(|| question.as_ref().and_then(Question::answer));
    let done = match known {
        Some(answer) => answer.say(),
        None if call.resolves() && call.is_about_cells(&state) => {
            let begin = SystemTime::now();
            let done = resolve(&state, &cargo, &call, arguments, question.as_ref());
            times::note_round(&state, Mode::of_subcommand(&call.subcommand), begin);
            done
        }
        None if call.resolves() && call.is_about_analysis(&state) => {
            analyse(&state, &cargo, &call, arguments, question.as_ref())
        }
        None if call.is_check(&state) => check(&state, &cargo, &call, arguments),
        None => match question {
            Some(question) => ask(&cargo, &call, arguments, &question),
            None => return pass_on(&cargo, &call, arguments),
        },
    };
    done.unwrap_or_else(|error| failed(&format!("error: cannot run {}: {error}", cargo.display())))
}

/// Becomes the real cargo, for questions that are not about cells.
fn pass_on(cargo: &Path, call: &Invocation, arguments: &[OsString]) -> ExitCode {
    process_group::die_with_parent(Signal::KILL);
    let mut command = real_cargo(cargo, arguments);
    if call.resolves() && !call.offline {
        // rust-analyzer asks about the standard library, whose own dependencies nobody needs to download.
        command.env("CARGO_NET_OFFLINE", "true");
    }
    let error = command.exec();
    failed(&format!("error: cannot run {}: {error}", cargo.display()))
}

/// Asks the real cargo something that has nothing to do with the dependencies of cells, and keeps its answer.
fn ask(cargo: &Path, call: &Invocation, arguments: &[OsString], question: &Question) -> io::Result<ExitCode> {
    let output = real_cargo(cargo, arguments).env("CARGO_NET_OFFLINE", "true").output()?;
    let mut answer = Answer::new(output.status, &output.stdout, &output.stderr);
    if call.is_metadata_of_analysis() {
        answer.stdout = analysis::trim_library(&answer.stdout);
    }
    // What cannot be resolved without the network today may be there tomorrow.
    if output.status.success() || call.subcommand != "metadata" {
        keep(question, &answer);
    }
    answer.say()
}

/// Answers what the kernel asks about dependencies that a notebook may get. They are foreign, or it would not ask.
fn check(state: &State, cargo: &Path, call: &Invocation, arguments: &[OsString]) -> io::Result<ExitCode> {
    let _running = process_group::enter(state)?;
    let finished = run_cargo(state, cargo, call, arguments, true)?;
    Answer::new(finished.status, &finished.stdout, &finished.stderr).say()
}

/// Answers our own rust-analyzer, also while a cell is built: it waits for no turn, and what ends a build does not end it.
/// The crates are there, for it hears of dependencies after they have been compiled.
fn analyse(
    state: &State,
    cargo: &Path,
    call: &Invocation,
    arguments: &[OsString],
    question: Option<&Question>,
) -> io::Result<ExitCode> {
    replace(&state.analysis_dir().join("Cargo.lock"), &fs::read(state.lockfile())?)?;
    process_group::die_with_parent(Signal::KILL);
    let mut output = real_cargo(cargo, arguments).env("CARGO_NET_OFFLINE", "true").output()?;
    let manifest = fs::read_to_string(state.analysis_dir().join("Cargo.toml")).unwrap_or_default();
    if !output.status.success() && manifest::has_foreign(&manifest) {
        // More packages are named than are compiled.
        output = real_cargo(cargo, arguments).env("CARGO_NET_RETRY", "1").output()?;
    }
    let mut answer = Answer::new(output.status, &output.stdout, &output.stderr);
    if call.is_metadata_of_analysis() {
        answer.stdout = analysis::trim(&answer.stdout);
    }
    if let Some(question) = question.filter(|_| output.status.success()) {
        keep(question, &answer);
    }
    answer.say()
}

/// Does what resolves the dependencies of the crate that evcxr writes, and maybe compiles it.
fn resolve(
    state: &State,
    cargo: &Path,
    call: &Invocation,
    arguments: &[OsString],
    question: Option<&Question>,
) -> io::Result<ExitCode> {
    let _running = process_group::enter(state)?;
    let _turn = state.take_turn()?;
    let text = fs::read_to_string(state.crate_dir().join("Cargo.toml")).unwrap_or_default();
    if call.subcommand == "metadata" && manifest::is_validation(&text) {
        println!("{{}}");
        return Ok(ExitCode::SUCCESS);
    }
    let mode = Mode::of_subcommand(&call.subcommand);
    if mode == Some(Mode::Check) {
        // If it fails, the error that it would have prevented is shown.
        let _it_is_only_worse = look::mend(&state.cell());
    }
    let (questions, lines) = if mode.is_some() { cell_source::rewrite(state)? } else { Default::default() };
    if mode == Some(Mode::Build) && state.refuses() {
        return Ok(failed("error: the cell is not to run"));
    }
    let shared = mode.and_then(|mode| shared_command::place(state, mode, arguments));
    if let Some(mode) = mode
        && let Some(done) = without_cargo(state, mode, arguments, shared.as_deref(), &questions)?
    {
        return done.with_lines(&lines).say();
    }
    if let Some(mode) = mode {
        // Whatever happens now, the call of rustc that was saved before is no longer the last.
        rustc_alone::forget(state, mode)?;
        cell_source::rewrite_whole(state)?;
    }
    restore_lock(state)?;
    let begin = SystemTime::now();
    let finished = run_cargo(state, cargo, call, arguments, manifest::has_foreign(&text))?;
    times::note(state, Step::Cargo, begin);
    if let Some(mode) = mode {
        settle(state, mode, arguments, shared.as_deref(), &finished)?;
    }
    restore_lock(state)?;
    if !questions.is_empty()
        && let Some(instead) = after_cargo(state, &questions)?
    {
        return instead.with_lines(&lines).say();
    }
    let answer = Answer::new(finished.status, &finished.stdout, &finished.stderr);
    if let Some(question) = question.filter(|_| finished.status.success()) {
        keep(question, &answer);
    }
    answer.with_lines(&lines).say()
}

/// What rustc alone makes of the cell; `None` if that takes a cargo.
fn without_cargo(
    state: &State,
    mode: Mode,
    arguments: &[OsString],
    shared: Option<&Path>,
    questions: &Questions,
) -> io::Result<Option<Answer>> {
    let rustc = rustc()?;
    let key = rustc_alone::key(state, arguments);
    if let Some(key) = &key
        && !rustc_alone::is_remembered(state, mode, key)
        && let Some(shared) = shared
        && shared_command::take(state, mode, shared).unwrap_or_default()
    {
        rustc_alone::remember(state, mode, key)?;
    }
    if mode == Mode::Build
        && empty::write(state)?
        && let Some(done) = rustc_alone::repeat(state, mode, &rustc, &Questions::default())
    {
        return Ok(Some(done));
    }
    Ok(rustc_alone::replay(state, mode, key.as_deref(), &rustc, questions))
}

/// A kernel that cannot leave an answer for the next one is none the worse for it.
fn keep(question: &Question, answer: &Answer) {
    let _the_next_kernel_asks_again = question.remember(answer);
}

/// Runs cargo without the network, and with it only if that fails and a cell wants a crate that may have to be fetched.
fn run_cargo(
    state: &State,
    cargo: &Path,
    call: &Invocation,
    arguments: &[OsString],
    foreign: bool,
) -> io::Result<Finished> {
    if Mode::of_subcommand(&call.subcommand).is_some() {
        complete(state.root())?;
    }
    let mut reporter = Reporter::new(state);
    let mut on_progress = |progress: BuildProgress| reporter.report(progress);
    let mut offline = real_cargo(cargo, arguments);
    offline.env("CARGO_NET_OFFLINE", "true");
    let finished = run::run(&mut offline, &mut on_progress)?;
    if finished.status.success() || finished.compiled_something() || call.offline || !foreign {
        return Ok(finished);
    }
    on_progress(BuildProgress { krate: FETCHING.into(), done: 0, total: 0 });
    restore_lock(state)?;
    // One more try is enough: with three, cargo takes ten seconds to say that there is no network.
    run::run(real_cargo(cargo, arguments).env("CARGO_NET_RETRY", "1"), &mut on_progress)
}

/// Learns from a build what the next one may rely on.
fn settle(
    state: &State,
    mode: Mode,
    arguments: &[OsString],
    shared: Option<&Path>,
    finished: &Finished,
) -> io::Result<()> {
    diagnostics::keep(state, &finished.stdout);
    if !finished.status.success() {
        // A build that failed says nothing about its dependencies: evcxr may take the new ones back.
        return Ok(());
    }
    let full = Lockfile::parse(&fs::read_to_string(state.lockfile()).unwrap_or_default());
    let resolved = Lockfile::parse(&fs::read_to_string(state.crate_dir().join("Cargo.lock")).unwrap_or_default());
    let merged = full.merged(&resolved);
    if merged != full {
        replace(&state.lockfile(), merged.to_text().as_bytes())?;
    }
    // Only now: the key covers the lock.
    if let Some(key) = rustc_alone::key(state, arguments) {
        rustc_alone::remember(state, mode, &key)?;
        let _others_ask_cargo = shared.map(|place| shared_command::leave(state, mode, place));
    }
    Ok(())
}

/// Asks for the types of variables when cargo has compiled the cell; `Some` if that changes what cargo says.
fn after_cargo(state: &State, questions: &Questions) -> io::Result<Option<Answer>> {
    let Some(command) = SavedCommand::load(&state.command(Mode::Build)) else { return Ok(None) };
    let rustc = rustc()?;
    Ok(match questions.after_cargo(state, &command, &rustc)? {
        Told::Enough => None,
        Told::Written => rustc_alone::repeat(state, Mode::Build, &rustc, &Questions::default()),
        Told::Refused(message) => Some(Answer { status: FAILED, stdout: String::new(), stderr: message + "\n" }),
    })
}

/// Puts the full lock in cargo's way.
fn restore_lock(state: &State) -> io::Result<()> {
    let Ok(full) = fs::read(state.lockfile()) else { return Ok(()) };
    let path = state.crate_dir().join("Cargo.lock");
    if fs::read(&path).is_ok_and(|present| present == full) {
        return Ok(());
    }
    replace(&path, &full)
}

fn real_cargo(cargo: &Path, arguments: &[OsString]) -> Command {
    let mut command = Command::new(cargo);
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    run::prepare(&mut command, Path::new(&rustc));
    command.args(arguments);
    command
}

fn rustc() -> io::Result<PathBuf> {
    real_tool(RUSTC_ENV).map_err(io::Error::other)
}

impl Answer {
    fn new(status: ExitStatus, stdout: &[u8], stderr: &[u8]) -> Self {
        let status = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED);
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self { status, stdout: text(stdout), stderr: text(stderr) }
    }

    /// With the lines of the cell as evcxr knows them.
    fn with_lines(mut self, lines: &[usize]) -> Self {
        if !lines.is_sorted() {
            self.stdout = order::told_to_evcxr(&self.stdout, lines);
        }
        self
    }

    /// Says it in cargo's place.
    fn say(&self) -> io::Result<ExitCode> {
        io::stderr().write_all(self.stderr.as_bytes())?;
        let mut out = io::stdout().lock();
        out.write_all(diagnostics::without_warnings(&self.stdout).as_bytes())?;
        out.flush()?;
        Ok(self.status.into())
    }
}

fn failed(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(FAILED)
}
