//! The manifests that evcxr writes.

use crate::evaluator::build::built_in::DEPENDENCIES;
use toml::{Table, Value};

/// The package name of the manifest that evcxr writes to see whether one dependency exists.
const VALIDATION: &str = "evcxr_dummy_validate_dep";

/// What a manifest depends on. One that cargo could not read depends on nothing.
fn dependencies(manifest: &str) -> Table {
    let mut manifest: Table = manifest.parse().unwrap_or_default();
    match manifest.remove("dependencies") {
        Some(Value::Table(dependencies)) => dependencies,
        _ => Table::new(),
    }
}

/// Whether evcxr only wants to know that a dependency exists. It does: evcxr hears of a crate after it has been compiled.
pub(super) fn is_validation(manifest: &str) -> bool {
    manifest.contains(VALIDATION)
}

/// Whether a cell asked for a crate that is not built in.
pub(super) fn has_foreign(manifest: &str) -> bool {
    dependencies(manifest).keys().any(|name| !is_ours(name))
}

/// Whether one of the user's crates lies in a directory, where its text may change unseen.
pub(super) fn has_foreign_path(manifest: &str) -> bool {
    dependencies(manifest).iter().any(|(name, specification)| !is_ours(name) && specification.get("path").is_some())
}

/// The manifest with its dependencies in one order: evcxr keeps them in a hash map.
pub(super) fn in_order(manifest: &str) -> String {
    manifest.parse::<Table>().map_or_else(|_| manifest.to_owned(), |table| table.to_string())
}

/// Whether a dependency is built in. Code and packages may spell its name with `_` or `-`.
pub(super) fn is_ours(name: &str) -> bool {
    DEPENDENCIES.iter().any(|(ours, _)| *ours == name || ours.replace('-', "_") == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_dependencies_does_not_matter() {
        let one = "[package]\nname = \"ctx\"\n[dependencies]\nb = \"1\"\na = { version = \"2\" }\n";
        let other = "[package]\nname = \"ctx\"\n[dependencies]\na = { version = \"2\" }\nb = \"1\"\n";
        assert_eq!(in_order(one), in_order(other));
        assert_ne!(in_order(one), in_order("[package]\nname = \"ctx\"\n[dependencies]\nb = \"1\"\n"));
    }

    #[test]
    fn our_own_crates_are_told_from_others_and_a_validation_from_a_build() {
        let ours = format!("[package]\nname = \"{VALIDATION}\"\n    [dependencies]\n    futures = \"0.3\"\n");
        assert!(is_validation(&ours) && !is_validation(&ours.replace(VALIDATION, "ctx")));
        assert!(!has_foreign(&ours));
        let foreign = ours.replace("futures", "rand");
        assert!(has_foreign(&foreign) && !has_foreign_path(&foreign));
        assert!(has_foreign_path("[dependencies]\nmine = { path = \"/x\" }\n"));
        assert!(!has_foreign_path("[dependencies]\nrand = { version = \"1\", features = [\"path\"] }\n"));
    }
}
