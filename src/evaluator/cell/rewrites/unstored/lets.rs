//! The `let`s of a cell's top level.

use crate::evaluator::cell::parse::syntax::{Place, Tree, meaningful_tokens};
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, SyntaxKind};
use std::ops::Range;

/// A `let` of the cell's top level.
pub(super) struct Let {
    pub(super) node: ast::LetStmt,
    pub(super) names: Vec<Name>,
    pub(super) place: Place,
}

/// A variable in its pattern.
pub(super) struct Name {
    /// As typed.
    pub(super) text: String,
    pub(super) is_mut: bool,
    pub(super) range: Range<usize>,
}

impl Let {
    pub(super) fn binds(&self, name: &str) -> bool {
        self.names.iter().any(|bound| bound.text == name)
    }

    /// Whether what it is set to may have to do with a variable of this name.
    pub(super) fn mentions(&self, name: &str) -> bool {
        let value = self.node.initializer();
        let mut tokens = value.iter().flat_map(|value| meaningful_tokens(value.syntax()));
        tokens.any(|token| match token.kind() {
            SyntaxKind::IDENT => token.text() == name,
            SyntaxKind::STRING => token.text().contains(name),
            _ => false,
        })
    }
}

/// The `let`s of the cell's top level.
pub(super) fn lets(tree: &Tree) -> Vec<Let> {
    let statement = |place: Place| {
        let node = ast::LetStmt::cast(place.node.clone())?;
        let idents = node.pat()?.syntax().descendants().filter_map(ast::IdentPat::cast).collect::<Vec<_>>();
        let name = |ident: ast::IdentPat| {
            let name = ident.name()?;
            let (text, range) = (name.text().to_string(), place.range(name.syntax().clone()));
            // What begins with a capital in a pattern is a constant.
            let is_variable = !text.starts_with(char::is_uppercase);
            is_variable.then(|| Name { text, is_mut: ident.mut_token().is_some(), range })
        };
        let names = idents.into_iter().filter_map(name).collect();
        node.semicolon_token().is_some().then(|| Let { names, place: place.clone(), node })
    };
    tree.statements().filter_map(statement).collect()
}
