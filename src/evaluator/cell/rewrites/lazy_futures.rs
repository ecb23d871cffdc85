//! A second try for `let f = fetch(1);`: evcxr cannot keep a variable whose type has no name, so the future is boxed.

use super::edits::Edits;
use crate::evaluator::cell::parse::syntax::Tree;
use ra_ap_syntax::AstNode;
use ra_ap_syntax::ast::{self, HasName};

/// Boxes what the last `let` of that name is set to: the one that evcxr keeps.
pub(in crate::evaluator::cell) fn rewrite(tree: &Tree, variable: &str, edits: &mut Edits) {
    let initialiser = |node: ast::LetStmt| {
        let Some(ast::Pat::IdentPat(pattern)) = node.pat() else { return None };
        let is_meant = pattern.name().is_some_and(|name| name.text() == variable);
        node.initializer().filter(|_| is_meant && node.ty().is_none() && node.let_else().is_none())
    };
    let found = tree.statements().filter_map(|place| {
        let node = ast::LetStmt::cast(place.node.clone())?;
        initialiser(node).map(|value| place.of(value.syntax().clone()))
    });
    if let Some(value) = found.last() {
        edits.wrap(value.range(value.node.clone()), 0, "::loopbook::keep(", ")");
    }
}

#[cfg(test)]
mod tests {

    use crate::evaluator::cell::{Notebook, prepare};

    fn kept(code: &str, variable: &str) -> Option<String> {
        prepare(1, code, &Notebook::default()).expect("a good cell").boxing(variable).map(|kept| kept.rust)
    }

    #[test]
    fn the_last_binding_of_the_name_is_boxed() {
        assert_eq!(
            kept("let f = a(); let mut f = b(c?);", "f").as_deref(),
            Some("/*lb:1:1*/let f = a(); let/*lb:1:1:1*/ mut f = ::loopbook::keep(b(::loopbook::__try!(c)));")
        );
    }

    #[test]
    fn one_is_boxed_after_the_other() {
        let prepared = prepare(1, "let f = a(); let g = b();", &Notebook::default()).expect("a good cell");
        let both = prepared.boxing("f").expect("f is kept").boxing("g").expect("g is kept").rust;
        assert_eq!(both.matches("keep(").count(), 2, "{both}");
    }

    #[test]
    fn what_cannot_be_boxed_is_left() {
        for code in ["let g = a();", "let f: X = a();", "let (f, g) = a();", "let f;", "fn h() { let f = a(); }"] {
            assert_eq!(kept(code, "f"), None, "{code}");
        }
    }
}
