//! What common crates ask of the crates below the runtime is turned on from the start (`kernel/features`): none of these
//! dependencies would have the runtime compiled anew. Only manifests are looked at, nothing is compiled.
//!
//! It asks crates.io for crates that are not on this machine yet, so the fast tier leaves it out;
//! `tests/run crates` runs it, and says how many would be refused.

use loopbook_kernel::evaluator::build::closure::{Closure, TREE};
use loopbook_kernel::evaluator::build::template;
use loopbook_kernel::evaluator::build::toolchain::Toolchain;
use serde_json::Value;
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

/// Crates in their newest versions, as a `:dep` without one gets them.
const NEWEST: &str = "
actix-web ahash approx arc-swap ariadne arrayvec askama assert_cmd async-broadcast async-signal async-task
atomic-waker backtrace bigdecimal bincode bindgen blocking bstr bytemuck byteorder bytesize cached camino cc cfg-if
chrono-tz ciborium colored comfy-table concurrent-queue config console convert_case crc32fast crossbeam-channel
crossbeam-queue crossbeam-utils darling data-encoding derive_builder dirs dotenvy either encoding_rs enum_dispatch
erased-serde event-listener eyre fake fastrand flate2 flume fs-err futures-channel futures-core futures-executor
futures-io futures-timer geo getrandom glob globset governor h2 half hashbrown heapless heck hex hmac http
http-body-util httparse humantime hyper-rustls hyper-tls image indicatif indoc insta inventory itoa jiff jsonwebtoken
kube lazy_static lettre libloading linked-hash-map lru maplit memchr memmap2 metrics-util miette mime minijinja
mockall mockito multimap nalgebra native-tls nom num-bigint num-complex num-derive num-traits num_cpus object_store
oneshot opentelemetry ordered-float parking paste percent-encoding pest petgraph phf pin-project-lite pin-utils plotly
plotters polars polling portable-atomic postgres predicates pretty_assertions proc-macro2 prometheus prost
pulldown-cmark quick-xml quickcheck quinn quote rand_chacha rand_distr regex-automata ring rmp-serde ron rstest
rusqlite rust_decimal rustls ryu schemars scraper secrecy semver serde_bytes serde_path_to_error serde_repr
serde_urlencoded serde_yaml serial_test sha1 signal-hook similar slab sled slog slotmap smol_str snafu socket2
static_assertions statrs strsim strum sysinfo tabled tar tera termcolor textwrap tinyvec tokio-native-tls
tokio-postgres tokio-rustls toml_edit tracing-appender typed-builder typenum typetag unicode-segmentation
unicode-width ureq validator walkdir which xml-rs zerocopy zip zstd";

/// Features of the runtime's crates that are off although they bring no other crate, by what keeps them off.
const OFF: [(&str, &[&str]); 4] = [
    (
        "needs nightly, or is for the crate's own tests",
        &[
            "bilock",
            "cfg-target-has-atomic",
            "deserialize_in_place",
            "example_generated",
            "loom",
            "may_dangle",
            "nightly",
            "schedule-latency",
            "specialization",
            "test",
            "unstable",
            "unstable-debug",
        ],
    ),
    (
        "changes what the crate does, or excludes another feature",
        &[
            "arbitrary_precision",
            "deadlock_detection",
            "float_roundtrip",
            "hardware-lock-elision",
            "inline-str",
            "inline-str-l",
            "json",
            "libc_errno",
            "linux_4_11",
            "linux_5_1",
            "linux_5_11",
            "linux_latest",
            "logging",
            "max_level_debug",
            "max_level_error",
            "max_level_info",
            "max_level_off",
            "max_level_trace",
            "max_level_warn",
            "owned",
            "release_max_level_debug",
            "release_max_level_error",
            "release_max_level_info",
            "release_max_level_off",
            "release_max_level_trace",
            "release_max_level_warn",
            "send_guard",
            "small",
            "use-explicitly-provided-auxv",
            "use-libc",
            "use-libc-auxv",
        ],
    ),
    (
        "for other machines, for crates of years ago, or for the standard library",
        &[
            "compat",
            "futures_01",
            "io-compat",
            "io_safety",
            "portable-atomic",
            "spin",
            "tokio02",
            "tokio02-crate",
            "tokio03",
            "tokio03-crate",
        ],
    ),
    (
        "for programs that speak to the kernel of the system or the processor, each a lot of code",
        &[
            "all-apis",
            "bootparam",
            "btrfs",
            "elf_uapi",
            "if_arp",
            "if_packet",
            "if_tun",
            "image",
            "io_uring",
            "landlock",
            "libc",
            "loop_device",
            "mempolicy",
            "owning_ref",
            "parking_lot",
            "ptrace",
            "runtime",
            "seq",
            "serde",
            "serde_derive",
            "serde_json",
            "serialize",
            "std",
            "try_close",
            "vm_sockets",
        ],
    ),
];

#[test]
#[ignore = "asks crates.io"]
fn no_common_crate_changes_what_the_runtime_is_made_of() {
    let root = tempfile::tempdir().unwrap();
    let runtime = closure(&cargo(root.path(), "", &TREE)).expect("the runtime's own crates");
    let newest = NEWEST.split_whitespace().map(|name| format!("{name} = \"*\""));
    let all: Vec<String> =
        DEPENDENCIES.lines().filter(|line| !line.is_empty()).map(str::to_owned).chain(newest).collect();
    let mut refused = Vec::new();
    for dependency in &all {
        let output = cargo(root.path(), dependency, &TREE);
        let changes = match closure(&output) {
            Some(with) => runtime.changes(&with).iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            None => String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        if !changes.is_empty() {
            refused.push(format!("{dependency}: {changes}"));
        }
    }
    println!("{} of {} would be refused", refused.len(), all.len());
    assert!(refused.is_empty(), "{} of {}:\n{}", refused.len(), all.len(), refused.join("\n"));
}

#[test]
#[ignore = "asks cargo"]
fn each_feature_that_is_off_has_a_reason() {
    let root = tempfile::tempdir().unwrap();
    let runtime = closure(&cargo(root.path(), "", &TREE)).expect("the runtime's own crates");
    let toolchain = Toolchain::find().unwrap();
    let metadata = ["metadata", "--format-version", "1", "--filter-platform", toolchain.host()];
    let output = Command::new(toolchain.cargo()).args(metadata).current_dir(root.path()).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("what cargo says of the packages");
    let mut off = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        // What is ours has no features, and what is not in the runtime has none to turn on.
        if package["source"].is_null() || runtime.version(name).is_none() {
            continue;
        }
        let present = runtime.features(name);
        let absent =
            package["features"].as_object().unwrap().keys().filter(|feature| !present.contains(feature.as_str()));
        let unexplained = absent.filter(|feature| !OFF.iter().any(|(_, known)| known.contains(&feature.as_str())));
        let cheap = unexplained.filter(|feature| !brings_crates(package, feature, &runtime));
        off.extend(cheap.map(|feature| format!("{name}/{feature}")));
    }
    assert_eq!(off, Vec::<String>::new(), "turn them on in kernel/features, or say here why not");
}

/// Whether a feature adds a crate that the runtime does not have.
fn brings_crates(package: &Value, feature: &str, runtime: &Closure) -> bool {
    let optional = |name: &str| {
        let named = |dependency: &&Value| {
            let key = dependency["rename"].as_str().or(dependency["name"].as_str());
            dependency["optional"] == true && key == Some(name)
        };
        package["dependencies"].as_array().unwrap().iter().find(named)
    };
    let enabled = package["features"][feature].as_array().into_iter().flatten().filter_map(Value::as_str);
    enabled.into_iter().any(|part| match (part.strip_prefix("dep:"), part.split_once('/')) {
        (None, None) => brings_crates(package, part, runtime),
        (Some(name), _) | (None, Some((name, _))) => optional(name.trim_end_matches('?'))
            .is_some_and(|dependency| runtime.version(dependency["name"].as_str().unwrap()).is_none()),
    })
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
