//! The files that a session needs: the working directory with the compiled runtime in it, the socket to the child and
//! the pipe of the builds. If somebody removes it while the kernel lives, it is made again.

use super::environment::{Environment, Linked};
use super::session::Session;
use super::warnings_of;
use crate::evaluator::build::shims::{Watcher, watch};
use crate::evaluator::build::template;
use crate::evaluator::child::executions::Executions;
use crate::evaluator::child::server::{self, Listening};
use crate::evaluator::errors::diagnostics::Sources;
use crate::evaluator::errors::report;
use crate::evaluator::support::wording;
use crate::evaluator::{Cell, Event, Report};
use loopbook_channel::{DisplayKind, MimeBundle};
use std::fs;
use std::sync::Arc;

/// The ends of what leads into a working directory.
pub(super) struct Place {
    _socket: Listening,
    _builds: Option<Watcher>,
}

/// Makes the working directory, without a template in it, and opens what leads there.
///
/// # Errors
/// A sentence: what is missing or cannot be written.
pub(super) fn make(
    environment: &Environment,
    executions: &Arc<Executions>,
    sources: &Sources,
) -> anyhow::Result<Place> {
    environment.make_work_dir()?;
    let root = environment.work.root();
    let warnings = warnings_of(root.to_owned(), sources.clone());
    let socket = server::listen(&environment.socket(), executions.clone(), sources.clone(), warnings)?;
    let executions = executions.clone();
    let builds = watch(root, move |build, progress| executions.build_goes_on(build, progress));
    if let Err(error) = &builds {
        tracing::warn!("builds cannot be watched: {error}");
    }
    Ok(Place { _socket: socket, _builds: builds.ok() })
}

impl Session {
    /// Makes the working directory again if it is gone or damaged, under a cell that waits for it. The process of the cells
    /// does not notice.
    ///
    /// # Errors
    /// Why there is none, for the user. The next cell tries again.
    pub(super) fn make_place_again(&mut self, cell: &Cell) -> Result<(), Report> {
        if self.environment.work.is_whole() {
            return Ok(());
        }
        let show = |text: &str, kind| show_state(&self.executions, cell, text, kind);
        show("The kernel's working directory was removed or damaged. It is made again.", DisplayKind::Display);
        let made = make(&self.environment, &self.executions, &self.sources).and_then(|place| {
            let linked = self.environment.link_again(&self.linked, |line| show(line, DisplayKind::Update))?;
            Ok((place, linked))
        });
        let filled = made.and_then(|(place, linked)| self.fill(&linked).map(|()| (place, linked)));
        match filled {
            Ok((place, linked)) => {
                (self.place, self.linked) = (place, linked);
                let crates = if self.dependencies.is_empty() { "" } else { AGAIN };
                show(&format!("{MADE}{crates}"), DisplayKind::Update);
                Ok(())
            }
            Err(error) => {
                // What was made so far takes room on the disk.
                self.environment.work.remove();
                Err(report::no_place(&wording::sentence(&error)))
            }
        }
    }

    /// Puts into a new working directory what is this notebook's and not the template's.
    fn fill(&self, linked: &Linked) -> anyhow::Result<()> {
        if self.runtime != linked.runtime {
            template::forget_runtime(&self.environment.work)?;
        }
        if let Some(versions) = &self.versions {
            fs::write(self.environment.work.state_dir().join("Cargo.lock"), versions)?;
        }
        self.known_types.put(self.environment.work.root())?;
        self.write_level()?;
        Ok(())
    }
}

/// What the cell is told in the end.
const MADE: &str = "The kernel's working directory was removed or damaged, and has been made again from the compiled \
    runtime. Variables and tasks are still there.";

/// The same for a notebook with crates of its own.
const AGAIN: &str = " The crates of `:dep` are compiled again with this cell.";

/// Shows in which state something is that the cell waits for, in one place.
pub(super) fn show_state(executions: &Executions, cell: &Cell, text: &str, kind: DisplayKind) {
    if cell.silent {
        return;
    }
    let data = MimeBundle::from([("text/plain".to_owned(), text.into())]);
    executions.send(Event::display(cell.id, kind, data, Some(format!("loopbook-place-{}", cell.id))));
}
