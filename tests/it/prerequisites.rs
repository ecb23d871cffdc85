//! `prerequisites.sh` on machines that lack something: programs of a few lines stand for rustup, rustc, cc and apt-get.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const RUSTC: &str =
    r#"case $1 in --version) echo "rustc $(cat "$ROOT/version") (abc 2026-01-01)" ;; *) echo "$ROOT/sysroot" ;; esac"#;
const RUSTUP: &str = r#"echo "$*" >>"$ROOT/calls"
case $* in
    'show active-toolchain') cat "$ROOT/active" ;;
    'update stable') echo 1.99.0 >"$ROOT/version" ;;
    'component add rust-src')
        echo "info: chatter"
        [[ -e $ROOT/offline ]] && exit 1
        library=$ROOT/sysroot/lib/rustlib/src/rust/library/std/src
        mkdir -p "$library" && touch "$library/lib.rs" ;;
esac"#;
const APT: &str = r#"echo "$*" >>"$ROOT/calls"
if [[ $1 == install ]]; then printf '#!/bin/bash\n' >"$ROOT/bin/cc" && chmod +x "$ROOT/bin/cc"; fi"#;

#[test]
fn the_source_of_the_standard_library_is_set_up_and_said_in_one_line() {
    let machine = Machine::new();
    assert_eq!(machine.ok("need_rust; need_rust_source"), "setting up the source of the standard library\n");
    assert_eq!(machine.ok("need_rust; need_rust_source"), "", "it is there now");
    assert_eq!(machine.calls(), "component add rust-src\n");
}

#[test]
fn what_cannot_be_set_up_is_told_with_the_reason_and_what_to_do() {
    let machine = Machine::new();
    fs::write(machine.root.path().join("offline"), "").unwrap();
    let told = machine.fails("need_rust_source");
    assert!(told.contains("info: chatter") && told.contains("what to do: rustup component add rust-src"), "{told}");
    fs::remove_file(machine.bin("rustup")).unwrap();
    assert!(machine.fails("need_rust_source").contains("your system's package rust-src"));
    fs::remove_file(machine.bin("rustc")).unwrap();
    assert!(machine.fails("need_rust").contains("https://rustup.rs"));
}

#[test]
fn stable_is_updated_and_a_compiler_that_was_chosen_is_not() {
    let machine = Machine::new();
    machine.write("version", "1.90.1");
    assert_eq!(machine.ok("need_rust"), "setting up Rust 1.95 or newer: stable was 1.90.1\n");
    machine.write("version", "1.90.1");
    machine.write("active", "1.90.1-x86_64-unknown-linux-gnu (default)");
    assert!(machine.fails("need_rust").contains("rustup default stable"));
    let updates = machine.calls().matches("update stable").count();
    assert_eq!(updates, 1);
}

#[test]
fn a_compiler_is_installed_by_root_and_asked_for_by_others() {
    let machine = Machine::new();
    let told = machine.fails("can_install_packages() { false; }; need_linker");
    assert!(told.contains("what to do: apt install gcc libc6-dev"), "{told}");
    assert_eq!(machine.calls(), "");
    machine.program("apt-get", APT);
    let told = machine.ok("can_install_packages() { true; }; need_linker; need_linker");
    assert_eq!(told, "setting up gcc libc6-dev (Debian packages)\n");
    assert_eq!(machine.calls(), "update -qq\ninstall -qq --yes --no-install-recommends gcc libc6-dev\n");
}

#[test]
fn a_compiler_that_cannot_link_is_none() {
    let machine = Machine::new();
    machine.program("cc", "exit 1");
    assert!(machine.fails("can_install_packages() { false; }; need_linker").contains("can link"));
}

/// A directory of programs that is all there is in PATH.
struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    /// With a stable Rust that is new enough, and nothing else.
    fn new() -> Self {
        let machine = Self { root: tempfile::tempdir().unwrap() };
        fs::create_dir(machine.root.path().join("bin")).unwrap();
        let path = std::env::var_os("PATH").unwrap();
        for tool in ["bash", "cat", "chmod", "head", "mkdir", "sort", "touch"] {
            let found = std::env::split_paths(&path).map(|directory| directory.join(tool)).find(|path| path.is_file());
            symlink(found.unwrap(), machine.bin(tool)).unwrap();
        }
        for (name, code) in [("cargo", ""), ("rustc", RUSTC), ("rustup", RUSTUP)] {
            machine.program(name, code);
        }
        machine.write("version", "1.95.0");
        machine.write("active", "stable-x86_64-unknown-linux-gnu (default)");
        machine
    }

    fn bin(&self, name: &str) -> PathBuf {
        self.root.path().join("bin").join(name)
    }

    fn program(&self, name: &str, code: &str) {
        fs::write(self.bin(name), format!("#!{}\n{code}\n", self.bin("bash").display())).unwrap();
        fs::set_permissions(self.bin(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.root.path().join(name), text).unwrap();
    }

    /// What rustup and apt-get were asked to change, a line each.
    fn calls(&self) -> String {
        let calls = fs::read_to_string(self.root.path().join("calls")).unwrap_or_default();
        calls.lines().filter(|call| !call.starts_with("show")).map(|call| format!("{call}\n")).collect()
    }

    #[track_caller]
    fn ok(&self, script: &str) -> String {
        let output = self.run(script);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn fails(&self, script: &str) -> String {
        let output = self.run(script);
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn run(&self, script: &str) -> Output {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("prerequisites.sh");
        Command::new(self.bin("bash"))
            .args(["-euo", "pipefail", "-c", &format!("source \"$1\"; {script}"), "install.sh"])
            .arg(source)
            .env_clear()
            .envs([("PATH", self.root.path().join("bin")), ("ROOT", self.root.path().into())])
            .env("CARGO_HOME", self.root.path().join("cargo"))
            .output()
            .unwrap()
    }
}
