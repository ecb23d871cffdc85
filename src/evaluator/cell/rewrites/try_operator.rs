//! `?` and `return` at cell level, where there is no function to leave.
//!
//! `EXPR?` becomes `::loopbook::__try!(EXPR)`, which reports the error with its line and ends the cell. A plain `return`
//! ends the cell too, but tells the runtime, so that nobody believes that the rest has run.

use super::edits::Edits;
use super::macro_arguments::{self, Wanted, macro_name};
use crate::evaluator::cell::parse::problem::Problem;
use crate::evaluator::cell::parse::syntax::{Place, Tree};
use ra_ap_syntax::ast;
use ra_ap_syntax::{AstNode, SyntaxKind, SyntaxNode};

const EARLY_RETURN: &str = "::loopbook::__private::early_return()";

/// Macros whose arguments are not run.
pub(super) const NOT_RUN: [&str; 6] = ["stringify", "concat", "quote", "quote_spanned", "macro_rules", "cfg"];

/// What leaves a cell.
const LEAVES: Wanted = |kind| matches!(kind, SyntaxKind::QUESTION | SyntaxKind::RETURN_KW);

/// Rewrites every `?` and `return` that would leave the cell.
pub(in crate::evaluator::cell) fn rewrite(tree: &Tree, text: &str, edits: &mut Edits) -> Vec<Problem> {
    let mut pass = Pass { text, edits, problems: Vec::new() };
    pass.visit(&tree.root(), 1);
    pass.problems
}

struct Pass<'a> {
    text: &'a str,
    edits: &'a mut Edits,
    problems: Vec<Problem>,
}

impl Pass<'_> {
    fn visit(&mut self, place: &Place, depth: usize) {
        place.walk(depth, |place, depth| {
            if is_boundary(&place.node) {
                return false;
            }
            match place.node.kind() {
                SyntaxKind::TRY_EXPR => self.question(place, depth),
                SyntaxKind::RETURN_EXPR => self.leave(place, depth),
                SyntaxKind::MACRO_CALL => self.arguments(place, depth),
                _ => {}
            }
            true
        });
    }

    fn question(&mut self, place: &Place, depth: usize) {
        let mark = place.node.children_with_tokens().filter(|element| element.kind() == SyntaxKind::QUESTION).last();
        let Some(mark) = mark else { return };
        self.edits.open(place.bare_range().start, depth, "::loopbook::__try!(");
        self.edits.replace(place.range(mark), ")");
    }

    fn leave(&mut self, place: &Place, depth: usize) {
        let value = ast::ReturnExpr::cast(place.node.clone()).and_then(|node| node.expr());
        match value {
            None => self.edits.close(place.bare_range().end, depth, format!(" {EARLY_RETURN}")),
            Some(value) if value.syntax().text() == "()" => {
                self.edits.replace(place.range(value.syntax().clone()), EARLY_RETURN);
            }
            Some(value) => self.problems.push(
                Problem::new("a cell has no caller to return a value to", self.text, place.bare_range(), "in a cell")
                    .with_span(self.text, place.range(value.syntax().clone()), "this value would be lost")
                    .with_help(instead_of_returning(&value.syntax().text().to_string())),
            ),
        }
    }

    /// The arguments of a macro are visited if all that leaves the cell in them are expressions.
    fn arguments(&mut self, place: &Place, depth: usize) {
        let Some(call) = ast::MacroCall::cast(place.node.clone()) else { return };
        if macro_name(&call).is_some_and(|name| NOT_RUN.contains(&name.as_str())) {
            return;
        }
        for expression in macro_arguments::expressions(place, &call, self.text, LEAVES) {
            self.visit(&expression, depth + 1);
        }
    }
}

/// Code that runs elsewhere, or whose `?` and `return` leave something else than the cell.
fn is_boundary(node: &SyntaxNode) -> bool {
    match node.kind() {
        SyntaxKind::MACRO_CALL => false,
        SyntaxKind::CLOSURE_EXPR | SyntaxKind::CONST_ARG => true,
        SyntaxKind::BLOCK_EXPR => {
            use SyntaxKind::{ASYNC_KW, CONST_KW, GEN_KW, TRY_BLOCK_MODIFIER, TRY_KW};
            let kinds = node.children_with_tokens().map(|element| element.kind());
            kinds.into_iter().any(|kind| matches!(kind, ASYNC_KW | CONST_KW | GEN_KW | TRY_KW | TRY_BLOCK_MODIFIER))
        }
        kind => ast::Item::can_cast(kind),
    }
}

/// What a cell does where a function would return this value.
fn instead_of_returning(value: &str) -> String {
    /// So many characters are repeated.
    const LONGEST: usize = 60;
    let end = "the last expression of a cell is its value; a plain `return;` ends the cell";
    if !value.starts_with("Err") {
        return end.to_owned();
    }
    // `?` converts by itself, and could not know from what.
    let value = value.strip_suffix(".into())").map_or_else(|| value.to_owned(), |value| format!("{value})"));
    let is_short = value.chars().count() <= LONGEST && !value.contains('\n');
    let value = if is_short { value.as_str() } else { "Err(…)" };
    format!("`{value}?` ends the cell with this error")
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Notebook, prepare, tests::unmarked};

    fn check(code: &str, expected: &str) {
        assert_eq!(unmarked(code), expected, "{code}");
    }

    #[test]
    fn a_question_mark_at_cell_level_is_rewritten() {
        check("f()?;", "::loopbook::__try!(f());");
        check("let x = a?.b()?.c;", "let x = ::loopbook::__try!(::loopbook::__try!(a).b()).c;");
        check("if a? { b?; }\n;", "if ::loopbook::__try!(a) { ::loopbook::__try!(b); }\n;");
        check("let x = f(g().await?)?;", "let x = ::loopbook::__try!(f(::loopbook::__try!(g().await)));");
        check("unsafe { a? };", "unsafe { ::loopbook::__try!(a) };");
    }

    #[test]
    fn a_question_mark_with_a_function_around_it_stays() {
        for code in [
            "fn f() -> Option<u8> { a? }",
            "let f = |x| x?;",
            "let f = async { a? };",
            "let f = async move { a?; return 5 };",
            "impl A { fn f() { a?; return 1; } }",
            "fn f<T: ?Sized>() {}",
            "let s = stringify!(a?);",
        ] {
            let rust = unmarked(code);
            assert!(!rust.contains("__try!") && !rust.contains("early_return"), "{rust}");
        }
    }

    #[test]
    fn the_arguments_of_macros_are_seen_as_far_as_they_are_expressions() {
        check("println!(\"{}\", f()?);", "println!(\"{}\", ::loopbook::__try!(f()));");
        check("println!(\"{x}\", x = f()?);", "println!(\"{x}\", x = ::loopbook::__try!(f()));");
        check("let v = vec![a()?; n()?];", "let v = vec![::loopbook::__try!(a()); ::loopbook::__try!(n())];");
        check("p!(a::<B, C>()?, d);", "p!(::loopbook::__try!(a::<B, C>()), d);");
        check("p!(q!(a?)?);", "p!(::loopbook::__try!(q!(::loopbook::__try!(a))));");
        check("p!(async { a? }, |x| x?);", "p!(async { a? }, |x| x?);");
        check("p!(a? => b + c);", "p!(::loopbook::__try!(a) => b + c);");
        check("p!(a? b);", "p!(a? b);");
        check(
            "json!({\"a\": [f()?, 1]});".replace("json", "let x = json").as_str(),
            "let x = json!({\"a\": [::loopbook::__try!(f()), 1]});",
        );
        check("m!(a?, B | C, |x| x);", "m!(::loopbook::__try!(a), B | C, |x| x);");
        check(
            "s!(x = a => { x?; } y = b => y?);",
            "s!(x = a => { ::loopbook::__try!(x); } y = b => ::loopbook::__try!(y));",
        );
        check("h!(<b on=|| { f()? }>);", "h!(<b on=|| { f()? }>);");
    }

    #[test]
    fn a_plain_return_tells_the_runtime() {
        check("if x { return; }\n;", "if x { return ::loopbook::__private::early_return(); }\n;");
        check("return ();", "return ::loopbook::__private::early_return();");
        check(
            "let Some(x) = y else { return };",
            "let Some(x) = y else { return ::loopbook::__private::early_return() };",
        );
    }

    #[test]
    fn a_returned_value_is_refused() {
        let problems = prepare(1, "let k = 1;\nreturn k;", &Notebook::default()).expect_err("nobody gets k");
        assert_eq!(problems[0].place(), (2, 1));
        assert_eq!((problems[0].spans[1].line, problems[0].spans[1].col), (2, 8));
        assert!(problems[0].help[0].contains("a plain `return;`"), "{:?}", problems[0].help);
    }

    #[test]
    fn a_returned_error_is_answered_with_a_question_mark() {
        for (value, wanted) in [
            ("Err(\"no\")", "`Err(\"no\")?` ends the cell with this error"),
            ("Err(\"no\".into())", "`Err(\"no\")?` ends the cell with this error"),
            ("Err(\n1)", "`Err(…)?` ends the cell with this error"),
        ] {
            let problems = prepare(1, &format!("return {value};"), &Notebook::default()).expect_err("nobody gets it");
            assert_eq!(problems[0].help, [wanted]);
        }
    }
}
