//! Variables that do not outlive their cell: `let h = task::spawn(f());` with an `h.await` further down.
//!
//! evcxr finds out that such a variable has been moved by a compilation that fails, and compiles the cell once more.

use crate::evaluator::cell::notebook::Notebook;
use crate::evaluator::cell::parse::syntax::{Place, Tree, meaningful_tokens};
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, SyntaxKind, SyntaxNode};
use std::collections::BTreeMap;

/// Macros that await their arguments, by value.
const AWAITING: [&str; 3] = ["gather", "try_gather", "race"];

/// The variables that the cell awaits away, and where it does.
pub(super) fn awaited_away(tree: &Tree, notebook: &Notebook) -> Vec<(String, usize)> {
    let awaited = awaited(tree);
    if awaited.is_empty() {
        return Vec::new();
    }
    let bound = bound(tree);
    // A stored variable of that name has to be taken out of evcxr's store, which evcxr does when it finds the other moved.
    let is_meant = |name: &String| bound.get(name) == Some(&1) && !notebook.variables.contains(name);
    let names =
        tree.statements().filter_map(|place| ast::LetStmt::cast(place.node).and_then(|node| single_name(&node)));
    names.filter(is_meant).filter_map(|name| awaited.get(&name).map(|at| (name.clone(), *at))).collect()
}

fn single_name(node: &ast::LetStmt) -> Option<String> {
    let Some(ast::Pat::IdentPat(pattern)) = node.pat() else { return None };
    let is_plain = pattern.pat().is_none() && node.semicolon_token().is_some();
    pattern.name().filter(|_| is_plain).map(|name| name.text().to_string())
}

/// The variables that `NAME.await` or `gather!(NAME, …)` moves, wherever control flow may go: the compiler takes a
/// variable for moved if it may have been.
fn awaited(tree: &Tree) -> BTreeMap<String, usize> {
    let here = tree.descendants().filter(|place| !in_item_or_closure(&place.node));
    here.flat_map(|place| {
        let at = place.range(place.node.clone()).start;
        let names = match place.node.kind() {
            SyntaxKind::AWAIT_EXPR => ast::AwaitExpr::cast(place.node).and_then(awaited_name).into_iter().collect(),
            SyntaxKind::MACRO_CALL => {
                ast::MacroCall::cast(place.node).map(|call| gathered_names(&call)).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        names.into_iter().map(move |name| (name, at))
    })
    .collect()
}

fn awaited_name(node: ast::AwaitExpr) -> Option<String> {
    let Some(ast::Expr::PathExpr(path)) = node.expr() else { return None };
    path.path()?.as_single_name_ref().map(|name| name.text().to_string())
}

/// The arguments that are nothing but a name.
fn gathered_names(call: &ast::MacroCall) -> Vec<String> {
    let name = call.path().and_then(|path| path.segment()).and_then(|segment| segment.name_ref());
    let Some(arguments) = call.token_tree().filter(|_| name.is_some_and(|name| AWAITING.contains(&name.text()))) else {
        return Vec::new();
    };
    let mut kinds = vec![SyntaxKind::COMMA];
    let mut texts = vec![String::new()];
    for token in meaningful_tokens(arguments.syntax()).skip(1) {
        kinds.push(token.kind());
        texts.push(token.text().to_owned());
    }
    let is_end = |kind: SyntaxKind| {
        matches!(kind, SyntaxKind::COMMA | SyntaxKind::R_PAREN | SyntaxKind::R_BRACK | SyntaxKind::R_CURLY)
    };
    let alone = kinds
        .windows(3)
        .zip(&texts[1..])
        .filter(|(around, _)| around[0] == SyntaxKind::COMMA && around[1] == SyntaxKind::IDENT && is_end(around[2]));
    alone.map(|(_, text)| text.clone()).collect()
}

/// How often each name is bound or assigned in the cell. One that is bound twice may be another variable where it is
/// awaited, and one that is assigned may have a value again.
fn bound(tree: &Tree) -> BTreeMap<String, usize> {
    let mut bound = BTreeMap::new();
    for Place { node, .. } in tree.descendants() {
        let name = match node.kind() {
            SyntaxKind::IDENT_PAT => {
                ast::IdentPat::cast(node).and_then(|pattern| pattern.name()?.text().to_string().into())
            }
            SyntaxKind::BIN_EXPR => ast::BinExpr::cast(node).and_then(assigned_name),
            _ => None,
        };
        if let Some(name) = name {
            *bound.entry(name).or_default() += 1;
        }
    }
    bound
}

fn assigned_name(node: ast::BinExpr) -> Option<String> {
    let Some(ast::BinaryOp::Assignment { .. }) = node.op_kind() else { return None };
    let Some(ast::Expr::PathExpr(path)) = node.lhs() else { return None };
    path.path()?.as_single_name_ref().map(|name| name.text().to_string())
}

fn in_item_or_closure(node: &SyntaxNode) -> bool {
    // The outermost function is the one that the cell is parsed in.
    let outer = |kind: SyntaxKind| node.ancestors().skip(1).filter(|ancestor| ancestor.kind() == kind).count();
    outer(SyntaxKind::FN) > 1 || outer(SyntaxKind::CLOSURE_EXPR) > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluator::cell::{prepare, tests::without_marks};

    fn hidden(code: &str) -> Vec<String> {
        let rust = prepare(1, code, &Notebook::default()).expect("a good cell").rust;
        let calls = rust.split("::loopbook::__unstored!(").skip(1);
        calls
            .map(|call| call.split(" = ").next().unwrap_or_default().to_owned())
            .map(|call| without_marks(&call))
            .collect()
    }

    #[test]
    fn what_is_awaited_in_its_own_cell_is_hidden() {
        assert_eq!(hidden("let h = f(); let v = h.await; v"), ["let h"]);
        assert_eq!(hidden("let mut a = f(); let b = g(); let (x, y) = gather!(a, b);"), ["let mut a", "let b"]);
        assert_eq!(hidden("let h = f(); if c { h.await; }"), ["let h"]);
        assert_eq!(hidden("let h = f(); async move { h.await }.await"), ["let h"]);
        assert_eq!(hidden("let h: JoinHandle<u8> = f()?; h.await"), ["let h: JoinHandle<u8>"]);
        assert_eq!(hidden("#[allow(unused)] let h = f(); h.await"), ["#[allow(unused)] let h"]);
    }

    #[test]
    fn what_may_be_needed_later_is_not() {
        for code in [
            "let h = f();",
            "let h = f(); (&mut h).await;",
            "let h = f(); h.await; h = g();",
            "let h = f(); { let h = g(); h.await; }",
            "let (h, i) = f(); h.await",
            "let h = f(); gather!(&mut h, i.h, h())",
            "let h = f(); g(async |h| h.await);",
            "let h = f(); async fn g(h: H) { h.await }",
        ] {
            assert!(hidden(code).is_empty(), "{code}");
        }
    }

    #[test]
    fn a_stored_variable_of_the_same_name_is_left_to_evcxr() {
        let notebook = Notebook { variables: ["h".to_owned()].into(), ..Notebook::default() };
        let rust = prepare(1, "let h = f(); h.await", &notebook).expect("a good cell").rust;
        assert!(!rust.contains("__unstored"), "{rust}");
    }
}
