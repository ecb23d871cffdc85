//! The last expression of a cell is its value: `EXPR` becomes `::loopbook::__show!(EXPR);`.
//!
//! evcxr must not see an expression at the end: it would compile the cell twice to find out how to show it.

use super::edits::Edits;
use super::origin::Origin;
use super::thread_locals::Local;
use crate::evaluator::cell::parse::syntax::Tree;
use ra_ap_syntax::ast;
use ra_ap_syntax::{AstNode, SyntaxKind};

/// Wraps the cell's last expression, or ends it with a semicolon if it has no value to show. `locals` have become items,
/// which end by themselves. If the cell's origin says so, the value's type is shown too, or the value is not.
pub(in crate::evaluator::cell) fn rewrite(tree: &Tree, locals: &[Local], origin: &Origin, edits: &mut Edits) {
    let Some(last) = tree.statements().last() else { return };
    let Some(expr) = ast::Expr::cast(last.node.clone()) else { return };
    let range = last.bare_range();
    if locals.iter().any(|local| local.call == range.start) {
        return;
    }
    // Attributes are not allowed on a macro's argument, but they are on a statement.
    let has_attribute = last.node.first_token().is_some_and(|token| token.kind() == SyntaxKind::POUND);
    if has_attribute || origin.unshown || !has_value(&expr) {
        edits.close(range.end, 0, ";");
    } else {
        let macro_name = if origin.notebook.typed { "::loopbook::__show_typed!(" } else { "::loopbook::__show!(" };
        edits.wrap(range, 0, macro_name, ");");
    }
}

/// Whether there can be something to show.
fn has_value(expr: &ast::Expr) -> bool {
    match expr {
        ast::Expr::ForExpr(_)
        | ast::Expr::WhileExpr(_)
        | ast::Expr::ReturnExpr(_)
        | ast::Expr::BreakExpr(_)
        | ast::Expr::ContinueExpr(_) => false,
        // `name! { … }` at the end of a cell mostly defines something.
        ast::Expr::MacroExpr(call) => !is_definition(call),
        _ => true,
    }
}

/// Macros with braces that are known to be expressions.
const EXPRESSIONS: [&str; 10] =
    ["gather", "try_gather", "race", "select", "select_biased", "join", "try_join", "vec", "json", "format"];

fn is_definition(call: &ast::MacroExpr) -> bool {
    let Some(call) = call.macro_call() else { return false };
    let has_braces = call.token_tree().is_some_and(|tree| tree.l_curly_token().is_some());
    let name = call.path().and_then(|path| path.segment()).and_then(|segment| segment.name_ref());
    has_braces && !name.is_some_and(|name| EXPRESSIONS.contains(&name.text()))
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::tests::unmarked;

    #[test]
    fn the_last_expression_is_shown() {
        for expr in [
            "1 + 1",
            "x",
            "f().await",
            "{ 1 }",
            "if a { 1 } else { 2 }",
            "match a { _ => 1 }",
            "loop { break 1 }",
            "vec![1]",
            "println!(\"a\")",
            "&x",
            "|x| x",
            "!a",
            "S { a: 1 }",
            "gather! { a, b }",
            "x = 5",
            "..",
            "\"a\nb\"",
        ] {
            assert_eq!(unmarked(&format!("f(); {expr} // c")), format!("f(); ::loopbook::__show!({expr}); // c"));
        }
    }

    #[test]
    fn what_has_no_value_is_only_ended() {
        for code in ["for x in y {}", "while a {}", "define! { a }", "return", "#[allow(unused)] { 1 }"] {
            let rust = unmarked(code);
            assert!(rust.ends_with(';') && !rust.contains("__show"), "{rust}");
        }
        for code in ["f();", "let x = 1;", "fn f() {}", "use a::b;", "struct S;", ""] {
            assert_eq!(unmarked(code), code);
        }
    }
}
