//! `.await`: what is awaited is wrapped, so that the runtime knows at which one a task stands.
//!
//! `EXPR.await` becomes `::loopbook::__private::at(EXPR, &(CELL, LINE, COLUMN, "EXPR")).await`, also in functions of
//! the cell. Wrapping changes no drop order: temporaries in a call's arguments live until the `.await` completes, as
//! they did before.
//!
//! If the cell does not compile for another reason than an unknown name, it is compiled once more as it was typed
//! (`without_await_marks`). So its errors are those that rustc has for the typed code, and a cell that only the
//! wrapping would break runs without.

use super::edits::Edits;
use super::macro_arguments::{self, macro_name};
use crate::evaluator::cell::parse::syntax::{Place, Tree};
use ra_ap_syntax::ast::{self, HasAttrs};
use ra_ap_syntax::{AstNode, SyntaxKind, SyntaxNode};

/// Macros that take expressions and do not show their text.
pub(in crate::evaluator::cell) const PLAIN: [&str; 20] = [
    "assert_eq",
    "assert_ne",
    "debug_assert_eq",
    "debug_assert_ne",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "join",
    "json",
    "matches",
    "panic",
    "pin",
    "print",
    "println",
    "try_join",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

/// Macros that name their branches by their text, unless it is that of an `async` block.
pub(super) const NAMING: [&str; 3] = ["gather", "race", "try_gather"];

/// The longest text of an awaited expression, in characters.
const LONGEST: usize = 40;

/// Wraps what the cell number `cell` awaits, in items too.
pub(in crate::evaluator::cell) fn rewrite(tree: &Tree, text: &str, cell: u32, edits: &mut Edits) {
    let mut pass = Pass { text, cell, lines: Vec::new(), edits };
    pass.lines.push(0);
    pass.lines.extend(text.match_indices('\n').map(|(at, _)| at + 1));
    pass.visit(&tree.root(), 1);
}

struct Pass<'a> {
    text: &'a str,
    cell: u32,
    /// Where the lines begin.
    lines: Vec<usize>,
    edits: &'a mut Edits,
}

impl Pass<'_> {
    /// Depths are counted as for `?`, so that what begins at one place nests.
    fn visit(&mut self, place: &Place, depth: usize) {
        place.walk(depth, |place, depth| {
            match place.node.kind() {
                SyntaxKind::AWAIT_EXPR => self.wrap(place, depth),
                SyntaxKind::MACRO_CALL => self.arguments(place, depth),
                _ => {}
            }
            true
        });
    }

    fn wrap(&mut self, place: &Place, depth: usize) {
        let Some(awaited) = ast::AwaitExpr::cast(place.node.clone()).and_then(|node| node.expr()) else { return };
        let mut outer = Vec::new();
        let mut inner = awaited.clone();
        while let ast::Expr::ParenExpr(paren) = &inner {
            let Some(expr) = paren.expr() else { return };
            outer.push(paren.clone());
            inner = expr;
        }
        // As an argument, braces and attributes would be remarked upon.
        if is_plain_block(&inner) || (!outer.is_empty() && inner.attrs().next().is_some()) {
            return;
        }
        let range = place.of(awaited.syntax().clone()).bare_range();
        let (line, column) = self.position(range.start);
        let words = words(&inner);
        let open = "::loopbook::__private::at(";
        let close = format!(", &({}, {line}, {column}, {words:?}))", self.cell);
        if outer.is_empty() {
            self.edits.wrap(range, depth, open, &close);
        }
        // And so would parentheses, so they become those of the call.
        for (index, paren) in outer.iter().enumerate() {
            let (Some(left), Some(right)) = (paren.l_paren_token(), paren.r_paren_token()) else { return };
            let (left, right) = (place.range(left), place.range(right));
            self.edits.replace(left, if index == 0 { open } else { "" });
            self.edits.replace(right, if index == 0 { close.as_str() } else { "" });
        }
    }

    fn arguments(&mut self, place: &Place, depth: usize) {
        let Some(call) = ast::MacroCall::cast(place.node.clone()) else { return };
        let Some(name) = macro_name(&call) else { return };
        let is_naming = NAMING.contains(&name.as_str());
        if !is_naming && !PLAIN.contains(&name.as_str()) {
            return;
        }
        for expression in macro_arguments::expressions(place, &call, self.text, |kind| kind == SyntaxKind::AWAIT_KW) {
            if !is_naming || is_async(&expression.node) {
                self.visit(&expression, depth + 1);
            }
        }
    }

    /// Line and column, from 1, in characters.
    fn position(&self, at: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines[line - 1];
        (line, self.text[start..at].chars().count() + 1)
    }
}

/// A block without a word in front of it.
fn is_plain_block(expr: &ast::Expr) -> bool {
    let ast::Expr::BlockExpr(block) = expr else { return false };
    block.syntax().first_token().is_some_and(|token| token.kind() == SyntaxKind::L_CURLY)
}

pub(in crate::evaluator::cell) fn is_async(node: &SyntaxNode) -> bool {
    node.kind() == SyntaxKind::BLOCK_EXPR
        && node.first_token().is_some_and(|token| token.kind() == SyntaxKind::ASYNC_KW)
}

/// The text of an expression, on one line and not too long.
fn words(expr: &ast::Expr) -> String {
    if is_async(expr.syntax()) {
        return "async block".to_owned();
    }
    let mut text = String::new();
    let mut count = 0;
    let mut is_apart = false;
    for token in expr.syntax().descendants_with_tokens().filter_map(|element| element.into_token()) {
        if token.kind().is_trivia() {
            is_apart |= !text.is_empty();
            continue;
        }
        // A chain of calls is written over many lines.
        if std::mem::take(&mut is_apart) && token.kind() != SyntaxKind::DOT {
            text.push(' ');
            count += 1;
        }
        for c in token.text().chars() {
            if count == LONGEST {
                text.push('…');
                return text;
            }
            text.push(if c.is_control() { ' ' } else { c });
            count += 1;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::tests::{prepared, without_marks};
    use crate::evaluator::cell::{Notebook, prepare};

    fn watched(code: &str) -> String {
        without_marks(&prepared(code).rust)
    }

    /// The cell, with `at⟨EXPR @ PLACE⟩` for what is inserted.
    fn check(code: &str, expected: &str) {
        let rust = watched(code).replace("::loopbook::__private::at(", "⟨").replace("::loopbook::__try!", "q!");
        let mut parts = rust.split(", &(1, ");
        let mut short = parts.next().unwrap_or_default().to_owned();
        short.extend(
            parts
                .map(|part| part.replacen("\"))", "⟩", 1).replacen(", \"", " ", 1).replacen(", ", ":", 1))
                .map(|part| format!(" @{part}")),
        );
        assert_eq!(short, expected, "{code}");
    }

    #[test]
    fn what_is_awaited_is_wrapped() {
        check("f().await;", "⟨f() @1:1 f()⟩.await;");
        check("let x = a.b(c).await.d;", "let x = ⟨a.b(c) @1:9 a.b(c)⟩.await.d;");
        check("f(g().await).await;", "⟨f(⟨g() @1:3 g()⟩.await) @1:1 f(g().await)⟩.await;");
        check(
            "let x = f().await?.g().await?;",
            "let x = q!(⟨q!(⟨f() @1:9 f()⟩.await).g() @1:9 f().await?.g()⟩.await);",
        );
        check("\n\nlet ä = ö;  f(ä)\n  .await;", "\n\nlet ä = ö;  ⟨f(ä) @3:13 f(ä)⟩\n  .await;");
        check("fn f() { async || { x.await } }", "fn f() { async || { ⟨x @1:21 x⟩.await } }");
        check("match (x).await { _ => {} }\n;", "match ⟨x @1:7 x⟩.await { _ => {} }\n;");
        check("((x)).await;", "⟨x @1:1 x⟩.await;");
        check("#[a] f().g().await;", "#[a] ⟨f().g() @1:6 f().g()⟩.await;");
    }

    #[test]
    fn texts_are_short_and_on_one_line() {
        check("a /* b */\n    .c( d )\n    .await;", "⟨a /* b */\n    .c( d ) @1:1 a.c( d )⟩\n    .await;");
        check("(async { 1 }).await;", "⟨async { 1 } @1:1 async block⟩.await;");
        let long = "x".repeat(41);
        check(&format!("{long}.await;"), &format!("⟨{long} @1:1 {}…⟩.await;", &long[1..]));
        assert!(watched("f(\"a\\n\").await;").contains(r#"(1, 1, 1, "f(\"a\\n\")"))"#));
    }

    #[test]
    fn macros_that_show_the_text_of_their_arguments_are_left() {
        check("println!(\"{}\", f().await);", "println!(\"{}\", ⟨f() @1:16 f()⟩.await);");
        check("println!(\"{}\", f().await?);", "println!(\"{}\", q!(⟨f() @1:16 f()⟩.await));");
        check("dbg!(x.await);", "::loopbook::__private::dbg!(\"In[1]:1:1\"; x.await);");
        check("gather!(async { x.await }, f(y.await));", "gather!(async { ⟨x @1:17 x⟩.await }, f(y.await));");
        for code in ["assert!(x.await);", "other!(x.await);", "{ x }.await;", "({ x }).await;"] {
            check(code, code);
        }
    }

    #[test]
    fn a_second_try_is_the_cell_as_typed() {
        assert_eq!(
            prepared("f(g().await).await;").without_await_marks().map(|plain| plain.rust).as_deref(),
            Some("/*lb:1:1*/f(g().await).await;")
        );
        assert_eq!(prepared("f();").without_await_marks(), None);
        // What the kernel asks for itself stands in no cell.
        assert_eq!(prepare(0, "f().await;", &Notebook::default()).expect("a good cell").rust, "/*lb:0:1*/f().await;");
    }
}
