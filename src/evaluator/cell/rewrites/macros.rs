//! `macro_rules!` at cell level: visible in later cells, whatever the order in which evcxr writes them.

use super::edits::Edits;
use crate::evaluator::cell::parse::problem::Problem;
use crate::evaluator::cell::parse::syntax::{Place, Tree};
use ra_ap_syntax::ast::{self, HasAttrs, HasName};
use ra_ap_syntax::{AstNode, NodeOrToken, SyntaxKind};

/// Macros that evcxr's own code around a cell uses: a cell that takes one of these names breaks every later cell.
const TAKEN: [&str; 4] = ["eprintln", "panic", "println", "stringify"];

/// Exports every macro of the cell.
pub(in crate::evaluator::cell) fn rewrite(tree: &Tree, text: &str, edits: &mut Edits) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (place, item) in tree.items() {
        let ast::Item::MacroRules(rules) = item else { continue };
        if let Some(name) = rules.name().filter(|name| TAKEN.contains(&name.text())) {
            problems.push(
                Problem::new(
                    format!("a macro of a cell cannot be called `{}`", name.text()),
                    text,
                    place.range(name.syntax().clone()),
                    "the code around every cell uses this name",
                )
                .with_help(format!("give it another name, like `my_{}`", name.text())),
            );
        }
        if !is_exported(&rules) {
            edits.open(keyword(&place), 1, "#[macro_export] ");
        }
    }
    problems
}

fn is_exported(rules: &ast::MacroRules) -> bool {
    rules.attrs().any(|attr| attr.syntax().text().to_string().contains("macro_export"))
}

/// Where `macro_rules` begins: a visibility or attribute may come before.
fn keyword(place: &Place) -> usize {
    let tokens = place.node.children_with_tokens().filter_map(NodeOrToken::into_token);
    let keyword = tokens.into_iter().find(|token| token.kind() == SyntaxKind::MACRO_RULES_KW);
    keyword.map_or(place.bare_range().start, |token| place.range(token).start)
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Notebook, prepare, tests::unmarked};

    #[test]
    fn macros_are_exported_once() {
        assert_eq!(unmarked("macro_rules! a { () => {} }"), "#[macro_export] macro_rules! a { () => {} }");
        let exported = "#[macro_export]\nmacro_rules! a { () => {} }";
        assert_eq!(unmarked(exported), exported);
        let inner = "fn f() { macro_rules! a { () => {} } }";
        assert_eq!(unmarked(inner), inner);
    }

    #[test]
    fn the_export_stands_on_the_line_of_the_macro() {
        let rust = prepare(1, "// x\n/// doc\nmacro_rules! a { () => {} }", &Notebook::default()).expect("fine").rust;
        assert_eq!(rust, "// x\n/// doc\n/*lb:1:3*/#[macro_export] macro_rules! a { () => {} }");
    }

    #[test]
    fn names_that_the_surrounding_code_needs_are_refused() {
        let problems = prepare(1, "macro_rules! println { () => {} }", &Notebook::default()).expect_err("taken");
        assert_eq!(problems[0].place(), (1, 14));
        assert!(prepare(1, "use a::b as println;", &Notebook::default()).is_ok());
    }
}
