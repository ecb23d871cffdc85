//! The crates below the text: what cargo says of them (our shim answers, without what no cell can name), and their sources.

use crate::evaluator::build::built_in::ANALYSIS_ENV;
use crate::evaluator::build::shims::Crates;
use anyhow::Context;
use ra_ap_ide_db::FxHashMap;
use ra_ap_paths::AbsPathBuf;
use ra_ap_project_model::{CargoConfig, ProjectManifest, ProjectWorkspace, RustLibSource};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// What a notebook is made of, apart from its cells.
#[derive(Debug, Clone)]
pub(in crate::evaluator::rust) struct Project {
    /// With the notebook's dependencies.
    pub(in crate::evaluator::rust) manifest: String,
    /// The versions of the notebook's own crates, once it has some: the text of a lock.
    pub(in crate::evaluator::rust) versions: Option<String>,
    /// As the last cell was compiled with them.
    pub(in crate::evaluator::rust) crates: Crates,
}

/// A project as it was read.
pub(super) struct Sources {
    pub(super) workspace: ProjectWorkspace,
    /// Each file of it.
    pub(super) files: Vec<(AbsPathBuf, Vec<u8>)>,
    /// The file that is the text's place.
    pub(super) root: AbsPathBuf,
}

impl Project {
    /// Whether a newer one has other crates, or others of the same names.
    pub(super) fn differs_from(&self, newer: &Self) -> bool {
        let is_same = self.manifest == newer.manifest && self.versions == newer.versions;
        !is_same || !self.crates.changed(&newer.crates).is_empty()
    }

    /// Reads it by way of a directory of its own. Takes a second or so.
    ///
    /// # Errors
    /// If cargo does not answer, or the directory cannot be written.
    pub(super) fn read(&self, directory: &Path) -> anyhow::Result<Sources> {
        // Not what is above it: the kernel may have ended, and have removed its working directory.
        for directory in [directory, &directory.join("src")] {
            match fs::create_dir(directory) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
                _ => {}
            }
        }
        fs::write(directory.join("src/lib.rs"), "")?;
        fs::write(directory.join("Cargo.toml"), &self.manifest)?;
        let directory = directory.to_str().context("the working directory's path is not UTF-8")?;
        let directory =
            AbsPathBuf::try_from(directory).map_err(|path| anyhow::anyhow!("{path} is not an absolute path"))?;
        let manifest = ProjectManifest::from_manifest_file(directory.join("Cargo.toml"))?;
        let config = CargoConfig {
            sysroot: Some(RustLibSource::Discover),
            extra_env: FxHashMap::from_iter([(ANALYSIS_ENV.to_owned(), Some("1".to_owned()))]),
            ..CargoConfig::default()
        };
        let workspace = ProjectWorkspace::load(manifest, &config, &|_| {})?;
        let mut files = Vec::new();
        for root in workspace.to_roots() {
            for directory in &root.include {
                read_sources(directory.as_ref(), &root.exclude, &mut files);
            }
        }
        Ok(Sources { workspace, files, root: directory.join("src/lib.rs") })
    }
}

/// Reads the sources below a directory. What cannot be read is not known.
fn read_sources(directory: &Path, exclude: &[AbsPathBuf], files: &mut Vec<(AbsPathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if exclude.iter().any(|excluded| AsRef::<Path>::as_ref(excluded) == path) {
            continue;
        }
        if path.is_dir() {
            read_sources(&path, exclude, files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && let (Ok(bytes), Some(path)) = (fs::read(&path), path.to_str())
            && let Ok(path) = AbsPathBuf::try_from(path)
        {
            files.push((path, bytes));
        }
    }
}
