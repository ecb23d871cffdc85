//! Errors in lines that evcxr has written: which variable of the user's they are about.

use super::{Diagnostic, Sources, Span};
use crate::evaluator::cell::{Lesson, Why, dropped_by};

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
    All,
    /// One of its fields was moved.
    Part,
    /// `drop(x)`.
    Drop,
}

impl Diagnostic {
    /// What the error shows about a variable that the cell was to keep; `None` if it is not about storing one.
    pub fn lesson(&self) -> Option<Lesson> {
        let code = self.code.as_ref().map_or("", |code| code.code.as_str());
        let dropped = self.spans.iter().filter(|span| span.is_primary).find_map(|span| dropped_by(span.line()?));
        if let Some(name) = dropped {
            return Some(Lesson::Moves(name.to_owned()));
        }
        let primary = self.spans.iter().filter(|span| span.is_primary).find_map(Span::stores);
        let mut others = self.spans.iter().filter(|span| !span.is_primary).filter_map(Span::stores);
        if code == "E0505" {
            let moved = primary?;
            return Some(match (self.guard(), others.find(|other| *other != moved)) {
                (Some(guard), _) => Lesson::Ends(guard.to_owned(), moved.to_owned()),
                (None, Some(other)) => Lesson::NotKept(other.to_owned(), Why::Borrows),
                (None, None) => Lesson::NotKept(moved.to_owned(), Why::Borrowed),
            });
        }
        if self.is_about_lifetimes() {
            return primary.or_else(|| others.next()).map(|name| Lesson::NotKept(name.to_owned(), Why::Borrows));
        }
        (code != "E0382").then_some(primary?).map(|name| Lesson::NotKept(name.to_owned(), Why::Unnameable))
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
        let is_moved = self.code.as_ref().is_some_and(|code| code.code == "E0382");
        let name = self.spans.iter().filter(|span| span.is_primary && is_moved).find_map(Span::stores)?;
        let says =
            |span: &&Span| span.label.as_ref().is_some_and(|label| label.contains("moved") || label.contains("use"));
        let found = self.spans.iter().filter(says).find_map(|span| span.locate(sources));
        let is_dropped = found.as_ref().is_some_and(|place| {
            let before = place.source.code[..place.range.start].trim_end();
            before.strip_suffix('(').is_some_and(|before| before.trim_end().ends_with("drop"))
        });
        let by = match (is_dropped, self.message.contains("partially moved")) {
            (_, true) => Takes::Part,
            (true, false) => Takes::Drop,
            (false, false) => Takes::All,
        };
        let line = |code: &str| code.matches('\n').count() as u32 + 1;
        let place = found.map(|place| (place.source.number, line(&place.source.code[..place.range.start])));
        Some(Moved { name: name.to_owned(), place, by })
    }

    /// The same error in other words: `label` stands at its place, `help` below.
    pub fn retell(&mut self, message: String, label: &str, help: &[String]) {
        self.message = message;
        for span in self.spans.iter_mut().filter(|span| span.is_primary) {
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
    use crate::evaluator::cell::{Known, prepare};
    use crate::evaluator::diagnostics::Source;
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
        let found = error("E0597", "`v` does not live long enough", &[users.clone(), stored]).lesson();
        assert_eq!(found, Some(Lesson::NotKept("m".into(), Why::Borrows)));
        let analysed = span("evcxr_variable_store(r);", true, "");
        let found = error("E0521", "borrowed data escapes", &[analysed]).lesson();
        assert_eq!(found, Some(Lesson::NotKept("r".into(), Why::Borrows)));
        let found = error("E0412", "cannot find type `Mutex`", &[span(PUT, true, "")]).lesson();
        assert_eq!(found, Some(Lesson::NotKept("m".into(), Why::Unnameable)));
        assert_eq!(error("E0308", "mismatched types", &[users]).lesson(), None);
    }

    #[test]
    fn a_guard_is_to_be_dropped_first() {
        let end = span("});", false, "borrow might be used here, when `g` is dropped and runs the destructor");
        let stored = span(PUT, true, "move out of `m` occurs here");
        let found = error("E0505", "cannot move out of `m`", &[stored.clone(), end]).lesson();
        assert_eq!(found, Some(Lesson::Ends("g".into(), "m".into())));
        let found = error("E0505", "cannot move out of `m`", &[stored]).lesson();
        assert_eq!(found, Some(Lesson::NotKept("m".into(), Why::Borrowed)));
        let ours = span(" ::core::mem::drop(g);", true, "value used here after move");
        assert_eq!(error("E0382", "use of moved value: `g`", &[ours]).lesson(), Some(Lesson::Moves("g".into())));
    }

    #[test]
    fn where_a_variable_was_moved_is_told() {
        let sources = Sources::default();
        for (cell, by) in [("let n = 1;\nlet p = m;", Takes::All), ("let n = 1;\n  drop(m);", Takes::Drop)] {
            let prepared = prepare(1, cell, &Known::default()).expect("a good cell");
            sources.insert(Arc::new(Source {
                number: 1,
                code: cell.to_owned(),
                map: Some(prepared.map.clone()),
                unkept: Vec::new(),
            }));
            let line = prepared.rust.lines().nth(1).expect("two lines");
            let at = line.chars().position(|c| c == 'm').expect("m") + 1;
            let mut taken = span(line, false, "value moved here");
            taken["column_start"] = at.into();
            taken["column_end"] = (at + 1).into();
            let found = error("E0382", "use of moved value: `m`", &[span(PUT, true, ""), taken]).moved(&sources);
            assert_eq!(found, Some(Moved { name: "m".into(), place: Some((1, 2)), by }), "{cell}");
        }
    }
}
