//! `fn main`: in a program it is what runs, in a notebook a function like any other, that nobody calls. A sentence says so.

use crate::evaluator::cell::parse::syntax::Tree;
use ra_ap_syntax::ast::{self, HasAttrs, HasName};
use ra_ap_syntax::{AstNode, SyntaxKind, SyntaxToken};

const MAIN: &str = "main";

/// What to say of the cell's `main`, if it has one and does not use it.
pub(in crate::evaluator::cell) fn note(tree: &Tree) -> Option<String> {
    let main = tree.items().find_map(|(_, item)| match item {
        ast::Item::Fn(function) if is_main(&function) => Some(function),
        _ => None,
    })?;
    if tree.tokens().any(|(_, token)| is_use(&token)) {
        return None;
    }
    Some(format!(
        "note: a notebook calls no `main`, so this one is defined and does not run; run it with `{}`, or write what is in it \
         as a cell, without `fn main`",
        call(&main)
    ))
}

fn is_main(function: &ast::Fn) -> bool {
    let is_named = function.name().is_some_and(|name| name.text() == MAIN);
    is_named && function.param_list().is_none_or(|parameters| parameters.params().next().is_none())
}

/// How it is called. Attributes such as `#[tokio::main]` make an ordinary function of an `async` one.
fn call(main: &ast::Fn) -> String {
    let last_word = |attribute: ast::Attr| Some(attribute.path()?.segment()?.name_ref()?.text().to_string());
    let is_wrapped = main.attrs().filter_map(last_word).any(|word| word == MAIN);
    let wait = if main.async_token().is_some() && !is_wrapped { ".await" } else { "" };
    let can_fail = main.ret_type().is_some_and(|ty| ty.syntax().text().to_string().contains("Result"));
    format!("{MAIN}(){wait}{}", if can_fail { "?" } else { "" })
}

/// Whether the token means the function, outside of its definition and of attributes.
fn is_use(token: &SyntaxToken) -> bool {
    token.kind() == SyntaxKind::IDENT
        && token.text() == MAIN
        && token.parent().is_some_and(|parent| parent.kind() != SyntaxKind::NAME)
        && !token.parent_ancestors().any(|node| node.kind() == SyntaxKind::ATTR)
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Notebook, prepare};

    fn notes(code: &str) -> Vec<String> {
        prepare(1, code, &Notebook::default()).expect("the cell is fine").notes
    }

    #[test]
    fn a_main_that_nobody_calls_is_told_how_to_be_called() {
        for (code, call) in [
            ("fn main() { println!(\"a\"); }", "`main()`"),
            ("use std::io;\npub async fn main() {}", "`main().await`"),
            ("#[tokio::main]\nasync fn main() {}", "`main()`"),
            (
                "#[tokio::main(flavor = \"current_thread\")]\nasync fn main() -> anyhow::Result<()> { Ok(()) }",
                "`main()?`",
            ),
            ("#[async_std::main]\nasync fn main() {}\nlet x = 1;", "`main()`"),
            ("fn main() -> Result<(), std::io::Error> { Ok(()) }", "`main()?`"),
            ("/// Docs.\nasync fn main() -> Result<(), Box<dyn std::error::Error>> { Ok(()) }", "`main().await?`"),
        ] {
            let notes = notes(code);
            assert!(notes.len() == 1 && notes[0].contains(&format!("run it with {call},")), "{code}: {notes:?}");
        }
    }

    #[test]
    fn a_main_that_is_used_and_other_functions_are_nobodys_business() {
        for code in [
            "fn main() {}\nmain();",
            "async fn main() {}\nmain().await",
            "#[tokio::main]\nasync fn main() {}\nprintln!(\"{:?}\", main());",
            "fn main() {}\nstd::thread::spawn(main).join().unwrap();",
            "fn main(n: u8) {}",
            "fn mains() {}",
            "mod inner { fn main() {} }",
            "let main = 1;",
        ] {
            assert!(notes(code).is_empty(), "{code}: {:?}", notes(code));
        }
    }
}
