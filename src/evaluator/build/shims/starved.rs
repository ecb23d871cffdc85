//! What evcxr's own rust-analyzer is told: that the crate of the cells is all there is.
//!
//! evcxr has rust-analyzer read the standard library and every crate before the first cell, and infer the types of each
//! cell's variables before rustc may begin; it offers no way around either. rustc says the types here (`variable_types`), and
//! completions come from a rust-analyzer of our own. So this one gets a workspace of one package without dependencies, and no
//! standard library: it is done with both in milliseconds.
//!
//! Upstream, evcxr would have to offer: an `EvalContext` without an analyzer (or with one that the caller passes), and the
//! type of a variable as something that the caller may fill in between `ContextState::apply` and the compilation. `variable_types`
//! lists what would have to change for that.

use super::analysis_cache::Answer;
use super::invocation::{Invocation, is_for_completion};
use super::state::State;
use crate::evaluator::build::built_in::CELL_CRATE;
use serde_json::json;
use std::ffi::OsString;

/// What the crate of the cells is made of, if evcxr's rust-analyzer asks for that.
pub(super) fn metadata(state: &State, call: &Invocation) -> Option<Answer> {
    let is_asked = !is_for_completion() && call.is_metadata_of_analysis() && call.is_about_cells(state);
    is_asked.then(|| Answer { status: 0, stdout: one_package(state), stderr: String::new() })
}

/// Whether evcxr's rust-analyzer asks where the standard library is.
pub(super) fn asks_for_library(arguments: &[OsString]) -> bool {
    !is_for_completion() && arguments == ["--print", "sysroot"]
}

/// `cargo metadata` of the crate of the cells, without dependencies.
fn one_package(state: &State) -> String {
    let directory = state.crate_dir();
    let id = format!("path+file://{}#{CELL_CRATE}@1.0.0", directory.display());
    let target = json!({
        "kind": ["cdylib"], "crate_types": ["cdylib"], "name": CELL_CRATE, "src_path": directory.join("src/lib.rs"),
        "edition": "2024", "doc": true, "doctest": false, "test": true,
    });
    let package = json!({
        "name": CELL_CRATE, "version": "1.0.0", "id": id, "license": null, "license_file": null, "description": null,
        "source": null, "dependencies": [], "targets": [target], "features": {}, "manifest_path": directory.join("Cargo.toml"),
        "metadata": null, "publish": null, "authors": [], "categories": [], "keywords": [], "readme": null,
        "repository": null, "homepage": null, "documentation": null, "edition": "2024", "links": null,
        "default_run": null, "rust_version": null,
    });
    let node = json!({"id": id, "dependencies": [], "deps": [], "features": []});
    json!({
        "packages": [package], "workspace_members": [id], "workspace_default_members": [id],
        "resolve": {"nodes": [node], "root": id}, "target_directory": directory.join("target"), "version": 1,
        "workspace_root": directory, "metadata": null,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn evcxrs_rust_analyzer_sees_the_crate_of_the_cells_alone() {
        let state = State::of(Path::new("/w"));
        let ask = |directory: &str| {
            let line =
                format!("metadata --format-version 1 --manifest-path {directory}/Cargo.toml --filter-platform x");
            let arguments: Vec<_> = line.split(' ').map(OsString::from).collect();
            metadata(&state, &Invocation::parse(&arguments))
        };
        let told: serde_json::Value = serde_json::from_str(&ask("/w/crate").unwrap().stdout).unwrap();
        assert_eq!(told["packages"][0]["targets"][0]["src_path"], "/w/crate/src/lib.rs");
        assert_eq!(told["resolve"]["nodes"].as_array().unwrap().len(), 1);
        assert!(ask("/w/check").is_none());
        assert!(asks_for_library(&["--print", "sysroot"].map(OsString::from)));
        // cargo asks for it together with other things.
        assert!(!asks_for_library(&["-", "--print=sysroot"].map(OsString::from)));
    }
}
