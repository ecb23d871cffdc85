//! What common crates ask of the crates below the runtime is turned on from the start (`kernel/features`): none of these
//! dependencies would have the runtime compiled anew. Only manifests are looked at, nothing is compiled.
//!
//! It asks crates.io for crates that are not on this machine yet, so the fast tier leaves it out;
//! `tests/run crates` runs it.

use loopbook_kernel::evaluator::dependencies::{Closure, TREE};
use loopbook_kernel::evaluator::template;
use loopbook_kernel::evaluator::toolchain::Toolchain;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Lines of a manifest. The key need not be the package's name.
const DEPENDENCIES: &str = r#"
anyhow = "1"
async-channel = "2"
async-compat = "0.2"
async-compression = { version = "0.4", features = ["futures-io", "gzip"] }
async-executor = "1"
async-fs = "2"
async-graphql = "7"
async-io = "2"
async-lock = "3"
async-native-tls = "0.5"
async-net = "2"
async-process = "2"
async-recursion = "1"
async-std-resolver = "0.24"
async-stream = "0.3"
async-trait = "0.1"
async-tungstenite = { version = "0.29", features = ["async-std-runtime"] }
axum = { version = "0.8", features = ["macros", "ws"] }
base64 = "0.22"
bitflags = { version = "2", features = ["serde"] }
bon = "3"
bytes = { version = "1", features = ["serde"] }
chrono = { version = "0.4", features = ["serde"] }
clap = { version = "4", features = ["derive"] }
color-eyre = "0.6"
criterion = "0.5"
crossbeam = "0.8"
crossterm = { version = "0.29", features = ["event-stream"] }
csv = "1"
ctrlc = "3"
dashmap = "6"
derive_more = { version = "2", features = ["full"] }
env_logger = "0.11"
futures-concurrency = "7"
futures-lite = "2"
futures-util = { version = "0.3", features = ["io", "sink"] }
hyper = { version = "1", features = ["full"] }
hyper-util = { version = "0.1", features = ["full"] }
indexmap = { version = "2", features = ["serde"] }
isahc = "1"
itertools = "0.14"
lapin = "3"
libc = { version = "0.2", features = ["extra_traits"] }
log = { version = "0.4", features = ["kv", "std"] }
mio = { version = "1", features = ["net", "os-ext", "os-poll"] }
mini-redis = "0.4"
moka = { version = "0.12", features = ["future"] }
ndarray = "0.16"
nix = { version = "0.30", features = ["fs", "process", "signal"] }
notify = "8"
num = "0.4"
once_cell = "1"
parking_lot = { version = "0.12", features = ["arc_lock", "serde"] }
pin-project = "1"
postcard = { version = "1", features = ["use-std"] }
proptest = "1"
rand = "0.9"
ratatui = "0.29"
rayon = "1"
redis = { version = "0.32", features = ["aio", "tokio-comp"] }
regex = "1"
reqwest = { version = "0.12", features = ["cookies", "gzip", "json", "multipart", "stream"] }
reqwest-newest = { package = "reqwest", version = "*" }
reqwest-rustls = { package = "reqwest", version = "0.12", default-features = false, features = ["json", "rustls-tls"] }
rocket = "0.5"
rustix = { version = "1", features = ["mm", "process", "stdio", "termios", "thread"] }
sea-orm = { version = "1", features = ["macros", "runtime-tokio-rustls", "sqlx-sqlite"] }
serde = { version = "1", features = ["derive"] }
serde_json = { version = "1", features = ["raw_value"] }
serde_with = "3"
sha2 = "0.10"
smallvec = { version = "1", features = ["const_generics", "serde", "union", "write"] }
smol = "2"
sqlx = { version = "0.8", features = ["chrono", "json", "macros", "runtime-tokio", "sqlite", "uuid"] }
sqlx-async-std = { package = "sqlx", version = "0.8", features = ["runtime-async-std", "sqlite"] }
surf = "2"
syn = { version = "2", features = ["extra-traits", "fold", "full", "visit", "visit-mut"] }
tempfile = "3"
thiserror = "2"
tide = "0.16"
time = { version = "0.3", features = ["formatting", "macros", "parsing", "serde"] }
tokio-full = { package = "tokio", version = "1", features = ["full", "test-util"] }
tokio-stream = { version = "0.1", features = ["full"] }
tokio-test = "0.4"
tokio-tungstenite = "0.28"
tokio-util = { version = "0.7", features = ["full"] }
toml = "0.9"
tonic = "0.14"
tower = { version = "0.5", features = ["full"] }
tower-http = { version = "0.6", features = ["full"] }
tracing = { version = "0.1", features = ["log"] }
tracing-subscriber = { version = "0.3", features = ["env-filter", "json"] }
url = "2"
uuid = { version = "1", features = ["serde", "v4"] }
warp = "0.3"
zeromq = { version = "0.4", default-features = false, features = ["all-transport", "async-std-runtime"] }
"#;

#[test]
#[ignore = "asks crates.io"]
fn no_common_crate_changes_what_the_runtime_is_made_of() {
    let root = tempfile::tempdir().unwrap();
    let runtime = closure(&cargo(root.path(), "", &TREE)).expect("the runtime's own crates");
    let mut changed = Vec::new();
    for dependency in DEPENDENCIES.lines().filter(|line| !line.is_empty()) {
        let output = cargo(root.path(), dependency, &TREE);
        match closure(&output) {
            Some(with) => changed.extend(runtime.changes(&with).iter().map(|change| format!("{dependency}: {change}"))),
            None => changed.push(format!("{dependency}: {}", String::from_utf8_lossy(&output.stderr))),
        }
    }
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

#[test]
#[ignore = "asks crates.io"]
fn a_feature_that_few_want_changes_it() {
    let root = tempfile::tempdir().unwrap();
    let runtime = closure(&cargo(root.path(), "", &TREE)).unwrap();
    let with =
        closure(&cargo(root.path(), r#"tk = { package = "tokio", version = "1", features = ["tracing"] }"#, &TREE));
    let changes: Vec<_> = runtime.changes(&with.unwrap()).iter().map(ToString::to_string).collect();
    assert!(changes.contains(&"`tokio` with its feature `tracing`".to_owned()), "{changes:?}");
}

/// Runs cargo on the manifest of a cell with this dependency and the runtime's lock.
fn cargo(directory: &Path, dependency: &str, arguments: &[&str]) -> Output {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernel");
    fs::create_dir_all(directory.join("src")).unwrap();
    fs::write(directory.join("src/lib.rs"), "").unwrap();
    fs::write(directory.join("Cargo.toml"), format!("{}{dependency}\n", template::manifest(&crates))).unwrap();
    fs::copy(crates.join("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
    // As the kernel asks: without a target, what is compiled for build scripts would count too.
    let toolchain = Toolchain::find().unwrap();
    let target = ["--target", toolchain.host()];
    Command::new(toolchain.cargo()).args(arguments).args(target).current_dir(directory).output().unwrap()
}

fn closure(output: &Output) -> Option<Closure> {
    Closure::parse(&String::from_utf8_lossy(&output.stdout))
}
