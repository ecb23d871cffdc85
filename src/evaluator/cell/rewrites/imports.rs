//! `use {a::b, c::d};`: evcxr forgets an import that begins with a brace, so each gets a `use` of its own.

use super::edits::Edits;
use crate::evaluator::cell::parse::syntax::Tree;
use ra_ap_syntax::ast::{self, AstNode};
use ra_ap_syntax::{NodeOrToken, SyntaxKind};

/// Takes the braces away that stand around everything.
pub(in crate::evaluator::cell) fn rewrite(tree: &Tree, edits: &mut Edits) {
    for (place, item) in tree.items() {
        let ast::Item::Use(import) = item else { continue };
        let Some(outer) = import.use_tree().filter(|outer| outer.path().is_none()) else { continue };
        let Some(list) = outer.use_tree_list() else { continue };
        let mut rest = list.use_trees().count();
        let tokens = outer.syntax().children_with_tokens().chain(list.syntax().children_with_tokens());
        for token in tokens.filter_map(NodeOrToken::into_token) {
            let text = match token.kind() {
                SyntaxKind::COMMA if rest > 1 => "; use ",
                SyntaxKind::COMMA | SyntaxKind::COLON2 | SyntaxKind::L_CURLY | SyntaxKind::R_CURLY => "",
                _ => continue,
            };
            rest -= usize::from(token.kind() == SyntaxKind::COMMA && rest > 1);
            edits.replace(place.range(token), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::tests::unmarked;

    #[test]
    fn imports_in_braces_stand_alone() {
        assert_eq!(unmarked("use {a::b, c::{d, e},};"), "use a::b; use  c::{d, e};");
        assert_eq!(unmarked("use ::{a};"), "use a;");
        assert_eq!(unmarked("use a::{b, c};"), "use a::{b, c};");
    }
}
