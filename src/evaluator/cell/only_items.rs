//! A cell without what it runs. evcxr forgets all of a cell that ends its process; what it defines can be compiled again.

use super::PreparedCell;
use super::parse::head;
use super::parse::syntax::{Place, Tree, meaningful_tokens};
use super::prepared::prepare_from;
use super::rewrites::origin::Origin;
use ra_ap_syntax::ast::{self, AstNode};
use ra_ap_syntax::{SyntaxKind, SyntaxToken};

impl PreparedCell {
    /// The items of a cell, on the lines on which they stand; `None` if it has none.
    ///
    /// ```
    /// use loopbook_kernel::evaluator::cell::{Notebook, prepare};
    /// let prepared = prepare(3, "let x = f();\nfn g() {} g();", &Notebook::default()).unwrap();
    /// assert_eq!(prepared.only_items().unwrap().rust.trim(), "/*lb:3:2*/fn g() {}");
    /// ```
    pub fn only_items(&self) -> Option<Self> {
        let origin = &self.origin;
        let mut text = head::clean(&origin.code).ok()?.text;
        let tree = Tree::parse(&text).ok()?;
        let (items, rest): (Vec<_>, Vec<_>) = tree.statements().partition(defines);
        if items.is_empty() {
            return None;
        }
        // From behind, so that what is left to do keeps its place.
        for place in rest.iter().rev() {
            let range = place.range(place.node.clone());
            let blank = text[range.clone()].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect::<String>();
            text.replace_range(range, &blank);
        }
        let notebook = origin.notebook.without_variables();
        prepare_from(Origin { code: text, notebook, kept: Vec::new(), ..origin.clone() }).ok()
    }
}

/// Whether a statement defines something for later cells.
fn defines(place: &Place) -> bool {
    let kind = place.node.kind();
    ast::Item::can_cast(kind) && kind != SyntaxKind::MACRO_CALL || kind == SyntaxKind::ATTR || is_thread_local(place)
}

fn is_thread_local(place: &Place) -> bool {
    let call = place.node.descendants().find_map(ast::MacroCall::cast);
    let path = call.and_then(|call| call.path());
    let is_first = |token: Option<SyntaxToken>| token.is_some() && token == meaningful_tokens(&place.node).next();
    path.is_some_and(|path| {
        path.syntax().text().to_string().ends_with("thread_local") && is_first(path.syntax().first_token())
    })
}

#[cfg(test)]
mod tests {

    use crate::evaluator::cell::{Notebook, prepare};

    fn items(code: &str) -> Option<String> {
        prepare(1, code, &Notebook::default()).expect("a good cell").only_items().map(|items| items.rust)
    }

    #[test]
    fn what_runs_is_left_out() {
        let items = items("use a::b;\nlet s = \"x\ny\";\nstruct S; impl S {}\nS.die()").expect("items");
        assert!(items.starts_with("/*lb:1:1*/use a::b;\n") && items.contains("impl/*lb:1:4:1*/ S {}"), "{items}");
        assert!(!items.contains("let") && !items.contains("die") && !items.contains("__show"), "{items}");
    }

    #[test]
    fn all_that_later_cells_see_stays() {
        for item in [
            "static N: u8 = 1;",
            "macro_rules! m { () => {} }",
            "thread_local! { static T: u8 = 1; }",
            "mod a { fn b() {} }",
        ] {
            let name = item.split_whitespace().nth(1).expect("a word");
            assert!(items(&format!("{item}\nexit(0);")).is_some_and(|items| items.contains(name)), "{item}");
        }
    }

    #[test]
    fn a_cell_without_items_has_none() {
        for code in ["exit(0)", "let x = 1;", "println!(\"x\");", "{ fn f() {} }\n;"] {
            assert_eq!(items(code), None, "{code}");
        }
    }
}
