//! The parts of a cell: inner attributes, items, statements and what comes last.

use ra_ap_syntax::ast::{self, AstNode, HasName};
use ra_ap_syntax::{Edition, SourceFile, SyntaxKind, SyntaxNode};
use std::ops::Range;

const PRELUDE: &str = "fn f(){";

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `#![…]`.
    Attribute,
    /// What stands outside of functions, `thread_local!` included.
    Item,
    /// A `let`, or an expression with or without its semicolon.
    Statement,
    /// The expression at the end.
    Last,
}

/// A part, and its place in the cell.
pub(crate) struct Part {
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
    pub(crate) node: SyntaxNode,
}

/// Takes a cell apart as the body of a function.
pub(crate) fn parts(code: &str) -> Vec<Part> {
    let parse = SourceFile::parse(&format!("{PRELUDE}{code}\n}}"), Edition::Edition2024);
    let body = parse.tree().syntax().children().next().and_then(ast::Fn::cast).and_then(|f| f.body()?.stmt_list());
    let nodes: Vec<_> = body.expect("a body").syntax().children().collect();
    let last = nodes.len().saturating_sub(1);
    let part = |(index, node): (usize, SyntaxNode)| {
        let range = node.text_range();
        let range = usize::from(range.start()) - PRELUDE.len()..usize::from(range.end()) - PRELUDE.len();
        Part { kind: kind(&node, index == last), range, node }
    };
    nodes.into_iter().enumerate().map(part).collect()
}

fn kind(node: &SyntaxNode, is_last: bool) -> Kind {
    let is_local = || {
        let macros = node.descendants().find_map(ast::MacroCall::cast);
        macros.and_then(|call| call.path()).is_some_and(|path| path.syntax().text() == "thread_local")
            && node.text().to_string().trim_start().starts_with("thread_local")
    };
    if node.kind() == SyntaxKind::ATTR {
        Kind::Attribute
    } else if ast::Item::can_cast(node.kind()) || is_local() {
        Kind::Item
    } else if is_last && ast::Expr::can_cast(node.kind()) {
        Kind::Last
    } else {
        Kind::Statement
    }
}

/// The variables that the `let`s of a cell give to later cells.
pub(crate) fn variables(parts: &[Part]) -> Vec<String> {
    let lets = parts.iter().filter_map(|part| ast::LetStmt::cast(part.node.clone()));
    let patterns = lets.filter_map(|node| node.pat());
    let names = patterns.flat_map(|pattern| {
        let idents: Vec<_> = pattern.syntax().descendants().filter_map(ast::IdentPat::cast).collect();
        idents.into_iter().filter_map(|ident| ident.name()).map(|name| name.text().to_string())
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.dedup();
    names
}

/// The name that evcxr keeps an item by.
pub(crate) fn item_name(node: &SyntaxNode) -> Option<String> {
    let name = match ast::Item::cast(node.clone())? {
        ast::Item::Fn(item) => item.name(),
        ast::Item::Struct(item) => item.name(),
        ast::Item::Enum(item) => item.name(),
        ast::Item::Union(item) => item.name(),
        ast::Item::TypeAlias(item) => item.name(),
        ast::Item::Trait(item) => item.name(),
        ast::Item::Static(item) => item.name(),
        ast::Item::Const(item) => item.name(),
        ast::Item::MacroRules(item) => item.name(),
        ast::Item::Module(item) => item.name(),
        _ => None,
    };
    name.map(|name| name.text().to_string())
}
