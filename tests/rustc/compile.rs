//! rustc with the crates that every cell can name, compiled once into the tests' target directory.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Crates that a cell names without a `:dep`.
const NAMED: [&str; 4] = ["loopbook", "async_std", "tokio", "futures"];

/// What is needed to compile a cell.
pub(crate) struct Compiler {
    arguments: Vec<String>,
    directory: tempfile::TempDir,
}

impl Compiler {
    /// Compiles the runtime, if that was not done before.
    pub(crate) fn new() -> Self {
        let kernel = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernel");
        let target = std::env::var_os("LOOPBOOK_TEST_KERNEL_TARGET").map(PathBuf::from);
        let target = target.unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernel"));
        let mut cargo = Command::new("cargo");
        let build = cargo.args(["build", "--workspace", "--locked", "--message-format=json", "--target-dir"]);
        let output = build.arg(target).current_dir(kernel).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut arguments = Vec::new();
        for artifact in String::from_utf8_lossy(&output.stdout).lines().map(json) {
            let Some(name) = artifact["target"]["name"].as_str().filter(|name| NAMED.contains(name)) else { continue };
            let files = artifact["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str);
            // The facades bear the names of the crates that they stand for.
            let is_ours = artifact["manifest_path"].as_str().is_some_and(|path| path.contains("/kernel/"));
            let Some(file) = files.into_iter().find(|file| file.ends_with(".rlib") || file.ends_with(".so")) else {
                continue;
            };
            if !is_ours && name != "futures" {
                continue;
            }
            let directory = Path::new(file).parent().unwrap().display();
            let directories = [format!("-Ldependency={directory}"), format!("-Ldependency={directory}/deps")];
            arguments.extend(directories);
            arguments.push(format!("--extern={name}={file}"));
        }
        assert!(
            NAMED.iter().all(|name| arguments.iter().any(|text| text.starts_with(&format!("--extern={name}=")))),
            "{arguments:?}"
        );
        Self { arguments, directory: tempfile::tempdir().unwrap() }
    }

    /// What rustc says of a library, as JSON.
    pub(crate) fn check(&self, name: &str, text: &str) -> Vec<Value> {
        let (mut rustc, _) = self.rustc(name, text);
        let output = rustc.args(["--crate-type=lib", "--emit=metadata", "--error-format=json"]).output().unwrap();
        String::from_utf8_lossy(&output.stderr).lines().map(json).collect()
    }

    /// What a program writes to its standard output, or what is wrong with it.
    pub(crate) fn run(&self, name: &str, text: &str) -> Result<String, String> {
        let (mut rustc, program) = self.rustc(name, text);
        let flags = ["--crate-type=bin", "--emit=link", "-Cprefer-dynamic", "-Crpath", "-Awarnings"];
        let output = rustc.args(flags).output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let output = Command::new(&program).output().unwrap();
        fs::remove_file(program).unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        if output.status.success() {
            Ok(said)
        } else {
            Err(format!("{said}{}", String::from_utf8_lossy(&output.stderr)))
        }
    }

    fn rustc(&self, name: &str, text: &str) -> (Command, PathBuf) {
        let (source, out) = (self.directory.path().join(format!("{name}.rs")), self.directory.path().join(name));
        fs::write(&source, text).unwrap();
        let mut rustc = Command::new("rustc");
        rustc.arg(&source).args(&self.arguments).args(["--edition=2024", "--crate-name=ctx"]).arg("-o").arg(&out);
        (rustc, out)
    }
}

/// Does something to each, on as many threads as there are processors; the results are in order.
pub(crate) fn each<T: Sync, R: Send>(all: &[T], work: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((index, one)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, all.get(n)?)))
                {
                    let result = work(index, one);
                    results.lock().unwrap().push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_default()
}
