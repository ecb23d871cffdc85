//! The compile phase made visible: while dependencies compile, one updating display under the cell says which, k of n.

use crate::evaluator::Event;
use crate::evaluator::execution::Executions;
use crate::evaluator::standin::{BuildProgress, Watcher, watch};
use loopbook_channel::{CellId, DisplayKind, MimeBundle};
use serde_json::Map;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The name that cells are compiled under: not a dependency, so not worth a display.
const CELL_CRATE: &str = "ctx";

/// Stands for the name of a crate while crates are fetched.
const FETCHING: &str = "crates.io";

/// Shows the progress of this kernel's builds until the watcher is dropped.
///
/// # Errors
/// If the builds cannot be watched.
pub(super) fn show(root: &Path, executions: Arc<Executions>) -> io::Result<Watcher> {
    let mut shown: Option<CellId> = None;
    watch(root, move |progress| {
        let Some(cell) = executions.current_cell().filter(|_| progress.krate != CELL_CRATE) else { return };
        let kind = if shown == Some(cell) { DisplayKind::Update } else { DisplayKind::Display };
        shown = Some(cell);
        executions.send(Event::Display {
            cell,
            kind,
            data: bundle(&progress),
            metadata: Map::new(),
            display_id: Some(format!("loopbook-build-{cell}")),
        });
    })
}

fn bundle(progress: &BuildProgress) -> MimeBundle {
    let BuildProgress { krate, done, total } = progress;
    let text = match (krate.as_str(), total) {
        (FETCHING, 0) => "Asking crates.io".to_owned(),
        (FETCHING, _) => format!("Fetching from crates.io ({done} of {total})"),
        _ => format!("Compiling {krate} ({done} of {total})"),
    };
    MimeBundle::from([("text/plain".to_owned(), text.into())])
}
