//! Variables that a cell defines anew: evcxr lets go of the old value even if the cell fails. So the cell begins by
//! handing it to the runtime, which keeps it until the cell has ended.
//!
//! That needs no second compilation. A cell that uses the old value first cannot hand it over; then a copy is kept if
//! the value is plain data of at most 1 MB. Other values are not copied, because a copy can have effects (it would keep
//! a channel open). They are lost, and the error lists them.

use super::edits::Edits;
use super::findings::Why;
use super::unstored::Unstored;
use crate::evaluator::cell::notebook::Notebook;
use crate::evaluator::cell::parse::syntax::{Place, Tree};
use crate::evaluator::cell::{MUTEX, RENAMED_MUTEX};
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, SyntaxKind, SyntaxToken};
use std::collections::BTreeSet;

/// Hands over the old values of the variables of [`Notebook::variables`] that the cell's top level defines anew, and drops
/// those of [`Notebook::given_up`].
/// What the cell does not keep (`unstored`) takes no value's place: the old one is dropped when the cell has succeeded.
pub(in crate::evaluator::cell) fn rewrite(tree: &Tree, notebook: &Notebook, unstored: &[Unstored], edits: &mut Edits) {
    let Some(first) = tree.statements().find(|place| place.node.kind() != SyntaxKind::ATTR) else { return };
    // In front of its attributes and doc comments, which belong to it.
    let start = first.range(first.node.clone()).start;
    for name in &notebook.given_up {
        edits.before(start, give_up(name));
    }
    let mut seen = BTreeSet::new();
    for place in tree.statements() {
        let Some(pattern) = ast::LetStmt::cast(place.node.clone()).and_then(|node| node.pat()) else { continue };
        let bound = pattern.syntax().descendants().filter_map(ast::IdentPat::cast).filter_map(|ident| ident.name());
        for name in bound.map(|name| name.text().to_string()) {
            let stored = if name == MUTEX { RENAMED_MUTEX } else { &name };
            let is_local = |local: &Unstored| local.name == name && !matches!(local.why, Why::MovedByAwait(_));
            let is_kept = notebook.variables.contains(stored) && !notebook.given_up.contains(stored);
            if !is_kept || unstored.iter().any(is_local) || !seen.insert(name.clone()) {
                continue;
            }
            let is_used = is_mentioned(tree, &name, &place, &place.of(pattern.syntax().clone()));
            edits.before(start, if is_used { copy(stored) } else { hand_over(stored) });
        }
    }
}

// In braces, because evcxr takes a cell that begins with a colon for a command.

/// evcxr only forgets the name; in its store, what is put there anew takes the old value's place, which is dropped.
fn give_up(name: &str) -> String {
    format!("{{evcxr_variable_store.put_variable(\"{name}\", ());}}")
}

fn hand_over(name: &str) -> String {
    format!("{{::loopbook::__private::keep_old(\"{name}\", {name});}}")
}

fn copy(name: &str) -> String {
    format!("{{::loopbook::__copy_old!({name});}}")
}

/// Whether the name stands somewhere up to the end of the `let`, outside of its pattern: then it may mean the old value.
fn is_mentioned(tree: &Tree, name: &str, definition: &Place, pattern: &Place) -> bool {
    let end = definition.range(definition.node.clone()).end;
    let pattern = pattern.range(pattern.node.clone());
    let means_it = |token: &SyntaxToken| match token.kind() {
        SyntaxKind::IDENT => token.text() == name && !is_member(token),
        // A format string takes variables by name.
        SyntaxKind::STRING => token.text().contains(name),
        _ => false,
    };
    tree.tokens().take_while(|(at, _)| *at < end).any(|(at, token)| !pattern.contains(&at) && means_it(&token))
}

/// `x.name`, but not `..name`.
fn is_member(token: &SyntaxToken) -> bool {
    let mut before = std::iter::successors(token.prev_token(), SyntaxToken::prev_token);
    let dot = before.find(|token| !token.kind().is_trivia()).filter(|token| token.kind() == SyntaxKind::DOT);
    dot.is_some_and(|dot| dot.prev_token().is_none_or(|token| token.kind() != SyntaxKind::DOT))
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Notebook, prepare, tests::without_marks};

    fn check(code: &str, expected: &str) {
        let variables = ["name", "other", "lb_mutex"].map(str::to_owned).into();
        let notebook = Notebook { variables, ..Notebook::default() };
        assert_eq!(without_marks(&prepare(1, code, &notebook).expect("a good cell").rust), expected, "{code}");
    }

    #[test]
    fn what_the_cell_does_not_use_is_handed_over() {
        let keep_old = "{::loopbook::__private::keep_old(\"name\", name);}";
        for code in ["let name = f();", "f(x.name); let (a, name) = g(); h(name);", "let new = 1; let name = 2;"] {
            check(code, &format!("{keep_old}{code}"));
        }
        let both =
            "{::loopbook::__private::keep_old(\"name\", name);}{::loopbook::__private::keep_old(\"other\", other);}";
        check(
            "let (other, name) = f();",
            &format!("{{::loopbook::__private::keep_old(\"other\", other);}}{keep_old}let (other, name) = f();"),
        );
        check("let name = 1; let other = name;", &format!("{both}let name = 1; let other = name;"));
        check("let mutex = 1;", "{::loopbook::__private::keep_old(\"lb_mutex\", lb_mutex);}let lb_mutex = 1;");
    }

    #[test]
    fn of_what_the_cell_uses_first_a_copy_is_made() {
        for code in ["let name = name + 1;", "println!(\"{name}\"); let name = 1;", "drop(name); let name = 2;"] {
            check(code, &format!("{{::loopbook::__copy_old!(name);}}{code}"));
        }
    }

    #[test]
    fn what_is_given_up_is_dropped_and_not_kept() {
        let mut notebook = Notebook::default();
        notebook.variables = ["name".to_owned()].into();
        notebook.given_up = notebook.variables.clone();
        let code = "/// Doc\n#[derive(Debug)]\nstruct A;\nlet name = A;";
        let rust = prepare(1, code, &notebook).expect("a good cell").rust;
        let expected = format!("{{evcxr_variable_store.put_variable(\"name\", ());}}{code}");
        assert_eq!(without_marks(&rust), expected);
    }

    #[test]
    fn new_names_and_inner_ones_are_left() {
        for code in ["let new = 1;", "fn f() { let name = 1; }", "name = 2;", "for a in b { let name = 1; } f();"] {
            check(code, code);
        }
    }
}
