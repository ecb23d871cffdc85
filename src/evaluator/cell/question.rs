//! `?` and `return` at cell level, where there is no function to leave.
//!
//! `EXPR?` becomes `::loopbook::__q!(EXPR)`, which reports the error with its line and ends the cell. A plain `return`
//! ends the cell too, but tells the runtime, so that nobody believes that the rest has run.

use super::edits::Edits;
use super::problem::Problem;
use super::syntax::{Place, Tree};
use ra_ap_syntax::ast;
use ra_ap_syntax::{AstNode, Edition, SyntaxKind, SyntaxNode, WalkEvent};

const EARLY_RETURN: &str = "::loopbook::__private::early_return()";

/// Macros whose arguments are not run.
const NOT_RUN: [&str; 6] = ["stringify", "concat", "quote", "quote_spanned", "macro_rules", "cfg"];

/// Rewrites every `?` and `return` that would leave the cell.
pub(super) fn rewrite(tree: &Tree, text: &str, edits: &mut Edits) -> Vec<Problem> {
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
    fn visit(&mut self, place: &Place, mut depth: usize) {
        let mut walk = place.node.preorder();
        while let Some(event) = walk.next() {
            let node = match event {
                WalkEvent::Leave(_) => {
                    depth -= 1;
                    continue;
                }
                WalkEvent::Enter(node) => node,
            };
            depth += 1;
            if is_boundary(&node) {
                walk.skip_subtree();
                continue;
            }
            match node.kind() {
                SyntaxKind::TRY_EXPR => self.question(&place.of(node), depth),
                SyntaxKind::RETURN_EXPR => self.leave(&place.of(node), depth),
                SyntaxKind::MACRO_CALL => self.arguments(&place.of(node), depth),
                _ => {}
            }
        }
    }

    fn question(&mut self, place: &Place, depth: usize) {
        let mark = place.node.children_with_tokens().filter(|element| element.kind() == SyntaxKind::QUESTION).last();
        let Some(mark) = mark else { return };
        self.edits.open(place.bare_range().start, depth, "::loopbook::__q!(");
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
                    .with_help("the last expression of a cell is its value; a plain `return;` ends the cell"),
            ),
        }
    }

    /// The arguments of a macro are only tokens to the parser. They are visited if all that matter are expressions.
    fn arguments(&mut self, place: &Place, depth: usize) {
        let Some(call) = ast::MacroCall::cast(place.node.clone()) else { return };
        let name = call.path().and_then(|path| path.segment()).map(|segment| segment.syntax().text().to_string());
        let is_run = name.is_none_or(|name| !NOT_RUN.contains(&name.as_str()));
        let Some(tree) = call.token_tree().filter(|tree| is_run && leaves(tree.syntax())) else { return };
        let mut expressions = Vec::new();
        if expressions_in(&place.of(tree.syntax().clone()), self.text, &mut expressions).is_none() {
            return;
        }
        for expression in expressions {
            self.visit(&expression, depth + 1);
        }
    }
}

/// The expressions of a macro's arguments with a `?` or `return` in them; `None` if some are in what is no expression.
fn expressions_in(tree: &Place, text: &str, found: &mut Vec<Place>) -> Option<()> {
    for piece in pieces(tree).into_iter().filter(|piece| piece.leaves || !piece.trees.is_empty()) {
        if let Some(expression) = parse(text, &piece) {
            found.push(expression);
        } else if piece.leaves || piece.defers {
            return None;
        } else {
            // `json!({ "a": f()? })`: what is in braces may be understood though the whole is not.
            piece.trees.iter().try_for_each(|tree| expressions_in(tree, text, found))?;
        }
    }
    Some(())
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

/// Whether these tokens hold a `?` or a `return`.
fn leaves(node: &SyntaxNode) -> bool {
    node.descendants_with_tokens().any(|e| matches!(e.kind(), SyntaxKind::QUESTION | SyntaxKind::RETURN_KW))
}

/// A stretch between separators.
struct Piece {
    start: usize,
    end: usize,
    /// Whether a `?` or `return` is among its own tokens.
    leaves: bool,
    /// Whether it looks like code that runs elsewhere: a closure, a function, an async block.
    defers: bool,
    /// What is in brackets and leaves.
    trees: Vec<Place>,
}

impl Piece {
    fn new(start: usize, end: usize) -> Self {
        Self { start, end, leaves: false, defers: false, trees: Vec::new() }
    }
}

/// The parts of a macro's arguments between commas, semicolons, `=>` and the colons of `{ key: value }`.
fn pieces(tree: &Place) -> Vec<Piece> {
    use SyntaxKind::{
        ASYNC_KW, COLON, COMMA, EQ, FN_KW, L_ANGLE, L_CURLY, MINUS, PIPE, QUESTION, R_ANGLE, RETURN_KW, SEMICOLON,
    };
    let whole = tree.range(tree.node.clone());
    let (start, end) = (whole.start + 1, whole.end.saturating_sub(1));
    let elements: Vec<_> = tree.node.children_with_tokens().filter(|element| !element.kind().is_trivia()).collect();
    let kind = |index: usize| elements.get(index).map_or(COMMA, |element| element.kind());
    let has_keys = kind(0) == L_CURLY;
    let mut pieces = vec![Piece::new(start, end)];
    // A comma in `::<A, B>` separates nothing.
    let mut angles = 0_usize;
    for (index, element) in elements.iter().enumerate().skip(1) {
        let before = kind(index - 1);
        let range = tree.range(element.clone());
        let last = pieces.last_mut().expect("there is always a piece");
        let is_key = has_keys && element.kind() == COLON && before != COLON && kind(index + 1) != COLON;
        let is_arrow = element.kind() == R_ANGLE && before == EQ;
        match element.kind() {
            L_ANGLE if angles > 0 || before == COLON => angles += 1,
            R_ANGLE if angles > 0 && before != MINUS => angles -= 1,
            COMMA | SEMICOLON if angles == 0 => {
                last.end = range.start;
                pieces.push(Piece::new(range.end, end));
            }
            _ if is_key || is_arrow => {
                last.end = range.start - usize::from(is_arrow);
                pieces.push(Piece::new(range.end, end));
            }
            QUESTION | RETURN_KW => last.leaves = true,
            PIPE | ASYNC_KW | FN_KW => last.defers = true,
            _ => {}
        }
        let Some(node) = element.as_node() else { continue };
        let last = pieces.last_mut().expect("there is always a piece");
        last.trees.extend(leaves(node).then(|| tree.of(node.clone())));
        // `pattern => { … } pattern => …`: the body of an arm ends it without a comma.
        if before == R_ANGLE
            && index > 1
            && kind(index - 2) == EQ
            && node.first_token().is_some_and(|t| t.kind() == L_CURLY)
        {
            last.end = range.end;
            pieces.push(Piece::new(range.end, end));
        }
    }
    pieces
}

/// A stretch of the cell as an expression, if it is one.
fn parse(text: &str, piece: &Piece) -> Option<Place> {
    let padded = &text[piece.start..piece.end];
    let code = padded.trim();
    let start = piece.start + padded.len() - padded.trim_start().len();
    let parse = ast::Expr::parse(code, Edition::Edition2024);
    if !parse.errors().is_empty() {
        return None;
    }
    let node = parse.syntax_node();
    let is_whole = node.last_token().is_some_and(|token| usize::from(token.text_range().end()) == code.len());
    let has_error = node.descendants_with_tokens().any(|element| element.kind() == SyntaxKind::ERROR);
    (is_whole && !has_error).then(|| Place::starting_at(node, start))
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Known, prepare, tests::unmarked};

    fn check(code: &str, expected: &str) {
        assert_eq!(unmarked(code), expected, "{code}");
    }

    #[test]
    fn a_question_mark_at_cell_level_is_rewritten() {
        check("f()?;", "::loopbook::__q!(f());");
        check("let x = a?.b()?.c;", "let x = ::loopbook::__q!(::loopbook::__q!(a).b()).c;");
        check("if a? { b?; }\n;", "if ::loopbook::__q!(a) { ::loopbook::__q!(b); }\n;");
        check("let x = f(g().await?)?;", "let x = ::loopbook::__q!(f(::loopbook::__q!(g().await)));");
        check("unsafe { a? };", "unsafe { ::loopbook::__q!(a) };");
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
            assert!(!rust.contains("__q!") && !rust.contains("early_return"), "{rust}");
        }
    }

    #[test]
    fn the_arguments_of_macros_are_seen_as_far_as_they_are_expressions() {
        check("println!(\"{}\", f()?);", "println!(\"{}\", ::loopbook::__q!(f()));");
        check("println!(\"{x}\", x = f()?);", "println!(\"{x}\", x = ::loopbook::__q!(f()));");
        check("let v = vec![a()?; n()?];", "let v = vec![::loopbook::__q!(a()); ::loopbook::__q!(n())];");
        check("p!(a::<B, C>()?, d);", "p!(::loopbook::__q!(a::<B, C>()), d);");
        check("p!(q!(a?)?);", "p!(::loopbook::__q!(q!(::loopbook::__q!(a))));");
        check("p!(async { a? }, |x| x?);", "p!(async { a? }, |x| x?);");
        check("p!(a? => b + c);", "p!(::loopbook::__q!(a) => b + c);");
        check("p!(a? b);", "p!(a? b);");
        check(
            "json!({\"a\": [f()?, 1]});".replace("json", "let x = json").as_str(),
            "let x = json!({\"a\": [::loopbook::__q!(f()), 1]});",
        );
        check("m!(a?, B | C, |x| x);", "m!(::loopbook::__q!(a), B | C, |x| x);");
        check(
            "s!(x = a => { x?; } y = b => y?);",
            "s!(x = a => { ::loopbook::__q!(x); } y = b => ::loopbook::__q!(y));",
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
        let problems = prepare(1, "let k = 1;\nreturn k;", &Known::default()).expect_err("nobody gets k");
        assert_eq!(problems[0].place(), (2, 1));
        assert_eq!((problems[0].spans[1].line, problems[0].spans[1].col), (2, 8));
    }
}
