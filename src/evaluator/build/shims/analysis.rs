//! What rust-analyzer is shown of the crates below the runtime.
//!
//! rust-analyzer works inside the kernel to find out the types of variables. It reads, keeps and searches every crate that
//! `cargo metadata` names, while cells only ever meet the types of a few. Without the others, and without the standard
//! library's vector instructions, a start takes half the processor time and 300 MB less memory. The compiler is not
//! concerned: it always sees all crates.

use super::manifest;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The crates below ours whose types, traits or macros appear in what cells can write.
const VISIBLE: [&str; 46] = [
    "async-channel",
    "async-executor",
    "async-fs",
    "async-global-executor",
    "async-io",
    "async-lock",
    "async-net",
    "async-process",
    "async-signal",
    "async-std",
    "async-task",
    "atomic-waker",
    "blocking",
    "bytes",
    "cfg-if",
    "concurrent-queue",
    "crossbeam-utils",
    "event-listener",
    "event-listener-strategy",
    "fastrand",
    "futures",
    "futures-channel",
    "futures-core",
    "futures-executor",
    "futures-io",
    "futures-lite",
    "futures-sink",
    "futures-task",
    "futures-util",
    "kv-log-macro",
    "log",
    "loopbook",
    "loopbook-async-std",
    "loopbook-channel",
    "loopbook-tokio",
    "memchr",
    "once_cell",
    "parking",
    "pin-project-lite",
    "pin-utils",
    "piper",
    "serde",
    "serde_core",
    "serde_json",
    "slab",
    "tokio",
];

/// What the standard library is made of, as far as code can see it. The maps of `std` are wrapped around those of
/// `hashbrown`; the workspace crates stand for `core` and `alloc` in what it depends on.
const LIBRARY: [&str; 8] = [
    "alloc",
    "cfg-if",
    "core",
    "hashbrown",
    "proc_macro",
    "rustc-std-workspace-alloc",
    "rustc-std-workspace-core",
    "std",
];

/// A package of `cargo metadata`.
struct Package {
    name: String,
    is_proc_macro: bool,
    /// Those that it is linked with: not what only its build script or its tests need.
    dependencies: Vec<String>,
}

/// The answer of `cargo metadata` for the crate that evcxr writes, without the packages that no cell can name. Text that is
/// not understood is returned as it is.
pub(super) fn trim(metadata: &str) -> String {
    let Ok(mut metadata) = serde_json::from_str::<Value>(metadata) else { return metadata.to_owned() };
    let Some(visible) = visible(&metadata) else { return metadata.to_string() };
    keep(&mut metadata, &visible);
    metadata.to_string()
}

/// The answer of `cargo metadata` for the standard library, without what no code can name.
pub(super) fn trim_library(metadata: &str) -> String {
    let Ok(mut metadata) = serde_json::from_str::<Value>(metadata) else { return metadata.to_owned() };
    let visible = list(&metadata["packages"])
        .filter(|package| package["name"].as_str().is_some_and(|name| LIBRARY.contains(&name)))
        .filter_map(|package| package["id"].as_str().map(str::to_owned))
        .collect();
    keep(&mut metadata, &visible);
    metadata.to_string()
}

/// Removes all other packages, and every mention of them.
fn keep(metadata: &mut Value, visible: &BTreeSet<String>) {
    let is_visible = |id: &Value| id.as_str().is_some_and(|id| visible.contains(id));
    for members in ["/workspace_members", "/workspace_default_members"] {
        retain(metadata.pointer_mut(members), is_visible);
    }
    retain(metadata.pointer_mut("/packages"), |package| is_visible(&package["id"]));
    // Nothing is resolved if rust-analyzer asks for the members only.
    retain(metadata.pointer_mut("/resolve/nodes"), |node| is_visible(&node["id"]));
    let nodes = metadata.pointer_mut("/resolve/nodes").and_then(Value::as_array_mut);
    for node in nodes.into_iter().flatten() {
        retain(node.get_mut("deps"), |dependency| is_visible(&dependency["pkg"]));
        retain(node.get_mut("dependencies"), is_visible);
    }
}

/// The ids of the packages to show; `None` if nothing is resolved.
fn visible(metadata: &Value) -> Option<BTreeSet<String>> {
    let root = metadata["resolve"]["root"].as_str()?;
    let packages = packages(metadata);
    let mut visible = BTreeSet::from([root.to_owned()]);
    // What belongs to the user's own dependencies is shown, whether ours use it too or not.
    let (ours, theirs): (Vec<_>, Vec<_>) =
        direct(metadata, root).into_iter().partition(|(name, _)| manifest::is_ours(name));
    for (direct, everything) in [(theirs, true), (ours, false)] {
        let mut queue: VecDeque<String> = direct.into_iter().map(|(_, id)| id).collect();
        while let Some(id) = queue.pop_front() {
            let Some(package) = packages.get(&id) else { continue };
            if !(everything || VISIBLE.contains(&package.name.as_str())) || !visible.insert(id) {
                continue;
            }
            // Procedural macros are not run here: of such a crate only the names of its macros count.
            if !package.is_proc_macro {
                queue.extend(package.dependencies.iter().cloned());
            }
        }
    }
    Some(visible)
}

fn packages(metadata: &Value) -> BTreeMap<String, Package> {
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata["resolve"]["nodes"]).filter_map(|node| Some((node["id"].as_str()?, node))).collect();
    list(&metadata["packages"])
        .filter_map(|package| {
            let id = package["id"].as_str()?;
            let is_proc_macro =
                list(&package["targets"]).any(|target| list(&target["kind"]).any(|k| k == "proc-macro"));
            let dependencies = nodes.get(id).into_iter().flat_map(|node| linked(node)).map(|(_, id)| id).collect();
            Some((id.to_owned(), Package { name: package["name"].as_str()?.to_owned(), is_proc_macro, dependencies }))
        })
        .collect()
}

/// Direct dependencies of the package `id`, as they stand in its manifest.
fn direct(metadata: &Value, id: &str) -> Vec<(String, String)> {
    list(&metadata["resolve"]["nodes"]).filter(|node| node["id"] == id).flat_map(linked).collect()
}

/// The `(name, id)` of what a package is linked with. The name is the one that code uses, with `_` for `-`.
fn linked(node: &Value) -> Vec<(String, String)> {
    list(&node["deps"])
        .filter(|dependency| list(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null()))
        .filter_map(|dependency| {
            Some((dependency["name"].as_str()?.to_owned(), dependency["pkg"].as_str()?.to_owned()))
        })
        .collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn retain(list: Option<&mut Value>, wanted: impl Fn(&Value) -> bool) {
    if let Some(list) = list.and_then(Value::as_array_mut) {
        list.retain(wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Metadata of packages given as `name: dependencies`; the first is the crate that evcxr writes.
    fn metadata(packages: &[(&str, &[&str])]) -> String {
        let kind = |name: &str| if name.ends_with("macros") { "proc-macro" } else { "lib" };
        let listed: Vec<_> = packages
            .iter()
            .map(|(name, _)| json!({"id": name, "name": name, "targets": [{"kind": [kind(name)]}]}))
            .collect();
        let nodes: Vec<_> = packages
            .iter()
            .map(|(name, dependencies)| {
                let deps: Vec<_> = dependencies
                    .iter()
                    .map(|id| json!({"name": id.replace('-', "_"), "pkg": id, "dep_kinds": [{"kind": null}]}))
                    .collect();
                json!({"id": name, "deps": deps, "dependencies": dependencies})
            })
            .collect();
        json!({"packages": listed, "resolve": {"root": packages[0].0, "nodes": nodes}}).to_string()
    }

    fn names(metadata: &str) -> Vec<String> {
        let metadata: Value = serde_json::from_str(metadata).unwrap();
        list(&metadata["resolve"]["nodes"]).map(|node| node["id"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn what_only_the_runtime_uses_is_hidden() {
        let all = metadata(&[
            ("ctx", &["loopbook", "futures"]),
            ("loopbook", &["tokio", "libc"]),
            ("futures", &[]),
            ("tokio", &["mio", "bytes"]),
            ("mio", &["libc"]),
            ("libc", &[]),
            ("bytes", &[]),
        ]);
        let trimmed = trim(&all);
        assert_eq!(names(&trimmed), ["ctx", "loopbook", "futures", "tokio", "bytes"]);
        assert!(!trimmed.contains("libc") && !trimmed.contains("mio"), "{trimmed}");
    }

    #[test]
    fn what_a_crate_of_the_users_is_linked_with_is_shown_except_below_procedural_macros() {
        let all = metadata(&[
            ("ctx", &["loopbook", "nix", "their-macros"]),
            ("loopbook", &["libc", "mio"]),
            ("nix", &["libc"]),
            ("their-macros", &["syn"]),
            ("syn", &[]),
            ("mio", &[]),
            ("libc", &[]),
        ]);
        assert_eq!(names(&trim(&all)), ["ctx", "loopbook", "nix", "their-macros", "libc"]);
    }

    #[test]
    fn of_the_standard_library_the_maps_are_shown_and_the_backtraces_are_not() {
        let all = metadata(&[
            ("std", &["core", "hashbrown", "gimli"]),
            ("core", &[]),
            ("hashbrown", &["core"]),
            ("gimli", &[]),
        ]);
        let trimmed = trim_library(&all);
        assert_eq!(names(&trimmed), ["std", "core", "hashbrown"]);
        assert!(!trimmed.contains("gimli"), "{trimmed}");
    }

    #[test]
    fn an_answer_without_a_resolution_is_left_alone() {
        assert_eq!(trim("no JSON"), "no JSON");
        let unresolved = r#"{"packages":[],"resolve":null}"#;
        assert_eq!([trim(unresolved), trim_library(unresolved)], [unresolved, unresolved]);
    }
}
