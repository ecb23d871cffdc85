//! What the notebook's own items look like: signatures, fields, variants and methods, read from the cells that defined
//! them. Enough to complete and explain them while rust-analyzer is busy.

use crate::evaluator::Completion;
use ra_ap_syntax::ast::{self, HasDocComments, HasModuleItem, HasName};
use ra_ap_syntax::{AstNode, AstToken, Edition, SourceFile, SyntaxNode};
use std::collections::BTreeMap;

/// The definitions of all cells so far; a later one replaces an earlier one of the same name.
#[derive(Debug, Clone, Default)]
pub(super) struct Definitions {
    items: BTreeMap<String, Definition>,
    /// By type, then by name.
    members: BTreeMap<String, BTreeMap<String, Member>>,
}

/// An item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Definition {
    /// Up to its body, on one line.
    pub(in crate::evaluator) signature: String,
    /// Its doc comment, without the slashes.
    pub(in crate::evaluator) docs: String,
    /// All of it, as typed.
    pub(in crate::evaluator) source: String,
}

#[derive(Debug, Clone)]
struct Member {
    kind: &'static str,
    signature: String,
    /// Whether it stands behind a dot, and not behind `::`.
    behind_dot: bool,
}

impl Definitions {
    /// Reads a cell; what is not Rust in it must have been blanked.
    pub(in crate::evaluator) fn learn(&mut self, code: &str) {
        // As the body of a function, because a cell has statements beside its items.
        let file = SourceFile::parse(&format!("fn f(){{{code}\n}}"), Edition::Edition2024).tree();
        let body = file.items().find_map(|item| match item {
            ast::Item::Fn(function) => function.body()?.stmt_list(),
            _ => None,
        });
        let items = body.into_iter().flat_map(|list| list.syntax().children().filter_map(ast::Item::cast));
        items.for_each(|item| self.learn_item(&item));
    }

    /// The item of this name.
    pub(in crate::evaluator) fn get(&self, name: &str) -> Option<&Definition> {
        self.items.get(name)
    }

    /// Fields and methods of the types that are named in `ty`, or what stands behind their `::`, if it begins with `word`.
    pub(in crate::evaluator) fn members(&self, ty: &str, behind_dot: bool, word: &str) -> Vec<Completion> {
        let named = ty.split(|c: char| !c.is_alphanumeric() && c != '_').filter_map(|name| self.members.get(name));
        let wanted = named.flatten().filter(|(name, member)| member.behind_dot == behind_dot && name.starts_with(word));
        let item = |(name, member): (&String, &Member)| Completion {
            text: name.clone(),
            kind: member.kind,
            signature: Some(member.signature.clone()),
        };
        wanted.map(item).collect()
    }

    fn learn_item(&mut self, item: &ast::Item) {
        match item {
            ast::Item::Struct(item) => {
                let fields = match item.field_list() {
                    Some(ast::FieldList::RecordFieldList(list)) => {
                        list.fields().filter_map(|field| named(&field)).collect()
                    }
                    Some(ast::FieldList::TupleFieldList(list)) => list
                        .fields()
                        .enumerate()
                        .map(|(index, field)| (index.to_string(), line(field.syntax())))
                        .collect(),
                    None => Vec::new(),
                };
                self.define(item, fields.into_iter().map(|(name, ty)| (name, member("instance", ty, true))));
            }
            ast::Item::Enum(item) => {
                let variants = item.variant_list().into_iter().flat_map(|list| list.variants());
                let variants = variants.filter_map(|variant| named(&variant));
                self.define(item, variants.map(|(name, text)| (name, member("class", text, false))));
            }
            ast::Item::Trait(item) => {
                let methods = methods(item.assoc_item_list());
                self.define(item, methods.into_iter());
            }
            ast::Item::Impl(item) => {
                let Some(ty) = item.self_ty().and_then(|ty| name_of_type(&ty)) else { return };
                self.members.entry(ty).or_default().extend(methods(item.assoc_item_list()));
            }
            ast::Item::Fn(item) => self.define(item, std::iter::empty()),
            ast::Item::Const(item) => self.define(item, std::iter::empty()),
            ast::Item::Static(item) => self.define(item, std::iter::empty()),
            ast::Item::TypeAlias(item) => self.define(item, std::iter::empty()),
            ast::Item::Union(item) => self.define(item, std::iter::empty()),
            ast::Item::Module(item) => self.define(item, std::iter::empty()),
            ast::Item::MacroRules(item) => self.define(item, std::iter::empty()),
            _ => {}
        }
    }

    fn define(&mut self, item: &(impl HasName + HasDocComments), members: impl Iterator<Item = (String, Member)>) {
        let Some(name) = item.name().map(|name| name.text().to_string()) else { return };
        let docs = item.doc_comments().map(|comment| comment.text().to_owned());
        let docs: Vec<_> = docs.map(|text| text.trim_start_matches(['/', '*', '!', ' ']).to_owned()).collect();
        let source = item.syntax().text().to_string();
        let definition = Definition { signature: signature(item.syntax()), docs: docs.join("\n"), source };
        self.items.insert(name.clone(), definition);
        self.members.entry(name).or_default().extend(members);
    }
}

fn member(kind: &'static str, signature: String, behind_dot: bool) -> Member {
    Member { kind, signature, behind_dot }
}

fn methods(list: Option<ast::AssocItemList>) -> Vec<(String, Member)> {
    let items = list.into_iter().flat_map(|list| list.assoc_items());
    let functions = items.filter_map(|item| match item {
        ast::AssocItem::Fn(function) => Some(function),
        _ => None,
    });
    let method = |function: ast::Fn| {
        let behind_dot = function.param_list().is_some_and(|list| list.self_param().is_some());
        Some((function.name()?.text().to_string(), member("function", signature(function.syntax()), behind_dot)))
    };
    functions.filter_map(method).collect()
}

fn named(node: &impl HasName) -> Option<(String, String)> {
    Some((node.name()?.text().to_string(), line(node.syntax())))
}

/// `Conf` for `a::Conf<'_, T>`.
fn name_of_type(ty: &ast::Type) -> Option<String> {
    let ast::Type::PathType(path) = ty else { return None };
    Some(path.path()?.segment()?.name_ref()?.text().to_string())
}

/// What stands before an item's body, attributes and comments left out.
fn signature(item: &SyntaxNode) -> String {
    let is_body =
        |node: &SyntaxNode| ast::BlockExpr::can_cast(node.kind()) || ast::AssocItemList::can_cast(node.kind());
    let is_prefix = |text: &str| text.starts_with("#[") || text.starts_with("//") || text.starts_with("/*");
    let parts = item.children_with_tokens().take_while(|part| part.as_node().is_none_or(|node| !is_body(node)));
    let text: String = parts.map(|part| part.to_string()).filter(|text| !is_prefix(text)).collect();
    one_line(&text)
}

fn line(node: &SyntaxNode) -> String {
    signature(node)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: &str = "let n = 1;
/// How to fetch.
#[derive(Debug)]
struct Conf<'a> {
    /// Where.
    url: &'a str,
    retries: u32,
}
impl<'a> Conf<'a> {
    fn new(url: &'a str) -> Self { Self { url, retries: 3 } }
    async fn fetch(&self, n: usize) -> String { todo!() }
}
enum State { Idle, Busy(u32) }
fn twice(
    n: i32,
) -> i32 { 2 * n }
n";

    fn definitions() -> Definitions {
        let mut definitions = Definitions::default();
        definitions.learn(CELL);
        definitions
    }

    fn texts(ty: &str, behind_dot: bool, word: &str) -> Vec<String> {
        definitions().members(ty, behind_dot, word).into_iter().map(|item| item.text).collect()
    }

    #[test]
    fn fields_and_methods_stand_behind_a_dot() {
        assert_eq!(texts("std::sync::Arc<Conf<'static>>", true, ""), ["fetch", "retries", "url"]);
        assert_eq!(texts("Conf", true, "re"), ["retries"]);
        assert!(texts("Config", true, "").is_empty());
    }

    #[test]
    fn functions_and_variants_stand_behind_two_colons() {
        assert_eq!(texts("Conf", false, ""), ["new"]);
        assert_eq!(texts("State", false, ""), ["Busy", "Idle"]);
    }

    #[test]
    fn a_signature_ends_before_the_body_and_is_one_line() {
        let definitions = definitions();
        let twice = definitions.get("twice").expect("it is defined");
        assert_eq!(twice.signature, "fn twice( n: i32, ) -> i32");
        let conf = definitions.get("Conf").expect("it is defined");
        assert_eq!(conf.docs, "How to fetch.");
        assert!(conf.source.contains("retries: u32"));
        let fetch = definitions.members("Conf", true, "fetch").remove(0);
        assert_eq!(fetch.signature.as_deref(), Some("async fn fetch(&self, n: usize) -> String"));
    }

    #[test]
    fn broken_cells_teach_what_can_be_read() {
        let mut definitions = Definitions::default();
        definitions.learn("}}} fn a( let ;; struct S { x: ");
        definitions.learn("");
        definitions.learn("fn good() {} let x = ;");
        assert!(definitions.get("good").is_some());
    }
}
