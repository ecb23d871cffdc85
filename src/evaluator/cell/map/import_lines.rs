//! Lines of evcxr's code that have lost their mark: evcxr writes imports anew, one by one, and keeps inner attributes by
//! their text. They are known again by what they say.

use crate::evaluator::cell::parse::syntax::{Place, Tree};
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, SyntaxKind};
use std::ops::Range;

/// A line that evcxr writes without a mark, and where its words stand in the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::evaluator::cell) struct Unmarked {
    text: String,
    words: Vec<Word>,
}

/// A stretch of the line that is the same in the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    line: Range<usize>,
    cell: Range<usize>,
    /// Whether it stands in front of the braces that hold the rest: `std` of `std::{fmt, io}`.
    is_shared: bool,
}

/// The lines that evcxr will write for the imports and inner attributes of a cell.
pub(in crate::evaluator::cell) fn lines(tree: &Tree, text: &str) -> Vec<Unmarked> {
    let mut lines = Vec::new();
    for place in tree.statements() {
        let range = place.range(place.node.clone());
        if place.node.kind() == SyntaxKind::ATTR {
            let word = Word { line: 0..range.len(), cell: range.clone(), is_shared: false };
            lines.push(Unmarked { text: text[range].to_owned(), words: vec![word] });
        } else if let Some(import) = ast::Use::cast(place.node.clone()).and_then(|import| import.use_tree()) {
            imports(&place, &import, &[], &mut lines);
        }
    }
    lines
}

impl Unmarked {
    /// Where in the cell something stands that stands between two columns (from 1, in characters) of this line; `None` if
    /// the line is another one. Offsets in bytes.
    pub(in crate::evaluator::cell) fn locate(&self, line: &str, start: u32, end: u32) -> Option<Range<usize>> {
        if line.trim_end() != self.text {
            return None;
        }
        let offset = |column: u32| {
            let at = self.text.char_indices().nth(column.checked_sub(1)? as usize).map(|(at, _)| at);
            Some(at.unwrap_or(self.text.len()))
        };
        let (start, end) = (offset(start)?, offset(end)?);
        let touched: Vec<_> = self.words.iter().filter(|word| word.line.start < end && start < word.line.end).collect();
        // rustc blames what stands in the braces, unless the fault lies before them.
        let own = touched.iter().position(|word| !word.is_shared).unwrap_or_default();
        let (first, last) = (touched.get(own)?, touched.last()?);
        let from = first.cell.start + start.saturating_sub(first.line.start).min(first.cell.len());
        // `self` in the cell may stand for a longer name.
        let inside = last.cell.start + end.saturating_sub(last.line.start).min(last.cell.len());
        let to = if end < last.line.end { inside } else { last.cell.end };
        Some(from..to)
    }
}

/// The imports of one tree behind the words of the trees around it.
fn imports(place: &Place, tree: &ast::UseTree, outer: &[(String, Range<usize>)], lines: &mut Vec<Unmarked>) {
    let names = tree.path().into_iter().flat_map(|path| path.syntax().descendants().filter_map(ast::NameRef::cast));
    let own = names.map(|name| (name.text().to_string(), place.range(name.syntax().clone())));
    let mut words: Vec<_> = outer.iter().cloned().chain(own).collect();
    if let Some(list) = tree.use_tree_list() {
        return list.use_trees().for_each(|tree| imports(place, &tree, &words, lines));
    }
    let is_self = words.len() > 1 && words.last().is_some_and(|(name, _)| name == "self");
    let itself = if is_self { words.pop().map(|(_, range)| range) } else { None };
    if let Some(star) = tree.star_token() {
        words.push(("*".to_owned(), place.range(star)));
    }
    let mut line = Unmarked { text: "use ".to_owned(), words: Vec::new() };
    for (index, (name, range)) in words.into_iter().enumerate() {
        let separator = if index == 0 { "" } else { "::" };
        line.push(separator, &name, range, index < outer.len());
    }
    let rename = tree.rename().and_then(|rename| rename.name()).filter(|_| itself.is_none());
    if let Some(name) = rename {
        line.push(" as ", name.text(), place.range(name.syntax().clone()), false);
    }
    if let (Some(itself), Some(last)) = (itself, line.words.last_mut()) {
        last.cell = itself;
        last.is_shared = false;
    }
    line.text.push(';');
    lines.push(line);
}

impl Unmarked {
    fn push(&mut self, separator: &str, word: &str, cell: Range<usize>, is_shared: bool) {
        self.text += separator;
        let start = self.text.len();
        self.text += word;
        self.words.push(Word { line: start..self.text.len(), cell, is_shared });
    }
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Notebook, prepare};

    /// What of the cell stands for a part of a line of evcxr's.
    fn found(code: &str, line: &str, part: &str) -> Option<String> {
        let map = prepare(1, code, &Notebook::default()).expect("a good cell").map;
        let start = line.find(part).expect("a part of the line") as u32 + 1;
        let range = map.locate_unmarked(line, start, start + part.chars().count() as u32)?;
        Some(map.source()[range].to_owned())
    }

    #[test]
    fn an_import_is_found_by_its_words() {
        let code = "use a::{b, c::{self, d as e}, f::*};\nuse g::h;";
        for (line, part, expected) in [
            ("use a::b;", "a::b", "b"),
            ("use a::b;", "a", "a"),
            ("use a::c;", "a::c", "self"),
            ("use a::c::d as e;", "a::c::d as e", "d as e"),
            ("use a::c::d as e;", "c", "c"),
            ("use a::f::*;", "f", "f"),
            ("use g::h;", "g::h", "g::h"),
        ] {
            assert_eq!(found(code, line, part).as_deref(), Some(expected), "{line}");
        }
        assert_eq!(found(code, "use a::x;", "x"), None);
    }

    #[test]
    fn an_inner_attribute_is_found_by_its_text() {
        assert_eq!(found("#![a(b)] 1;", "#![a(b)] ", "b").as_deref(), Some("b"));
    }
}
