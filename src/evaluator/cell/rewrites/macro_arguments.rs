//! The arguments of macros. To the parser they are only tokens, although most of them are expressions.

use crate::evaluator::cell::parse::syntax::Place;
use ra_ap_syntax::ast;
use ra_ap_syntax::{AstNode, Edition, SyntaxKind, SyntaxNode};

/// Whether a token is one of those that a rewrite looks for.
pub(super) type Wanted = fn(SyntaxKind) -> bool;

/// The last name of a macro's path.
pub(super) fn macro_name(call: &ast::MacroCall) -> Option<String> {
    call.path().and_then(|path| path.segment()).map(|segment| segment.syntax().text().to_string())
}

/// The expressions with a wanted token in them among the arguments of the macro call at `place`; none if there are such
/// tokens in what is no expression.
pub(in crate::evaluator::cell) fn expressions(
    place: &Place,
    call: &ast::MacroCall,
    text: &str,
    wanted: Wanted,
) -> Vec<Place> {
    let mut found = Vec::new();
    let tree = call.token_tree().filter(|tree| has(tree.syntax(), wanted));
    let all = tree.and_then(|tree| expressions_in(&place.of(tree.syntax().clone()), text, wanted, &mut found));
    if all.is_some() { found } else { Vec::new() }
}

/// The expressions of these arguments; `None` if a wanted token is in what is no expression.
fn expressions_in(tree: &Place, text: &str, wanted: Wanted, found: &mut Vec<Place>) -> Option<()> {
    for piece in pieces(tree, wanted).into_iter().filter(|piece| piece.is_wanted || !piece.trees.is_empty()) {
        if let Some(expression) = parse(text, &piece) {
            found.push(expression);
        } else if piece.is_wanted || piece.defers {
            return None;
        } else {
            // `json!({ "a": f()? })`: what is in braces may be understood though the whole is not.
            piece.trees.iter().try_for_each(|tree| expressions_in(tree, text, wanted, found))?;
        }
    }
    Some(())
}

fn has(node: &SyntaxNode, wanted: Wanted) -> bool {
    node.descendants_with_tokens().any(|element| wanted(element.kind()))
}

/// A stretch between separators.
struct Piece {
    start: usize,
    end: usize,
    /// Whether a wanted token is among its own.
    is_wanted: bool,
    /// Whether it looks like code that runs elsewhere: a closure, a function, an async block.
    defers: bool,
    /// What is in brackets and has a wanted token.
    trees: Vec<Place>,
}

impl Piece {
    fn new(start: usize, end: usize) -> Self {
        Self { start, end, is_wanted: false, defers: false, trees: Vec::new() }
    }
}

/// The parts of a macro's arguments between commas, semicolons, `=>` and the colons of `{ key: value }`.
fn pieces(tree: &Place, wanted: Wanted) -> Vec<Piece> {
    use SyntaxKind::{ASYNC_KW, COLON, COMMA, EQ, FN_KW, L_ANGLE, L_CURLY, MINUS, PIPE, R_ANGLE, SEMICOLON};
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
            kind if wanted(kind) => last.is_wanted = true,
            PIPE | ASYNC_KW | FN_KW => last.defers = true,
            _ => {}
        }
        let Some(node) = element.as_node() else { continue };
        let last = pieces.last_mut().expect("there is always a piece");
        last.trees.extend(has(node, wanted).then(|| tree.of(node.clone())));
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
