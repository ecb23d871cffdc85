//! The environment in which evcxr and rust-analyzer find our shims.

use super::built_in::{CARGO_ENV, CARGO_HOME_ENV, RUSTC_ENV, STATE_ENV};
use super::toolchain::{Toolchain, cargo_home};
use super::workdir::WorkDir;
use std::env;
use std::ffi::OsString;
use std::path::Path;

/// What the kernel process must have in its environment before evcxr starts.
///
/// evcxr and rust-analyzer then find our shims for cargo, rustc and rustup wherever they look: evcxr asks rustup and
/// `PATH`, rust-analyzer `CARGO_HOME`, `CARGO`, `RUSTC` and `PATH`.
pub fn of_evcxr(work: &WorkDir, toolchain: &Toolchain) -> Vec<(OsString, OsString)> {
    let tools = work.tools();
    let bin = toolchain.rustc().parent().unwrap_or(Path::new("/"));
    let mut path = OsString::from(tools);
    for entry in [Some(bin.as_os_str().to_owned()), env::var_os("PATH")].into_iter().flatten() {
        path.push(":");
        path.push(entry);
    }
    let nothing = work.root().join("config");
    [
        ("PATH", path),
        ("CARGO", tools.join("cargo").into()),
        ("RUSTC", tools.join("rustc").into()),
        ("RUST_SRC_PATH", work.library_dir().into()),
        // Empty, so that rust-analyzer does not find the proxies that stand in the real one.
        ("CARGO_HOME", nothing.clone().into()),
        ("EVCXR_CONFIG_DIR", nothing.into()),
        ("EVCXR_TMPDIR", work.crate_dir().into()),
        (CARGO_ENV, toolchain.cargo().into()),
        (RUSTC_ENV, toolchain.rustc().into()),
        (CARGO_HOME_ENV, cargo_home().into()),
        (STATE_ENV, work.state_dir().into()),
    ]
    .map(|(name, value)| (name.into(), value))
    .into()
}
