//! Which of a cell's definitions decide how values are laid out, and what its statics hold.
//!
//! Blanks, comments and `derive`s do not count: none of them changes a layout.

use super::type_name;
use crate::evaluator::cell::parse::syntax::{Tree, hash, meaningful_tokens};
use ra_ap_syntax::ast::{self, HasGenericParams, HasName};
use ra_ap_syntax::{AstNode, SyntaxKind, SyntaxNode, SyntaxToken};
use std::collections::BTreeSet;

/// The trait behind which a value can be asked for by its type: what changes one value changes all of them.
const ERROR: &str = "Error";

/// In the place of names that nobody can know: those that a glob imports, or that a macro makes up.
pub const UNKNOWN: &str = "*";

/// What the standard library can derive: only `impl`s.
const DERIVES: [&str; 9] = ["Clone", "Copy", "Debug", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"];

/// A definition that decides how values are laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// What a later definition has to be called to take this one's place.
    pub key: String,
    /// The names of what it defines: its own, those of types inside of a module, the associated types of an `impl`;
    /// [`UNKNOWN`] for a glob and for what a macro derives.
    pub names: BTreeSet<String>,
    /// Hash of what counts in its text.
    pub hash: u64,
    /// Every identifier in it, apart from `derive`s.
    pub mentions: BTreeSet<String>,
    /// Whether it is a `use`: then the name alone is it, and not a path that ends in the name.
    pub is_import: bool,
}

/// A static that lives in the runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotName {
    /// As the runtime knows it: with the functions and modules around it.
    pub path: String,
    /// Every identifier in its type.
    pub mentions: BTreeSet<String>,
}

/// The definitions of a cell's top level that decide layouts.
pub(in crate::evaluator::cell) fn layouts(tree: &Tree) -> Vec<Layout> {
    tree.items().flat_map(|(_, item)| of_item(&item)).collect()
}

/// Every identifier in a node.
pub(in crate::evaluator::cell) fn idents(node: &SyntaxNode) -> BTreeSet<String> {
    let idents = meaningful_tokens(node).filter(|token| token.kind() == SyntaxKind::IDENT);
    idents.map(|token| token.text().to_owned()).collect()
}

fn of_item(item: &ast::Item) -> Vec<Layout> {
    let node = item.syntax();
    let mut names = inner_types(node);
    let name = match item {
        ast::Item::Const(item) => item.name(),
        ast::Item::Module(item) => item.name(),
        ast::Item::MacroRules(item) => item.name(),
        // The length of an array can come from a function.
        ast::Item::Fn(item) if item.const_token().is_some() => item.name(),
        ast::Item::Fn(item) if !names.is_empty() => {
            let key = item.name().map_or_else(String::new, |name| name.text().to_string());
            return vec![layout(key, names, node)];
        }
        ast::Item::Impl(item) => return of_impl(item).into_iter().collect(),
        ast::Item::Use(item) => return of_use(item),
        ast::Item::ExternCrate(item) => return of_extern_crate(item).into_iter().collect(),
        _ => type_name(item),
    };
    let Some(name) = name.map(|name| name.text().to_string()) else { return Vec::new() };
    names.insert(name.clone());
    if derives(node).any(|token| token.text() == ERROR) {
        names.insert(ERROR.to_owned());
    }
    let derived = derived(&name, node);
    std::iter::once(layout(name, names, node)).chain(derived).collect()
}

fn layout(key: String, names: BTreeSet<String>, node: &SyntaxNode) -> Layout {
    let counts = meaningful_tokens(node).filter(|token| token.kind() == SyntaxKind::IDENT && !is_in_derive(token));
    let mentions = counts.map(|token| token.text().to_owned()).collect();
    Layout { key, names, hash: shape(node), mentions, is_import: false }
}

/// What the macros of other crates derive from an item: they may define types.
fn derived(name: &str, node: &SyntaxNode) -> Option<Layout> {
    let words = derives(node).filter(|token| token.kind() == SyntaxKind::IDENT).map(|token| token.text().to_owned());
    let mentions: BTreeSet<String> = words.filter(|word| word != "derive" && !DERIVES.contains(&&**word)).collect();
    let names = BTreeSet::from([UNKNOWN.to_owned()]);
    // What it is derived from counts already: this one is the same whatever the macro is called.
    let layout = Layout { key: format!("derived from {name}"), names, hash: 0, mentions, is_import: false };
    (!layout.mentions.is_empty()).then_some(layout)
}

fn of_extern_crate(item: &ast::ExternCrate) -> Option<Layout> {
    let krate = item.name_ref()?.text().to_string();
    let name = item.rename().and_then(|rename| rename.name()).map_or(krate.clone(), |name| name.text().to_string());
    let names = BTreeSet::from([name.clone()]);
    Some(Layout { key: name, names, hash: hash([krate.clone()]), mentions: BTreeSet::from([krate]), is_import: true })
}

/// Associated types and constants: other types are made of them. What the functions do changes nothing.
fn of_impl(item: &ast::Impl) -> Option<Layout> {
    let list = item.assoc_item_list()?;
    let decisive: Vec<_> = list
        .assoc_items()
        .filter(|item| !matches!(item, ast::AssocItem::Fn(_) | ast::AssocItem::MacroCall(_)))
        .collect();
    let head = item.trait_().map(|of| of.syntax().text().to_string()).unwrap_or_default();
    let is_error = head == ERROR || head.ends_with("::Error");
    if decisive.is_empty() && !is_error {
        return None;
    }
    let this = item.self_ty()?;
    let generic: BTreeSet<String> = item
        .generic_param_list()
        .iter()
        .flat_map(|list| list.syntax().descendants().filter_map(ast::Name::cast))
        .map(|name| name.text().to_string())
        .collect();
    let mut mentions = idents(this.syntax());
    let mut names: BTreeSet<String> =
        if is_error { BTreeSet::from([ERROR.to_owned()]) } else { mentions.difference(&generic).cloned().collect() };
    for part in &decisive {
        let name = match part {
            ast::AssocItem::TypeAlias(alias) => alias.name(),
            ast::AssocItem::Const(constant) => constant.name(),
            _ => None,
        };
        names.extend(name.map(|name| name.text().to_string()));
        mentions.extend(idents(part.syntax()));
    }
    let texts = decisive.iter().flat_map(|part| meaningful_tokens(part.syntax()).map(|token| token.text().to_owned()));
    let key = format!("{head} for {}", this.syntax().text());
    Some(Layout { key, names, hash: hash(texts), mentions, is_import: false })
}

/// One definition for each name: evcxr replaces them one by one. A glob replaces nothing.
fn of_use(item: &ast::Use) -> Vec<Layout> {
    let trees = item.syntax().descendants().filter_map(ast::UseTree::cast);
    let leaves = trees.filter(|tree| tree.use_tree_list().is_none());
    leaves.filter_map(|leaf| imported(&leaf)).collect()
}

fn imported(leaf: &ast::UseTree) -> Option<Layout> {
    let trees = leaf.syntax().ancestors().filter_map(ast::UseTree::cast);
    let mut paths: Vec<String> =
        trees.filter_map(|tree| tree.path()).map(|path| path.syntax().text().to_string()).collect();
    paths.reverse();
    let full = paths.join("::");
    let full = full.trim_start_matches("::").trim_end_matches("::self");
    let segments = || full.split("::").map(str::trim);
    let is_glob = leaf.star_token().is_some();
    let name = match leaf.rename() {
        _ if is_glob => UNKNOWN.to_owned(),
        Some(rename) => rename.name()?.text().to_string(),
        None => segments().last()?.to_owned(),
    };
    Some(Layout {
        names: BTreeSet::from([name.clone()]),
        key: if is_glob { format!("{full}::*") } else { name },
        hash: hash(segments().map(str::to_owned)),
        mentions: segments().map(str::to_owned).collect(),
        is_import: true,
    })
}

/// The names of types that are defined inside of an item.
fn inner_types(node: &SyntaxNode) -> BTreeSet<String> {
    use SyntaxKind::{ENUM, STRUCT, TRAIT, TYPE_ALIAS, UNION};
    let inner = node.descendants().skip(1).filter(|node| {
        let is_type = matches!(node.kind(), ENUM | STRUCT | TRAIT | TYPE_ALIAS | UNION);
        is_type && node.parent().is_none_or(|parent| parent.kind() != SyntaxKind::ASSOC_ITEM_LIST)
    });
    inner.filter_map(|node| node.children().find_map(ast::Name::cast)).map(|name| name.text().to_string()).collect()
}

/// Hash of the tokens outside of `derive`s: those only add `impl`s.
fn shape(node: &SyntaxNode) -> u64 {
    let counts = meaningful_tokens(node).filter(|token| !is_in_derive(token));
    hash(counts.map(|token| token.text().to_owned()))
}

fn is_in_derive(token: &SyntaxToken) -> bool {
    token.parent_ancestors().any(|outer| is_derive(&outer))
}

fn derives(item: &SyntaxNode) -> impl Iterator<Item = SyntaxToken> {
    item.children().filter(is_derive).flat_map(|attribute| meaningful_tokens(&attribute).collect::<Vec<_>>())
}

fn is_derive(node: &SyntaxNode) -> bool {
    let attribute = ast::Attr::cast(node.clone()).and_then(|attribute| attribute.path());
    attribute.is_some_and(|path| path.syntax().text() == "derive")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluator::cell::{Notebook, prepare};

    fn layouts(code: &str) -> Vec<Layout> {
        prepare(1, code, &Notebook::default()).expect("a good cell").layouts
    }

    fn same(one: &str, other: &str) -> bool {
        layouts(one)[0].hash == layouts(other)[0].hash
    }

    #[test]
    fn only_what_decides_the_layout_counts() {
        assert!(same("struct A { b: u8 }", "/// Doc\n#[derive(Debug, Clone)]\nstruct A {\n  b : /* c */ u8 }"));
        assert!(!same("struct A { b: u8 }", "#[repr(C)] struct A { b: u8 }"));
        assert!(!same("struct A { b: u8 }", "struct A { b: u16 }"));
        let one = "impl Iterator for A { type Item = u8; fn next(&mut self) -> Option<u8> { None } }";
        assert!(same(one, "impl Iterator for A { type Item = u8; fn next(&mut self) -> Option<u8> { Some(1) } }"));
        assert!(!same(one, "impl Iterator for A { type Item = u16; fn next(&mut self) -> Option<u16> { None } }"));
        assert_eq!(layouts("impl A { fn f() {} }\nfn g() {}"), []);
    }

    #[test]
    fn what_foreign_macros_derive_is_known_by_what_it_comes_from() {
        let found = layouts("#[derive(Debug, bon::Builder)] struct A { b: u8 }");
        assert!(!found[0].mentions.contains("bon") && found[1].mentions.contains("bon"));
        assert!(found[1].names.contains(UNKNOWN));
        assert_eq!(layouts("#[derive(Debug, Clone)] struct A { b: u8 }").len(), 1);
    }

    #[test]
    fn names_are_those_that_other_definitions_can_mention() {
        let names = |code: &str| layouts(code)[0].names.iter().cloned().collect::<Vec<_>>();
        assert_eq!(names("mod m { pub struct P; pub mod n { pub enum Q {} } }"), ["P", "Q", "m"]);
        assert_eq!(names("impl<T> Tr for W<T> { type Out = u8; const N: usize = 1; }"), ["N", "Out", "W"]);
        assert_eq!(names("fn f() { struct Local; }"), ["Local"]);
        assert_eq!(names("const fn n() -> usize { 1 }"), ["n"]);
    }

    #[test]
    fn imports_are_known_by_their_whole_path() {
        let found = layouts("use a::{self, b as c, d::{e, self}, f::*};");
        let names: Vec<_> = found.iter().map(|layout| layout.key.as_str()).collect();
        assert_eq!(names, ["a", "c", "e", "d", "a::f::*"]);
        assert!(found[1].mentions.contains("b") && found[4].mentions.contains("f"));
        let renamed = &layouts("extern crate rand as r;")[0];
        assert!(renamed.key == "r" && renamed.mentions.contains("rand") && renamed.is_import);
        assert!(same("use a::{P, Q};", "use a::P;") && !same("use a::P;", "use b::P;"));
    }
}
