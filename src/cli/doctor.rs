//! `loopbook doctor`: looks at everything that the kernel needs, and says what to do about what is missing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use super::install::{installed_kernels, program_of};
use super::places::{Places, is_in_path};
use super::warm::files_damaged;
use super::{Place, link};
use crate::evaluator::build::template::{self, Condition, Look};
use crate::evaluator::build::toolchain::Toolchain;
use crate::home::Home;

/// The oldest compiler that evcxr can be built with and that cells may be compiled by.
const OLDEST_RUST: (u32, u32) = (1, 95);

/// What templates and working directories of a few kernels take.
const DISK_BYTES: u64 = 3 << 30;

/// Prints the state of each thing; fails if something required is missing.
pub(super) fn doctor(place: &Place) -> anyhow::Result<ExitCode> {
    let places = Places::of(&place.scope)?;
    let home = Home::find()?;
    let jupyter = Jupyter::find(&places);
    let mut findings = toolchain(&home);
    findings.extend([
        ("C linker", linker()),
        ("Jupyter", jupyter.finding()),
        ("kernelspec", kernelspec(&places, place.name.as_deref(), &jupyter)),
        ("program", programs(&places)),
        ("link", link_for_shells(&places)),
        ("disk", disk(home.cache_dir())),
    ]);
    for (name, finding) in &findings {
        println!("{}", finding.line(name));
    }
    let is_broken = findings.iter().any(|(_, finding)| matches!(finding, Finding::Broken { .. }));
    Ok(if is_broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What was found out about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    Good(String),
    /// Works, but could be better.
    Note {
        state: String,
        remedy: String,
    },
    /// The kernel cannot work like this.
    Broken {
        state: String,
        remedy: String,
    },
}

impl Finding {
    fn note(state: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Note { state: state.into(), remedy: remedy.into() }
    }

    fn broken(state: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Broken { state: state.into(), remedy: remedy.into() }
    }

    fn line(&self, name: &str) -> String {
        match self {
            Self::Good(state) => format!("ok       {name:10}  {state}"),
            Self::Note { state, remedy } => format!("note     {name:10}  {state}; {remedy}"),
            Self::Broken { state, remedy } => format!("MISSING  {name:10}  {state}; {remedy}"),
        }
    }
}

fn toolchain(home: &Home) -> Vec<(&'static str, Finding)> {
    match Toolchain::find() {
        Ok(found) => {
            vec![("Rust", compiler(&found)), ("rust-src", sources(&found)), ("template", compiled_crates(home, &found))]
        }
        Err(error) => {
            let error = error.to_string();
            let (state, remedy) = error.split_once("; ").unwrap_or((&error, "install Rust (https://rustup.rs)"));
            vec![("Rust", Finding::broken(state, remedy))]
        }
    }
}

fn compiler(toolchain: &Toolchain) -> Finding {
    let version = toolchain.version().lines().next().unwrap_or_default();
    let state = format!("{version} at {}", toolchain.sysroot().display());
    match version_of(version) {
        Some(found) if found < OLDEST_RUST => Finding::broken(
            format!("{state} is too old: {}.{} is needed", OLDEST_RUST.0, OLDEST_RUST.1),
            "run `rustup update stable`",
        ),
        _ => Finding::Good(state),
    }
}

fn sources(toolchain: &Toolchain) -> Finding {
    match toolchain.has_rust_src() {
        true => Finding::Good("the sources of the standard library are there".into()),
        false => Finding::broken(
            "the sources of the standard library are missing, without which types cannot be inferred",
            "run `rustup component add rust-src` (or install your system's package rust-src)",
        ),
    }
}

/// `rustc 1.95.0 (…)` → (1, 95).
fn version_of(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn linker() -> Finding {
    match ["cc", "gcc", "clang"].into_iter().find_map(|name| said_by(name, &["--version"])) {
        Some(version) => Finding::Good(version),
        None => Finding::broken(
            "none of `cc`, `gcc` and `clang` runs",
            "install a C compiler (Debian, Ubuntu: `apt install gcc`; Fedora: `dnf install gcc`; macOS: `xcode-select --install`)",
        ),
    }
}

/// The `jupyter` that opens notebooks.
enum Jupyter {
    /// In PATH, with this version of JupyterLab.
    InPath(String),
    /// The one that install.sh has made, which need not be in PATH.
    Own(PathBuf, String),
    None,
}

impl Jupyter {
    fn find(places: &Places) -> Self {
        let lab = ["lab", "--version"];
        if let Some(version) = said_by("jupyter", &lab) {
            return Self::InPath(version);
        }
        let own = places.own_jupyter();
        said_by(&own, &lab).map_or(Self::None, |version| Self::Own(own, version))
    }

    fn finding(&self) -> Finding {
        match self {
            Self::InPath(version) => Finding::Good(format!("JupyterLab {version}")),
            Self::Own(program, version) => Finding::Good(format!("JupyterLab {version}: {} lab", program.display())),
            Self::None => Finding::note(
                "`jupyter lab` is not in PATH",
                "install it with `pip install jupyterlab`, or let install.sh set up one of its own",
            ),
        }
    }

    /// The directories of the kernels that it finds; `None` if it cannot be asked.
    fn kernels(&self) -> Option<Vec<PathBuf>> {
        let program = match self {
            Self::InPath(_) => Path::new("jupyter"),
            Self::Own(program, _) => program,
            Self::None => return None,
        };
        let output = Command::new(program).args(["kernelspec", "list", "--json"]).stdin(Stdio::null()).output().ok()?;
        let list: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
        let directories = list["kernelspecs"].as_object()?.values();
        Some(directories.filter_map(|kernel| Some(PathBuf::from(kernel["resource_dir"].as_str()?))).collect())
    }
}

/// One kernel if it is named, else those of the installation.
fn kernelspec(places: &Places, name: Option<&str>, jupyter: &Jupyter) -> Finding {
    let names = match (name, installed_kernels(places)) {
        (Some(name), _) => vec![name.to_owned()],
        (None, Ok(names)) if names.is_empty() => vec!["loopbook".to_owned()],
        (None, Ok(names)) => names,
        (None, Err(error)) => return Finding::broken(format!("{error:#}"), "check its permissions"),
    };
    for name in &names {
        let at = places.kernel(name);
        let at = at.display();
        match program_of(&places.specification(name)) {
            Ok(Some(program)) if program == places.program() => {}
            Ok(Some(program)) => {
                return Finding::broken(
                    format!("{at} starts {}, not {}", program.display(), places.program().display()),
                    format!("run `loopbook install --name {name}` to point it here"),
                );
            }
            Ok(None) => {
                return Finding::broken(
                    format!("there is none at {at}"),
                    "run `loopbook install`, or name the place where you installed it with --prefix DIR",
                );
            }
            Err(error) => return Finding::broken(format!("{error:#}"), "run `loopbook install` to write it anew"),
        }
    }
    let directories: Vec<PathBuf> = names.iter().map(|name| places.kernel(name)).collect();
    let shown = directories.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let same = |one: &Path, other: &Path| one == other || one.canonicalize().ok() == other.canonicalize().ok();
    let is_found = |found: &[PathBuf]| directories.iter().all(|own| found.iter().any(|path| same(own, path)));
    match jupyter.kernels() {
        Some(found) if !is_found(&found) => {
            let data = places.kernels.parent().unwrap_or(&places.kernels).display();
            Finding::note(
                format!("{shown} is not where Jupyter looks"),
                format!("start Jupyter with JUPYTER_PATH={data}"),
            )
        }
        _ => Finding::Good(shown),
    }
}

/// The kernel works without it, but not what the documentation says of `loopbook`.
fn link_for_shells(places: &Places) -> Finding {
    let Some(link) = &places.link else {
        return Finding::note("there is no home directory for a link to the program", "set HOME");
    };
    let directory = link.parent().unwrap_or(link);
    match link::is_ours(link, &places.program()) {
        true if is_in_path(directory) => Finding::Good(format!("{}", link.display())),
        true => Finding::note(
            format!("{} is not in PATH", directory.display()),
            format!("add `export PATH=\"{}:$PATH\"` to your ~/.profile", directory.display()),
        ),
        false => Finding::note(format!("{} does not lead to the program", link.display()), "run `loopbook install`"),
    }
}

fn programs(places: &Places) -> Finding {
    match [places.program(), places.child_program()].into_iter().find(|program| !program.is_file()) {
        None => Finding::Good(format!("{}", places.program().display())),
        Some(missing) => Finding::broken(format!("{} is missing", missing.display()), "run `loopbook install`"),
    }
}

fn compiled_crates(home: &Home, toolchain: &Toolchain) -> Finding {
    match template::condition(home, toolchain, Look::Contents) {
        Condition::Whole => Finding::Good(format!("compiled for this compiler, in {}", home.cache_dir().display())),
        Condition::Missing => Finding::note(
            "the crates that cells use are not compiled for this compiler: the first kernel will wait for it",
            "run `loopbook warm`",
        ),
        Condition::Damaged(files) => Finding::broken(
            format!("the compiled crates in {}: {}", home.cache_dir().display(), files_damaged(&files)),
            "run `loopbook warm`, which compiles again what is damaged",
        ),
    }
}

fn disk(cache: &Path) -> Finding {
    let existing = cache.ancestors().find(|path| path.exists());
    let Some(free) = existing.and_then(free_bytes) else {
        return Finding::note(format!("cannot tell what is free at {}", cache.display()), "3 GB are needed");
    };
    let state = format!("{:.1} GB free at {}", free as f64 / 1e9, cache.display());
    match free < DISK_BYTES {
        true => {
            Finding::note(format!("only {state}"), "free some, or set LOOPBOOK_CACHE to a directory on a larger disk")
        }
        false => Finding::Good(state),
    }
}

fn free_bytes(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    Some(found.f_bavail * found.f_frsize)
}

/// First line of what a program prints, if it runs and succeeds.
fn said_by(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_are_compared_by_number() {
        assert_eq!(version_of("rustc 1.95.0 (abc 2026-01-01)"), Some((1, 95)));
        assert_eq!(version_of("rustc 1.100.0-nightly"), Some((1, 100)));
        assert!(version_of("rustc 1.100.0-nightly").unwrap() > OLDEST_RUST);
        assert_eq!(version_of("gcc"), None);
    }

    #[test]
    fn each_finding_says_what_to_do() {
        assert_eq!(Finding::Good("here".into()).line("disk"), "ok       disk        here");
        assert_eq!(Finding::broken("gone", "bring it").line("cargo"), "MISSING  cargo       gone; bring it");
    }

    #[test]
    fn a_missing_kernelspec_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::below(dir.path());
        for name in [None, Some("x")] {
            assert!(matches!(kernelspec(&places, name, &Jupyter::None), Finding::Broken { .. }));
        }
        assert!(matches!(programs(&places), Finding::Broken { .. }));
    }
}
