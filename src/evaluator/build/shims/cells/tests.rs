//! Tests of what is taken from the cache of cells and what is not, with a script in the place of rustc.

use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::Duration;

/// Counts its runs, says what it has read, and makes a library of that. It includes the file and asks for the variable that
/// the cell's text names.
const RUSTC: &str = r#"#!/bin/sh
out=$OUT
echo run >> "$RUNS"
text=$(cat src/lib.rs)
file=$(sed -n 's/^include //p' src/lib.rs)
variable=$(sed -n 's/^env //p' src/lib.rs)
printf '%s: src/lib.rs %s\n\nsrc/lib.rs:\n\n' "$out/libctx.so" "$file" > "$out/ctx.d"
if [ -n "$file" ]; then printf '%s:\n\n' "$file" >> "$out/ctx.d"; fi
if [ -n "$variable" ]; then
    eval "value=\$$variable"
    printf '# env-dep:%s=%s\n' "$variable" "$value" >> "$out/ctx.d"
fi
printf '{"$message_type":"diagnostic","level":"warning","message":"in %s","rendered":"\\u001b[33mw"}\n' "$out" >&2
case "$text" in
    *"killed"*) kill -9 $$ ;;
    *"no such file"*)
        printf '{"$message_type":"diagnostic","level":"error","message":"cannot read","code":null}\n' >&2
        exit 1 ;;
    *"wrong"*)
        printf '{"$message_type":"diagnostic","level":"error","message":"type","code":{"code":"E0308"}}\n' >&2
        exit 1 ;;
esac
{ echo "$text"; [ -z "$file" ] || cat "$file"; } > "$out/libctx.so"
"#;

struct Machine {
    root: tempfile::TempDir,
}

/// A kernel on it.
struct Kernel {
    state: State,
    rustc: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { root: tempfile::tempdir().unwrap() };
        let (rustc, template) = (machine.path("bin/rustc"), machine.path("cache/template/key"));
        fs::create_dir_all(rustc.parent().unwrap()).unwrap();
        fs::write(&rustc, RUSTC).unwrap();
        fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(template.join("crate/target/debug/deps")).unwrap();
        fs::write(template.join("listing"), "").unwrap();
        fs::write(template.join("Cargo.lock"), "[[package]]\nname = \"loopbook\"\n").unwrap();
        machine
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.path("runs")).unwrap_or_default().lines().count()
    }

    fn entries(&self) -> Vec<PathBuf> {
        fs::read_dir(self.path("cache/cells")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    fn kernel(&self, name: &str) -> Kernel {
        let root = self.path("cache/work").join(name);
        let (deps, host) = (root.join("crate/target/x/debug/deps"), root.join("crate/target/debug/deps"));
        for directory in [&deps, &host, &root.join("crate/src"), &root.join("state")] {
            fs::create_dir_all(directory).unwrap();
        }
        symlink(self.path("cache/template/key/answers"), root.join("state/answers")).unwrap();
        fs::write(root.join("crate/Cargo.lock"), "[[package]]\nname = \"ctx\"\n\n[[package]]\nname = \"loopbook\"\n")
            .unwrap();
        let library = deps.join("libdep-1.rlib");
        fs::write(&library, "crate").unwrap();
        let arguments = vec![
            "--emit=dep-info,link".to_owned(),
            "--out-dir".to_owned(),
            deps.display().to_string(),
            "-L".to_owned(),
            format!("dependency={}", host.display()),
            "--extern".to_owned(),
            format!("dep={}", library.display()),
        ];
        let environment = [("PATH", "/usr/bin:/bin".to_owned()), ("HERE", root.display().to_string())];
        Kernel {
            state: State::of(&root),
            rustc: self.path("bin/rustc"),
            arguments,
            environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
        }
    }
}

impl Kernel {
    /// Compiles a cell and gives back what the library has in it, and what rustc has said.
    fn compile(&self, machine: &Machine, text: &str) -> (Option<i32>, Option<String>, String) {
        fs::write(self.path("crate/src/lib.rs"), text).unwrap();
        let directory = self.path("crate");
        let mut environment = self.environment.clone();
        environment.push(("OUT".into(), self.path("crate/target/x/debug/deps").display().to_string()));
        environment.push(("RUNS".into(), machine.path("runs").display().to_string()));
        let call = SavedCommand::new(self.arguments.clone(), environment, directory);
        let compiled = compile(&self.state, &call, &self.rustc, &Questions::default()).unwrap();
        let library = fs::read_to_string(self.path("crate/target/x/debug/deps/libctx.so")).ok();
        (compiled.status, library, String::from_utf8(compiled.said).unwrap())
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.state.root().join(relative)
    }

    fn logged(&self, log: &str) -> usize {
        fs::read_to_string(self.path("state").join(log)).unwrap_or_default().lines().count()
    }
}

#[test]
fn the_same_cell_is_compiled_once_and_rustc_says_the_same_in_every_kernel() {
    let machine = Machine::new();
    let (one, two) = (machine.kernel("1-a"), machine.kernel("2-b"));
    let (status, library, said) = one.compile(&machine, "fn f() {}");
    let again = two.compile(&machine, "fn f() {}");
    assert_eq!(machine.runs(), 1);
    assert_eq!((again.0, &again.1), (status, &library));
    assert_eq!(again.2, said.replace("work/1-a", "work/2-b"), "with its own paths and its colours");
    assert_eq!((one.logged("rustc.log"), two.logged("rustc.log"), two.logged("compilations.log")), (1, 0, 1));
    assert!(two.path("crate/target/x/debug/deps/ctx.d").exists(), "cargo reads it");
    two.compile(&machine, "fn g() {}");
    assert_eq!(machine.runs(), 2, "another text is another cell");
}

#[test]
fn a_library_is_a_file_of_its_own() {
    let machine = Machine::new();
    let kernel = machine.kernel("1-a");
    kernel.compile(&machine, "fn f() {}");
    let library = kernel.path("crate/target/x/debug/deps/libctx.so");
    let loaded = library.with_file_name("libcode_1.so");
    fs::hard_link(&library, &loaded).unwrap();
    kernel.compile(&machine, "fn f() {}");
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
    assert_ne!(inode(&library), inode(&loaded));
    assert_eq!(machine.runs(), 1);
}

#[test]
fn whatever_rustc_is_given_otherwise_makes_another_cell() {
    type Change = (&'static str, fn(&Machine, &mut Kernel));
    let changes: [Change; 8] = [
        ("a crate", |_, kernel| fs::write(kernel.path("crate/target/x/debug/deps/libdep-1.rlib"), "CRATE").unwrap()),
        ("an option", |_, kernel| kernel.arguments.push("-Copt-level=2".into())),
        ("a crate more", |_, kernel| {
            fs::write(kernel.path("crate/target/x/debug/deps/libb-1.rlib"), "").unwrap();
            let path = kernel.path("crate/target/x/debug/deps/libb-1.rlib");
            kernel.arguments.extend(["--extern".to_owned(), format!("b={}", path.display())]);
        }),
        ("C code", |_, kernel| {
            fs::create_dir_all(kernel.path("crate/target/build")).unwrap();
            fs::write(kernel.path("crate/target/build/libc.a"), "").unwrap();
            kernel.arguments.push(format!("native={}", kernel.path("crate/target/build").display()));
        }),
        ("the compiler", |machine, _| {
            let newer = RUSTC.to_owned() + "# another one\n";
            fs::write(machine.path("bin/rustc"), newer).unwrap();
        }),
        ("the template", |machine, _| fs::write(machine.path("cache/template/key/listing"), "other").unwrap()),
        ("what the linker reads", |_, kernel| kernel.environment.push(("LIBRARY_PATH".into(), "/x".into()))),
        ("the linker", |machine, kernel| {
            fs::write(machine.path("bin/cc"), "").unwrap();
            kernel.environment[0].1 = format!("{}:/usr/bin:/bin", machine.path("bin").display());
        }),
    ];
    for (what, change) in changes {
        let machine = Machine::new();
        machine.kernel("1-a").compile(&machine, "fn f() {}");
        let mut kernel = machine.kernel("2-b");
        change(&machine, &mut kernel);
        kernel.compile(&machine, "fn f() {}");
        assert_eq!(machine.runs(), 2, "{what}");
        kernel.compile(&machine, "fn f() {}");
        assert_eq!(machine.runs(), 2, "{what}, once more");
    }
}

#[test]
fn what_differs_in_every_kernel_and_is_not_asked_for_makes_no_other_cell() {
    let machine = Machine::new();
    machine.kernel("1-a").compile(&machine, "fn f() {}");
    let mut kernel = machine.kernel("2-b");
    kernel.environment.push(("JPY_PARENT_PID".into(), "77".into()));
    kernel.compile(&machine, "fn f() {}");
    assert_eq!(machine.runs(), 1);
}

#[test]
fn files_and_variables_that_the_text_asks_for_are_looked_at_again() {
    let machine = Machine::new();
    let file = machine.path("data");
    let include = format!("include {}\n", file.display());
    fs::write(&file, "old").unwrap();
    // What was written at this very moment may not be what rustc has read.
    machine.kernel("0-z").compile(&machine, &include);
    assert_eq!(machine.entries().len(), 0);
    wait_until_old(&file);
    let mut kernel = machine.kernel("1-a");
    assert!(kernel.compile(&machine, &include).1.unwrap().ends_with("old\n") || machine.runs() == 2);
    kernel.compile(&machine, &include);
    assert_eq!(machine.runs(), 2);
    fs::write(&file, "new").unwrap();
    assert!(kernel.compile(&machine, &include).1.unwrap().contains("new"));
    assert_eq!(machine.runs(), 3);
    fs::remove_file(&file).unwrap();
    kernel.compile(&machine, &include);
    assert_eq!(machine.runs(), 4);

    kernel.environment.push(("ASKED".into(), "1".into()));
    for (value, runs) in [("1", 5), ("1", 5), ("2", 6), ("2", 6)] {
        kernel.environment.last_mut().unwrap().1 = value.into();
        kernel.compile(&machine, "env ASKED\n");
        assert_eq!(machine.runs(), runs);
    }
    // A variable with the kernel's own directory in it is another one in each kernel.
    kernel.compile(&machine, "env HERE\n");
    machine.kernel("2-b").compile(&machine, "env HERE\n");
    assert_eq!(machine.runs(), 8);
}

#[test]
fn crates_that_may_change_unseen_have_their_cells_compiled() {
    let machine = Machine::new();
    let kernel = machine.kernel("1-a");
    let lock = fs::read_to_string(kernel.path("crate/Cargo.lock")).unwrap();
    let (macros, directory) = ("libmacros-0123456789abcdef.so", "[[package]]\nname = \"mine\"\n");
    fs::write(kernel.path("crate/target/debug/deps").join(macros), "").unwrap();
    kernel.compile(&machine, "fn f() {}");
    kernel.compile(&machine, "fn f() {}");
    assert_eq!(machine.runs(), 2, "a macro that is not known to be pure");
    fs::remove_file(kernel.path("crate/target/debug/deps").join(macros)).unwrap();
    fs::write(kernel.path("crate/target/debug/deps/libserde_derive-0123456789abcdef.so"), "").unwrap();
    fs::write(kernel.path("crate/Cargo.lock"), format!("{lock}\n{directory}")).unwrap();
    kernel.compile(&machine, "fn f() {}");
    kernel.compile(&machine, "fn f() {}");
    assert_eq!(machine.runs(), 4, "a crate in a directory");
    let from_registry = format!("{lock}\n{directory}source = \"registry\"\n");
    fs::write(kernel.path("crate/Cargo.lock"), from_registry).unwrap();
    kernel.compile(&machine, "fn f() {}");
    kernel.compile(&machine, "fn f() {}");
    assert_eq!(machine.runs(), 5);
}

#[test]
fn errors_of_the_text_are_kept_and_what_failed_otherwise_is_not() {
    let machine = Machine::new();
    let kernel = machine.kernel("1-a");
    for (text, runs) in [("wrong", 1), ("no such file", 3), ("killed", 5)] {
        let first = kernel.compile(&machine, text);
        assert_eq!(kernel.compile(&machine, text), first, "{text}");
        assert_eq!(machine.runs(), runs, "{text}");
        assert_eq!((first.0 != Some(0), first.1), (true, None), "no library of an earlier cell");
    }
}

#[test]
fn a_damaged_or_a_refused_cache_costs_nothing_but_time() {
    let machine = Machine::new();
    let kernel = machine.kernel("1-a");
    let first = kernel.compile(&machine, "fn f() {}");
    let [entry] = &machine.entries()[..] else { panic!("one entry") };
    let mut bytes = fs::read(entry).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(entry, bytes).unwrap();
    assert_eq!(kernel.compile(&machine, "fn f() {}"), first);
    assert_eq!(machine.runs(), 2);
    fs::set_permissions(machine.path("cache/cells"), fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(kernel.compile(&machine, "fn f() {}"), first);
    assert_eq!(machine.runs(), 3);
}

#[test]
fn two_kernels_that_compile_the_same_cell_at_once_both_get_it() {
    let machine = Machine::new();
    let kernels: Vec<Kernel> = (0..4).map(|number| machine.kernel(&format!("{number}-a"))).collect();
    std::thread::scope(|scope| {
        for kernel in &kernels {
            scope.spawn(|| assert_eq!(kernel.compile(&machine, "fn f() {}").1.unwrap(), "fn f() {}\n"));
        }
    });
    machine.kernel("5-a").compile(&machine, "fn f() {}");
    assert!(machine.runs() <= 4);
    assert_eq!(machine.entries().len(), 1);
}

/// Until a file is so old that nobody can have changed it while rustc ran.
fn wait_until_old(file: &Path) {
    while fs::metadata(file).unwrap().modified().unwrap().elapsed().unwrap() < Duration::from_millis(300) {
        std::thread::yield_now();
    }
}
