//! What the kernel knows of the crates that every cell sees, without asking rust-analyzer: their public names, what kind
//! each is, its signature and its documentation. `read` finds them out, once per runtime; they lie beside it in the
//! template. `page` makes a page of one.
//!
//! rust-analyzer offers private modules of path dependencies, cannot be asked while it is busy, and finds only what is
//! in scope.

mod colour;
pub(super) mod page;
#[cfg(feature = "rust")]
mod read;
#[cfg(any(feature = "rust", test))]
mod usable;

#[cfg(feature = "rust")]
pub(super) use read::read;

use super::Completion;
use super::support::prelude;
use loopbook_channel::MimeBundle;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
#[cfg(any(feature = "rust", test))]
use std::{io, path::Path};

/// What cells see without asking, in the order in which a name is looked for: std, and the crates that are built in.
pub(super) const CRATES: [&str; 5] = ["loopbook", "async_std", "std", "futures", "tokio"];

/// The same in the order in which paths are given: of two paths to one item that of the earlier crate is the usual one.
#[cfg(any(feature = "rust", test))]
pub(super) const PATHS: [&str; 5] = ["std", "async_std", "futures", "tokio", "loopbook"];

/// The names of all crates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    items: Vec<Item>,
    /// What stands in each module, by its path: names, and numbers of items.
    modules: BTreeMap<String, Vec<(String, usize)>>,
}

/// An item, or a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Item {
    /// `async_std::task::spawn`, as a cell would name it.
    path: String,
    /// `loopbook::facade::task::spawn`, where it is defined.
    canonical: String,
    kind: Kind,
    /// Up to the body.
    signature: String,
    /// As its author wrote it, in Markdown.
    docs: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Function,
    Macro,
    Module,
    Type,
    Trait,
    Value,
    /// An attribute, or what `derive` takes.
    Attribute,
}

impl Kind {
    /// As completions have it.
    fn word(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Macro | Self::Attribute => "macro",
            Self::Module => "module",
            Self::Type => "class",
            Self::Trait => "trait",
            Self::Value => "instance",
        }
    }
}

impl Reference {
    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    /// If it is not there, or damaged.
    #[cfg(any(feature = "rust", test))]
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let reference: Self = serde_json::from_slice(&std::fs::read(path)?)?;
        let is_known = |(_, index): &(String, usize)| *index < reference.items.len();
        if reference.modules.values().flatten().all(is_known) {
            Ok(reference)
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }

    /// Writes it down.
    ///
    /// # Errors
    /// If the file cannot be written.
    #[cfg(feature = "rust")]
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, serde_json::to_vec(self)?)
    }

    /// What stands in a module and begins with `word`, what people use first at the beginning; `None` if no module has
    /// this path. The path may begin with a name of the prelude.
    pub(super) fn members(&self, path: &str, word: &str) -> Option<Vec<Completion>> {
        let names = self.modules.get(path).or_else(|| self.modules.get(&absolute(path)?))?;
        let mut found: Vec<(&str, &Item)> = names
            .iter()
            .map(|(name, index)| (name.as_str(), &self.items[*index]))
            .filter(|(name, _)| name.starts_with(word))
            .collect();
        found.sort_by_cached_key(|(name, item)| (usual(path, name), place(item.kind), (*name).to_owned()));
        let mut items: Vec<_> = found.into_iter().map(|(name, item)| item.completion(name)).collect();
        // A trait and the macro that derives it have one name.
        let mut seen = BTreeSet::new();
        items.retain(|item| seen.insert(item.text.clone()));
        Some(items)
    }

    /// The names of the prelude that begin with `word`.
    pub(super) fn prelude(&self, word: &str) -> Vec<Completion> {
        let names = prelude::PRELUDE.iter().flat_map(|(_, names)| names.iter()).filter(|name| name.starts_with(word));
        let item = |name: &str| self.find_exactly(&prelude::path_of(name.trim_end_matches('!'))?);
        let plain = |name: &str| Completion { text: name.to_owned(), kind: "function", signature: None };
        let known =
            |name: &&str| item(name).map_or_else(|| plain(name), |item| item.completion(name.trim_end_matches('!')));
        names.map(known).collect()
    }

    /// The page of what a cell would mean by this name, and where else there is something of the name.
    pub(super) fn describe(&self, name: &str) -> Option<MimeBundle> {
        let (item, others) = self.find(name)?;
        let others: Vec<&str> = others.iter().map(|item| item.path.as_str()).take(5).collect();
        Some(page::of_item(&item.path, &item.signature, &item.docs, &others))
    }

    /// The page of what is defined at this path, as rust-analyzer names it.
    #[cfg(any(feature = "rust", test))]
    pub(super) fn describe_canonical(&self, path: &str) -> Option<MimeBundle> {
        let item = self.items.iter().find(|item| item.canonical == path)?;
        Some(page::of_item(&item.path, &item.signature, &item.docs, &[]))
    }

    /// The best item for a name or the end of a path, and the others.
    fn find(&self, name: &str) -> Option<(&Item, Vec<&Item>)> {
        let wants_macro = name.ends_with('!');
        let name = name.trim_end_matches('!').trim_start_matches("::");
        let ending = format!("::{name}");
        let is_meant = |item: &&Item| item.path == name || item.path.ends_with(&ending) || self.is_in(name, item);
        let mut found: Vec<&Item> = self.items.iter().filter(is_meant).collect();
        let meant = absolute(name);
        found.sort_by_key(|item| {
            let is_macro = item.kind == Kind::Macro;
            let is_meant = item.path == name || meant.as_ref() == Some(&item.path) || self.is_in(name, item);
            let in_prelude = is_in_std_prelude(self, item);
            let depth = item.path.matches("::").count();
            (is_macro != wants_macro && wants_macro, !is_meant, !in_prelude, place_of_crate(&item.path), depth)
        });
        let (best, others) = found.split_first()?;
        Some((best, others.to_vec()))
    }

    /// Whether the path names the item by way of another module than its usual one.
    fn is_in(&self, path: &str, item: &Item) -> bool {
        let Some((module, last)) = path.rsplit_once("::") else { return false };
        let names = self.modules.get(module).or_else(|| self.modules.get(&absolute(module)?));
        names.into_iter().flatten().any(|(name, index)| name == last && self.items[*index] == *item)
    }

    fn find_exactly(&self, path: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.path == path)
    }
}

impl Item {
    fn completion(&self, name: &str) -> Completion {
        let text = if self.kind == Kind::Macro { format!("{name}!") } else { name.to_owned() };
        let signature = if self.kind == Kind::Module { self.path.clone() } else { self.signature.clone() };
        Completion { text, kind: self.kind.word(), signature: Some(page::one_line(&signature)) }
    }
}

/// `async_std::task::sleep` for `task::sleep`.
fn absolute(path: &str) -> Option<String> {
    let (first, rest) = path.split_once("::").map_or((path, None), |(first, rest)| (first, Some(rest)));
    let first = prelude::path_of(first)?;
    Some(rest.map_or_else(|| first.clone(), |rest| format!("{first}::{rest}")))
}

/// Where an item of loopbook stands among those that people use first; others behind them.
fn usual(module: &str, name: &str) -> usize {
    /// In the order of the README.
    const USUAL: [&str; 22] = [
        "gather",
        "gather_all",
        "try_gather",
        "try_gather_all",
        "race",
        "display",
        "progress",
        "input",
        "password",
        "keep",
        "cost",
        "predict",
        "Loop",
        "timeline",
        "trace",
        "all_tasks",
        "task",
        "cancel",
        "lab",
        "json",
        "lints",
        "resources",
    ];
    if module != "loopbook" {
        return 0;
    }
    USUAL.iter().position(|known| *known == name).unwrap_or(USUAL.len())
}

/// What runs comes before what has types.
fn place(kind: Kind) -> usize {
    match kind {
        Kind::Function | Kind::Macro => 0,
        Kind::Module => 1,
        Kind::Type => 2,
        Kind::Trait => 3,
        Kind::Value | Kind::Attribute => 4,
    }
}

fn place_of_crate(path: &str) -> usize {
    let name = path.split("::").next().unwrap_or_default();
    CRATES.iter().position(|known| *known == name).unwrap_or(CRATES.len())
}

fn is_in_std_prelude(reference: &Reference, item: &Item) -> bool {
    let names = reference.modules.get("std::prelude::v1").into_iter().flatten();
    names.into_iter().any(|(_, index)| reference.items[*index] == *item)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few names, with two that are called the same.
    fn small() -> Reference {
        let mut reference = Reference::default();
        for (path, kind) in [
            ("loopbook::gather", Kind::Macro),
            ("loopbook::About", Kind::Type),
            ("loopbook::Awaitable", Kind::Trait),
            ("loopbook::about", Kind::Function),
            ("loopbook::lab", Kind::Module),
            ("std::thread::spawn", Kind::Function),
            ("async_std::task::spawn", Kind::Function),
            ("async_std::task", Kind::Module),
            ("std::vec::Vec", Kind::Type),
        ] {
            let (module, name) = path.rsplit_once("::").unwrap();
            let index = reference.items.len();
            reference.items.push(Item {
                path: path.to_owned(),
                canonical: format!("real::{name}"),
                kind,
                signature: format!("{name}\n  …"),
                docs: "It is good.".to_owned(),
            });
            let modules = [module.to_owned(), "std::prelude::v1".to_owned()];
            for module in modules.into_iter().take(if name == "Vec" { 2 } else { 1 }) {
                reference.modules.entry(module).or_default().push((name.to_owned(), index));
            }
        }
        reference
    }

    fn texts(found: Option<Vec<Completion>>) -> Vec<(String, &'static str)> {
        found.expect("a module").into_iter().map(|item| (item.text, item.kind)).collect()
    }

    #[test]
    fn what_people_use_first_comes_first_and_types_behind() {
        let names = texts(small().members("loopbook", ""));
        let wanted = [
            ("gather!", "macro"),
            ("lab", "module"),
            ("about", "function"),
            ("About", "class"),
            ("Awaitable", "trait"),
        ];
        assert_eq!(names, wanted.map(|(name, kind)| (name.to_owned(), kind)));
        assert_eq!(texts(small().members("task", "sp")), [("spawn".to_owned(), "function")]);
        assert_eq!(small().members("nowhere", ""), None);
    }

    #[test]
    fn a_name_is_looked_for_where_a_cell_would_mean_it() {
        let reference = small();
        let path = |name: &str| reference.find(name).map(|(item, others)| (item.path.clone(), others.len()));
        assert_eq!(path("spawn"), Some(("async_std::task::spawn".to_owned(), 1)));
        assert_eq!(path("thread::spawn"), Some(("std::thread::spawn".to_owned(), 0)));
        assert_eq!(path("task::spawn"), Some(("async_std::task::spawn".to_owned(), 0)));
        assert_eq!(path("gather!"), Some(("loopbook::gather".to_owned(), 0)));
        assert_eq!(path("Vec"), Some(("std::vec::Vec".to_owned(), 0)));
        assert_eq!(path("nothing"), None);
    }

    #[test]
    fn a_page_names_the_others_of_the_name() {
        let page = small().describe("spawn").unwrap();
        let text = page["text/plain"].as_str().unwrap();
        assert!(text.contains("It is good.") && text.contains("`std::thread::spawn`"), "{text}");
        assert!(small().describe_canonical("real::gather").is_some());
    }

    #[test]
    fn the_names_of_the_prelude_complete_before_anything_is_known_of_them() {
        let texts = |reference: &Reference| -> Vec<String> {
            reference.prelude("gath").into_iter().map(|item| item.text).collect()
        };
        assert_eq!(texts(&Reference::default()), ["gather!", "gather_all"]);
        assert_eq!(texts(&small()), ["gather!", "gather_all"]);
    }

    #[test]
    fn a_damaged_file_is_no_reference() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("names.json");
        assert!(Reference::open(&file).is_err());
        for text in ["", "{", r#"{"items":[],"modules":{"std":[["x",7]]}}"#] {
            std::fs::write(&file, text).unwrap();
            assert!(Reference::open(&file).is_err(), "{text}");
        }
        std::fs::write(&file, serde_json::to_vec(&small()).unwrap()).unwrap();
        assert_eq!(Reference::open(&file).unwrap(), small());
    }
}
