//! Loops, functions and closures of a cell: each round and each call looks whether the code has been asked to end.
//!
//! `loop { … }` becomes `loop {::loopbook::__tick!(); … }`, and so do `while`, `for`, bodies of functions and of
//! closures. An interrupt of computing code then unwinds it as it would at an `.await`, see the runtime's `ticks`.
//!
//! Left alone is what cannot be unwound or would be harmed: constants and statics, `const fn`, functions that C calls,
//! destructors, allocators, and what stands in `unsafe`, which may rely on running to its end. What C functions and
//! destructors call must not unwind either, so they shield it ([`SHIELD`]). Macros of cells are left alone too: only
//! who calls one knows whether a `loop` in it is a loop.

use super::edits::Edits;
use super::macro_arguments::{self, Wanted, macro_name};
use crate::evaluator::cell::parse::syntax::{Place, Tree};
use ra_ap_syntax::ast::{self, HasAttrs};
use ra_ap_syntax::{AstNode, SyntaxKind, SyntaxNode};

/// One look.
const TICK: &str = "::loopbook::__tick!();";

/// No look in what is called from here, until the function returns.
const SHIELD: &str = "let _lb_shield = ::loopbook::__private::shield();";

/// Macros whose arguments are run where they stand and not shown as text, beside those of `awaits`.
const RUN: [&str; 2] = ["select", "select_biased"];

/// Attributes of functions that are not called from Rust, or that have no body of Rust.
const FOREIGN: [&str; 6] = ["alloc_error_handler", "ctor", "dtor", "naked", "no_std", "panic_handler"];

/// Traits whose functions must not unwind, or had better not.
const MUST_NOT_UNWIND: [&str; 2] = ["Drop", "GlobalAlloc"];

/// What can go on for long. `|` stands for a closure.
const LASTING: Wanted =
    |kind| matches!(kind, SyntaxKind::LOOP_KW | SyntaxKind::WHILE_KW | SyntaxKind::FOR_KW | SyntaxKind::PIPE);

/// Has the cell's loops, functions and closures tick.
pub(in crate::evaluator::cell) fn rewrite(tree: &Tree, text: &str, edits: &mut Edits) {
    Pass { text, edits }.visit(&tree.root(), 1);
}

struct Pass<'a> {
    text: &'a str,
    edits: &'a mut Edits,
}

impl Pass<'_> {
    /// Depths are counted as for `.await`, so that what begins or ends at one place nests.
    fn visit(&mut self, place: &Place, depth: usize) {
        place.walk(depth, |place, depth| {
            if let Some(shielded) = is_shielded(&place.node) {
                self.begin(place, shielded.then_some(SHIELD));
                return false;
            }
            match place.node.kind() {
                SyntaxKind::LOOP_EXPR | SyntaxKind::WHILE_EXPR | SyntaxKind::FOR_EXPR | SyntaxKind::FN => {
                    self.begin(place, Some(TICK));
                }
                SyntaxKind::CLOSURE_EXPR => self.closure(place, depth),
                SyntaxKind::MACRO_CALL => self.arguments(place, depth),
                _ => {}
            }
            true
        });
    }

    /// Puts a statement at the beginning of the block at the end of what stands at `place`.
    fn begin(&mut self, place: &Place, statement: Option<&str>) {
        let block = place.node.children().last().and_then(ast::BlockExpr::cast).and_then(|block| block.stmt_list());
        let (Some(list), Some(statement)) = (block, statement) else { return };
        let Some(brace) = list.l_curly_token() else { return };
        // Attributes and documentation of the block itself must stay in front.
        let inner = list.syntax().children_with_tokens().take_while(|element| {
            !matches!(element.kind(), SyntaxKind::R_CURLY) && element.as_node().is_none_or(is_attribute)
        });
        let documented = inner.clone().filter_map(|element| element.into_token()).any(|token| {
            token.kind() == SyntaxKind::COMMENT && (token.text().starts_with("//!") || token.text().starts_with("/*!"))
        });
        if documented {
            return;
        }
        let attribute = inner.filter_map(|element| element.into_node()).last();
        let end = attribute.map_or_else(|| place.range(brace), |attribute| place.range(attribute)).end;
        self.edits.before(end, statement);
    }

    fn closure(&mut self, place: &Place, depth: usize) {
        let Some(body) = ast::ClosureExpr::cast(place.node.clone()).and_then(|closure| closure.body()) else { return };
        match &body {
            ast::Expr::BlockExpr(block) if block.modifier().is_none() && block.label().is_none() => {
                self.begin(place, Some(TICK));
            }
            // They tick themselves.
            ast::Expr::LoopExpr(_) | ast::Expr::WhileExpr(_) | ast::Expr::ForExpr(_) => {}
            _ if body.attrs().next().is_some() || ends_as_statement(&body) => {}
            _ => self.edits.wrap(place.range(body.syntax().clone()), depth, &format!("{{{TICK} "), "}"),
        }
    }

    fn arguments(&mut self, place: &Place, depth: usize) {
        let Some(call) = ast::MacroCall::cast(place.node.clone()) else { return };
        let Some(name) = macro_name(&call) else { return };
        let is_naming = super::await_sites::NAMING.contains(&name.as_str());
        if !is_naming && !super::await_sites::PLAIN.contains(&name.as_str()) && !RUN.contains(&name.as_str()) {
            return;
        }
        for expression in macro_arguments::expressions(place, &call, self.text, LASTING) {
            if !is_naming || super::await_sites::is_async(&expression.node) {
                self.visit(&expression, depth + 1);
            }
        }
    }
}

fn is_attribute(node: &SyntaxNode) -> bool {
    node.kind() == SyntaxKind::ATTR
}

/// Whether the parser would end a statement in the middle of this, as in `match a {} + 1`; or what begins so is a block of
/// a kind of its own, which has no rounds.
fn ends_as_statement(body: &ast::Expr) -> bool {
    let has_braces = |node: &SyntaxNode| {
        use SyntaxKind::{BLOCK_EXPR, FOR_EXPR, IF_EXPR, LOOP_EXPR, MATCH_EXPR, WHILE_EXPR};
        let is_block = matches!(node.kind(), BLOCK_EXPR | FOR_EXPR | IF_EXPR | LOOP_EXPR | MATCH_EXPR | WHILE_EXPR);
        let is_macro = node.kind() == SyntaxKind::MACRO_EXPR;
        is_block || is_macro && node.last_token().is_some_and(|token| token.kind() == SyntaxKind::R_CURLY)
    };
    let start = body.syntax().text_range().start();
    let begins = |node: &SyntaxNode| node.text_range().start() == start && has_braces(node);
    let is_plain = matches!(body, ast::Expr::IfExpr(_) | ast::Expr::MatchExpr(_));
    !is_plain && body.syntax().descendants().any(|node| begins(&node))
}

/// `Some` if nothing in this may tick; true if what it calls must be shielded.
fn is_shielded(node: &SyntaxNode) -> Option<bool> {
    let has = |wanted: SyntaxKind| node.children_with_tokens().any(|element| element.kind() == wanted);
    match node.kind() {
        SyntaxKind::CONST | SyntaxKind::STATIC | SyntaxKind::CONST_ARG | SyntaxKind::ARRAY_TYPE => Some(false),
        SyntaxKind::VARIANT | SyntaxKind::ATTR | SyntaxKind::MACRO_RULES => Some(false),
        SyntaxKind::BLOCK_EXPR if has(SyntaxKind::CONST_KW) || has(SyntaxKind::UNSAFE_KW) => Some(false),
        SyntaxKind::CLOSURE_EXPR if has(SyntaxKind::CONST_KW) => Some(false),
        SyntaxKind::FN => is_shielded_function(&ast::Fn::cast(node.clone())?),
        _ => is_length(node).then_some(false),
    }
}

fn is_shielded_function(function: &ast::Fn) -> Option<bool> {
    let is_foreign = |attribute: ast::Attr| {
        let mut words = crate::evaluator::cell::parse::syntax::meaningful_tokens(attribute.syntax());
        words.any(|word| FOREIGN.contains(&word.text()))
    };
    if function.const_token().is_some() || function.attrs().any(is_foreign) {
        return Some(false);
    }
    let called_by_c = function.abi().is_some_and(|abi| {
        let name = abi.string_token().map(|name| name.text().trim_matches('"').to_owned());
        name.is_none_or(|name| name != "Rust" && !name.ends_with("-unwind"))
    });
    let of_trait = function.syntax().ancestors().nth(2).and_then(ast::Impl::cast).and_then(|this| this.trait_());
    let name = of_trait.and_then(|of| of.syntax().last_token()).map(|token| token.text().to_owned());
    let must_not = name.is_some_and(|name| MUST_NOT_UNWIND.contains(&name.as_str()));
    let shielded = called_by_c || must_not;
    (shielded || function.unsafe_token().is_some()).then_some(shielded)
}

/// The length in `[value; length]`.
fn is_length(node: &SyntaxNode) -> bool {
    let is_repeated = node.parent().is_some_and(|parent| parent.kind() == SyntaxKind::ARRAY_EXPR);
    is_repeated
        && std::iter::successors(node.prev_sibling_or_token(), |element| element.prev_sibling_or_token())
            .any(|element| element.kind() == SyntaxKind::SEMICOLON)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluator::cell::tests::without_marks;
    use crate::evaluator::cell::{Notebook, prepare};

    /// The cell with `⏱` for each tick and `⛨` for each shield.
    fn check(code: &str, expected: &str) {
        let notebook = Notebook { ticks: true, ..Notebook::default() };
        let prepared = prepare(1, code, &notebook).unwrap_or_else(|problems| panic!("{code}: {problems:?}"));
        let rust = without_marks(&prepared.without_await_marks().unwrap_or(prepared).rust);
        assert_eq!(rust.replace(TICK, "⏱").replace(SHIELD, "⛨"), expected, "{code}");
    }

    #[test]
    fn rounds_of_loops_tick() {
        check("loop { f(); }\n;", "loop {⏱ f(); }\n;");
        check(
            "'a: while let Some(x) = { f() } { continue 'a }\n;",
            "'a: while let Some(x) = { f() } {⏱ continue 'a }\n;",
        );
        check("for a in b {}", "for a in b {⏱};");
        check("for a in b { for c in d { e } } f()", "for a in b {⏱ for c in d {⏱ e } } ::loopbook::__show!(f());");
        check("let x: u32 = loop { break 5 };", "let x: u32 = loop {⏱ break 5 };");
        check("let t = async move { loop {} };", "let t = async move { loop {⏱} };");
        check("let x = loop {f()?};", "let x = loop {⏱::loopbook::__try!(f())};");
    }

    #[test]
    fn functions_and_closures_tick() {
        check("fn f(n: u8) -> u8 { f(n) }", "fn f(n: u8) -> u8 {⏱ f(n) }");
        check("async fn f() {}", "async fn f() {⏱}");
        check("mod m { impl A for B { fn f(&self) { 1; } } }", "mod m { impl A for B { fn f(&self) {⏱ 1; } } }");
        check("trait T { fn f() {} fn g(); }", "trait T { fn f() {⏱} fn g(); }");
        check("a(|x| x + 1, move || { 2 });", "a(|x| {⏱ x + 1}, move || {⏱ 2 });");
        check("a(|x| |y| x + y);", "a(|x| {⏱ |y| {⏱ x + y}});");
        check("a(|| loop { b });", "a(|| loop {⏱ b });");
        check("a(|x| if x { 1 } else { 2 });", "a(|x| {⏱ if x { 1 } else { 2 }});");
        check("f(async |x: u8| g(x).await);", "f(async |x: u8| {⏱ g(x).await});");
    }

    #[test]
    fn a_closure_that_braces_would_break_stays() {
        for code in [
            "a(|x| if x { 1 } else { 2 } + 3);",
            "a(|x| match x { _ => b }.c());",
            "a(|x| unsafe { b(x) } == 1);",
            "a(|x| vec! { 1 }.len());",
            "a(|x| async move { x });",
            "a(|x| 'b: { x });",
        ] {
            check(code, code);
        }
    }

    #[test]
    fn what_runs_in_macros_ticks() {
        check("println!(\"{}\", loop { break 5 });", "println!(\"{}\", loop {⏱ break 5 });");
        check("let v = vec![a.map(|x| x), b];", "let v = vec![a.map(|x| {⏱ x}), b];");
        check("select! { x = f => { loop {} } };", "select! { x = f => { loop {⏱} } };");
        check("gather!(async { loop {} }, g(|x| x));", "gather!(async { loop {⏱} }, g(|x| x));");
        for code in [
            "assert!(loop { break true });",
            "stringify!(loop {});",
            "macro_rules! m { () => { loop {} } }",
            "mine!(loop {});",
        ] {
            check(code, &code.replace("macro_rules", "#[macro_export] macro_rules"));
        }
    }

    #[test]
    fn what_must_not_unwind_stays() {
        for code in [
            "const fn f() { loop {} }",
            "const N: usize = { let mut n = 0; while n < 5 { n += 1 } n };",
            "static S: u8 = { loop { break 1 } };",
            "let a = [0; { loop { break 3 } }];",
            "fn f(a: [u8; { loop { break 3 } }]);",
            "enum E { A = { loop { break 3 } } }",
            "let a = const { loop { break 1 } };",
            "f::<{ loop { break 1 } }>();",
            "unsafe { loop {} };",
            "unsafe fn f() { loop {} }",
            "#[unsafe(naked)] fn f() { loop {} }",
            "fn f() {\n    //! Documentation.\n}",
        ] {
            check(code, code);
        }
        check("let a = [{ loop { break 3 } }; 2];", "let a = [{ loop {⏱ break 3 } }; 2];");
    }

    #[test]
    fn what_must_not_unwind_shields_what_it_calls() {
        check("extern \"C\" fn f() { loop { g() } }", "extern \"C\" fn f() {⛨ loop { g() } }");
        check("unsafe extern fn f() {}", "unsafe extern fn f() {⛨}");
        check("extern \"C-unwind\" fn f() {}", "extern \"C-unwind\" fn f() {⏱}");
        let drop = "mod m { impl std::ops::Drop for A { fn drop(&mut self) { loop {} } } fn g() {} }";
        check(drop, "mod m { impl std::ops::Drop for A { fn drop(&mut self) {⛨ loop {} } } fn g() {⏱} }");
        check("mod m { extern \"C\" { fn f(); } }", "mod m { extern \"C\" { fn f(); } }");
    }

    #[test]
    fn attributes_of_a_block_stay_in_front() {
        check("fn f() { #![allow(unused)] g() }", "fn f() { #![allow(unused)]⏱ g() }");
        check("fn f() { #[allow(unused)] let x = 1; }", "fn f() {⏱ #[allow(unused)] let x = 1; }");
        check("loop { // why\n    f() }\n;", "loop {⏱ // why\n    f() }\n;");
    }

    #[test]
    fn the_cell_as_typed_has_none() {
        let notebook = Notebook { ticks: true, ..Notebook::default() };
        let prepared = prepare(1, "loop { f().await }", &notebook).expect("a good cell");
        let typed = prepared.as_typed().expect("it was changed");
        assert_eq!(without_marks(&typed.rust), "::loopbook::__show!(loop { f().await });");
        assert_eq!(typed.as_typed(), None);
        // What the kernel asks for itself stands in no cell.
        assert!(!prepare(0, "loop {}", &notebook).expect("a good cell").rust.contains(TICK));
    }
}
