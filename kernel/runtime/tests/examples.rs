//! The examples in the documentation run.
//!
//! Cargo runs no examples of a crate that is only a shared library, so this asks rustdoc, by way of cargo, which knows
//! where the dependencies are.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn the_examples_in_the_documentation_run() {
    let library = library();
    let mut extern_loopbook = OsString::from("loopbook=");
    extern_loopbook.push(&library);
    let status = Command::new(env!("CARGO"))
        .args(["rustdoc", "--quiet", "--offline", "--locked", "--lib", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .args(["--", "--test", "--extern"])
        .arg(extern_loopbook)
        .env("LD_LIBRARY_PATH", search_path(&library))
        .status()
        .expect("cargo can be started");
    assert!(status.success(), "an example failed; rustdoc has said which");
}

/// The shared library that this test is linked to.
fn library() -> PathBuf {
    let test = env::current_exe().expect("a test knows where it is");
    let directory = test.ancestors().nth(2).expect("tests lie two levels below the target directory");
    directory.join(format!("{}loopbook{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX))
}

/// Where the examples find our library and, if it is shared, the standard library.
fn search_path(library: &Path) -> OsString {
    let rustc = Command::new("rustc").args(["--print", "target-libdir"]).output().expect("rustc can be started");
    let standard = String::from_utf8(rustc.stdout).expect("a path in UTF-8");
    let ours = library.parent().expect("a library lies in a directory");
    env::join_paths([ours, &ours.join("deps"), Path::new(standard.trim())]).expect("paths without colons")
}
