//! Finds the parent of everything that cells print and show: the request under which it goes out.
//!
//! A cell's output goes out under its own request. So does that of its background tasks when the cell is done
//! ([`LateOutput::Own`]), which a live front end puts where it belongs; clients that stop listening to a cell when it is
//! done lose it, and want [`LateOutput::Current`].

use super::Kernel;
use super::content::{Piece, Scanner};
use super::late_output::{LateOutput, LateOutputSwitch};
use super::printed::{Limit, Printed};
use super::utf8::Decoder;
use crate::evaluator::Event;
use crate::wire::{ClearOutput, Display, DisplayMessage, ExecuteResult, Metadata, Parent, Transient, UpdateDisplay};
use loopbook_channel::{CellId, DisplayKind, MimeBundle, Stream};
use std::collections::{BTreeSet, HashMap};

/// Every cell that has run, and what it has printed but not said yet.
pub(super) struct Outputs {
    cells: HashMap<CellId, Source>,
    /// The last cell of the main shell that began and is not silent: the one that runs, if one does.
    latest: CellId,
    /// Cells that hold back text which must not wait long.
    waiting: BTreeSet<CellId>,
    late: LateOutputSwitch,
    /// How much of what a cell prints is shown.
    pub(super) limit: Limit,
    /// Cells of which more was printed than the user knows of.
    untold: BTreeSet<CellId>,
    /// What came while no cell ran and is to go under the next one.
    postponed: Vec<Event>,
}

/// How much may come while no cell runs and still be kept for the next one, in events; what comes then goes under the
/// latest cell.
const POSTPONED: usize = 10_000;

/// A cell as a source of output. The one with id 0 stands for everything before the first cell.
#[derive(Default)]
struct Source {
    parent: Option<Parent>,
    number: u32,
    silent: bool,
    done: bool,
    stdout: Decoder,
    stderr: Decoder,
    scanner: Scanner,
    printed: Printed,
    /// Whether the next thing that is shown by printing is the value of the cell.
    shows_itself: bool,
    /// Whether the last thing that was printed under a prefix was not a whole line.
    mid_line: bool,
}

/// Where a source's output goes now.
struct Route {
    parent: Option<Parent>,
    number: u32,
    prefix: Option<String>,
    late: bool,
}

impl Outputs {
    pub(super) fn new(late: LateOutputSwitch) -> Self {
        let cells = HashMap::from([(0, Source { done: true, ..Source::default() })]);
        Self {
            cells,
            latest: 0,
            waiting: BTreeSet::new(),
            late,
            limit: Limit::from_env(),
            untold: BTreeSet::new(),
            postponed: Vec::new(),
        }
    }

    /// Keeps output for the next cell, if it is to go under a cell that runs and none does; gives back what is to be
    /// shown now.
    pub(super) fn postpone(&mut self, nothing_runs: bool, event: Event) -> Option<Event> {
        // What replaces something that is shown needs no cell to go under.
        let replaces = matches!(event, Event::Display { kind: DisplayKind::Update, .. }) && self.postponed.is_empty();
        let waits =
            nothing_runs && !replaces && self.late.get() == LateOutput::Current && self.postponed.len() < POSTPONED;
        if !waits {
            return Some(event);
        }
        self.postponed.push(event);
        None
    }

    /// A cell begins: from now on its output has a parent.
    pub(super) fn begin(&mut self, cell: CellId, number: u32, parent: Parent, silent: bool) {
        self.cells.insert(cell, Source { parent: Some(parent), number, silent, ..Source::default() });
    }

    /// Output that no cell can be named for belongs to this one from now on.
    pub(super) fn lead(&mut self, cell: CellId) {
        self.latest = cell;
    }

    /// Whether text waits that must not wait long.
    pub(super) fn has_held_text(&self) -> bool {
        !self.waiting.is_empty() || !self.untold.is_empty()
    }

    /// The part of printed text that is shown.
    fn admit(&mut self, cell: CellId, text: &str) -> String {
        let Some(source) = self.cells.get_mut(&cell) else { return text.to_owned() };
        let shown = source.printed.admit(text, self.limit).to_owned();
        if source.printed.has_news() {
            self.untold.insert(cell);
        }
        shown
    }

    /// See [`Printed::news`].
    pub(super) fn news(&mut self, cell: CellId, waits: bool) -> Option<(MimeBundle, bool)> {
        let source = self.cells.get_mut(&cell)?;
        let news = source.printed.news(source.number, waits);
        if news.is_some() {
            self.untold.remove(&cell);
        }
        news
    }

    /// What was not shown of the latest cell with this number, or of the latest of all that has something.
    pub(super) fn rest(&mut self, number: Option<u32>) -> Option<std::io::Result<String>> {
        let sources = self.cells.iter_mut().filter(|(_, source)| number.is_none_or(|number| number == source.number));
        sources
            .filter_map(|(id, source)| Some((id, source.printed.rest()?)))
            .max_by_key(|(id, _)| **id)
            .map(|(_, rest)| rest)
    }

    /// The request of a cell.
    pub(super) fn parent(&self, cell: CellId) -> Option<Parent> {
        self.cells.get(&cell)?.parent.clone()
    }

    /// The cell to which output of `cell` is attributed: output that no cell can be named for belongs to the latest.
    fn attribute(&self, cell: CellId) -> CellId {
        if cell != 0 && self.cells.contains_key(&cell) { cell } else { self.latest }
    }

    /// `None` if the output is unwanted.
    fn route(&self, cell: CellId) -> Option<Route> {
        let source = self.cells.get(&cell).filter(|source| !source.silent)?;
        let own = Route { parent: source.parent.clone(), number: source.number, prefix: None, late: source.done };
        if !source.done || self.late.get() == LateOutput::Own || cell == self.latest {
            return Some(own);
        }
        let latest = self.cells.get(&self.latest)?;
        Some(Route { parent: latest.parent.clone(), prefix: Some(format!("[In {}] ", source.number)), ..own })
    }

    fn decode(&mut self, cell: CellId, stream: Stream, bytes: &[u8]) -> Vec<Piece> {
        let Some(source) = self.cells.get_mut(&cell) else { return Vec::new() };
        let pieces = match stream {
            Stream::Stdout => source.scanner.push(&source.stdout.push(bytes)),
            Stream::Stderr => vec![Piece::Text(source.stderr.push(bytes))],
        };
        // A cell that is done has nothing to wait for: its blocks come whole or not at all.
        if source.scanner.holds_briefly() || (source.done && source.scanner.holds()) {
            self.waiting.insert(cell);
        }
        pieces
    }

    /// What a cell holds back on stdout and must be said before anything else of it.
    fn release_brief(&mut self, cell: CellId) -> Vec<Piece> {
        self.waiting.remove(&cell);
        match self.cells.get_mut(&cell) {
            Some(source) if source.done => source.scanner.release(),
            Some(source) => source.scanner.release_brief(),
            None => Vec::new(),
        }
    }

    /// Everything that a cell holds back, by stream.
    fn release_all(&mut self, cell: CellId) -> [(Stream, Vec<Piece>); 2] {
        self.waiting.remove(&cell);
        let Some(source) = self.cells.get_mut(&cell) else {
            return [(Stream::Stdout, vec![]), (Stream::Stderr, vec![])];
        };
        let mut stdout = source.scanner.push(source.stdout.finish());
        stdout.extend(source.scanner.release());
        [(Stream::Stdout, stdout), (Stream::Stderr, vec![Piece::Text(source.stderr.finish().to_owned())])]
    }

    /// Puts the prefix before each line that begins in `text`.
    fn prefix(&mut self, cell: CellId, prefix: &str, text: &str) -> String {
        let Some(source) = self.cells.get_mut(&cell) else { return text.to_owned() };
        let mut prefixed = String::with_capacity(text.len() + prefix.len());
        for line in text.split_inclusive('\n') {
            if !source.mid_line {
                prefixed.push_str(prefix);
            }
            prefixed.push_str(line);
            source.mid_line = !line.ends_with('\n');
        }
        prefixed
    }
}

impl Kernel {
    /// Passes on what an evaluator shows.
    pub(super) async fn show(&mut self, event: Event) {
        match event {
            Event::Output { cell, stream, bytes } => self.print(cell, stream, &bytes).await,
            Event::Display { cell, kind, data, metadata, display_id } => {
                self.display(cell, kind, data, metadata, display_id).await;
            }
            Event::ClearOutput { cell, wait } => self.clear_output(cell, wait).await,
            Event::Printing { cell, wish } => self.obey_output(cell, wish).await,
            Event::Page { cell, data } => self.page(cell, data).await,
            Event::ShowsItself { cell, begins } => self.shows_itself(cell, begins).await,
            Event::Ready { .. } | Event::Input { .. } | Event::Done { .. } => {}
        }
    }

    /// Shows what came while no cell ran.
    pub(super) async fn show_postponed(&mut self) {
        for event in std::mem::take(&mut self.outputs.postponed) {
            self.show(event).await;
        }
    }

    /// Something was printed.
    pub(super) async fn print(&mut self, cell: CellId, stream: Stream, bytes: &[u8]) {
        let cell = self.outputs.attribute(cell);
        if stream == Stream::Stderr {
            self.say_held(cell).await;
        }
        let pieces = self.outputs.decode(cell, stream, bytes);
        self.say(cell, stream, pieces).await;
    }

    /// Something is shown.
    pub(super) async fn display(
        &mut self,
        cell: CellId,
        kind: DisplayKind,
        data: MimeBundle,
        metadata: Metadata,
        display_id: Option<String>,
    ) {
        let cell = self.outputs.attribute(cell);
        self.say_held(cell).await;
        self.publish_display(cell, kind, data, metadata, display_id).await;
    }

    pub(super) async fn publish_display(
        &mut self,
        cell: CellId,
        kind: DisplayKind,
        data: MimeBundle,
        metadata: Metadata,
        display_id: Option<String>,
    ) {
        if kind == DisplayKind::Result
            && let Some((_, running)) = self.shells.evaluating_mut(cell)
            && running.evaluates_expression()
        {
            running.expressions.set_value(data, metadata);
            return;
        }
        let Some(route) = self.outputs.route(cell) else { return };
        let (parent, execution_count) = (route.parent.as_ref(), route.number);
        let display = Display { data, metadata, transient: Transient { display_id } };
        match kind {
            DisplayKind::Update => self.outbox.publish(parent, &UpdateDisplay(display)).await,
            // A cell has one result, and has it before it is done.
            DisplayKind::Result if !route.late => {
                let stored = self.shells.of(cell).is_some_and(|running| running.request.store_history());
                if let Some(shell) = self.shells.shell_evaluating(cell).filter(|_| stored) {
                    self.history.set_output(shell, execution_count, &display.data);
                }
                self.outbox.publish(parent, &ExecuteResult { execution_count, display }).await;
            }
            DisplayKind::Result | DisplayKind::Display => self.outbox.publish(parent, &DisplayMessage(display)).await,
        }
    }

    /// Something is shown that has neither metadata nor a name.
    pub(super) async fn display_plainly(&mut self, cell: CellId, data: MimeBundle) {
        self.display(cell, DisplayKind::Display, data, Metadata::new(), None).await;
    }

    /// The value of a cell begins or ends to show itself: the first thing that it shows by printing is its result.
    pub(super) async fn shows_itself(&mut self, cell: CellId, begins: bool) {
        self.say_held(cell).await;
        if let Some(source) = self.outputs.cells.get_mut(&cell) {
            source.shows_itself = begins;
        }
    }

    /// What the cell has shown so far is to vanish. Never what another cell has shown.
    pub(super) async fn clear_output(&mut self, cell: CellId, wait: bool) {
        let cell = self.outputs.attribute(cell);
        self.say_held(cell).await;
        if let Some(Route { parent, prefix: None, .. }) = self.outputs.route(cell) {
            self.outbox.publish(parent.as_ref(), &ClearOutput { wait }).await;
            if let Some(source) = self.outputs.cells.get_mut(&cell) {
                source.printed.clear();
            }
        }
    }

    /// Everything that the cell has printed is said; what comes from now on is late.
    pub(super) async fn end_output(&mut self, cell: CellId) {
        for (stream, pieces) in self.outputs.release_all(cell) {
            self.say(cell, stream, pieces).await;
        }
        self.tell_of_rest(cell, false).await;
        if let Some(source) = self.outputs.cells.get_mut(&cell) {
            source.done = true;
        }
    }

    /// Text has waited long enough.
    pub(super) async fn flush_output(&mut self) {
        while let Some(cell) = self.outputs.waiting.first().copied() {
            self.say_held(cell).await;
        }
        for cell in self.outputs.untold.clone() {
            self.tell_of_rest(cell, true).await;
        }
        self.outbox.flush().await;
    }

    /// Says what the cell holds back only briefly, so that what comes next comes after it.
    pub(super) async fn say_held(&mut self, cell: CellId) {
        let pieces = self.outputs.release_brief(cell);
        self.say(cell, Stream::Stdout, pieces).await;
    }

    async fn say(&mut self, cell: CellId, stream: Stream, pieces: Vec<Piece>) {
        if pieces.is_empty() {
            return;
        }
        let Some(Route { parent, prefix, .. }) = self.outputs.route(cell) else { return };
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    let mut text = self.outputs.admit(cell, &text);
                    if let Some(prefix) = &prefix {
                        text = self.outputs.prefix(cell, prefix, &text);
                    }
                    self.outbox.print(parent.as_ref(), stream, &text).await;
                    self.tell_of_rest(cell, true).await;
                }
                Piece::Show(data) => {
                    let is_result = self.outputs.cells.get_mut(&cell).is_some_and(Source::take_result);
                    let kind = if is_result { DisplayKind::Result } else { DisplayKind::Display };
                    self.publish_display(cell, kind, data, Metadata::new(), None).await;
                }
            }
        }
    }
}

impl Source {
    /// Whether what is shown now is the cell's value, which it has only one of.
    fn take_result(&mut self) -> bool {
        std::mem::take(&mut self.shows_itself) && !self.done
    }
}
