//! rustc's diagnostics, told in the user's own lines.
//!
//! evcxr compiles a file that holds this cell, every earlier item and much of its own. A line of a cell carries a mark
//! ([`Mark`]), so a span finds its cell in the text that rustc quotes, and the cell's [`SourceMap`] gives the
//! column back. Spans without a mark are not the user's and are left out.

mod blame;
mod suggestions;
mod words;

pub use blame::{Moved, Takes};

use super::colours::renderer;
use crate::evaluator::cell::SourceMap;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Snippet};
use loopbook_channel::{Mark, SUBSHELL, cell_label};
use serde::Deserialize;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use words::{is_noise, readable};

/// A cell's text, before and after the preprocessing pass.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Its execution count, as its marks have it.
    pub number: u32,
    /// As typed.
    pub code: String,
    /// The way back from what evcxr got; `None` if it got nothing.
    pub map: Option<SourceMap>,
    /// Its variables that later cells cannot have.
    pub not_stored: Vec<String>,
}

/// The sources of all cells so far, by execution count.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    all: Arc<Mutex<HashMap<u32, Arc<Source>>>>,
    /// Of which subshell's cell the diagnostics are; else of the main shell's.
    subshell: Option<u32>,
}

impl Sources {
    /// Keeps a cell's source; a later cell with the same number replaces it.
    pub fn insert(&self, source: Arc<Source>) {
        self.lock().insert(source.number, source);
    }

    /// The same sources, for diagnostics of the subshell's cell with this number. Those of other cells of subshells have
    /// nothing to do with a cell.
    pub fn for_subshell(&self, number: u32) -> Self {
        Self { all: self.all.clone(), subshell: Some(number) }
    }

    /// Of the latest cell for which `find` finds something: the cell, and what was found.
    fn find<T>(&self, mut find: impl FnMut(&Source) -> Option<T>) -> Option<(Arc<Source>, T)> {
        let sources = self.lock();
        let is_meant = |source: &&Arc<Source>| source.number < SUBSHELL || self.subshell == Some(source.number);
        let found = sources.values().filter(is_meant).filter_map(|source| Some((source.clone(), find(source)?)));
        found.max_by_key(|(source, _)| source.number)
    }

    /// The latest cell's.
    pub fn latest(&self) -> Option<Arc<Source>> {
        self.find(|_| Some(())).map(|(source, ())| source)
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<Source>> {
        self.lock().values().cloned().collect()
    }

    /// The source of the cell with this number.
    pub fn get(&self, number: u32) -> Option<Arc<Source>> {
        self.lock().get(&number).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Arc<Source>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Errors about names, numbers of arguments and plain types, which are what they are whatever an `.await` stands behind.
const OF_THEIR_OWN: [&str; 36] = [
    "E0004", "E0005", "E0023", "E0026", "E0027", "E0040", "E0050", "E0053", "E0057", "E0061", "E0063", "E0106",
    "E0107", "E0117", "E0119", "E0124", "E0133", "E0201", "E0308", "E0369", "E0384", "E0404", "E0405", "E0407",
    "E0412", "E0422", "E0423", "E0425", "E0428", "E0432", "E0433", "E0437", "E0560", "E0599", "E0609", "E0614",
];

/// Whether rustc might say something else if what the cell awaits were not wrapped, and nothing in it ticked.
pub fn depends_on_rewrites(errors: &[Diagnostic]) -> bool {
    let is_of_its_own = |error: &Diagnostic| {
        let code = error.code.as_ref().map(|code| code.code.as_str());
        // Types that differ in their lifetimes only may do so because of what the future around them holds.
        code.is_some_and(|code| OF_THEIR_OWN.contains(&code)) && !error.mentions("more general")
    };
    !errors.iter().all(is_of_its_own)
}

/// A diagnostic as rustc's `--error-format=json` gives it.
#[derive(Debug, Clone, Deserialize)]
pub struct Diagnostic {
    /// One sentence.
    pub message: String,
    /// `error`, `warning`, `note`, `help`, …
    pub level: String,
    /// `E0308`, or a lint's name.
    #[serde(default)]
    pub code: Option<Code>,
    /// Where.
    #[serde(default)]
    pub spans: Vec<Span>,
    /// Notes and helps.
    #[serde(default)]
    pub children: Vec<Diagnostic>,
}

/// An error code or a lint's name.
#[derive(Debug, Clone, Deserialize)]
pub struct Code {
    /// The text.
    pub code: String,
}

/// A place in the compiled file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Deserialize)]
pub struct Span {
    line_start: u32,
    line_end: u32,
    column_start: u32,
    column_end: u32,
    is_primary: bool,
    label: Option<String>,
    #[serde(default)]
    text: Vec<Line>,
    suggested_replacement: Option<String>,
    expansion: Option<Box<Expansion>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Line {
    text: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Expansion {
    span: Span,
}

/// A stretch of a cell as typed. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The cell's execution count.
    pub cell: u32,
    /// Line and column of the first character.
    pub start: (u32, u32),
    /// Line and column behind the last character.
    pub end: (u32, u32),
}

/// A [`Span`] in a cell: a range of bytes of the text as typed.
#[derive(Debug, Clone)]
struct Place {
    source: Arc<Source>,
    range: Range<usize>,
}

impl Place {
    /// Line and column of a byte of the cell, both from 1.
    fn position(&self, offset: usize) -> (u32, u32) {
        let before = &self.source.code[..offset];
        let column = before.chars().rev().take_while(|c| *c != '\n').count() as u32 + 1;
        (before.matches('\n').count() as u32 + 1, column)
    }
}

impl Diagnostic {
    /// Reads rustc's JSON; `None` if it is not a diagnostic (an artifact notification, say).
    pub fn from_json(json: &serde_json::Value) -> Option<Self> {
        Self::deserialize(json).ok()
    }

    /// The cell, line and column of the first primary span that lies in a cell.
    pub fn place(&self, sources: &Sources) -> Option<(u32, u32, u32)> {
        self.stretch(sources).map(|stretch| (stretch.cell, stretch.start.0, stretch.start.1))
    }

    /// The code that rustc has an explanation for; a lint has only a name.
    pub fn error_code(&self) -> Option<&str> {
        self.code.as_ref().map(|code| code.code.as_str()).filter(|code| code.starts_with('E'))
    }

    /// What is wrong, in a sentence, with names that a user knows.
    pub fn message(&self) -> String {
        readable(&self.message)
    }

    /// What it says about its places.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.spans.iter().filter_map(|span| span.label.as_deref())
    }

    fn mentions(&self, name: &str) -> bool {
        let labels = self.spans.iter().filter_map(|span| span.label.as_ref());
        self.message.contains(name)
            || labels.into_iter().any(|label| label.contains(name))
            || self.children.iter().any(|child| child.mentions(name))
    }

    /// Where the first primary span that lies in a cell begins and ends.
    pub fn stretch(&self, sources: &Sources) -> Option<Stretch> {
        let place = self.primary_place(sources)?;
        let (start, end) = (place.position(place.range.start), place.position(place.range.end));
        Some(Stretch { cell: place.source.number, start, end })
    }

    fn primary_place(&self, sources: &Sources) -> Option<Place> {
        self.spans.iter().filter(|span| span.is_primary).find_map(|span| span.locate(sources))
    }

    /// The text to show, as rustc would print it, with ANSI colour; `hints` are added as helps.
    pub fn render(&self, sources: &Sources, hints: &[&str]) -> String {
        let mut title = level(&self.level).primary_title(self.message());
        if let Some(code) = self.error_code() {
            title = title.id(code.to_owned());
        }
        let home = self.primary_place(sources).map(|place| place.source);
        let mut main = with_snippets(Group::with_title(title), &self.spans, sources);
        let mut rest = Vec::new();
        for child in &self.children {
            let level = level(&child.level);
            let text = readable(&child.message);
            if let Some(group) = child.suggestion(home.as_ref(), sources) {
                rest.push(group);
            } else if child.spans.iter().any(|span| span.shown(sources).is_some()) {
                let group = Group::with_title(level.secondary_title(text));
                rest.push(with_snippets(group, &child.spans, sources));
            } else if child.spans.iter().all(Span::suggests) && !is_noise(&text) {
                main = main.element(level.message(text));
            }
        }
        for hint in hints {
            main = main.element(Level::HELP.message((*hint).to_owned()));
        }
        rest.insert(0, main);
        renderer().render(&rest)
    }
}

impl Span {
    /// Where this span lies in a cell: itself, or the macro call that it was expanded from.
    fn locate(&self, sources: &Sources) -> Option<Place> {
        self.locate_here(sources).or_else(|| self.expansion.as_ref()?.span.locate(sources))
    }

    /// What is shown of it: inside of a macro that is not the user's, only that something is wrong.
    fn shown(&self, sources: &Sources) -> Option<Place> {
        if self.is_primary && !self.suggests() { self.locate(sources) } else { self.locate_here(sources) }
    }

    fn suggests(&self) -> bool {
        self.suggested_replacement.is_some()
    }

    /// The mark of its first line.
    fn mark(&self) -> Option<Mark> {
        Mark::find(&self.text.first()?.text).map(|(_, mark)| mark)
    }

    fn locate_here(&self, sources: &Sources) -> Option<Place> {
        let (first, last) = (self.text.first()?, self.text.last()?);
        let Some(mark) = self.mark() else { return self.locate_unmarked(&first.text, sources) };
        let source = sources.get(mark.cell)?;
        let map = source.map.as_ref()?;
        let (line, column) = map.locate(&first.text, self.column_start)?;
        let start = byte_offset(&source.code, line, column);
        let empty = self.line_start == self.line_end && self.column_start == self.column_end;
        let end = match map.locate_end(&last.text, self.column_end) {
            Some((line, column)) if !empty => byte_offset(&source.code, line, column),
            _ => start,
        };
        Some(Place { range: start..end.max(start), source })
    }
}

impl Span {
    /// An import or an inner attribute. evcxr ends its lines with `\n`, so the text as typed and as compiled differ at most
    /// by carriage returns, which are no columns.
    fn locate_unmarked(&self, line: &str, sources: &Sources) -> Option<Place> {
        let find = |source: &Source| {
            let map = source.map.as_ref()?;
            let range = map.locate_unmarked(line, self.column_start, self.column_end)?;
            let offset = |at| {
                let (line, column) = map.position(at);
                byte_offset(&source.code, line, column)
            };
            Some(offset(range.start)..offset(range.end))
        };
        let (source, range) = sources.find(find)?;
        Some(Place { source, range })
    }
}

/// Byte offset of a line and column (characters), both from 1; the end of the line if the column is behind it.
pub fn byte_offset(text: &str, line: u32, column: u32) -> usize {
    let start: usize = text.split_inclusive('\n').take(line as usize - 1).map(str::len).sum();
    let rest = text[start..].split('\n').next().unwrap_or_default();
    start + rest.char_indices().nth(column as usize - 1).map_or(rest.len(), |(bytes, _)| bytes)
}

fn with_snippets<'a>(mut group: Group<'a>, spans: &[Span], sources: &Sources) -> Group<'a> {
    let mut by_cell: Vec<(Arc<Source>, Vec<Annotation<'a>>)> = Vec::new();
    // The cell of the primary span comes first: that is where to look.
    let (primary, others): (Vec<_>, Vec<_>) = spans.iter().partition(|span| span.is_primary);
    for span in primary.into_iter().chain(others) {
        let Some(place) = span.shown(sources) else { continue };
        let known = by_cell.iter().position(|(source, ..)| source.number == place.source.number);
        let index = known.unwrap_or_else(|| {
            by_cell.push((place.source.clone(), Vec::new()));
            by_cell.len() - 1
        });
        let kind = if span.is_primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        by_cell[index].1.push(kind.span(place.range).label(span.label.as_deref().map(readable)));
    }
    for (source, annotations) in by_cell {
        let path = cell_label(source.number);
        group = group.element(Snippet::source(source.code.clone()).path(path).annotations(annotations));
    }
    group
}

fn level(name: &str) -> Level<'static> {
    match name {
        "warning" => Level::WARNING,
        "note" | "failure-note" => Level::NOTE,
        "help" => Level::HELP,
        _ => Level::ERROR,
    }
}

/// The errors that a person should see: an import that evcxr takes apart fails once for each of its names, a macro at its
/// argument and as a whole, and what evcxr tries after an error of its own making has errors of its own.
pub fn distinct(diagnostics: Vec<Diagnostic>, sources: &Sources) -> Vec<Diagnostic> {
    let places: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.stretch(sources)).collect();
    let is_echo = |index: usize| {
        let (this, Some(place)) = (&diagnostics[index], places[index]) else { return false };
        let is_same = |(other, at): (usize, &Option<Stretch>)| {
            let Some(at) = at.filter(|at| at.cell == place.cell && diagnostics[other].message == this.message) else {
                return false;
            };
            let is_inside = place.start <= at.start && at.end <= place.end;
            is_inside && (at != place || other < index)
        };
        places.iter().enumerate().any(is_same)
    };
    let is_evcxrs = |diagnostic: &Diagnostic| diagnostic.mentions("EvcxrUserCodeError");
    let all_evcxrs = diagnostics.iter().all(is_evcxrs);
    let shown =
        (0..diagnostics.len()).filter(|index| !is_echo(*index) && (all_evcxrs || !is_evcxrs(&diagnostics[*index])));
    let shown: Vec<_> = shown.collect();
    shown.into_iter().map(|index| diagnostics[index].clone()).collect()
}

#[cfg(test)]
#[path = "diagnostics_tests.rs"]
mod tests;
