//! Packs the crates that cells link (below `kernel/`) into the program, which writes them out when it is installed.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is packed, relative to `kernel/`.
const PACKED: [&str; 8] =
    ["Cargo.toml", "Cargo.lock", "channel", "features", "host-features", "runtime", "async-std", "tokio"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("kernel");
    let mut files = Vec::new();
    for name in PACKED {
        println!("cargo::rerun-if-changed=kernel/{name}");
        collect(&root.join(name), &mut files)?;
    }
    files.sort();

    let mut code = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(&root).map_err(io::Error::other)?;
        // Debug formatting quotes the paths as Rust does.
        writeln!(code, "    ({name:?}, include_bytes!({file:?})),").map_err(io::Error::other)?;
    }
    code.push_str("]\n");
    fs::write(Path::new(&variable("OUT_DIR")?).join("crates.rs"), code)
}

/// Adds the files at or below `path`. Build directories and hidden files are not sources.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    if !path.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != "target" && !name.to_string_lossy().starts_with('.') {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}
