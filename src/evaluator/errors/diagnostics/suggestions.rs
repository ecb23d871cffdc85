//! What rustc suggests to write, where the author of a cell would write it.

use super::words::readable;
use super::{Diagnostic, Place, Source, Sources, Span};
use annotate_snippets::{Group, Level, Patch, Snippet};
use loopbook_channel::cell_label;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// So many alternatives of a suggestion are shown.
const SHOWN: usize = 5;

/// What one cell would change by a suggestion.
type Change = (Arc<Source>, Vec<(Range<usize>, String)>);

/// The parts of one alternative, by cell.
type Alternative = Vec<Change>;

impl Diagnostic {
    /// Leaves, of the imports that are suggested, those that a cell can write. `usable` gives a path as a cell writes it.
    pub fn choose_imports(&mut self, usable: impl Fn(&str) -> Option<String>) {
        self.children.retain_mut(|child| {
            let before = child.spans.len();
            let mut seen = BTreeSet::new();
            child.spans.retain_mut(|span| {
                let Some(path) = span.import() else { return true };
                let (path, name) = path.split_once(' ').unwrap_or((path, ""));
                let Some(path) = usable(path).filter(|path| seen.insert(path.clone())) else { return false };
                let import = format!("use {path} {name}").trim_end().to_owned();
                span.suggested_replacement = Some(format!("{import};\n"));
                true
            });
            if before > 1
                && let [only] = child.spans.as_slice()
            {
                child.message = for_one(&child.message, only.import().unwrap_or_default());
            }
            before == 0 || !child.spans.is_empty()
        });
    }

    /// The suggestion as a part of what is shown of an error that lies in the cell `home`; `None` if it is none, or
    /// about no line of the user's.
    pub(super) fn suggestion<'a>(&self, home: Option<&Arc<Source>>, sources: &Sources) -> Option<Group<'a>> {
        let alternatives = self.alternatives(home, sources);
        let (first, _) = alternatives.first()?.first()?;
        let mut title = readable(&self.message);
        if home.is_some_and(|home| home.number != first.number) {
            title += &format!(", in {}; then run that cell again", cell_label(first.number));
        }
        if alternatives.len() > SHOWN {
            title += &format!(" ({} more are not shown)", alternatives.len() - SHOWN);
        }
        let mut group = Group::with_title(Level::HELP.secondary_title(title));
        for (source, changes) in alternatives.into_iter().take(SHOWN).flatten() {
            let patches = changes.into_iter().map(|(range, text)| Patch::new(range, text));
            group =
                group.element(Snippet::source(source.code.clone()).path(cell_label(source.number)).patches(patches));
        }
        Some(group)
    }

    /// rustc lists the parts of all alternatives in a row; those of one alternative do not overlap.
    fn alternatives(&self, home: Option<&Arc<Source>>, sources: &Sources) -> Vec<Alternative> {
        let mut found: Vec<Alternative> = Vec::new();
        for span in &self.spans {
            let Some(text) = &span.suggested_replacement else { continue };
            let Some(Place { source, range }) = span.place_of_suggestion(home, sources) else { continue };
            let is_free = |(other, changes): &Change| {
                other.number != source.number || changes.iter().all(|(taken, _)| !overlap(taken, &range))
            };
            if !found.last().is_some_and(|alternative| alternative.iter().all(is_free)) {
                found.push(Alternative::new());
            }
            let Some(alternative) = found.last_mut() else { continue };
            let change = (range, readable(text));
            match alternative.iter_mut().find(|(other, _)| other.number == source.number) {
                Some((_, changes)) => changes.push(change),
                None => alternative.push((source, vec![change])),
            }
        }
        found
    }
}

impl Span {
    /// The path that it suggests to import, perhaps with another name.
    fn import(&self) -> Option<&str> {
        self.suggested_replacement.as_ref()?.strip_prefix("use ")?.trim_end().strip_suffix(';')
    }

    /// An import for the whole file is one for the cell: rustc means the first line of evcxr's file, which may look as a
    /// line of some cell.
    fn place_of_suggestion(&self, home: Option<&Arc<Source>>, sources: &Sources) -> Option<Place> {
        let is_for_all = self.import().is_some() && self.column_start == 1 && self.mark().is_none();
        if !is_for_all {
            return self.shown(sources);
        }
        let source = home?.clone();
        let at = head(&source);
        Some(Place { source, range: at..at })
    }
}

/// Where the code of a cell begins, behind its commands and inner attributes.
fn head(source: &Source) -> usize {
    let cleaned = source.map.as_ref().map_or("", |map| map.source());
    let (mut head, mut end) = (0, 0);
    for (line, cleaned) in source.code.split_inclusive('\n').zip(cleaned.split('\n')) {
        end += line.len();
        let is_command = cleaned.trim().is_empty() && !line.trim().is_empty();
        if is_command || cleaned.trim_start().starts_with("#![") {
            head = end;
        } else if !(line.trim().is_empty() || line.trim_start().starts_with("//")) {
            break;
        }
    }
    head
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one == other || (one.start < other.end && other.start < one.end)
}

/// What rustc says of several imports, when one is left.
fn for_one(message: &str, path: &str) -> String {
    let name = path.rsplit("::").next().unwrap_or_default();
    if let Some(rest) = message.strip_prefix("the following traits which provide ") {
        let rest = rest.replace(" are implemented but", " is implemented but").replace("one of them", "it");
        return format!("trait `{name}` which provides {rest}");
    }
    let Some((before, kind)) = message.split_once("one of these ") else { return message.to_owned() };
    let (kind, rest) = kind.split_once(" instead").map_or((kind, ""), |(kind, _)| (kind, " instead"));
    let kind =
        kind.strip_suffix("es").filter(|kind| kind.ends_with("alias")).or(kind.strip_suffix('s')).unwrap_or(kind);
    format!("{before}this {kind}{rest}")
}
