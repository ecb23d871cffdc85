//! What was executed in this session, in memory.

use crate::wire::{Access, HistoryEntry, HistoryRequest};
use loopbook_channel::MimeBundle;
use std::collections::HashSet;

/// The number of the current session. Kernels before this one are not remembered.
const SESSION: i64 = 1;

/// Executions in order, each with the text of its result.
#[derive(Debug, Default)]
pub(super) struct History {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    line: u32,
    input: String,
    output: Option<String>,
}

impl History {
    /// Remembers the execution with this number.
    pub(super) fn record(&mut self, line: u32, input: String) {
        self.entries.push(Entry { line, input, output: None });
    }

    /// Remembers its result.
    pub(super) fn set_output(&mut self, line: u32, data: &MimeBundle) {
        let text = data.get("text/plain").and_then(|text| text.as_str());
        if let Some(entry) = self.entries.last_mut().filter(|entry| entry.line == line) {
            entry.output = text.map(str::to_owned);
        }
    }

    /// What the client asks for, oldest first.
    pub(super) fn find(&self, request: &HistoryRequest) -> Vec<HistoryEntry> {
        let found: Vec<&Entry> = match &request.access {
            Access::Tail { n } => self.entries.iter().skip(self.entries.len().saturating_sub(*n)).collect(),
            Access::Range { session: 0 | SESSION, start, stop } => {
                let wanted = |entry: &&Entry| entry.line >= *start && stop.is_none_or(|stop| entry.line < stop);
                self.entries.iter().filter(wanted).collect()
            }
            Access::Range { .. } => Vec::new(),
            Access::Search { pattern, n, unique } => self.search(pattern, *n, *unique),
        };
        let shown = |entry: &Entry| HistoryEntry {
            session: SESSION,
            line: entry.line,
            input: entry.input.clone(),
            output: request.output.then(|| entry.output.clone()),
        };
        found.into_iter().map(shown).collect()
    }

    fn search(&self, pattern: &str, n: Option<usize>, unique: bool) -> Vec<&Entry> {
        let mut seen = HashSet::new();
        let newest_first = self.entries.iter().rev().filter(|entry| glob(pattern, &entry.input));
        let wanted = newest_first.filter(|entry| !unique || seen.insert(entry.input.as_str()));
        let mut found: Vec<&Entry> = wanted.take(n.unwrap_or(usize::MAX)).collect();
        found.reverse();
        found
    }
}

/// Whether `text` as a whole matches a pattern in which `*` stands for any text and `?` for any character.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut star, mut index) = (0, None, 0);
    while index < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, index));
                at += 1;
            }
            Some(c) if *c == '?' || *c == text[index] => {
                at += 1;
                index += 1;
            }
            // Let the last star take one character more.
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                (at, index) = (star_at + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(history: &History, access: Access) -> Vec<String> {
        history.find(&HistoryRequest { output: false, access }).into_iter().map(|entry| entry.input).collect()
    }

    fn history() -> History {
        let mut history = History::default();
        for (line, input) in ["a = 1", "b", "a = 1", "a = 2"].into_iter().enumerate() {
            history.record(line as u32 + 1, input.to_owned());
        }
        history
    }

    #[test]
    fn the_tail_is_the_end_in_order() {
        assert_eq!(inputs(&history(), Access::Tail { n: 2 }), ["a = 1", "a = 2"]);
        assert_eq!(inputs(&history(), Access::Tail { n: 20 }).len(), 4);
    }

    #[test]
    fn a_range_is_of_the_current_session_and_excludes_its_end() {
        assert_eq!(inputs(&history(), Access::Range { session: 0, start: 2, stop: Some(4) }), ["b", "a = 1"]);
        assert_eq!(inputs(&history(), Access::Range { session: 1, start: 4, stop: None }), ["a = 2"]);
        assert!(inputs(&history(), Access::Range { session: -1, start: 0, stop: None }).is_empty());
    }

    #[test]
    fn a_search_gives_the_newest_that_match() {
        let search = |n, unique| Access::Search { pattern: "a*".to_owned(), n, unique };
        assert_eq!(inputs(&history(), search(Some(2), false)), ["a = 1", "a = 2"]);
        assert_eq!(inputs(&history(), search(None, true)), ["a = 1", "a = 2"]);
        assert_eq!(inputs(&history(), search(None, false)).len(), 3);
    }

    #[test]
    fn the_output_belongs_to_its_line() {
        let mut history = history();
        history.set_output(4, &MimeBundle::from([("text/plain".to_owned(), "2".into())]));
        history.set_output(9, &MimeBundle::new());
        let found = history.find(&HistoryRequest { output: true, access: Access::Tail { n: 2 } });
        assert_eq!(found[0].output, Some(None));
        assert_eq!(found[1].output, Some(Some("2".to_owned())));
    }

    #[test]
    fn globs_match_as_in_a_shell() {
        assert!(glob("*", "") && glob("a?c*", "abcd") && glob("*x*y", "axbxcy") && glob("", ""));
        assert!(!glob("a", "ab") && !glob("?", "") && !glob("*x", "xy"));
    }
}
