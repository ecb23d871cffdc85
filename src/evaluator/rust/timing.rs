//! `:timing`: what of a cell took how long.

use super::session::Session;
use crate::evaluator::Cell;
use crate::evaluator::build::shims;
use crate::evaluator::support::timing::Timing;
use std::time::SystemTime;

impl Session {
    /// Has the shims note what they do for the cell that begins now, if somebody wants to know.
    pub(super) fn note_times(&mut self) {
        self.given = None;
        if self.timing {
            let _the_table_has_rows_less = shims::begin_times(self.environment.work.root());
        }
    }

    /// Shows where the time of a cell went that was taken up then and has ended now.
    pub(super) fn show_times(&self, cell: &Cell, begin: SystemTime) {
        let end = SystemTime::now();
        let spans = shims::take_times(self.environment.work.root());
        let (loaded, done) = self.executions.ran();
        let timing = Timing { begin, given: self.given, spans, loaded, done, end };
        let shown = [("text/plain", timing.text()), ("text/html", timing.html())];
        self.show(cell, shown.map(|(mime, text)| (mime.to_owned(), text.into())).into());
    }
}
