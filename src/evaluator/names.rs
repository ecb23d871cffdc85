//! What the kernel itself knows of names: enough to complete and explain while evcxr is busy or not yet warm.

use super::commands::COMMANDS;
use super::{Completion, Completions};
use loopbook_channel::MimeBundle;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Words that a cell can begin a thought with, beside what the notebook has defined.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "else", "enum", "fn", "for", "if", "impl", "in", "let",
    "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self", "static", "struct", "trait", "type", "use",
    "where", "while",
];

/// Crates that every cell sees.
const CRATES: &[&str] = &["async_std", "futures", "loopbook", "std", "tokio"];

/// Names of the notebook: variables with their types, items with their kinds.
#[derive(Debug, Clone, Default)]
pub struct Names(Arc<Mutex<BTreeMap<String, Known>>>);

/// One name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// `instance`, `function`, `class`, … as Jupyter's completions have it.
    pub kind: &'static str,
    /// Its type, or the first line of its definition.
    pub detail: String,
}

impl Names {
    /// Replaces everything that is known.
    pub fn set(&self, names: impl IntoIterator<Item = (String, Known)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = names.into_iter().collect();
    }

    /// Completions of the word (or command) before the cursor, a byte offset.
    pub fn complete(&self, code: &str, cursor: usize) -> Completions {
        let cursor = floor(code, cursor);
        if in_command(code, cursor) {
            let start = code[..cursor].rfind('\n').map_or(0, |newline| newline + 1);
            let word = code[start..cursor].trim_start();
            let items = COMMANDS.iter().filter(|command| command.name.starts_with(word));
            let items = items.map(|command| completion(command.name, "magic", Some(command.usage))).collect();
            return Completions { start: cursor - word.len(), end: cursor, items };
        }
        let start = word_start(code, cursor);
        let word = &code[start..cursor];
        if word.is_empty() || code[..start].ends_with(['.', ':']) {
            return Completions { start: cursor, end: cursor, items: Vec::new() };
        }
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut items: Vec<Completion> = known
            .iter()
            .filter(|(name, _)| name.starts_with(word))
            .map(|(name, known)| completion(name, known.kind, Some(&known.detail)))
            .collect();
        items.extend(CRATES.iter().filter(|name| name.starts_with(word)).map(|name| completion(name, "module", None)));
        items.extend(
            KEYWORDS.iter().filter(|name| name.starts_with(word)).map(|name| completion(name, "keyword", None)),
        );
        Completions { start, end: cursor, items }
    }

    /// What is known of the word at the cursor, a byte offset.
    pub fn inspect(&self, code: &str, cursor: usize) -> Option<MimeBundle> {
        let word = word_at(code, cursor)?;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match COMMANDS.iter().find(|command| command.name.strip_prefix(':') == Some(word)) {
            Some(command) => format!("{}\n{}", command.usage, command.help),
            None => format!("{word}: {}", known.get(word)?.detail),
        };
        Some(MimeBundle::from([("text/plain".to_owned(), text.into())]))
    }
}

/// Whether the cursor stands in a line that is one of our commands.
pub fn in_command(code: &str, cursor: usize) -> bool {
    let cursor = floor(code, cursor);
    let start = code[..cursor].rfind('\n').map_or(0, |newline| newline + 1);
    let line = code[start..].trim_start_matches(' ');
    line.starts_with(':') && !line.starts_with("::") && leading(&code[..start])
}

/// The identifier at, or just before, the cursor.
pub fn word_at(code: &str, cursor: usize) -> Option<&str> {
    let cursor = floor(code, cursor);
    let start = word_start(code, cursor);
    let end = code[cursor..].find(|c| !is_word(c)).map_or(code.len(), |length| cursor + length);
    (start < end).then(|| &code[start..end])
}

/// Whether only commands, comments and blank lines come before.
fn leading(code: &str) -> bool {
    code.lines().map(str::trim_start).all(|line| line.is_empty() || line.starts_with(':') || line.starts_with("//"))
}

fn word_start(code: &str, cursor: usize) -> usize {
    code[..cursor].char_indices().rev().take_while(|(_, c)| is_word(*c)).last().map_or(cursor, |(at, _)| at)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn floor(code: &str, cursor: usize) -> usize {
    (0..=cursor.min(code.len())).rev().find(|at| code.is_char_boundary(*at)).unwrap_or(0)
}

fn completion(text: &str, kind: &'static str, signature: Option<&str>) -> Completion {
    Completion { text: text.to_owned(), kind, signature: signature.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let names = Names::default();
        let known = Known { kind: "instance", detail: "u32".into() };
        names.set([("count".to_owned(), known.clone()), ("größe".to_owned(), known)]);
        names
    }

    fn texts(completions: Completions) -> Vec<String> {
        completions.items.into_iter().map(|item| item.text).collect()
    }

    #[test]
    fn variables_and_keywords_complete_a_word() {
        assert_eq!(texts(names().complete("let x = co", 10)), ["count", "const", "continue"]);
    }

    #[test]
    fn a_command_line_completes_to_commands_only() {
        assert_eq!(texts(names().complete(":tas", 4)), [":tasks"]);
    }

    #[test]
    fn nothing_is_offered_behind_a_dot() {
        assert!(texts(names().complete("count.co", 8)).is_empty());
    }

    #[test]
    fn a_word_of_more_than_ascii_is_one_word() {
        assert_eq!(word_at("größe + 1", 7), Some("größe"));
        assert_eq!(texts(names().complete("grö", 5)), ["größe"]);
    }
}
