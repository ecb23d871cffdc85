//! Running the real cargo: with an environment in which nothing of the user's changes what is compiled, and with an eye on
//! its progress bar.

use super::process_group::die_with_parent;
use super::progress::{BuildProgress, parse_bar};
use crate::evaluator::build::built_in::CARGO_HOME_ENV;
use rustix::fs::Access;
use rustix::process::Signal;
use serde_json::Value;
use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How every crate is compiled. evcxr adds a linker of its choice; rustc's own choice is as fast, and one template fits
/// all.
pub(in crate::evaluator) const RUSTFLAGS: &str = "-Cprefer-dynamic";

/// Variables by which a user changes what cargo compiles, and how.
const MEDDLING: [&str; 7] = [
    "CARGO",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_INCREMENTAL",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_JOBS",
    "CARGO_MANIFEST_DIR",
];

/// How cargo ended.
#[derive(Debug)]
pub(in crate::evaluator) struct Finished {
    /// Its exit status.
    pub(in crate::evaluator) status: ExitStatus,
    /// What it wrote to stdout: JSON, a message per line.
    pub(in crate::evaluator) stdout: Vec<u8>,
    /// What it wrote to stderr, without the progress bar.
    pub(in crate::evaluator) stderr: Vec<u8>,
}

impl Finished {
    /// Whether it came so far as to compile something, or to find it compiled.
    pub(in crate::evaluator) fn compiled_something(&self) -> bool {
        self.stdout.split(|byte| *byte == b'\n').any(|line| line.starts_with(br#"{"reason":"compiler-"#))
    }

    /// The errors, for people: cargo's own and those of the compiler.
    pub(in crate::evaluator) fn messages(&self) -> String {
        let stdout = String::from_utf8_lossy(&self.stdout);
        let rendered = stdout
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["message"]["level"] == "error")
            .filter_map(|line| line["message"]["rendered"].as_str().map(str::to_owned));
        String::from_utf8_lossy(&self.stderr).lines().map(|line| format!("{line}\n")).chain(rendered).collect()
    }
}

/// Sets the environment of a cargo that must find its earlier work fresh, whether the template's builder did it
/// or a kernel's shim.
pub(in crate::evaluator) fn prepare(command: &mut Command, rustc_shim: &Path) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(meddles) {
            command.env_remove(name);
        }
    }
    // A kernel hides the user's cargo home from rust-analyzer; outside of kernels it is where it is.
    if let Some(home) = env::var_os(CARGO_HOME_ENV) {
        command.env("CARGO_HOME", home);
    }
    // rustc wants to make directories there, and gives up if it cannot.
    if !is_usable(&env::temp_dir()) {
        command.env_remove("TMPDIR");
    }
    command
        .env("RUSTC", rustc_shim)
        // Empty means none, also against a configuration file.
        .env("RUSTC_WRAPPER", "")
        .env("RUSTC_WORKSPACE_WRAPPER", "")
        .env("RUSTFLAGS", RUSTFLAGS)
        .env("CARGO_TARGET_DIR", "target")
        .env("CARGO_BUILD_BUILD_DIR", "target");
}

/// Whether a variable changes what cargo compiles, and how.
pub(super) fn meddles(name: &str) -> bool {
    MEDDLING.contains(&name) || name.starts_with("CARGO_PROFILE_")
}

/// Whether files can be made in a directory.
fn is_usable(directory: &Path) -> bool {
    directory.is_dir() && rustix::fs::access(directory, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// Runs cargo to its end. Its progress bar goes to `on_progress`.
pub(in crate::evaluator) fn run(
    command: &mut Command,
    on_progress: &mut (dyn FnMut(BuildProgress) + Send),
) -> io::Result<Finished> {
    command
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "200")
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // SAFETY: the closure makes one system call and allocates nothing.
    unsafe {
        command.pre_exec(|| {
            die_with_parent(Signal::KILL);
            Ok(())
        });
    }
    let mut child = command.spawn()?;
    let stdout = child.stdout.take().ok_or_else(|| io::Error::other("cargo has no stdout"))?;
    let stderr = child.stderr.take().ok_or_else(|| io::Error::other("cargo has no stderr"))?;
    let fresh = AtomicUsize::new(0);
    let (stdout, stderr) = std::thread::scope(|scope| {
        let errors = scope.spawn(|| read_stderr(stderr, &fresh, on_progress));
        let output = read_stdout(stdout, &fresh);
        (output, errors.join().unwrap_or_else(|_| Err(io::Error::other("the reader of cargo's stderr panicked"))))
    });
    let (stdout, stderr) = (stdout?, stderr?);
    Ok(Finished { status: child.wait()?, stdout, stderr })
}

/// Collects the messages and counts the crates that needed no compilation.
fn read_stdout(stdout: impl Read, fresh: &AtomicUsize) -> io::Result<Vec<u8>> {
    let mut lines = BufReader::new(stdout);
    let mut all = Vec::new();
    loop {
        let start = all.len();
        if lines.read_until(b'\n', &mut all)? == 0 {
            return Ok(all);
        }
        let line = &all[start..];
        if line.starts_with(br#"{"reason":"compiler-artifact""#) && contains(line, br#""fresh":true"#) {
            // A build script that is fresh is not run again either.
            let steps = if contains(line, br#""kind":["custom-build"]"#) { 2 } else { 1 };
            fresh.fetch_add(steps, Ordering::Relaxed);
        }
    }
}

/// Collects the lines and takes the progress bar out of them, as soon as it is drawn.
fn read_stderr(
    stderr: impl Read,
    fresh: &AtomicUsize,
    on_progress: &mut (dyn FnMut(BuildProgress) + Send),
) -> io::Result<Vec<u8>> {
    let mut stderr = BufReader::new(stderr);
    let (mut rest, mut text) = (Vec::new(), Vec::new());
    loop {
        let read = stderr.fill_buf()?;
        let end = read.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let used = end.map_or(read.len(), |end| end + 1);
        text.extend_from_slice(&read[..used]);
        stderr.consume(used);
        if end.is_none() && used > 0 {
            continue;
        }
        // A bar is drawn again and again in one place: what ends with a carriage return will be written over.
        if let Some(bar) = parse_bar(&String::from_utf8_lossy(&text)) {
            on_progress(without(bar, fresh.load(Ordering::Relaxed)));
        } else if !text.ends_with(b"\r") && !text.iter().all(u8::is_ascii_whitespace) {
            rest.extend_from_slice(&text);
        }
        text.clear();
        if used == 0 {
            return Ok(rest);
        }
    }
}

fn without(bar: BuildProgress, fresh: usize) -> BuildProgress {
    // A bar of downloads counts other things.
    if bar.total < fresh {
        return bar;
    }
    BuildProgress { done: bar.done.saturating_sub(fresh), total: bar.total - fresh, ..bar }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_told_apart_from_messages_and_counts_only_what_is_compiled() {
        let stderr = "   Compiling serde v1.0.0\n    Building [=>  ] 3/12: serde   \r     \r  Fetch 8 pending\rerror: no\n\nat end";
        let mut seen = Vec::new();
        let rest = read_stderr(stderr.as_bytes(), &AtomicUsize::new(2), &mut |progress| seen.push(progress)).unwrap();
        assert_eq!(String::from_utf8(rest).unwrap(), "   Compiling serde v1.0.0\nerror: no\nat end");
        assert_eq!(seen, [BuildProgress { krate: "serde".into(), done: 1, total: 10 }]);
    }
}
