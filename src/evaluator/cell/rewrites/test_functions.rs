//! `#[test]`: in a build that is no test, as a cell's, the compiler leaves such a function out without a word. Here it
//! is an ordinary function, that can be called, and a sentence says so.

use super::edits::Edits;
use crate::evaluator::cell::parse::syntax::Tree;
use ra_ap_syntax::AstNode;
use ra_ap_syntax::ast::{self, HasAttrs, HasName};

/// What makes a function a test, by the last word of the attribute's path.
const MAKES_A_TEST: &str = "test";

/// Attributes that mean something only on a test.
const BESIDE: [&str; 2] = ["should_panic", "ignore"];

/// What stands there instead: a test that nobody calls is no mistake.
const ORDINARY: &str = "#[allow(dead_code)]";

/// Makes tests ordinary functions. Gives what to say about them.
pub(in crate::evaluator::cell) fn rewrite(tree: &Tree, edits: &mut Edits) -> Vec<String> {
    let mut calls = Vec::new();
    for place in tree.descendants() {
        let Some(function) = ast::Fn::cast(place.node.clone()) else { continue };
        if !function.attrs().any(|attribute| last_word(&attribute).as_deref() == Some(MAKES_A_TEST)) {
            continue;
        }
        for attribute in function.attrs().filter(is_about_tests) {
            edits.replace(place.range(attribute.syntax().clone()), ORDINARY);
        }
        calls.extend(call(&function));
    }
    let left_out = tree.items().filter_map(|(_, item)| left_out(&item));
    let about_calls = (!calls.is_empty()).then(|| {
        let calls = calls.iter().map(|call| format!("`{call}`")).collect::<Vec<_>>().join(", ");
        format!("note: a cell is no test run, so what is marked `#[test]` is compiled and not run; call it to run it: {calls}")
    });
    about_calls.into_iter().chain(left_out).collect()
}

/// How a test is called.
fn call(function: &ast::Fn) -> Option<String> {
    let name = function.name()?;
    let modules = function.syntax().ancestors().filter_map(ast::Module::cast).filter_map(|module| module.name());
    let mut path: Vec<String> = modules.map(|name| name.text().to_string()).collect();
    path.reverse();
    path.push(name.text().to_string());
    let wait = if function.async_token().is_some() { ".await" } else { "" };
    Some(format!("{}(){wait}", path.join("::")))
}

/// What to say of an item that is there in tests only.
fn left_out(item: &ast::Item) -> Option<String> {
    let is_for_tests = |attribute: ast::Attr| attribute.syntax().text().to_string().replace(' ', "") == "#[cfg(test)]";
    let (attributes, name) = match item {
        ast::Item::Module(item) => (item.attrs(), item.name()),
        ast::Item::Fn(item) => (item.attrs(), item.name()),
        _ => return None,
    };
    let name = name.filter(|_| attributes.into_iter().any(is_for_tests))?;
    Some(format!(
        "note: a cell is no test run, so `{name}` is left out, as `#[cfg(test)]` says; without that line it is compiled, and its \
         functions can be called"
    ))
}

fn is_about_tests(attribute: &ast::Attr) -> bool {
    last_word(attribute).is_some_and(|word| word == MAKES_A_TEST || BESIDE.contains(&word.as_str()))
}

fn last_word(attribute: &ast::Attr) -> Option<String> {
    Some(attribute.path()?.segment()?.name_ref()?.text().to_string())
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Notebook, PreparedCell, prepare};

    fn prepared(code: &str) -> PreparedCell {
        prepare(1, code, &Notebook::default()).expect("the cell is fine")
    }

    #[test]
    fn a_test_becomes_a_function_and_a_sentence_says_how_to_call_it() {
        for (code, call) in [
            ("#[test]\nfn adds() { assert_eq!(1 + 1, 2); }", "`adds()`"),
            ("/// Docs.\n#[async_std::test]\n#[ignore]\nasync fn waits() {}", "`waits().await`"),
            (
                "mod inner { #[test]\n#[should_panic(expected = \"x\")] pub fn fails() { panic!(\"x\") } }",
                "`inner::fails()`",
            ),
        ] {
            let prepared = prepared(code);
            assert!(prepared.notes.len() == 1 && prepared.notes[0].contains(call), "{:?}", prepared.notes);
            assert!(!prepared.rust.contains("test]") && !prepared.rust.contains("panic("), "{}", prepared.rust);
        }
    }

    #[test]
    fn what_is_there_in_tests_only_is_named() {
        let notes = prepared("#[cfg(test)]\nmod tests { #[allow(unused)] use super::*; }\n1").notes;
        assert!(notes.len() == 1 && notes[0].contains("`tests` is left out"), "{notes:?}");
    }

    #[test]
    fn other_attributes_and_other_code_are_nobodys_business() {
        for code in ["#[derive(Debug)]\nstruct test;", "fn test() {}\ntest();", "#[inline]\nfn f() {}"] {
            assert!(prepared(code).notes.is_empty(), "{code}");
        }
    }
}
