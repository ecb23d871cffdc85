//! The compile phase made visible: one updating display under the cell says which crate is being compiled, k of n, and
//! in the end what came of it. Its last words are the same whenever the notebook is run.

use super::{Current, Executions};
use crate::evaluator::Event;
use crate::evaluator::build::built_in::CELL_CRATE;
use crate::evaluator::build::shims::{BuildProgress, FETCHING};
use loopbook_channel::{CellId, DisplayKind, MimeBundle};
use std::sync::PoisonError;

/// What is shown of builds.
#[derive(Debug, Default)]
pub(super) struct Building {
    /// The cell under which it is shown.
    cell: Option<CellId>,
    /// The build that was heard of last.
    build: Option<u32>,
    /// How far that is, if the display says so now.
    going_on: Option<BuildProgress>,
    /// What the display is to say in the end.
    last_words: Option<String>,
}

impl Building {
    /// What to show of the progress of a build under this cell.
    fn take(&mut self, cell: CellId, build: u32, progress: BuildProgress) -> Option<(DisplayKind, String)> {
        // What is still heard of an earlier cell's build is none of this one's business.
        if self.cell != Some(cell) && self.build == Some(build) {
            return None;
        }
        self.build = Some(build);
        if progress.krate == CELL_CRATE {
            return self.end(cell, true);
        }
        let text = words(&progress);
        self.going_on = Some(progress);
        Some(self.show(cell, text))
    }

    /// What to show when what was going on under this cell has ended, well or not.
    fn end(&mut self, cell: CellId, well: bool) -> Option<(DisplayKind, String)> {
        let progress = self.going_on.take_if(|_| self.cell == Some(cell))?;
        let text = self.last_words.clone().unwrap_or_else(|| match (well, progress.krate.as_str()) {
            (true, _) => COMPILED.to_owned(),
            (false, FETCHING) => "Stopped while crates were fetched.".to_owned(),
            (false, krate) => format!("Stopped at {krate}."),
        });
        Some(self.show(cell, text))
    }

    fn end_with(&mut self, cell: CellId, text: &str) -> (DisplayKind, String) {
        let shown = self.show(cell, text.to_owned());
        self.going_on = None;
        self.last_words = Some(text.to_owned());
        shown
    }

    fn show(&mut self, cell: CellId, text: String) -> (DisplayKind, String) {
        if self.cell == Some(cell) {
            return (DisplayKind::Update, text);
        }
        (self.cell, self.last_words) = (Some(cell), None);
        (DisplayKind::Display, text)
    }
}

/// The last words on crates that nobody has asked for by name.
const COMPILED: &str = "The crates are compiled.";

impl Executions {
    /// The build with this number, one of those for the current cell, is so far.
    pub fn build_goes_on(&self, build: u32, progress: BuildProgress) {
        self.show_build(|building, current| {
            if current.shows_builds() && !current.running {
                return building.take(current.cell.id, build, progress);
            }
            building.build = Some(build);
            None
        });
    }

    /// The builds for the current cell have had this result, whatever is still heard of them.
    pub fn build_has_brought(&self, text: &str) {
        self.show_build(|building, current| current.shows_builds().then(|| building.end_with(current.cell.id, text)));
    }

    /// Nothing is compiled any more for this cell.
    pub fn build_ended(&self, cell: CellId, well: bool) {
        let mut building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shown) = building.end(cell, well) {
            self.send(display(cell, shown));
        }
    }

    /// Shows what `what` makes of the current cell. Nothing else is shown of builds meanwhile, so that the last words
    /// come last.
    fn show_build(&self, what: impl FnOnce(&mut Building, &Current) -> Option<(DisplayKind, String)>) {
        let mut building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = {
            let state = self.lock();
            state.current.as_ref().and_then(|current| Some((current.cell.id, what(&mut building, current)?)))
        };
        if let Some((cell, shown)) = shown {
            self.send(display(cell, shown));
        }
    }
}

impl Current {
    fn shows_builds(&self) -> bool {
        !self.hidden && !self.answered && !self.cell.silent
    }
}

fn display(cell: CellId, (kind, text): (DisplayKind, String)) -> Event {
    let data = MimeBundle::from([("text/plain".to_owned(), text.into())]);
    let display_id = Some(format!("loopbook-build-{cell}"));
    Event::display(cell, kind, data, display_id)
}

fn words(BuildProgress { krate, done, total }: &BuildProgress) -> String {
    match (krate.as_str(), total) {
        (FETCHING, 0) => "Asking crates.io".to_owned(),
        (FETCHING, _) => format!("Fetching from crates.io ({done} of {total})"),
        _ => format!("Compiling {krate} ({done} of {total})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DisplayKind::{Display, Update};

    fn progress(krate: &str, done: usize) -> BuildProgress {
        BuildProgress { krate: krate.into(), done, total: 3 }
    }

    fn text(kind: DisplayKind, text: &str) -> Option<(DisplayKind, String)> {
        Some((kind, text.to_owned()))
    }

    #[test]
    fn a_build_ends_with_its_last_words_whatever_comes_late() {
        let mut building = Building::default();
        assert_eq!(building.take(1, 70, progress("either", 0)), text(Display, "Compiling either (0 of 3)"));
        assert_eq!(building.take(1, 70, progress("itertools", 1)), text(Update, "Compiling itertools (1 of 3)"));
        assert_eq!(Some(building.end_with(1, "Added.")), text(Update, "Added."));
        assert_eq!(building.end(1, true), None);
        assert_eq!(building.take(1, 70, progress("itertools", 1)), text(Update, "Compiling itertools (1 of 3)"));
        assert_eq!(building.end(1, true), text(Update, "Added."));
        // Nor does it go on under the next cell.
        assert_eq!(building.take(2, 70, progress("itertools", 1)), None);
        assert_eq!(building.take(2, 71, progress("rand", 1)), text(Display, "Compiling rand (1 of 3)"));
        assert_eq!(building.end(2, true), text(Update, COMPILED));
    }

    #[test]
    fn a_build_that_fails_or_is_interrupted_says_where_it_stopped() {
        let mut building = Building::default();
        building.take(1, 70, progress("either", 0));
        assert_eq!(building.end(2, false), None);
        assert_eq!(building.end(1, false), text(Update, "Stopped at either."));
        building.take(2, 71, progress(FETCHING, 0));
        assert_eq!(building.end(2, false), text(Update, "Stopped while crates were fetched."));
        assert_eq!(building.end(2, false), None);
    }

    #[test]
    fn what_is_quick_is_told_too_and_the_cell_itself_is_not() {
        let mut building = Building::default();
        assert_eq!(building.take(1, 70, progress(CELL_CRATE, 2)), None);
        assert_eq!(Some(building.end_with(1, "Added.")), text(Display, "Added."));
        building.take(2, 71, progress("either", 1));
        assert_eq!(building.take(2, 71, progress(CELL_CRATE, 2)), text(Update, COMPILED));
    }
}
