//! Errors in lines that evcxr has written: which variable of the user's they are about.

use super::{Diagnostic, Place, Sources, Span, byte_offset};
use crate::evaluator::cell::{Finding, Why, dropped_by, is_in_block};

/// Errors about how long something lives.
const LIFETIMES: [&str; 10] =
    ["E0373", "E0495", "E0499", "E0502", "E0503", "E0506", "E0521", "E0597", "E0621", "E0716"];

/// Where a variable was moved away, as rustc saw it when evcxr wanted to store it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The variable, as evcxr knows it.
    pub name: String,
    /// Cell and line.
    pub place: Option<(u32, u32)>,
    /// What took it.
    pub by: Takes,
}

/// What took a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// It was moved as a whole.
    All {
        /// Whether it could have been cloned.
        clones: bool,
    },
    /// A closure or an `async` block that it was moved into.
    Block {
        /// Whether it could have been cloned.
        clones: bool,
    },
    /// A method of its own.
    Call {
        /// Whether it could have been cloned.
        clones: bool,
    },
    /// It is a future, and was awaited, or is somewhere else to be awaited there.
    Await,
    /// It holds futures, and the same is true of them.
    Futures,
    /// One of its fields was moved.
    Part,
    /// `drop(x)`.
    Drop,
}

impl Diagnostic {
    /// What the error shows about a variable that the cell was to keep; `None` if it is not about storing one.
    pub fn finding(&self) -> Option<Finding> {
        let code = self.code.as_ref().map_or("", |code| code.code.as_str());
        let dropped = self.spans.iter().filter(|span| span.is_primary).find_map(|span| dropped_by(span.line()?));
        if let Some(name) = dropped {
            return Some(Finding::Moves(name.to_owned()));
        }
        let primary = self.spans.iter().filter(|span| span.is_primary).find_map(Span::stores);
        let mut others = self.spans.iter().filter(|span| !span.is_primary).filter_map(Span::stores);
        if code == "E0505" {
            let moved = primary?;
            return Some(match (self.guard(), others.find(|other| *other != moved)) {
                (Some(guard), _) => Finding::Ends(guard.to_owned(), moved.to_owned()),
                (None, Some(other)) => Finding::NotKept(other.to_owned(), Why::Borrows),
                (None, None) => Finding::NotKept(moved.to_owned(), Why::Borrowed),
            });
        }
        if self.is_about_lifetimes() {
            return primary.or_else(|| others.next()).map(|name| Finding::NotKept(name.to_owned(), Why::Borrows));
        }
        (code != "E0382").then_some(primary?).map(|name| Finding::NotKept(name.to_owned(), Why::Unnameable))
    }

    /// Whether something does not live as long as it should.
    pub fn is_about_lifetimes(&self) -> bool {
        let code = self.code.as_ref().map_or("", |code| code.code.as_str());
        LIFETIMES.contains(&code) || self.message.starts_with("lifetime may not live long enough")
    }

    /// The variable whose destructor needs what is moved.
    fn guard(&self) -> Option<&str> {
        let labels = self.spans.iter().filter_map(|span| span.label.as_deref());
        labels
            .into_iter()
            .find_map(|label| label.split_once("when `")?.1.split_once("` is dropped").map(|(name, _)| name))
    }

    /// The variable that evcxr wanted to store, and that was no longer there.
    pub fn moved(&self, sources: &Sources) -> Option<Moved> {
        let is_moved = self.error_code() == Some("E0382");
        let name = self.spans.iter().filter(|span| span.is_primary && is_moved).find_map(Span::stores)?;
        let says =
            |span: &&Span| span.label.as_ref().is_some_and(|label| label.contains("moved") || label.contains("use"));
        let found = self.spans.iter().filter(says).find_map(|span| span.locate(sources));
        let by = self.takes(found.as_ref());
        let line = |code: &str| code.matches('\n').count() as u32 + 1;
        let place = found.map(|place| (place.source.number, line(&place.source.code[..place.range.start])));
        Some(Moved { name: name.to_owned(), place, by })
    }

    /// What took the variable that was moved at `place`. rustc's own words tell little: for a variable of an earlier cell,
    /// the whole cell is a closure that takes it.
    fn takes(&self, place: Option<&Place>) -> Takes {
        let text = |place: &Place| {
            let (before, rest) = place.source.code.split_at(place.range.start);
            (before.trim_end().to_owned(), rest[place.range.len()..].trim_start().to_owned())
        };
        let (before, after) = place.map(text).unwrap_or_default();
        let is_dropped = before.strip_suffix('(').is_some_and(|before| before.trim_end().ends_with("drop"));
        let ty = self.type_of_moved();
        // rustc knows, but does not always say it.
        let clones = self.children.iter().any(|child| child.message.starts_with("consider cloning"))
            || ty.is_some_and(can_clone);
        if self.message.contains("partially moved") {
            Takes::Part
        } else if is_dropped {
            Takes::Drop
        } else if after.starts_with(".await") || ty.is_some_and(is_future) {
            Takes::Await
        } else if ty.is_some_and(holds_futures) {
            Takes::Futures
        } else if place.is_some_and(Place::is_in_block) {
            Takes::Block { clones }
        } else if after.starts_with('.') {
            Takes::Call { clones }
        } else {
            Takes::All { clones }
        }
    }

    /// Whether what was moved is a future.
    pub fn is_about_future(&self) -> bool {
        self.type_of_moved().is_some_and(is_future)
    }

    fn type_of_moved(&self) -> Option<&str> {
        let notes = self.children.iter().map(|child| child.message.as_str());
        self.labels().chain(notes).find_map(|text| text.split_once("has type `")?.1.split('`').next())
    }

    /// Leaves out names that are similar: what the name means is known.
    pub fn leave_out_similar(&mut self) {
        self.spans.retain(|span| span.is_primary);
        self.children.retain(|child| !child.message.contains("with a similar name"));
    }

    /// The same error in other words: `label` stands at its place, `help` below. What rustc has found instead is left out.
    pub fn retell(&mut self, message: String, label: &str, help: &[String]) {
        self.message = message;
        self.spans.retain(|span| span.is_primary);
        for span in &mut self.spans {
            span.label = Some(label.to_owned());
        }
        let child = |text: &String| Self {
            message: text.clone(),
            level: "help".to_owned(),
            code: None,
            spans: Vec::new(),
            children: Vec::new(),
        };
        self.children = help.iter().map(child).collect();
    }
}

impl Place {
    fn is_in_block(&self) -> bool {
        let Some(map) = &self.source.map else { return false };
        let (line, column) = self.position(self.range.start);
        is_in_block(map.source(), byte_offset(map.source(), line, column))
    }
}

/// Whether values of this type are futures.
fn is_future(ty: &str) -> bool {
    let inner =
        ["std::pin::", "Pin<", "Box<", "impl ", "dyn "].iter().fold(ty, |ty, begin| ty.trim_start_matches(begin));
    let name = inner.split('<').next().unwrap_or_default();
    holds_futures(inner) && (inner.starts_with('{') || ["Future", "JoinHandle"].iter().any(|end| name.ends_with(end)))
}

/// Whether a type has to do with futures; a thread's handle is none.
fn holds_futures(ty: &str) -> bool {
    let ty = ty.replace("std::thread::JoinHandle", "");
    ["Future<", "JoinHandle<", "{async "].iter().any(|part| ty.contains(part))
}

/// Whether values of this type, of which rustc has not said it, can certainly be cloned.
fn can_clone(ty: &str) -> bool {
    const SHARED: [&str; 6] = ["Arc", "Rc", "Sender", "SyncSender", "UnboundedSender", "WeakSender"];
    const PLAIN: [&str; 26] = [
        "String", "Vec", "VecDeque", "HashMap", "HashSet", "BTreeMap", "BTreeSet", "Option", "Result", "PathBuf",
        "Box", "bool", "char", "str", "u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize", "f32",
        "f64",
    ];
    fn last(path: &str) -> &str {
        path.rsplit("::").next().unwrap_or_default()
    }
    let outer = ty.split('<').next().unwrap_or_default();
    let mut names = ty.split(|c: char| !(c.is_alphanumeric() || "_:".contains(c))).filter(|name| !name.is_empty());
    SHARED.contains(&last(outer)) || names.all(|name| PLAIN.contains(&last(name)))
}

impl Span {
    /// The line of the compiled file in which it begins.
    fn line(&self) -> Option<&str> {
        self.text.first().map(|line| line.text.as_str())
    }

    /// The variable that evcxr stores in this line, in a cell that runs or in one that is only looked at.
    fn stores(&self) -> Option<&str> {
        let (_, call) = self.line()?.split_once("evcxr_variable_store")?;
        if let Some(name) = call.strip_prefix('(') {
            return name.split_once(')').map(|(name, _)| name);
        }
        let (_, rest) = call.strip_prefix(".put_variable")?.split_once("stringify!(")?;
        rest.split_once(')').map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluator::cell::{Notebook, prepare};
    use crate::evaluator::errors::diagnostics::Source;
    use serde_json::{Value, json};
    use std::sync::Arc;

    const PUT: &str = "evcxr_variable_store.put_variable::<Mutex<u8>>(stringify!(m), m);";

    fn span(text: &str, is_primary: bool, label: &str) -> Value {
        let column_end = text.chars().count() + 1;
        json!({
            "line_start": 1, "line_end": 1, "column_start": 1, "column_end": column_end, "is_primary": is_primary,
            "label": label, "text": [{ "text": text }],
        })
    }

    fn error(code: &str, message: &str, spans: &[Value]) -> Diagnostic {
        let json = json!({ "message": message, "level": "error", "code": { "code": code }, "spans": spans });
        Diagnostic::from_json(&json).expect("a diagnostic")
    }

    #[test]
    fn an_error_in_a_line_of_evcxr_s_is_about_a_variable() {
        let users = span("let/*lb:1:1*/ r = &m;", true, "borrowed value does not live long enough");
        let stored = span(PUT, false, "argument requires that `v` is borrowed for `'static`");
        let found = error("E0597", "`v` does not live long enough", &[users.clone(), stored]).finding();
        assert_eq!(found, Some(Finding::NotKept("m".into(), Why::Borrows)));
        let analysed = span("evcxr_variable_store(r);", true, "");
        let found = error("E0521", "borrowed data escapes", &[analysed]).finding();
        assert_eq!(found, Some(Finding::NotKept("r".into(), Why::Borrows)));
        let found = error("E0412", "cannot find type `Mutex`", &[span(PUT, true, "")]).finding();
        assert_eq!(found, Some(Finding::NotKept("m".into(), Why::Unnameable)));
        assert_eq!(error("E0308", "mismatched types", &[users]).finding(), None);
    }

    #[test]
    fn a_guard_is_to_be_dropped_first() {
        let end = span("});", false, "borrow might be used here, when `g` is dropped and runs the destructor");
        let stored = span(PUT, true, "move out of `m` occurs here");
        let found = error("E0505", "cannot move out of `m`", &[stored.clone(), end]).finding();
        assert_eq!(found, Some(Finding::Ends("g".into(), "m".into())));
        let found = error("E0505", "cannot move out of `m`", &[stored]).finding();
        assert_eq!(found, Some(Finding::NotKept("m".into(), Why::Borrowed)));
        let ours = span(" ::core::mem::drop(g);", true, "value used here after move");
        assert_eq!(error("E0382", "use of moved value: `g`", &[ours]).finding(), Some(Finding::Moves("g".into())));
    }

    #[test]
    fn where_a_variable_was_moved_is_told() {
        let sources = Sources::default();
        for (cell, by, ty) in [
            ("let n = 1;\nlet p = m;", Takes::All { clones: true }, "String"),
            ("let n = 1;\nlet p = m;", Takes::All { clones: false }, "Own"),
            ("let n = 1;\n  drop(m);", Takes::Drop, "String"),
            ("let n = 1;\nm.await;", Takes::Await, "Timer"),
            ("let n = 1;\ngather!(m);", Takes::Await, "async_std::task::JoinHandle<u8>"),
            ("let n = 1;\nf(m);", Takes::Futures, "Vec<async_std::task::JoinHandle<u8>>"),
            ("let n = 1;\nm.join();", Takes::Call { clones: false }, "std::thread::JoinHandle<u8>"),
            ("let n = 1;\nf(|| m);", Takes::Block { clones: true }, "Vec<String>"),
            ("let n = 1;\nf(async { m.len() });", Takes::Block { clones: true }, "std::sync::Arc<Own>"),
        ] {
            let prepared = prepare(1, cell, &Notebook::default()).expect("a good cell");
            sources.insert(Arc::new(Source {
                number: 1,
                code: cell.to_owned(),
                map: Some(prepared.map.clone()),
                not_stored: Vec::new(),
            }));
            let line = prepared.rust.lines().nth(1).expect("two lines");
            let at = line.chars().position(|c| c == 'm').expect("m") + 1;
            let mut taken = span(line, false, "value moved here");
            taken["column_start"] = at.into();
            taken["column_end"] = (at + 1).into();
            let of_type = span("", false, &format!("move occurs because `m` has type `{ty}`, which"));
            let spans = [span(PUT, true, ""), taken, of_type];
            let found = error("E0382", "use of moved value: `m`", &spans).moved(&sources);
            assert_eq!(found, Some(Moved { name: "m".into(), place: Some((1, 2)), by }), "{cell}");
        }
    }

    #[test]
    fn a_future_is_known_by_its_type() {
        for (ty, is_future) in [
            ("async_std::task::JoinHandle<i32>", true),
            ("std::pin::Pin<Box<dyn Future<Output = u8> + Send>>", true),
            ("impl Future<Output = u8>", true),
            ("std::thread::JoinHandle<i32>", false),
            ("Vec<async_std::task::JoinHandle<i32>>", false),
        ] {
            assert_eq!(super::is_future(ty), is_future, "{ty}");
        }
        assert!(
            holds_futures("Vec<async_std::task::JoinHandle<i32>>") && !holds_futures("std::thread::JoinHandle<i32>")
        );
    }

    #[test]
    fn what_can_be_cloned_is_known_by_its_type() {
        for ty in ["String", "Vec<(u8, std::path::PathBuf)>", "Arc<Own>", "async_std::channel::Sender<Own>"] {
            assert!(can_clone(ty), "{ty}");
        }
        for ty in ["Own", "Vec<Own>", "std::sync::Mutex<u8>", "Box<dyn Fn(u8) -> u8>", "&mut String"] {
            assert!(!can_clone(ty), "{ty}");
        }
    }

    #[test]
    fn what_is_told_in_other_words_has_no_other_places() {
        let mut error = error("E0425", "", &[span("f(1)", true, "not found"), span("struct F(u8);", false, "similar")]);
        error.retell("it is gone".into(), "gone", &["do this".into()]);
        assert_eq!(error.labels().collect::<Vec<_>>(), ["gone"]);
        let mut other = self::error("E0425", "", &[span("f(1)", true, "not found"), span("struct F(u8);", false, "")]);
        other.children.push(self::error("", "a local variable with a similar name exists", &[]));
        other.children.push(self::error("", "consider importing this function", &[]));
        other.leave_out_similar();
        assert_eq!((other.spans.len(), other.children.len()), (1, 1));
    }
}
