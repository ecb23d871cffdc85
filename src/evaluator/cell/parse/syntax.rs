//! The parse of a cell, in the form in which evcxr parses it: as the body of a function.

use super::problem::{self, Problem};
use ra_ap_syntax::ast;
use ra_ap_syntax::{
    AstNode, Edition, NodeOrToken, SourceFile, SyntaxError, SyntaxKind, SyntaxNode, SyntaxToken, WalkEvent,
};
use std::ops::Range;

/// What is said to who writes `await f()`.
const BEHIND: &str = "`.await` stands behind the future, as in `fetch().await`";

const PRELUDE: &str = "fn f(){";

/// A node, and how far its offsets are from those in the cell's text.
#[derive(Debug, Clone)]
pub(in crate::evaluator::cell) struct Place {
    pub(in crate::evaluator::cell) node: SyntaxNode,
    shift: isize,
}

impl Place {
    /// A node whose tree begins at the offset `start` of the cell.
    pub(in crate::evaluator::cell) fn starting_at(node: SyntaxNode, start: usize) -> Self {
        Self { node, shift: start as isize }
    }

    /// Another node of the same tree.
    pub(in crate::evaluator::cell) fn of(&self, node: SyntaxNode) -> Self {
        Self { node, shift: self.shift }
    }

    /// Where a node or token of the same tree stands in the cell.
    pub(in crate::evaluator::cell) fn range(
        &self,
        element: impl Into<NodeOrToken<SyntaxNode, SyntaxToken>>,
    ) -> Range<usize> {
        let range = element.into().text_range();
        let at = |offset: usize| offset.saturating_add_signed(self.shift);
        at(range.start().into())..at(range.end().into())
    }

    /// Where this node stands, without the attributes and comments before it.
    pub(in crate::evaluator::cell) fn bare_range(&self) -> Range<usize> {
        let range = self.range(self.node.clone());
        let is_prefix = |element: &NodeOrToken<SyntaxNode, SyntaxToken>| {
            element.kind().is_trivia() || element.kind() == SyntaxKind::ATTR
        };
        match self.node.children_with_tokens().find(|element| !is_prefix(element)) {
            Some(first) => self.range(first).start..range.end,
            None => range,
        }
    }

    /// Visits this node, at `depth + 1`, and everything below it, deeper by one at each step. Nothing is visited below a node
    /// of which `visit` says false.
    pub(in crate::evaluator::cell) fn walk(&self, mut depth: usize, mut visit: impl FnMut(&Self, usize) -> bool) {
        let mut walk = self.node.preorder();
        while let Some(event) = walk.next() {
            match event {
                WalkEvent::Leave(_) => depth -= 1,
                WalkEvent::Enter(node) => {
                    depth += 1;
                    if !visit(&self.of(node), depth) {
                        walk.skip_subtree();
                    }
                }
            }
        }
    }
}

/// A cell that parses.
pub(in crate::evaluator::cell) struct Tree {
    list: SyntaxNode,
}

impl Tree {
    /// Parses a cell whose brackets, strings and comments are known to end.
    pub(in crate::evaluator::cell) fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let (errors, tree) = Self::parse_broken(text);
        if !errors.is_empty() {
            return Err(problems(text, &errors));
        }
        tree.ok_or_else(|| vec![Problem::new("this is not Rust", text, 0..text.len(), "")])
    }

    /// What the parser has understood, and what not.
    pub(super) fn parse_broken(text: &str) -> (Vec<SyntaxError>, Option<Self>) {
        let parse = SourceFile::parse(&format!("{PRELUDE}{text}\n}}"), Edition::Edition2024);
        let list = parse.syntax_node().children().next().and_then(ast::Fn::cast);
        let list = list.and_then(|function| function.body()).and_then(|body| body.stmt_list());
        (parse.errors(), list.map(|list| Self { list: list.syntax().clone() }))
    }

    /// The cell as a whole, in braces that the user did not write.
    pub(in crate::evaluator::cell) fn root(&self) -> Place {
        Place { node: self.list.clone(), shift: -(PRELUDE.len() as isize) }
    }

    /// The statements, items and attributes at the top level.
    pub(in crate::evaluator::cell) fn statements(&self) -> impl Iterator<Item = Place> + '_ {
        let root = self.root();
        self.list.children().map(move |node| root.of(node))
    }

    pub(in crate::evaluator::cell) fn items(&self) -> impl Iterator<Item = (Place, ast::Item)> + '_ {
        self.statements().filter_map(|place| ast::Item::cast(place.node.clone()).map(|item| (place, item)))
    }

    /// All nodes of the cell.
    pub(in crate::evaluator::cell) fn descendants(&self) -> impl Iterator<Item = Place> + '_ {
        let root = self.root();
        self.list.descendants().map(move |node| root.of(node))
    }

    /// All tokens of the cell with their offsets, without the braces around it.
    pub(in crate::evaluator::cell) fn tokens(&self) -> impl Iterator<Item = (usize, SyntaxToken)> + '_ {
        let root = self.root();
        let braces = [self.list.first_token(), self.list.last_token()];
        let tokens = self.list.descendants_with_tokens().filter_map(NodeOrToken::into_token);
        let inner = tokens.filter(move |token| !braces.iter().flatten().any(|brace| brace == token));
        inner.map(move |token| (root.range(token.clone()).start, token))
    }

    /// Whether there is no code, at most comments.
    pub(in crate::evaluator::cell) fn is_empty(&self) -> bool {
        self.tokens().all(|(_, token)| token.kind().is_trivia() || token.kind() == SyntaxKind::SEMICOLON)
    }
}

/// The tokens of a node that mean something.
pub(in crate::evaluator::cell) fn meaningful_tokens(node: &SyntaxNode) -> impl Iterator<Item = SyntaxToken> {
    node.descendants_with_tokens().filter_map(NodeOrToken::into_token).filter(|token| !token.kind().is_trivia())
}

/// FNV-1a over the tokens of a node: blanks and comments do not count.
pub(in crate::evaluator::cell) fn token_hash(node: &SyntaxNode) -> u64 {
    hash(meaningful_tokens(node).map(|token| token.text().to_owned()))
}

/// FNV-1a over pieces of text, with a separator that no token contains.
pub(in crate::evaluator::cell) fn hash(pieces: impl IntoIterator<Item = String>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for piece in pieces {
        for byte in piece.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// The parser's errors, one a line, for people.
fn problems(text: &str, errors: &[SyntaxError]) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut sorted: Vec<_> = errors.iter().collect();
    sorted.sort_by_key(|error| error.range().start());
    for error in sorted {
        let at = |offset: ra_ap_syntax::TextSize| usize::from(offset).saturating_sub(PRELUDE.len());
        // The parser counts bytes in byte strings, so that it may point into the middle of a character.
        let start = text.floor_char_boundary(at(error.range().start()));
        let end = text.ceil_char_boundary(at(error.range().end()).clamp(start, text.len()));
        let problem = late_command(text, start).unwrap_or_else(|| {
            let message = friendly(&error.to_string());
            let problem = Problem::new(message, text, start..end, "");
            if stands_in_front(&text[start..]) { problem.with_help(BEHIND) } else { problem }
        });
        let (line, _) = problem.place();
        if problems.iter().all(|known| known.place().0 != line) {
            problems.push(problem);
        }
    }
    problems.truncate(problem::MOST);
    problems
}

/// Whether this is the `await` of other languages.
fn stands_in_front(text: &str) -> bool {
    text.trim_start().strip_prefix("await").is_some_and(|rest| rest.starts_with([' ', '!', '(']))
}

/// The parser stumbled over a command that does not stand at the top.
fn late_command(text: &str, offset: usize) -> Option<Problem> {
    // An error about a missing `;` stands at the end of the line before.
    let rest = &text[offset..];
    let here = text[..offset].rfind('\n').map_or(0, |n| n + 1);
    let next = offset + rest.find(|c: char| !c.is_whitespace())?;
    let start = [here + indent(&text[here..]), next].into_iter().find(|start| is_command(&text[*start..]))?;
    let end = text[start..].find('\n').map_or(text.len(), |n| start + n);
    let problem =
        Problem::new("commands stand at the top of a cell", text, start..end, "after code, this is not a command");
    Some(problem.with_help("move this line to the top, or into a cell of its own").of_command())
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

fn is_command(rest: &str) -> bool {
    rest.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// The parser names tokens by its own constants.
fn friendly(message: &str) -> String {
    let mut words = Vec::new();
    for word in message.split(' ') {
        let (core, tail) = word.strip_suffix(',').map_or((word, ""), |core| (core, ","));
        words.push(token_name(core).unwrap_or_else(|| core.to_owned()) + tail);
    }
    let mut text = words.join(" ");
    if let Some(first) = text.get(..1).map(str::to_lowercase) {
        text.replace_range(..1, &first);
    }
    text
}

fn token_name(constant: &str) -> Option<String> {
    let text = match constant {
        "SEMICOLON" => ";",
        "COMMA" => ",",
        "L_PAREN" => "(",
        "R_PAREN" => ")",
        "L_CURLY" => "{",
        "R_CURLY" => "}",
        "L_BRACK" => "[",
        "R_BRACK" => "]",
        "L_ANGLE" => "<",
        "R_ANGLE" => ">",
        "COLON" => ":",
        "COLON2" => "::",
        "EQ" => "=",
        "FAT_ARROW" => "=>",
        "THIN_ARROW" => "->",
        "BANG" => "!",
        "PIPE" => "|",
        "DOT" => ".",
        "IDENT" => return Some("a name".to_owned()),
        _ => return constant.strip_suffix("_KW").map(|keyword| format!("`{}`", keyword.to_lowercase())),
    };
    Some(format!("`{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_problem(text: &str) -> Problem {
        Tree::parse(text).err().expect("an error").remove(0)
    }

    #[test]
    fn broken_code_is_refused_with_its_place() {
        for (text, place, message) in [
            ("let = ;", (1, 4), "expected pattern"),
            ("\nuse std::", (2, 10), "expected identifier, `self`, `super`, `crate`, or `Self`"),
            ("let x = 1\nlet y = 2;", (1, 10), "expected `;`"),
            ("1 +", (1, 4), "expected expression"),
        ] {
            let problem = first_problem(text);
            assert_eq!((problem.place(), problem.message.as_str()), (place, message), "{text}");
        }
    }

    #[test]
    fn a_command_behind_code_gets_a_hint() {
        for text in ["let x = 1;\n:tasks", "f()\n  :dep x = \"1\"\n"] {
            let problem = first_problem(text);
            assert_eq!(problem.message, "commands stand at the top of a cell", "{text}");
            assert_eq!(problem.place().0, 2);
        }
    }

    #[test]
    fn an_await_in_front_gets_a_hint() {
        for text in ["let r = await f();", "await f()", "await!(f())", "let x = 1; await x"] {
            assert_eq!(first_problem(text).help, [BEHIND], "{text}");
        }
        assert!(first_problem("let = awaiting;").help.is_empty());
    }

    #[test]
    fn a_place_inside_of_a_character_is_none() {
        assert_eq!(first_problem("let x = *b\"abc\u{2028}").place().0, 1);
    }

    #[test]
    fn each_line_is_blamed_once() {
        let problems = Tree::parse("let = ;\nlet = ;").err().expect("errors");
        assert_eq!(problems.iter().map(|p| p.place().0).collect::<Vec<_>>(), [1, 2]);
    }
}
