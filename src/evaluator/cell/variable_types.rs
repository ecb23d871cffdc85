//! What evcxr gets behind a cell, so that it believes to know the types of the cell's variables.
//!
//! evcxr takes the type of a variable from the last `let` that binds it, if one is written there. For variables without one it
//! gets a `let` more, of the variable by itself, whose type is a placeholder. rustc never sees that statement
//! (`build/shims/variable_types`).

use super::parse::syntax::Tree;
use super::prepared::PreparedCell;
use crate::evaluator::support::typename::placeholder;
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, SyntaxKind};
use std::collections::BTreeMap;

/// A variable that evcxr stores.
struct Stored {
    is_mut: bool,
    is_typed: bool,
}

impl PreparedCell {
    /// The cell as evcxr gets it if the types of its variables are asked. `number` is one that no other run of a cell has.
    ///
    /// ```
    /// use loopbook_kernel::evaluator::cell::{Notebook, prepare};
    /// let prepared = prepare(3, "let mut v = vec![1]; let n: u8 = 1;", &Notebook::default()).unwrap();
    /// let last = "\nlet mut v:__lb_type_7_0=v;";
    /// assert_eq!(prepared.asking(7), format!("{}{last}", prepared.rust));
    /// ```
    pub fn asking(&self, number: u32) -> String {
        let ask = |(place, (name, stored)): (usize, (&String, &Stored))| {
            let mutable = if stored.is_mut { "mut " } else { "" };
            format!("\nlet {mutable}{name}:{}={name};", placeholder(number, place))
        };
        let variables = if self.lets.is_empty() { BTreeMap::new() } else { variables(&self.rust) };
        let questions = variables.iter().filter(|(_, stored)| !stored.is_typed).enumerate().map(ask);
        std::iter::once(self.rust.clone()).chain(questions).collect()
    }
}

/// The variables that evcxr sees in a cell as it gets it.
fn variables(rust: &str) -> BTreeMap<String, Stored> {
    let mut variables = BTreeMap::new();
    let Ok(tree) = Tree::parse(rust) else { return variables };
    let lets = tree.statements().filter_map(|place| ast::LetStmt::cast(place.node));
    for (pattern, ty) in lets.filter_map(|node| Some((node.pat()?, node.ty()))) {
        let is_written = |ty: ast::Type| !ty.syntax().descendants().any(|node| node.kind() == SyntaxKind::INFER_TYPE);
        let whole = ast::IdentPat::cast(pattern.syntax().clone()).and_then(|pattern| pattern.name());
        for bound in pattern.syntax().descendants().filter_map(ast::IdentPat::cast) {
            let Some(name) = bound.name() else { continue };
            // What begins with a capital within a pattern is mostly a constant.
            if whole.is_none() && name.text().starts_with(char::is_uppercase) {
                continue;
            }
            let is_typed = whole.as_ref() == Some(&name) && ty.clone().is_some_and(is_written);
            variables.insert(name.text().to_string(), Stored { is_mut: bound.mut_token().is_some(), is_typed });
        }
    }
    variables
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Finding, Notebook, Why, prepare};

    fn asked(code: &str) -> String {
        let prepared = prepare(1, code, &Notebook::default()).expect("a good cell");
        let mut asked = prepared.asking(1)[prepared.rust.len()..].replace('\n', "");
        for place in 0..9 {
            asked = asked.replace(&format!(":__lb_type_1_{place}="), ":");
        }
        asked
    }

    #[test]
    fn what_has_a_type_is_not_asked() {
        for code in ["let a: Vec<u8> = vec![];", "f(1)", "fn f() { let a = 1; }", ":vars", "let a = 1; let a: u8 = 2;"]
        {
            assert_eq!(asked(code), "", "{code}");
        }
    }

    #[test]
    fn every_variable_of_a_pattern_is_asked_once_as_its_last_let_has_it() {
        assert_eq!(asked("let (a, mut b): (u8, u8) = c; // d"), "let a:a;let mut b:b;");
        assert_eq!(asked("let mut a = 1; let a = \"a\";\na"), "let a:a;");
        assert_eq!(asked("let a: Vec<_> = b; let r#try = 1;"), "let a:a;let r#try:r#try;");
        assert_eq!(asked("let S { x, y: [p, ..] } = s; let ref q @ (z, _) = t;"), "let p:p;let q:q;let x:x;let z:z;");
        assert_eq!(asked("let mutex = 1; let Some(v) = o else { return };"), "let lb_mutex:lb_mutex;let v:v;");
        assert_eq!(asked("let N = 5;"), "let N:N;");
    }

    #[test]
    fn what_is_not_kept_is_not_asked() {
        let prepared = prepare(1, "let (f, n) = g();", &Notebook::default()).expect("a good cell");
        let learnt = prepared.having_learnt(&[Finding::NotKept("f".into(), Why::Closure)]).expect("another cell");
        assert!(learnt.asking(1).ends_with("\nlet n:__lb_type_1_0=n;"));
        assert!(!learnt.asking(1).contains("let f:"));
    }
}
