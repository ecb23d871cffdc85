//! What is settled before anything is built: the crates that cells see, how they are compiled, and the names by which the
//! kernel and its shims know things.

/// The crates that every cell can use, as name and specification for evcxr's `:dep`. Paths are relative to the working
/// directory, which has a link `crates`; evcxr makes them absolute.
pub const DEPENDENCIES: [(&str, &str); 4] = [
    ("loopbook", r#"{ path = "crates/runtime" }"#),
    ("async-std", r#"{ package = "loopbook-async-std", path = "crates/async-std" }"#),
    ("tokio", r#"{ package = "loopbook-tokio", path = "crates/tokio" }"#),
    ("futures", r#""0.3""#),
];

/// How cells and their dependencies are compiled, in a `.cargo/config.toml` above the crate: it overrides the profile in
/// evcxr's manifest. Cells are compiled in a hurry, what they call is not; at level 1 rustc lets cells share the generic
/// code that is compiled already, at level 2 each cell compiles its own.
pub const CARGO_CONFIG: &str = "\
[profile.dev]
opt-level = 0
debug = false
incremental = false
codegen-units = 4

[profile.dev.package.\"*\"]
opt-level = 1
codegen-units = 16
debug = false
debug-assertions = false
overflow-checks = false

[profile.dev.build-override]
opt-level = 0
";

/// The name of the crate that evcxr compiles for each cell.
pub(in crate::evaluator) const CELL_CRATE: &str = "ctx";

/// Environment variable with the path of the real cargo.
pub(super) const CARGO_ENV: &str = "LOOPBOOK_CARGO";

/// Environment variable with the path of the real rustc.
pub(super) const RUSTC_ENV: &str = "LOOPBOOK_RUSTC";

/// Environment variable with the user's own cargo home.
pub(super) const CARGO_HOME_ENV: &str = "LOOPBOOK_CARGO_HOME";

/// Environment variable with the directory where the shims of one kernel remember things.
pub(super) const STATE_ENV: &str = "LOOPBOOK_STATE";

/// Environment variable that says that our own rust-analyzer asks, which serves completion and inspection.
pub(in crate::evaluator) const ANALYSIS_ENV: &str = "LOOPBOOK_ANALYSIS";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluator::reference::{CRATES, PATHS};
    use std::collections::BTreeSet;

    #[test]
    fn the_crates_are_std_and_those_that_are_built_in() {
        let built_in = DEPENDENCIES.iter().map(|(name, _)| name.replace('-', "_"));
        let all: BTreeSet<String> = built_in.chain(["std".to_owned()]).collect();
        for crates in [CRATES, PATHS] {
            assert_eq!(crates.map(str::to_owned).into_iter().collect::<BTreeSet<_>>(), all);
        }
    }
}
