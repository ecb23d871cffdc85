//! What the kernel itself knows of names: enough to complete and explain before rust-analyzer is ready. And what rust-analyzer
//! reads (`text`), and how its offers are shown (`rust_analyzer`).

mod command_line;
pub mod cursor;
mod definitions;
pub mod rust_analyzer;
pub mod text;

use super::build::cached_crates::Crates;
use super::cell::ItemKind;
use super::commands;
use super::reference::{self, Reference};
use super::{Completion, Completions};
use cursor::{command_line, floor, is_import, path_before, word_at, word_start};
use definitions::Definitions;
use loopbook_channel::{Escaped, MimeBundle};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keywords that are completed in addition to what the notebook has defined.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "else", "enum", "fn", "for", "if", "impl", "in", "let",
    "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self", "static", "struct", "trait", "type", "use",
    "where", "while",
];

/// Where the names are that no Rust program imports.
const STD_PRELUDE: &str = "std::prelude::v1";

/// The kind of a variable.
pub const VARIABLE: &str = "instance";

/// The word that Jupyter has for an item.
pub fn kind_of(item: &ItemKind) -> &'static str {
    match item {
        ItemKind::Fn { .. } | ItemKind::Macro => "function",
        ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::TypeAlias | ItemKind::Trait => "class",
        ItemKind::Mod => "module",
        _ => VARIABLE,
    }
}

/// Names of the notebook: variables with their types, items with their kinds.
#[derive(Debug, Clone, Default)]
pub struct Names(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    known: BTreeMap<String, Known>,
    definitions: Definitions,
    reference: Arc<Reference>,
}

/// One name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// `instance`, `function`, `class`, … as Jupyter's completions have it.
    pub kind: &'static str,
    /// Its type, or the first line of its definition.
    pub detail: String,
}

impl Names {
    /// Replaces all names.
    pub fn set(&self, names: impl IntoIterator<Item = (String, Known)>) {
        self.lock().known = names.into_iter().collect();
    }

    /// Reads what a cell has defined; its commands must have been blanked.
    pub fn learn(&self, code: &str) {
        let mut definitions = self.lock().definitions.clone();
        // Parsing takes a while, and others complete meanwhile.
        definitions.learn(code);
        self.lock().definitions = definitions;
    }

    /// Forgets what the cells have defined.
    pub fn forget(&self) {
        let mut state = self.lock();
        *state = State { reference: state.reference.clone(), ..State::default() };
    }

    /// Says what there is in the crates that every cell sees.
    #[cfg(feature = "rust")]
    pub(super) fn refer_to(&self, reference: Reference) {
        self.lock().reference = Arc::new(reference);
    }

    /// Completions of a line with a command, if the cursor (a byte offset) stands in one. Looks into directories.
    pub fn complete_command(&self, code: &str, cursor: usize) -> Option<Completions> {
        let line = &code[command_line(code, cursor)?.start..floor(code, cursor)];
        let (length, items) = command_line::complete(line, &Crates::cached(), |word| self.beginning_with(word));
        let end = floor(code, cursor);
        Some(Completions { start: end - length, end, items })
    }

    /// Completions of the word before the cursor, a byte offset.
    pub fn complete(&self, code: &str, cursor: usize) -> Completions {
        let cursor = floor(code, cursor);
        let start = word_start(code, cursor);
        let word = &code[start..cursor];
        let before = &code[..start];
        if before.ends_with(['.', ':']) {
            let module = self.complete_module(code, cursor).map(|(found, _)| found.items);
            let items = module.unwrap_or_else(|| self.members(before, word));
            return Completions { start, end: cursor, items };
        }
        if word.is_empty() {
            return Completions { start: cursor, end: cursor, items: Vec::new() };
        }
        let mut items = self.beginning_with(word);
        let reference = self.reference();
        items.extend(reference.prelude(word));
        let crates = reference::CRATES.iter().filter(|name| name.starts_with(word));
        items.extend(crates.map(|name| completion(name, "module", None)));
        // What every Rust program can name, too.
        items.extend(reference.members(STD_PRELUDE, word).into_iter().flatten());
        items.extend(
            KEYWORDS.iter().filter(|name| name.starts_with(word)).map(|name| completion(name, "keyword", None)),
        );
        Completions { start, end: cursor, items }
    }

    /// Completions behind a module of the crates that every cell sees, and whether that module is meant for certain: a
    /// path that begins with a name of the prelude may mean something else by now.
    pub(super) fn complete_module(&self, code: &str, cursor: usize) -> Option<(Completions, bool)> {
        let cursor = floor(code, cursor);
        let start = word_start(code, cursor);
        let path = path_before(&code[..start])?;
        let first = path.split("::").next().unwrap_or_default();
        let mut items = self.reference().members(path, &code[start..cursor])?;
        if is_import(&code[..start]) {
            for item in &mut items {
                item.text.truncate(item.text.trim_end_matches('!').len());
            }
        }
        let is_certain = reference::CRATES.contains(&first) && !self.lock().known.contains_key(first);
        Some((Completions { start, end: cursor, items }, is_certain))
    }

    /// What is known of a name: of the notebook, else of the crates that every cell sees.
    pub fn look_up(&self, name: &str, detailed: bool) -> Option<MimeBundle> {
        self.describe(name, detailed).or_else(|| self.reference().describe(name))
    }

    /// The names of the crates that every cell sees.
    pub(super) fn reference(&self) -> Arc<Reference> {
        self.lock().reference.clone()
    }

    /// What the kernel knows of the command or the word at the cursor, a byte offset; if `detailed`, all of it.
    pub fn inspect(&self, code: &str, cursor: usize, detailed: bool) -> Option<MimeBundle> {
        if let Some(line) = command_line(code, cursor).map(|range| &code[range]) {
            // An argument may be a name of the notebook; else it is the command that people want to know about.
            let argument = word_at(code, cursor).filter(|word| !line.starts_with(&format!(":{word}")));
            let about_name = argument.and_then(|word| self.describe(word, detailed));
            return about_name.or_else(|| commands::describe(line.split_whitespace().next()?, detailed));
        }
        let word = word_at(code, cursor)?;
        let start = word.as_ptr() as usize - code.as_ptr() as usize;
        let name = path_before(&code[..start]).map_or_else(|| word.to_owned(), |path| format!("{path}::{word}"));
        self.look_up(&name, detailed)
    }

    /// What is known of a name of the notebook: a variable's type, an item's signature and documentation; if `detailed`,
    /// all of the item.
    pub fn describe(&self, name: &str, detailed: bool) -> Option<MimeBundle> {
        let state = self.lock();
        let known = state.known.get(name)?;
        let (code, docs) = match state.definitions.get(name).filter(|_| !known.is_variable()) {
            Some(item) if detailed => (item.source.clone(), String::new()),
            Some(item) => (item.signature.clone(), item.docs.clone()),
            None => (format!("{name}: {}", known.detail), String::new()),
        };
        let plain = format!("{code}\n\n{docs}").trim_end().to_owned();
        let markdown = format!("```rust\n{code}\n```\n{docs}").trim_end().to_owned();
        let html =
            format!("<pre><code class=\"language-rust\">{}</code></pre><p>{}</p>", Escaped(&code), Escaped(&docs));
        let bundle = [("text/plain", plain), ("text/markdown", markdown), ("text/html", html)];
        Some(bundle.into_iter().map(|(mime, text)| (mime.to_owned(), text.into())).collect())
    }

    /// Whether this is the name of a variable.
    pub fn is_variable(&self, name: &str) -> bool {
        self.lock().known.get(name).is_some_and(Known::is_variable)
    }

    /// The variables and their types.
    pub fn variables(&self) -> Vec<(String, String)> {
        let state = self.lock();
        let variables = state.known.iter().filter(|(_, known)| known.is_variable());
        variables.map(|(name, known)| (name.clone(), known.detail.clone())).collect()
    }

    fn beginning_with(&self, word: &str) -> Vec<Completion> {
        let State { known, definitions, .. } = &*self.lock();
        let begun = known.iter().filter(|(name, _)| name.starts_with(word));
        let signature = |name: &str, known: &Known| {
            let item = definitions.get(name).filter(|_| !known.is_variable());
            item.map_or_else(|| known.detail.clone(), |item| item.signature.clone())
        };
        begun.map(|(name, known)| completion(name, known.kind, Some(&signature(name, known)))).collect()
    }

    /// What can stand behind the dot or the colons at the end of `before`.
    fn members(&self, before: &str, word: &str) -> Vec<Completion> {
        let State { known, definitions, .. } = &*self.lock();
        let path = before.trim_end_matches(['.', ':']);
        let owner = &path[word_start(path, path.len())..];
        if before.ends_with("::") {
            return definitions.members(owner, false, word);
        }
        // A field's owner is not known by name; behind another dot, only rust-analyzer knows.
        let is_variable = before.len() - path.len() == 1 && !path[..path.len() - owner.len()].ends_with('.');
        let ty = known.get(owner).filter(|known| is_variable && known.is_variable());
        ty.map_or_else(Vec::new, |known| definitions.members(&known.detail, true, word))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Constants are instances too, but of no type that the kernel knows.
    fn is_variable(&self) -> bool {
        self.kind == VARIABLE && self.detail != VARIABLE
    }
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
    fn a_command_line_completes_to_commands_and_their_arguments_only() {
        let complete = |code: &str| names().complete_command(code, code.len()).map(texts);
        assert_eq!(complete("  :tas"), Some(vec![":task".to_owned(), ":tasks".to_owned()]));
        assert_eq!(complete("// first\n:type gr"), Some(vec!["größe".to_owned()]));
        assert_eq!(complete("# nbgrader\n:type gr"), Some(vec!["größe".to_owned()]));
        assert_eq!(complete("?Vec\n!ls\n\u{feff}:tas"), None);
        assert_eq!(complete("\u{feff}?Vec\r\n!ls\r\n:task"), Some(vec![":task".to_owned(), ":tasks".to_owned()]));
        assert_eq!(complete("::std::co"), None);
        assert_eq!(complete("1\n:tas"), None);
        assert_eq!(complete("#[allow(unused)]\n:tas"), None);
    }

    #[test]
    fn a_command_is_explained_wherever_the_cursor_stands_in_it() {
        let code = ":tasks --all\n1";
        for cursor in 0..=12 {
            let found = names().inspect(code, cursor, false).expect("a command");
            assert!(found["text/plain"].to_string().contains(":tasks [--all]"), "{cursor}: {found:?}");
            assert!(found.contains_key("text/html") && found.contains_key("text/markdown"));
        }
        assert!(names().inspect(code, 13, false).is_none());
        let found = names().inspect(":type count", 8, false).expect("a variable");
        assert_eq!(found["text/plain"], "count: u32");
    }

    #[test]
    fn behind_a_dot_stands_what_the_notebook_defined() {
        let names = Names::default();
        let conf = Known { kind: VARIABLE, detail: "std::sync::Arc<Conf>".into() };
        names.set([("conf".to_owned(), conf), ("Conf".to_owned(), Known { kind: "class", detail: "class".into() })]);
        names.learn("/// How to fetch.\nstruct Conf { url: String }\nimpl Conf { fn new() -> Self { todo!() } }");
        let complete = |code: &str| texts(names.complete(code, code.len()));
        assert_eq!(complete("f(conf."), ["url"]);
        assert_eq!(complete("Conf::n"), ["new"]);
        assert!(complete("other.").is_empty() && complete("x.conf.").is_empty() && complete("0..").is_empty());
        let shown = |detailed| names.describe("Conf", detailed).expect("it is known")["text/plain"].to_string();
        assert!(shown(false).contains("How to fetch") && shown(true).contains("url: String"));
        names.forget();
        assert!(complete("Conf::").is_empty());
    }

    #[test]
    fn a_word_of_more_than_ascii_is_one_word() {
        assert_eq!(texts(names().complete("grö", 5)), ["größe"]);
    }
}
