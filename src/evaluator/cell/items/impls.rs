//! Names for items without a name, for evcxr and for people.

use super::impl_heads;
use crate::evaluator::cell::parse::syntax::meaningful_tokens;
use ra_ap_syntax::AstNode;
use ra_ap_syntax::ast::{self, HasName};
use std::collections::BTreeSet;

/// What an item without a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::evaluator::cell) struct Implements {
    /// What an `impl` is for, the text of anything else.
    pub(in crate::evaluator::cell) key: String,
    /// What a type's own `impl` defines: a type may have several, but no name twice.
    pub(in crate::evaluator::cell) names: Option<BTreeSet<String>>,
}

impl Implements {
    /// Whether both cannot be there at the same time.
    pub(in crate::evaluator::cell) fn excludes(&self, other: &Self) -> bool {
        let overlap = match (&self.names, &other.names) {
            (Some(mine), Some(theirs)) => !mine.is_disjoint(theirs) || (mine.is_empty() && theirs.is_empty()),
            _ => true,
        };
        self.key == other.key && overlap
    }
}

/// The named item to which evcxr attaches an `impl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::evaluator::cell) struct ImplName {
    pub(in crate::evaluator::cell) implements: Implements,
    /// The type, if the same cell defined it: its next definition takes the place of both.
    pub(in crate::evaluator::cell) owner: Option<String>,
}

/// What an item without a name stands for, and the type that it belongs to.
pub(in crate::evaluator::cell) fn implements(item: &ast::Item) -> Option<(Implements, Option<String>)> {
    match item {
        ast::Item::Impl(item) => {
            let owner = base_name(&item.self_ty()?);
            let names = item.trait_().is_none().then(|| defined_names(item));
            Some((Implements { key: impl_heads::head(item)?, names }, owner))
        }
        ast::Item::Const(constant) if constant.name().is_none() => {
            Some((Implements { key: text(constant.syntax()), names: None }, None))
        }
        ast::Item::ExternBlock(block) => Some((Implements { key: text(block.syntax()), names: None }, None)),
        _ => None,
    }
}

/// How people call an item without a name: `Trait for Type` or the type of an `impl`, the text of anything else.
pub(in crate::evaluator::cell) fn title(item: &ast::Item) -> String {
    let ast::Item::Impl(block) = item else { return text(item.syntax()) };
    let this = block.self_ty().map(|this| text(this.syntax())).unwrap_or_default();
    block.trait_().map_or_else(|| this.clone(), |of| format!("{} for {this}", text(of.syntax())))
}

fn defined_names(item: &ast::Impl) -> BTreeSet<String> {
    let items = item.assoc_item_list().into_iter().flat_map(|list| list.assoc_items());
    let names = items.filter_map(|item| match item {
        ast::AssocItem::Fn(item) => item.name(),
        ast::AssocItem::Const(item) => item.name(),
        ast::AssocItem::TypeAlias(item) => item.name(),
        ast::AssocItem::MacroCall(_) => None,
    });
    names.map(|name| name.text().to_string()).collect()
}

/// The last name of a path: `Map` of `a::Map<B>`.
fn base_name(of: &ast::Type) -> Option<String> {
    let path = of.syntax().descendants().find_map(ast::Path::cast)?;
    Some(path.segment()?.name_ref()?.text().to_string())
}

/// The tokens with single blanks, without what a line break or comment changes.
fn text(node: &ra_ap_syntax::SyntaxNode) -> String {
    meaningful_tokens(node).map(|token| token.text().to_owned()).collect::<Vec<_>>().join(" ")
}
