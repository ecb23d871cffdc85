//! Line marks ([`loopbook_channel::Mark`]) in every line in which a token begins, and in every statement.
//!
//! Marks survive in evcxr's `lib.rs`, also in the items of earlier cells, so a panic, a spawn or an error finds its cell
//! and line. evcxr cuts a cell into statements and gives what stands before a statement to the one before; a mark of a
//! statement's first line therefore stands *behind* the statement's first token (`fn/*lb:3:4*/ f`), or behind the text
//! that a rewrite has put in front of it.

use super::edits::Edits;
use super::thread_locals::Local;
use crate::evaluator::cell::parse::syntax::{Tree, meaningful_tokens};
use ra_ap_syntax::{SyntaxKind, SyntaxToken};
use std::collections::BTreeMap;

/// Marks the lines and statements of cell number `cell`.
pub(in crate::evaluator::cell) fn rewrite(tree: &Tree, cell: u32, locals: &[Local], edits: &mut Edits) {
    let starts = statement_starts(tree, locals);
    let (mut line, mut marked, mut is_first, mut attribute_end) = (1, 0, true, 0);
    for (at, token) in tree.tokens() {
        // What is taken away cannot hold the mark of what comes after it.
        let is_gone = locals.iter().any(|local| local.is_taken_away(at));
        if !token.kind().is_trivia() && !is_gone {
            let start = starts.get(&at);
            if let Some(Start::Attribute { end }) = start {
                attribute_end = *end;
                is_first = false;
            } else if at >= attribute_end && (line != marked || start.is_some()) {
                match start {
                    // Nothing stands before the first statement. In front of it, the mark also keeps evcxr from taking
                    // a line that begins with `::` for a command.
                    Some(Start::Statement { node }) if is_first && !edits.precedes(*node) => {
                        edits.mark_first(at, (cell, line));
                    }
                    Some(Start::Statement { node }) => mark_statement(at, *node, &token, (cell, line), edits),
                    _ => edits.mark_ahead(at, (cell, line)),
                }
                marked = line;
                is_first = false;
            }
        }
        line += token.text().bytes().filter(|byte| *byte == b'\n').count() as u32;
    }
}

fn mark_statement(at: usize, node: usize, token: &SyntaxToken, line: (u32, u32), edits: &mut Edits) {
    edits.begin(node);
    if edits.opens(at) || token.text().contains('\n') {
        edits.mark_ahead(at, line);
    } else {
        edits.mark_behind(at + token.text().len(), line);
    }
}

enum Start {
    /// A statement or item; its node, with doc comments and attributes, begins at this offset.
    Statement { node: usize },
    /// evcxr keeps inner attributes by their text, which must not change from run to run.
    Attribute { end: usize },
}

/// The first tokens of the statements, by offset.
fn statement_starts(tree: &Tree, locals: &[Local]) -> BTreeMap<usize, Start> {
    let mut starts = BTreeMap::new();
    for place in tree.statements() {
        let range = place.range(place.node.clone());
        if place.node.kind() == SyntaxKind::ATTR {
            starts.insert(range.start, Start::Attribute { end: range.end });
        } else if let Some(first) = meaningful_tokens(&place.node).next() {
            starts.insert(place.range(first).start, Start::Statement { node: range.start });
        }
    }
    for local in locals {
        starts.remove(&local.call);
        starts.extend(local.statics.iter().map(|(first, node)| (*first, Start::Statement { node: *node })));
    }
    starts
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Notebook, prepare};

    fn marked(code: &str) -> String {
        prepare(7, code, &Notebook::default()).expect("a good cell").rust
    }

    #[test]
    fn every_line_and_statement_is_marked() {
        assert_eq!(
            marked("use a::b;\nfn f() {\n    g(\n        1,\n    );\n} fn g() {}"),
            "/*lb:7:1*/use a::b;\nfn/*lb:7:2*/ f() {\n    /*lb:7:3*/g(\n        /*lb:7:4*/1,\n    /*lb:7:5*/);\n\
             /*lb:7:6*/} fn/*lb:7:6:1*/ g() {}"
        );
    }

    #[test]
    fn literals_and_comments_stay_as_they_are() {
        assert_eq!(
            marked("let s = \"a\nb\";\n/* x\n y */ f();\n// z\n/// doc\n#[a]\nfn g() {}"),
            "/*lb:7:1*/let s = \"a\nb\"/*lb:7:2*/;\n/* x\n y */ f/*lb:7:4*/();\n// z\n/// doc\n#/*lb:7:7*/[a]\n\
             /*lb:7:8*/fn g() {}"
        );
    }

    #[test]
    fn inner_attributes_keep_their_text() {
        assert_eq!(marked("#![feature(a)]\nlet x = 1;"), "#![feature(a)]\nlet/*lb:7:2*/ x = 1;");
    }

    #[test]
    fn the_first_line_never_looks_like_a_command() {
        assert_eq!(marked("\n // c\n::a::b();"), "\n // c\n/*lb:7:3*/::a::b();");
    }
}
