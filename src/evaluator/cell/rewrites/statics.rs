//! `static`s that can change: each becomes a slot of the runtime, one for all cells.
//!
//! Every cell is a library of its own and holds every earlier item again, so a cell's `static` would exist once per
//! cell. Its initialiser becomes a slot of the runtime, known by name and text. Statics of plain data need none.

use super::edits::Edits;
use crate::evaluator::cell::items::layouts::{SlotName, idents};
use crate::evaluator::cell::notebook::Notebook;
use crate::evaluator::cell::parse::problem::Problem;
use crate::evaluator::cell::parse::syntax::{Place, Tree, token_hash};
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, SyntaxKind, SyntaxNode, SyntaxToken};
use std::collections::BTreeSet;

/// Types that nothing can change through a shared reference, and of which one copy is as good as another.
const PLAIN: [&str; 19] = [
    "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64", "bool",
    "char", "str", "String", "CStr",
];

/// Rewrites the cell's statics, and uses of slots by `*`. Gives the names of the top-level ones; `found` gets all.
pub(in crate::evaluator::cell) fn rewrite(
    tree: &Tree,
    text: &str,
    notebook: &Notebook,
    edits: &mut Edits,
    found: &mut Vec<SlotName>,
) -> (Vec<String>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut names = Vec::new();
    let mut slots = notebook.statics.clone();
    for (_, item) in tree.items() {
        if let ast::Item::Static(item) = item {
            slots.remove(&name_of(&item));
        }
    }
    for place in tree.descendants() {
        let Some(item) = ast::Static::cast(place.node.clone()) else { continue };
        if let Some(keyword) = item.mut_token().filter(|_| item.body().is_some()) {
            problems.push(
                Problem::new(
                    "a cell cannot have a `static mut`",
                    text,
                    place.range(keyword),
                    "not shared between cells",
                )
                .with_help("use an atomic like `AtomicU64`, or a `Mutex`: both can be changed without `mut`"),
            );
        } else if rewrite_static(&place, &item, edits) {
            slots.insert(name_of(&item));
            found.extend(item.ty().map(|of| SlotName { path: path(&item), mentions: idents(of.syntax()) }));
            if place.node.parent().is_some_and(|parent| parent == tree.root().node) {
                names.push(name_of(&item));
            }
        }
    }
    if !slots.is_empty() {
        dereference(tree, &slots, edits);
    }
    (names, problems)
}

fn rewrite_static(place: &Place, item: &ast::Static, edits: &mut Edits) -> bool {
    let (Some(of), Some(body)) = (item.ty(), item.body()) else { return false };
    if is_plain(of.syntax()) {
        return false;
    }
    let open = format!("::loopbook::__private::Slot::new({:?}, 0x{:016x}, || ", path(item), token_hash(&place.node));
    edits.wrap(place.range(of.syntax().clone()), 0, "::loopbook::__private::Slot<", ">");
    edits.wrap(place.range(body.syntax().clone()), 0, &open, ")");
    true
}

pub(super) fn name_of(item: &ast::Static) -> String {
    item.name().map_or_else(String::new, |name| name.text().to_string())
}

/// The name with those of the functions and modules around it: two functions may each have a `COUNT`.
fn path(item: &ast::Static) -> String {
    let outer = item.syntax().ancestors().skip(1).filter_map(|node| match node.kind() {
        SyntaxKind::FN => ast::Fn::cast(node)?.name().map(|name| name.text().to_string()),
        SyntaxKind::MODULE => ast::Module::cast(node)?.name().map(|name| name.text().to_string()),
        SyntaxKind::IMPL => ast::Impl::cast(node)?.self_ty().map(|this| this.syntax().text().to_string()),
        _ => None,
    });
    let mut names: Vec<String> = outer.collect();
    // The outermost function is the one that stands around every cell.
    names.pop();
    names.reverse();
    names.push(name_of(item));
    names.join("::")
}

pub(super) fn is_plain(of: &SyntaxNode) -> bool {
    let tokens = crate::evaluator::cell::parse::syntax::meaningful_tokens(of);
    tokens.filter(|token| token.kind() == SyntaxKind::IDENT).all(|token| PLAIN.contains(&token.text()))
        && !of.descendants().any(|node| matches!(node.kind(), SyntaxKind::FN_PTR_TYPE | SyntaxKind::DYN_TRAIT_TYPE))
}

/// `*NAME` of a slot is the static; what the user means is what the static points to.
fn dereference(tree: &Tree, slots: &BTreeSet<String>, edits: &mut Edits) {
    for (at, token) in tree.tokens().filter(|(_, token)| token.kind() == SyntaxKind::STAR) {
        let is_slot = |next: &SyntaxToken| next.kind() == SyntaxKind::IDENT && slots.contains(next.text());
        let Some(name) = token.next_token().filter(is_slot) else { continue };
        let is_operator = match token.parent().map(|parent| parent.kind()) {
            Some(SyntaxKind::PREFIX_EXPR) => is_operand(&name, &token),
            Some(SyntaxKind::TOKEN_TREE) => is_prefix(&token) && !goes_on(&name),
            _ => false,
        };
        if is_operator {
            edits.open(at, usize::MAX, "*");
        }
    }
}

/// Whether the name alone is what the operator stands before: above it, there is nothing but a path.
fn is_operand(name: &SyntaxToken, operator: &SyntaxToken) -> bool {
    let is_path = |node: &SyntaxNode| {
        use SyntaxKind::{NAME_REF, PATH, PATH_EXPR, PATH_SEGMENT};
        matches!(node.kind(), NAME_REF | PATH_SEGMENT | PATH | PATH_EXPR) && node.text() == name.text()
    };
    name.parent_ancestors().find(|node| !is_path(node)) == operator.parent()
}

/// Whether a postfix follows in a macro's tokens: it binds more strongly than the operator.
fn goes_on(name: &SyntaxToken) -> bool {
    let next = name.next_token();
    next.is_some_and(|token| matches!(token.text(), "." | "(" | "[" | "?" | ":" | "!"))
}

/// In a macro's tokens, an operator between two values is no dereference.
fn is_prefix(star: &SyntaxToken) -> bool {
    let mut before = std::iter::successors(star.prev_token(), SyntaxToken::prev_token);
    let Some(before) = before.find(|token| !token.kind().is_trivia()) else { return true };
    use SyntaxKind::{IDENT, R_BRACK, R_CURLY, R_PAREN};
    !(before.kind().is_literal() || matches!(before.kind(), IDENT | R_PAREN | R_BRACK | R_CURLY))
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Notebook, prepare, tests::unmarked};

    #[test]
    fn a_static_becomes_a_slot() {
        let rust = unmarked("pub static C: AtomicUsize = AtomicUsize::new(0);");
        let (head, tail) = rust.split_once("0x").expect("a hash");
        assert_eq!(
            head,
            "pub static C: ::loopbook::__private::Slot<AtomicUsize> = ::loopbook::__private::Slot::new(\"C\", "
        );
        assert_eq!(&tail[16..], ", || AtomicUsize::new(0));");
        assert!(
            unmarked("impl A<u8> { fn f() { static C: Mutex<u8> = Mutex::new(1); } }").contains("(\"A<u8>::f::C\", ")
        );
    }

    #[test]
    fn plain_data_stays() {
        for code in ["static A: u8 = 1;", "static B: [(&'static str, i32); 2] = [];", "extern \"C\" { static E: X; }"] {
            assert!(!unmarked(code).contains("Slot"), "{code}");
        }
    }

    #[test]
    fn a_star_goes_through_the_slot() {
        let code = "static L: LazyLock<u8> = x;\nlet a = *L + *L.b() * *M; p!(*L, 2 *L);";
        assert!(unmarked(code).ends_with("let a = **L + *L.b() * *M; p!(**L, 2 *L);"), "{}", unmarked(code));
        let mut notebook = Notebook::default();
        notebook.learn(&prepare(1, "static L: LazyLock<u8> = x;", &notebook).expect("fine"));
        assert!(prepare(2, "f(*L);", &notebook).expect("fine").rust.ends_with("(**L);"));
        notebook.learn(&prepare(3, "static L: u8 = 1;", &notebook).expect("fine"));
        assert!(prepare(4, "f(*L);", &notebook).expect("fine").rust.ends_with("(*L);"));
    }

    #[test]
    fn static_mut_is_refused_with_a_hint() {
        let problems = prepare(1, "fn f() {\n    static mut X: u8 = 1;\n}", &Notebook::default()).expect_err("unsound");
        assert_eq!(problems[0].place(), (2, 12));
        assert!(problems[0].help[0].contains("atomic"));
    }
}
