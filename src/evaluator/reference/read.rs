//! Has rust-analyzer read the crates that every cell sees, and writes down their public names: as the compiler would
//! find them, through re-exports, macros and conditions, and nothing that its author hides.

use super::{CRATES, Item, Kind, PATHS, Reference};
use anyhow::Context;
use ra_ap_base_db::SourceRoot;
use ra_ap_hir::{
    Adt, Crate, DisplayTarget, HasAttrs, HirDisplay, Macro, MacroKind, Module, ModuleDef, ScopeDef, attach_db,
};
use ra_ap_ide::{AnalysisHost, RootDatabase};
use ra_ap_ide_db::FxHashMap;
use ra_ap_paths::AbsPathBuf;
use ra_ap_project_model::{CargoConfig, ProjectManifest, ProjectWorkspace, RustLibSource};
use ra_ap_syntax::Edition;
use ra_ap_vfs::{Change, Vfs, file_set::FileSetConfig};
use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::path::Path;

/// Directories of the standard library in which nobody looks for a name: vector instructions, and tests.
const SKIPPED: [&str; 4] = ["stdarch", "tests", "benches", "target"];

/// Public for the crates `async_std` and `tokio` of cells only.
const INTERNAL: [&str; 1] = ["facade"];

/// How deeply modules may lie in each other.
const DEEPEST: usize = 5;

/// The public names that the crate in this directory can use. Takes some seconds.
///
/// # Errors
/// If cargo cannot say what the crate is made of.
pub(in crate::evaluator) fn read(directory: &Path) -> anyhow::Result<Reference> {
    let host = load(directory)?;
    let db = host.raw_database();
    attach_db(db, || {
        let is_cell = |krate: &Crate| krate.display_name(db).is_some_and(|name| name.to_string() == "ctx");
        let cell = Crate::all(db).into_iter().find(is_cell).context("the crate of the cells is not there")?;
        let mut reader = Reader::new(db, cell);
        for name in PATHS {
            reader.read_crate(name);
        }
        let reference = reader.reference;
        let missing = CRATES.iter().find(|name| !reference.modules.contains_key(**name));
        anyhow::ensure!(missing.is_none(), "nothing is known of {}", missing.unwrap_or(&""));
        Ok(reference)
    })
}

/// Shows rust-analyzer the crate and all that it depends on.
fn load(directory: &Path) -> anyhow::Result<AnalysisHost> {
    let directory = directory.to_str().context("the path is not UTF-8")?;
    let root = AbsPathBuf::try_from(directory).map_err(|path| anyhow::anyhow!("{path} is not absolute"))?;
    let manifest = ProjectManifest::from_manifest_file(root.join("Cargo.toml"))?;
    let offline = ("CARGO_NET_OFFLINE".to_owned(), Some("true".to_owned()));
    let config = CargoConfig {
        sysroot: Some(RustLibSource::Discover),
        extra_env: FxHashMap::from_iter([offline]),
        ..CargoConfig::default()
    };
    let workspace = ProjectWorkspace::load(manifest, &config, &|_| {})?;
    let mut vfs = Vfs::default();
    for directory in workspace.to_roots().iter().flat_map(|root| &root.include) {
        read_sources(directory.as_ref(), &mut vfs);
    }
    let mut change = ra_ap_hir::ChangeWithProcMacros::default();
    for (file, changed) in vfs.take_changes() {
        if let Change::Create(bytes, _) | Change::Modify(bytes, _) = changed.change {
            change.change_file(file, String::from_utf8(bytes).ok());
        }
    }
    let roots = FileSetConfig::default().partition(&vfs);
    change.set_roots(roots.into_iter().map(SourceRoot::new_library).collect());
    let mut find = |path: &ra_ap_paths::AbsPath| vfs.file_id(&path.to_path_buf().into()).map(|(file, _)| file);
    let (graph, _) = workspace.to_crate_graph(&mut find, &FxHashMap::default());
    change.set_crate_graph(graph);
    let mut host = AnalysisHost::default();
    host.apply_change(change);
    Ok(host)
}

/// Reads the sources below a directory. What cannot be read is not known.
fn read_sources(directory: &Path, vfs: &mut Vfs) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if !SKIPPED.iter().any(|skipped| name == *skipped) {
                read_sources(&path, vfs);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && let (Ok(bytes), Some(path)) = (fs::read(&path), path.to_str())
            && let Ok(path) = AbsPathBuf::try_from(path)
        {
            vfs.set_file_contents(path.into(), Some(bytes));
        }
    }
}

struct Reader<'db> {
    db: &'db RootDatabase,
    cell: Crate,
    target: DisplayTarget,
    reference: Reference,
    known: HashMap<ModuleDef, usize>,
}

impl<'db> Reader<'db> {
    fn new(db: &'db RootDatabase, cell: Crate) -> Self {
        let target = cell.to_display_target(db);
        Self { db, cell, target, reference: Reference::default(), known: HashMap::new() }
    }

    /// Reads the crate that cells know by this name, the modules nearest to its root first.
    fn read_crate(&mut self, name: &str) {
        let mut dependencies = self.cell.dependencies(self.db).into_iter();
        let Some(found) = dependencies.find(|dependency| dependency.name.as_str() == name) else { return };
        let root = found.krate.root_module(self.db);
        let index = self.item(root.into(), name, name);
        let mut seen = HashSet::from([root]);
        let mut queue = VecDeque::from([(root, name.to_owned())]);
        self.known.extend(index.map(|index| (root.into(), index)));
        while let Some((module, path)) = queue.pop_front() {
            let mut names = Vec::new();
            for (name, def) in self.public(module) {
                let path = format!("{path}::{name}");
                let Some(index) = self.index(def, &path, &name) else { continue };
                names.push((name, index));
                if let ModuleDef::Module(inner) = def
                    && path.matches("::").count() < DEEPEST
                    && seen.insert(inner)
                {
                    queue.push_back((inner, path));
                }
            }
            names.sort();
            names.dedup();
            self.reference.modules.insert(path, names);
        }
    }

    /// What a cell can see in a module, without what its author hides or may still change.
    fn public(&self, module: Module) -> Vec<(String, ModuleDef)> {
        let from = self.cell.root_module(self.db);
        let entries = module.scope(self.db, Some(from)).into_iter();
        let defs = entries.filter_map(|(name, def)| match def {
            ScopeDef::ModuleDef(def) => Some((name.as_str().to_owned(), def)),
            _ => None,
        });
        let is_shown = |(name, def): &(String, ModuleDef)| {
            let hidden = INTERNAL.contains(&name.as_str())
                || def.attrs(self.db).is_none_or(|attrs| attrs.is_doc_hidden() || attrs.is_unstable());
            !(hidden || name.starts_with('_'))
        };
        defs.filter(is_shown).collect()
    }

    fn index(&mut self, def: ModuleDef, path: &str, name: &str) -> Option<usize> {
        if let Some(index) = self.known.get(&def) {
            return Some(*index);
        }
        let index = self.item(def, path, name)?;
        self.known.insert(def, index);
        Some(index)
    }

    fn item(&mut self, def: ModuleDef, path: &str, name: &str) -> Option<usize> {
        let kind = self.kind(def)?;
        let canonical = def.canonical_path(self.db, Edition::Edition2024).map(|path| self.with_crate(def, &path));
        let item = Item {
            path: path.to_owned(),
            canonical: canonical.unwrap_or_else(|| path.to_owned()),
            kind,
            signature: self.signature(def, name),
            docs: self.docs(def),
        };
        self.reference.items.push(item);
        Some(self.reference.items.len() - 1)
    }

    /// A path within a crate, with the crate's name in front.
    fn with_crate(&self, def: ModuleDef, path: &str) -> String {
        let krate = def.module(self.db).map(|module| module.krate(self.db));
        let name = krate.and_then(|krate| krate.display_name(self.db)).map(|name| name.to_string());
        name.map_or_else(|| path.to_owned(), |name| format!("{name}::{path}"))
    }

    fn kind(&self, def: ModuleDef) -> Option<Kind> {
        Some(match def {
            ModuleDef::Module(_) => Kind::Module,
            ModuleDef::Function(_) => Kind::Function,
            ModuleDef::Adt(_) | ModuleDef::TypeAlias(_) => Kind::Type,
            ModuleDef::EnumVariant(_) | ModuleDef::Const(_) | ModuleDef::Static(_) => Kind::Value,
            ModuleDef::Trait(_) => Kind::Trait,
            ModuleDef::Macro(it) => self.kind_of_macro(it),
            ModuleDef::BuiltinType(_) => return None,
        })
    }

    fn kind_of_macro(&self, it: Macro) -> Kind {
        match it.kind(self.db) {
            MacroKind::Declarative | MacroKind::DeclarativeBuiltIn | MacroKind::ProcMacro => Kind::Macro,
            _ => Kind::Attribute,
        }
    }

    fn signature(&self, def: ModuleDef, name: &str) -> String {
        let (db, target) = (self.db, self.target);
        match def {
            ModuleDef::Module(_) => format!("mod {name}"),
            ModuleDef::Function(it) => it.display(db, target).to_string(),
            // Fields are mostly private.
            ModuleDef::Adt(it @ Adt::Enum(_)) => it.display_limited(db, Some(5), target).to_string(),
            ModuleDef::Adt(it) => it.display_limited(db, Some(0), target).to_string(),
            ModuleDef::TypeAlias(it) => it.display(db, target).to_string(),
            ModuleDef::EnumVariant(it) => it.display(db, target).to_string(),
            ModuleDef::Const(it) => it.display(db, target).to_string(),
            ModuleDef::Static(it) => it.display(db, target).to_string(),
            ModuleDef::Trait(it) => it.display_limited(db, None, target).to_string(),
            ModuleDef::Macro(it) if self.kind_of_macro(it) == Kind::Macro => format!("macro {name}!"),
            ModuleDef::Macro(_) => format!("#[{name}]"),
            ModuleDef::BuiltinType(_) => name.to_owned(),
        }
    }

    fn docs(&self, def: ModuleDef) -> String {
        let db = self.db;
        let docs = match def {
            ModuleDef::Module(it) => it.hir_docs(db),
            ModuleDef::Function(it) => it.hir_docs(db),
            ModuleDef::Adt(it) => it.hir_docs(db),
            ModuleDef::TypeAlias(it) => it.hir_docs(db),
            ModuleDef::EnumVariant(it) => it.hir_docs(db),
            ModuleDef::Const(it) => it.hir_docs(db),
            ModuleDef::Static(it) => it.hir_docs(db),
            ModuleDef::Trait(it) => it.hir_docs(db),
            ModuleDef::Macro(it) => it.hir_docs(db),
            ModuleDef::BuiltinType(_) => None,
        };
        // Examples of ours name the facade by the path that it has where they are tested.
        docs.map(|docs| docs.docs().replace("loopbook::facade::", "async_std::")).unwrap_or_default()
    }
}
