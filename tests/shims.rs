//! The shims for cargo and rustc, and the template, with the real tools behind them and small crates in the place of
//! the runtime.
//!
//! They compile `futures`, so the fast tier leaves them out; `tests/run real` runs them.

use loopbook_kernel::evaluator::build::built_in::DEPENDENCIES;
use loopbook_kernel::evaluator::build::environment;
use loopbook_kernel::evaluator::build::shims::{kill_running, last_diagnostics, watch};
use loopbook_kernel::evaluator::build::template::{self, Condition, Look};
use loopbook_kernel::evaluator::build::toolchain::Toolchain;
use loopbook_kernel::evaluator::build::workdir::{WorkDir, sweep_stale};
use loopbook_kernel::home::Home;
use std::ffi::{CStr, CString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

#[test]
#[ignore = "compiles crates"]
fn a_kernel_compiles_only_its_cells_and_keeps_the_versions_of_the_template() {
    let kernel = Kernel::start();
    kernel.write("pub fn first() {}", "");
    assert!(kernel.cargo("build").status.success(), "evcxr begins with a crate without dependencies");
    let locked = kernel.locked();
    assert!(locked.contains("name = \"futures-util\""), "{locked}");

    let ours = kernel.our_dependencies();
    kernel.write("pub fn second() { let x = loopbook::N; futures::executor::block_on(async {}) }", &ours);
    kernel.build();
    assert_eq!(kernel.locked(), locked.replace("name = \"ctx\"\nversion = \"1.0.0\"\n", &kernel.ctx_in_lock()));
    assert_eq!(kernel.compiled(), ["ctx", "ctx"]);
    let warnings = last_diagnostics(kernel.work.root());
    assert!(warnings[0]["message"].as_str().unwrap().contains("unused variable"), "{warnings:?}");

    kernel.write("pub fn third() { wrong() }", &ours);
    let output = kernel.cargo("build");
    assert_eq!(output.status.code(), Some(101));
    assert!(String::from_utf8_lossy(&output.stdout).contains("cannot find function `wrong`"));
}

#[test]
#[ignore = "compiles crates"]
fn a_cell_that_rustc_compiles_alone_is_what_cargo_would_have_made() {
    let kernel = Kernel::start();
    let ours = kernel.our_dependencies();
    let mut libraries = Vec::new();
    for number in 0..4 {
        let code =
            format!("#[unsafe(no_mangle)] pub extern \"C\" fn cell_{number}() {{ println!(\"{{}}\", loopbook::N) }}");
        // The third manifest goes through cargo again: it has one more dependency.
        let mine = kernel.crate_with("mine", "", "pub fn f() {}");
        let extra = format!("mine = {{ path = \"{}\" }}\n", mine.display());
        kernel.write(&code, &if number == 2 { format!("{ours}{extra}") } else { ours.clone() });
        let library = kernel.build();
        // As evcxr does.
        let moved = library.with_file_name(format!("libcode_{number}.so"));
        fs::rename(&library, &moved).unwrap();
        libraries.push(moved);
    }
    for (number, library) in libraries.iter().enumerate() {
        let bytes = fs::read(library).unwrap();
        let name = format!("cell_{number}\0");
        assert!(bytes.windows(name.len()).any(|part| part == name.as_bytes()), "{}", library.display());
    }
    assert_eq!(kernel.compiled(), ["ctx", "ctx", "mine", "ctx", "ctx"]);
    assert!(libraries[1].parent().unwrap().ends_with("deps"), "the second cell needed no cargo");
}

#[test]
#[ignore = "compiles crates"]
fn a_cell_loads_whoever_links_it_and_errors_are_those_of_cc() {
    let kernel = Kernel::start();
    let build = |number: u32| {
        let body = format!("println!(\"{{}}\", 1.5f64.powf(2.0)); loopbook::N + {number}");
        let code = format!("#[unsafe(no_mangle)] pub extern \"C\" fn cell() -> u32 {{ {body} }}");
        kernel.write(&code, &kernel.our_dependencies());
        let library = kernel.build();
        let moved = library.with_file_name(format!("libcode_{number}.so"));
        fs::rename(&library, &moved).unwrap();
        moved
    };
    let libraries = [build(10), build(20)];
    let stub = kernel.work.state_dir().join("stubs/libloopbook.so");
    // Where cells are linked by `cc` there are no stubs, and the rest must hold all the same.
    let by_cc = stub.exists().then(|| {
        fs::write(&stub, "not a library").unwrap();
        build(30)
    });
    let results: Vec<u32> = libraries.iter().chain(&by_cc).map(|library| run_cell(library)).collect();
    assert_eq!(results, [11, 21, 31][..results.len()]);

    let missing = "#[link(name = \"nowhere\")] unsafe extern \"C\" { fn f(); }\n\
        #[unsafe(no_mangle)] pub extern \"C\" fn cell() { unsafe { f() } }";
    kernel.write(missing, &kernel.our_dependencies());
    let said = String::from_utf8_lossy(&kernel.cargo("build").stdout).into_owned();
    assert!(said.contains("linking with `cc` failed") && said.contains("-lnowhere"), "{said}");
}

#[test]
#[ignore = "compiles crates"]
fn an_interrupt_and_the_end_of_the_kernel_end_all_that_a_build_started() {
    let kernel = Kernel::start();
    let slow = r#"fn main() {
        std::fs::write("../../state/build-script", std::process::id().to_string()).unwrap();
        std::process::Command::new("sleep").arg("300").status().unwrap();
    }"#;
    let slow = kernel.crate_with("slow", slow, "");
    kernel.write("", &format!("slow = {{ path = \"{}\" }}\n", slow.display()));
    let (sender, crates) = mpsc::channel();
    let _watcher = watch(kernel.work.root(), move |_, progress| drop(sender.send(progress.krate))).unwrap();

    let mut build = kernel.spawn("cargo");
    assert_eq!(crates.recv_timeout(MOMENT).unwrap(), "slow");
    let script = kernel.build_script();
    assert_eq!(kill_running(kernel.work.root()), 1);
    build.wait().unwrap();
    wait_until_gone(script);
    assert_eq!(kill_running(kernel.work.root()), 0, "nothing runs any more");

    // In the place of a kernel that is killed: a shell.
    let mut shell = kernel.spawn("sh");
    let script = kernel.build_script();
    shell.kill().unwrap();
    shell.wait().unwrap();
    wait_until_gone(script);
}

#[test]
#[ignore = "compiles crates"]
fn kernels_do_not_change_the_template() {
    let kernel = Kernel::start();
    let before = listing(kernel.template.directory());
    kernel.write("pub fn f() {}", &kernel.our_dependencies());
    kernel.build();
    let other = WorkDir::create(&kernel.home).unwrap();
    template::link(&kernel.template, &other).unwrap();
    assert_eq!(listing(kernel.template.directory()), before);
    assert_eq!(sweep_stale(&kernel.home).unwrap(), 0);
}

#[test]
#[ignore = "compiles crates"]
fn whatever_is_damaged_of_a_template_is_noticed_and_mended() {
    type Damage = (&'static str, fn(&Path));
    let damages: [Damage; 9] = [
        ("a library is gone", |root| fs::remove_file(artifact(root, "libloopbook.so")).unwrap()),
        ("a library is empty", |root| rewrite(&artifact(root, "libfutures_core"), b"")),
        ("a library is garbage", |root| {
            let size = fs::metadata(artifact(root, "libfutures_util")).unwrap().len();
            rewrite(&artifact(root, "libfutures_util"), &vec![7; usize::try_from(size).unwrap()]);
        }),
        ("what cargo knows is gone", |root| {
            fs::remove_dir_all(root.join("crate/target").join(host()).join("debug/.fingerprint")).unwrap();
        }),
        ("the lock is garbage", |root| rewrite(&root.join("Cargo.lock"), b"garbage")),
        ("the tree is gone", |root| fs::remove_file(root.join("tree")).unwrap()),
        ("a source was edited", |root| rewrite(&root.join("crates/runtime/src/lib.rs"), b"pub static N: u32 = 2;")),
        ("the sources are gone", |root| fs::remove_dir_all(root.join("crates").canonicalize().unwrap()).unwrap()),
        ("the listing is garbage", |root| rewrite(&root.join("listing"), b"garbage")),
    ];
    let place = tempfile::tempdir().unwrap();
    let mut kernel = Kernel::start_in(place.path());
    for (what, damage) in damages {
        damage(kernel.template.directory());
        let found = template::condition(&kernel.home, &kernel.toolchain, Look::Contents);
        assert!(matches!(found, Condition::Damaged(_)), "{what}: {found:?}");
        drop(kernel);
        kernel = Kernel::start_in(place.path());
        let found = template::condition(&kernel.home, &kernel.toolchain, Look::Contents);
        assert_eq!(found, Condition::Whole, "{what}");
        kernel.write("pub fn f() -> u32 { loopbook::N }", &kernel.our_dependencies());
        kernel.build();
        assert_eq!(kernel.compiled(), ["ctx"], "{what}");
    }
}

/// The compiled crate whose file begins so.
fn artifact(template: &Path, name: &str) -> PathBuf {
    let artifacts = fs::read_dir(template.join("crate/target").join(host()).join("debug/deps")).unwrap();
    let mut paths = artifacts.map(|entry| entry.unwrap().path());
    paths
        .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(name) && path.extension().unwrap() != "d")
        .unwrap()
}

fn host() -> String {
    Toolchain::find().unwrap().host().to_owned()
}

/// Puts another file in the place of a read-only one.
fn rewrite(path: &Path, content: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, content).unwrap();
}

/// Long enough for a machine that is busy.
const MOMENT: Duration = Duration::from_secs(60);

const MANIFEST: &str = "[package]\nname = \"ctx\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n\
    [profile.dev]\nopt-level = 2\ndebug = false\nstrip = \"debuginfo\"\nrpath = true\nlto = false\ndebug-assertions = true\n\
    codegen-units = 16\npanic = 'unwind'\nincremental = true\noverflow-checks = true\n[dependencies]\n";

/// What a kernel has before evcxr starts.
struct Kernel {
    directory: tempfile::TempDir,
    home: Home,
    toolchain: Toolchain,
    template: template::Template,
    work: WorkDir,
}

impl Kernel {
    /// All tests share one template; each has a working directory of its own.
    fn start() -> Self {
        Self::start_in(&PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("shims"))
    }

    fn start_in(shared: &Path) -> Self {
        let image = shared.join("image");
        write_crates(&image.join("crates"));
        let program = PathBuf::from(env!("CARGO_BIN_EXE_loopbook"));
        let home = Home::at(image, shared.join("cache"), program);
        let toolchain = Toolchain::find().unwrap();
        let template = template::warm(&home, &toolchain, Look::Sizes, &mut |_| {}).unwrap();
        let work = WorkDir::create(&home).unwrap();
        template::link(&template, &work).unwrap();
        Self { directory: tempfile::tempdir().unwrap(), home, toolchain, template, work }
    }

    /// As evcxr writes them.
    fn our_dependencies(&self) -> String {
        let crates = format!("path = \"{}/", self.template.crates().unwrap().display());
        let lines = DEPENDENCIES.map(|(name, specification)| format!("{name} = {specification}\n"));
        lines.concat().replace("path = \"crates/", &crates)
    }

    fn write(&self, code: &str, dependencies: &str) {
        fs::write(self.work.source(), code).unwrap();
        fs::write(self.work.crate_dir().join("Cargo.toml"), format!("{MANIFEST}{dependencies}")).unwrap();
    }

    fn crate_with(&self, name: &str, build_script: &str, code: &str) -> PathBuf {
        let root = self.directory.path().join(name);
        if !root.exists() {
            write_crate(&root, name, "", "", code);
            if !build_script.is_empty() {
                let state = self.work.state_dir();
                let script = build_script.replace("../../state", state.to_str().unwrap());
                fs::write(root.join("build.rs"), script).unwrap();
            }
        }
        root
    }

    /// Builds as evcxr does and returns the library.
    fn build(&self) -> PathBuf {
        let output = self.cargo("build");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
        let messages = stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let artifact = messages.rev().find(|message| message["target"]["name"] == "ctx").unwrap();
        PathBuf::from(artifact["filenames"][0].as_str().unwrap())
    }

    fn cargo(&self, subcommand: &str) -> Output {
        self.command("cargo", subcommand).output().unwrap()
    }

    fn spawn(&self, program: &str) -> Child {
        self.command(program, "build").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn command(&self, program: &str, subcommand: &str) -> Command {
        let line = [subcommand, "--target", self.toolchain.host(), "--message-format=json"];
        let tools = self.work.tools();
        let mut command = match program {
            "sh" => Command::new("sh"),
            tool => Command::new(tools.join(tool)),
        };
        match program {
            "sh" => command.args(["-c", &format!("{}/cargo {}; true", tools.display(), line.join(" "))]),
            _ => command.args(line),
        };
        command.envs(environment::of_evcxr(&self.work, &self.toolchain)).current_dir(self.work.crate_dir());
        // What is counted here is what is compiled, in whichever order the tests run.
        command.env("LOOPBOOK_CELL_CACHE", "off");
        command
    }

    fn compiled(&self) -> Vec<String> {
        let log = fs::read_to_string(self.work.state_dir().join("rustc.log")).unwrap();
        log.lines().map(str::to_owned).collect()
    }

    fn locked(&self) -> String {
        fs::read_to_string(self.work.crate_dir().join("Cargo.lock")).unwrap()
    }

    fn ctx_in_lock(&self) -> String {
        let names = ["futures", "loopbook", "loopbook-async-std", "loopbook-tokio"];
        let lines = names.map(|name| format!(" \"{name}\",\n")).concat();
        format!("name = \"ctx\"\nversion = \"1.0.0\"\ndependencies = [\n{lines}]\n")
    }

    /// The process id that the slow crate's build script has written, which is then removed.
    fn build_script(&self) -> String {
        let file = self.work.state_dir().join("build-script");
        wait_until("the build script runs", || fs::read_to_string(&file).is_ok_and(|pid| !pid.is_empty()));
        let pid = fs::read_to_string(&file).unwrap();
        fs::remove_file(file).unwrap();
        pid
    }
}

fn write_crates(crates: &Path) {
    let runtime = "loopbook = { path = \"../runtime\" }\n";
    write_crate(&crates.join("runtime"), "loopbook", "crate-type = [\"dylib\"]", "", "pub static N: u32 = 1;");
    write_crate(
        &crates.join("async-std"),
        "loopbook-async-std",
        "name = \"async_std\"",
        runtime,
        "pub use loopbook::N;",
    );
    write_crate(&crates.join("tokio"), "loopbook-tokio", "name = \"tokio\"", runtime, "pub use loopbook::N;");
}

fn write_crate(root: &Path, name: &str, library: &str, dependencies: &str, code: &str) {
    let package = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    let manifest = format!("{package}[lib]\n{library}\n[dependencies]\n{dependencies}");
    fs::create_dir_all(root.join("src")).unwrap();
    fs::write(root.join("Cargo.toml"), manifest).unwrap();
    fs::write(root.join("src/lib.rs"), code).unwrap();
}

/// Loads a cell's library, calls its function `cell`, and gives what that returns.
fn run_cell(library: &Path) -> u32 {
    let path = CString::new(library.to_str().unwrap()).unwrap();
    // SAFETY: the library is one of Rust's that has just been built, and its function is of this type.
    unsafe {
        let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
        assert!(!handle.is_null(), "{}", CStr::from_ptr(libc::dlerror()).to_string_lossy());
        let cell = libc::dlsym(handle, c"cell".as_ptr());
        assert!(!cell.is_null());
        std::mem::transmute::<*mut libc::c_void, extern "C" fn() -> u32>(cell)()
    }
}

/// Path, size and time of every file.
fn listing(directory: &Path) -> Vec<String> {
    let output = Command::new("find").arg(directory).args(["-type", "f", "-printf", "%p %s %T@\n"]).output().unwrap();
    let mut lines: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    assert!(!lines.is_empty());
    lines
}

fn wait_until_gone(pid: String) {
    wait_until("the build script ends", || !Path::new("/proc").join(&pid).exists());
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < MOMENT, "waited in vain: {what}");
        std::thread::yield_now();
    }
}
