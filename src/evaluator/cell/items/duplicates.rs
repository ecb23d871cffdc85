//! Two items of one name in one cell: evcxr would keep the last and say nothing.

use super::type_name;
use crate::evaluator::cell::parse::problem::{MOST, Problem};
use crate::evaluator::cell::parse::syntax::Tree;
use ra_ap_syntax::AstNode;
use ra_ap_syntax::ast::{self, HasName};
use std::collections::BTreeMap;

/// Refuses names that a cell defines twice. A macro may be defined anew: it counts from there on.
pub(in crate::evaluator::cell) fn check(tree: &Tree, text: &str) -> Vec<Problem> {
    let mut first: BTreeMap<String, (Space, std::ops::Range<usize>)> = BTreeMap::new();
    let mut problems = Vec::new();
    for (place, item) in tree.items() {
        let Some((name, space)) = named(&item) else { continue };
        let range = place.range(name.syntax().clone());
        let Some((other, before)) = first.get(name.text()) else {
            first.insert(name.text().to_owned(), (space, range));
            continue;
        };
        let is_macro = (space, *other) == (Space::Macros, Space::Macros);
        if is_macro || problems.len() == MOST {
            continue;
        }
        let message = format!("the name `{}` is defined multiple times", name.text());
        let mut problem = Problem::new(message, text, range, format!("`{}` redefined here", name.text()))
            .with_span(text, before.clone(), "first defined here")
            .with_help(
                "a notebook keeps one item of a name: give one of them another name, or put it into another `mod`",
            );
        problem.code = (space == *other).then(|| "E0428".to_owned());
        problems.push(problem);
    }
    problems
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    Types,
    Values,
    Macros,
}

fn named(item: &ast::Item) -> Option<(ast::Name, Space)> {
    let (name, space) = match item {
        ast::Item::Fn(item) => (item.name(), Space::Values),
        ast::Item::Const(item) => (item.name(), Space::Values),
        ast::Item::Static(item) => (item.name(), Space::Values),
        ast::Item::Module(item) => (item.name(), Space::Types),
        ast::Item::MacroRules(item) => (item.name(), Space::Macros),
        _ => (type_name(item), Space::Types),
    };
    Some((name?, space))
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Notebook, prepare};

    #[test]
    fn a_name_is_defined_once() {
        let problems = prepare(1, "fn a() {}\nfn a() -> u8 { 1 }", &Notebook::default()).expect_err("which one?");
        assert_eq!((problems[0].place(), problems[0].code.as_deref()), ((2, 4), Some("E0428")));
        let problems = prepare(1, "struct A;\nmod b {}\nfn A() {}", &Notebook::default()).expect_err("evcxr keeps one");
        assert_eq!((problems[0].place(), problems[0].code.as_deref()), ((3, 4), None));
    }

    #[test]
    fn what_has_no_name_and_what_is_inside_does_not_count() {
        for code in [
            "const _: () = (); const _: () = ();",
            "fn a() { fn b() {} } fn b() {}",
            "impl A { fn f() {} } impl A { fn g() {} }",
            "macro_rules! a { () => {} } macro_rules! a { () => { 1 } }",
        ] {
            assert!(prepare(1, code, &Notebook::default()).is_ok(), "{code}");
        }
    }
}
