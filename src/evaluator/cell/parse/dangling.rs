//! Attributes and doc comments at the end of a cell, with no item behind them. The parser reports the first as
//! something that is missing at the end, and takes the second for any comment; rustc says what is wrong, and where.

use super::problem::Problem;
use super::syntax::Tree;
use ra_ap_syntax::{SyntaxKind, SyntaxNode};
use std::ops::Range;

/// The only problem of a cell that ends in attributes, in place of what the parser says.
pub(in crate::evaluator::cell) fn instead_of(problems: Vec<Problem>, text: &str) -> Vec<Problem> {
    let last = Tree::parse_broken(text).1.and_then(|tree| last_attribute(&tree));
    match last {
        Some(range) if problems.len() == 1 => {
            vec![Problem::new("expected item after attributes", text, range, "")]
        }
        _ => problems,
    }
}

/// The problem of a cell that ends in a line with a doc comment.
pub(in crate::evaluator::cell) fn check(tree: &Tree, text: &str) -> Option<Problem> {
    let tokens: Vec<_> = tree.tokens().collect();
    let is_nothing = |text: &str| text.trim().is_empty() || (text.starts_with('/') && !is_doc(text));
    let (at, last) =
        tokens.into_iter().rev().find(|(_, token)| !(token.kind().is_trivia() && is_nothing(token.text())))?;
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let is_dangling = last.kind() == SyntaxKind::COMMENT && text[line_start..at].trim().is_empty();
    is_dangling.then(|| {
        let end = at + last.text().trim_end().len();
        Problem::new("expected item after doc comment", text, at..end, "this doc comment doesn't document anything")
    })
}

/// Where the last attribute stands, if nothing follows it.
fn last_attribute(tree: &Tree) -> Option<Range<usize>> {
    // The brace around the cell is an error to the parser, which goes on to look for what the attribute is for.
    let place = tree.statements().filter(|place| place.node.kind() != SyntaxKind::ERROR).last()?;
    let is_outer = place.node.kind() == SyntaxKind::ATTR
        && !place.node.children_with_tokens().any(|element| element.kind() == SyntaxKind::BANG);
    (is_outer && is_last(&place.node)).then(|| place.range(place.node.clone()))
}

/// Whether nothing but the brace around the cell stands behind a node.
fn is_last(node: &SyntaxNode) -> bool {
    let mut behind = std::iter::successors(node.next_sibling_or_token(), |element| element.next_sibling_or_token());
    behind.all(|element| element.kind().is_trivia() || element.to_string() == "}")
}

/// Whether a comment documents what follows it.
fn is_doc(comment: &str) -> bool {
    let is_line = comment.starts_with("///") && !comment.starts_with("////");
    is_line || (comment.starts_with("/**") && !comment.starts_with("/***") && comment != "/**/")
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Notebook, prepare};

    fn problem(code: &str) -> Option<((u32, u32), String)> {
        let problems = prepare(1, code, &Notebook::default()).err()?;
        Some((problems[0].place(), problems[0].message.clone()))
    }

    #[test]
    fn what_belongs_to_nothing_is_told_as_rustc_tells_it() {
        let attributes = "expected item after attributes".to_owned();
        let comment = "expected item after doc comment".to_owned();
        for (code, place, message) in [
            ("#[derive(Debug)]", (1, 1), &attributes),
            ("let x = 1;\n#[a]\n  #[b] // c\n", (3, 3), &attributes),
            ("/// doc\n#[a]", (2, 1), &attributes),
            ("/// doc", (1, 1), &comment),
            ("fn f() {}\n\n  /// doc\n// and another\n", (3, 3), &comment),
            ("/** doc */", (1, 1), &comment),
        ] {
            assert_eq!(problem(code), Some((place, message.clone())), "{code}");
        }
    }

    #[test]
    fn other_comments_and_attributes_stay() {
        for code in
            ["// c", "/* c */", "//// c", "/**/", "#![allow(unused)]", "f() /// c", "/// doc\nfn f() {}", "1 // c"]
        {
            assert_eq!(problem(code), None, "{code}");
        }
        assert!(problem("let = ;\n#[a]").is_some_and(|(place, _)| place.0 == 1));
    }
}
