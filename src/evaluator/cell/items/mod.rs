//! What a cell defines at its top level.

pub(super) mod duplicates;
pub(super) mod impl_heads;
pub(super) mod impls;
pub(super) mod layouts;
pub(super) mod main_function;

use super::parse::problem::Lines;
use super::parse::syntax::{Place, Tree, meaningful_tokens, token_hash};
use impls::title;
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, SyntaxKind};
use std::collections::BTreeSet;
use std::ops::Range;

/// An item of a cell's top level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name; `Trait for Type` or the type of an `impl`, and the text of what has no name at all.
    pub name: String,
    /// What it is.
    pub kind: ItemKind,
    /// The line on which it begins, from 1, behind its attributes and comments.
    pub line: u32,
    /// Hash of its tokens: blanks and comments do not change it.
    pub hash: u64,
    /// Every identifier in it, also in the arguments of macros.
    pub mentions: BTreeSet<String>,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemKind {
    /// A function.
    Fn {
        /// Whether it is an `async fn`.
        is_async: bool,
    },
    /// A struct.
    Struct,
    /// An enum.
    Enum,
    /// A union.
    Union,
    /// A `type`.
    TypeAlias,
    /// A trait.
    Trait,
    /// A static.
    Static,
    /// A constant.
    Const,
    /// A `macro_rules!` or `macro`.
    Macro,
    /// A module.
    Mod,
    /// A `use`, with the names that it brings (`*` for a glob).
    Use {
        /// The names, in order.
        names: Vec<String>,
    },
    /// An `impl`.
    Impl,
    /// An `extern crate`.
    ExternCrate {
        /// The name by which it asks for the crate.
        krate: String,
    },
    /// `extern` blocks and what may come.
    Other,
}

/// A `let` of a cell's top level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The variables, in order.
    pub names: Vec<String>,
    /// The line on which the `let` stands, from 1.
    pub line: u32,
    /// Whether one of them is `mut`.
    pub mutable: bool,
    /// Whether a type is given.
    pub has_type: bool,
    /// Byte range of the initialiser in [`SourceMap::source`](super::SourceMap::source).
    pub init: Option<Range<usize>>,
}

/// The items of a cell.
pub(super) fn items(tree: &Tree, text: &str) -> Vec<Item> {
    let lines = Lines::new(text);
    let item = |(place, item): (Place, ast::Item)| {
        let (name, kind) = describe(&item);
        let idents = meaningful_tokens(&place.node).filter(|token| token.kind() == SyntaxKind::IDENT);
        let mentions = idents.map(|token| token.text().to_owned()).collect();
        let line = lines.of(place.bare_range().start);
        Item { name, kind, line, hash: token_hash(&place.node), mentions }
    };
    tree.items().map(item).collect()
}

/// The `let` statements of a cell.
pub(super) fn lets(tree: &Tree, text: &str) -> Vec<Binding> {
    let lines = Lines::new(text);
    let binding = |place: Place| {
        let node = ast::LetStmt::cast(place.node.clone())?;
        let pattern = node.pat()?;
        let idents: Vec<_> = pattern.syntax().descendants().filter_map(ast::IdentPat::cast).collect();
        let names = idents.iter().filter_map(|ident| ident.name()).map(|name| name.text().to_string());
        Some(Binding {
            names: names.collect(),
            line: lines.of(place.bare_range().start),
            mutable: idents.iter().any(|ident| ident.mut_token().is_some()),
            has_type: node.ty().is_some(),
            init: node.initializer().map(|value| place.range(value.syntax().clone())),
        })
    };
    tree.statements().filter_map(binding).collect()
}

fn describe(item: &ast::Item) -> (String, ItemKind) {
    let (name, kind) = match item {
        ast::Item::Fn(item) => (item.name(), ItemKind::Fn { is_async: item.async_token().is_some() }),
        ast::Item::Struct(item) => (item.name(), ItemKind::Struct),
        ast::Item::Enum(item) => (item.name(), ItemKind::Enum),
        ast::Item::Union(item) => (item.name(), ItemKind::Union),
        ast::Item::TypeAlias(item) => (item.name(), ItemKind::TypeAlias),
        ast::Item::Trait(item) => (item.name(), ItemKind::Trait),
        ast::Item::Static(item) => (item.name(), ItemKind::Static),
        ast::Item::Const(item) => (item.name(), ItemKind::Const),
        ast::Item::MacroRules(item) => (item.name(), ItemKind::Macro),
        ast::Item::MacroDef(item) => (item.name(), ItemKind::Macro),
        ast::Item::Module(item) => (item.name(), ItemKind::Mod),
        ast::Item::Impl(_) => (None, ItemKind::Impl),
        ast::Item::Use(item) => (None, ItemKind::Use { names: imported(item) }),
        ast::Item::ExternCrate(item) => {
            let krate = item.name_ref().map_or_else(String::new, |name| name.text().to_string());
            (None, ItemKind::ExternCrate { krate })
        }
        _ => (None, ItemKind::Other),
    };
    let text = || match item {
        ast::Item::Impl(_) | ast::Item::ExternBlock(_) | ast::Item::Const(_) => title(item),
        _ => item.syntax().text().to_string(),
    };
    (name.map_or_else(text, |name| name.text().to_string()), kind)
}

fn imported(item: &ast::Use) -> Vec<String> {
    let trees = item.syntax().descendants().filter_map(ast::UseTree::cast);
    let leaves = trees.filter(|tree| tree.use_tree_list().is_none());
    let name = |tree: ast::UseTree| {
        if tree.star_token().is_some() {
            return Some("*".to_owned());
        }
        if let Some(rename) = tree.rename() {
            return rename.name().map(|name| name.text().to_string());
        }
        let path = tree.path()?;
        let segment = path.segment()?;
        let last = segment.syntax().text().to_string();
        if last != "self" {
            return Some(last);
        }
        // `a::{self}` brings `a`.
        let outer = tree.syntax().ancestors().skip(1).find_map(ast::UseTree::cast)?;
        Some(outer.path()?.segment()?.syntax().text().to_string())
    };
    leaves.filter_map(name).collect()
}

/// The name of a type, or of a trait, that an item defines.
pub(super) fn type_name(item: &ast::Item) -> Option<ast::Name> {
    match item {
        ast::Item::Struct(item) => item.name(),
        ast::Item::Enum(item) => item.name(),
        ast::Item::Union(item) => item.name(),
        ast::Item::TypeAlias(item) => item.name(),
        ast::Item::Trait(item) => item.name(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluator::cell::{Notebook, PreparedCell, prepare};

    fn prepared(code: &str) -> PreparedCell {
        prepare(1, code, &Notebook::default()).expect("a good cell")
    }

    #[test]
    fn items_are_listed_with_what_they_mention() {
        let cell =
            prepared("/// doc\n#[derive(Debug)]\npub struct A { b: B }\nasync fn f() { vec![g()] }\nimpl T for A {}");
        let found: Vec<_> = cell.items.iter().map(|item| (item.name.as_str(), item.kind.clone(), item.line)).collect();
        let expected =
            [("A", ItemKind::Struct, 3), ("f", ItemKind::Fn { is_async: true }, 4), ("T for A", ItemKind::Impl, 5)];
        assert_eq!(found, expected);
        assert!(cell.items[0].mentions.contains("B") && cell.items[1].mentions.contains("g"));
    }

    #[test]
    fn only_tokens_count_for_the_hash() {
        let hash = |code: &str| prepared(code).items[0].hash;
        assert_eq!(hash("struct A { b: u8 }"), hash("// c\nstruct A {\n  b : /* d */ u8 }"));
        assert_ne!(hash("struct A { b: u8 }"), hash("struct A { b: u16 }"));
    }

    #[test]
    fn imports_are_listed_by_name() {
        let cell = prepared("use a::{self, b as c, d::{e, self}, f::*};");
        assert_eq!(cell.items[0].kind, ItemKind::Use { names: ["a", "c", "e", "d", "*"].map(str::to_owned).to_vec() });
    }

    #[test]
    fn bindings_know_their_initialisers() {
        let cell = prepared("let (a, mut b): (u8, u8) = f();\nlet c;\nlet d = g(1);");
        let source = cell.map.source();
        let inits: Vec<_> = cell.lets.iter().map(|b| b.init.clone().map(|range| &source[range])).collect();
        assert_eq!(inits, [Some("f()"), None, Some("g(1)")]);
        assert_eq!(cell.lets[0].names, ["a", "b"]);
        assert!(cell.lets[0].mutable && cell.lets[0].has_type && !cell.lets[2].mutable);
        assert_eq!(cell.lets[2].line, 3);
    }
}
