//! `file!()`, `line!()`, `column!()` and `dbg!`: rustc knows the place in the file that evcxr writes, people know the
//! place in the cell. So the first three become what they stand for, and `dbg!(x)` becomes
//! `::loopbook::__private::dbg!("In[1]:2:3"; x)`.
//!
//! In the body of a `macro_rules!` they stand for the place where the macro is used, which is not known here: `dbg!`
//! finds it out when it runs, and the others, which are constants, stay.

use super::edits::Edits;
use super::origin::Origin;
use crate::evaluator::cell::parse::problem::position;
use crate::evaluator::cell::parse::syntax::Tree;
use loopbook_channel::cell_label;
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, NodeOrToken, SyntaxKind, SyntaxNode, SyntaxToken};
use std::iter::successors;
use std::ops::Range;

/// The macros that tell a place.
const NAMES: [&str; 4] = ["column", "dbg", "file", "line"];

/// Crates that have them, too.
const STD: [&str; 2] = ["core", "std"];

/// Where the runtime has our `dbg!`.
const PRIVATE: &str = "::loopbook::__private";

/// Further inside than anything else that begins at the same place.
const INNERMOST: usize = usize::MAX;

/// Macros whose arguments are text.
const NOT_RUN: [&str; 4] = ["cfg", "quote", "quote_spanned", "stringify"];

/// Rewrites the macros that tell a place, wherever they are called and are not the user's own.
pub(in crate::evaluator::cell) fn rewrite(tree: &Tree, text: &str, origin: &Origin, edits: &mut Edits) {
    if origin.cell == 0 || !NAMES.iter().any(|name| text.contains(name)) {
        return;
    }
    let label = cell_label(origin.cell);
    let owns: Vec<String> = own_names(tree);
    for (at, token) in tree.tokens() {
        let name = token.text();
        let is_meant = token.kind() == SyntaxKind::IDENT && NAMES.contains(&name);
        if !is_meant || origin.notebook.macros.contains(name) || owns.iter().any(|own| own == name) {
            continue;
        }
        let Some(call) = Call::of(&token, at) else { continue };
        let (line, column) = position(text, call.range.start);
        match name {
            "dbg" => {
                let place = match call.is_in_macro {
                    true => format!("{PRIVATE}::here()"),
                    false => format!("{:?}", format!("{label}:{line}:{column}")),
                };
                let words = call.words(text).map(|words| format!("{words:?} => ")).unwrap_or_default();
                match &call.krate {
                    // What stands before the crate goes with it.
                    Some(krate) => edits.replace(call.range.start..krate.end, PRIVATE),
                    None => edits.open(at, INNERMOST, format!("{PRIVATE}::")),
                }
                edits.close(call.arguments.start, 0, format!("{place}; {words}"));
            }
            _ if call.is_in_macro || !call.is_empty() => {}
            "line" => edits.replace(call.range, format!("{line}u32")),
            "column" => edits.replace(call.range, format!("{column}u32")),
            _ => edits.replace(call.range, format!("{label:?}")),
        }
    }
}

/// A call of a macro.
struct Call {
    /// From the beginning of its path to the closing bracket.
    range: Range<usize>,
    /// The crate that its path begins with.
    krate: Option<Range<usize>>,
    /// What stands in the brackets.
    arguments: Range<usize>,
    tree: SyntaxNode,
    /// Whether it stands in the body of a `macro_rules!`.
    is_in_macro: bool,
}

impl Call {
    /// The call of the macro whose name this is; `None` if it is none that is run.
    fn of(name: &SyntaxToken, at: usize) -> Option<Self> {
        let bang = next(name).filter(|token| token.kind() == SyntaxKind::BANG)?;
        let open = next(&bang)?;
        let tree =
            open.parent().filter(|node| node.kind() == SyntaxKind::TOKEN_TREE && node.first_token() == Some(open))?;
        if is_text(name) {
            return None;
        }
        let (first, krate) = path_start(name)?;
        let offset = |token: &SyntaxToken| {
            (at + usize::from(token.text_range().start())) - usize::from(name.text_range().start())
        };
        let krate = krate.map(|krate| offset(&krate)..offset(&krate) + krate.text().len());
        let begin = offset(&tree.first_token()?) + 1;
        let close = offset(&tree.last_token()?);
        Some(Self {
            range: offset(&first)..close + 1,
            krate,
            arguments: begin..close,
            tree,
            is_in_macro: is_in_macro(name),
        })
    }

    fn is_empty(&self) -> bool {
        self.tree.children_with_tokens().filter(|element| !element.kind().is_trivia()).count() == 2
    }

    /// The text of the only argument, if a rewrite would show in it.
    fn words<'a>(&self, text: &'a str) -> Option<&'a str> {
        let mut tokens = self.tree.descendants_with_tokens().filter_map(NodeOrToken::into_token);
        let is_alone = !self.tree.children_with_tokens().any(|element| element.kind() == SyntaxKind::COMMA);
        let is_changed = tokens.any(|token| {
            token.kind() == SyntaxKind::QUESTION || (token.kind() == SyntaxKind::IDENT && NAMES.contains(&token.text()))
        });
        (is_alone && is_changed).then(|| text[self.arguments.clone()].trim())
    }
}

/// The first token of the path that ends in this name, and the name of its crate; `None` if it is neither the name
/// alone nor that of the standard library.
fn path_start(name: &SyntaxToken) -> Option<(SyntaxToken, Option<SyntaxToken>)> {
    let Some(colons) = colons_before(name) else {
        let is_other = previous(name).is_some_and(|token| matches!(token.text(), "." | "$"));
        return (!is_other).then(|| (name.clone(), None));
    };
    let krate = previous(&colons).filter(|token| STD.contains(&token.text()))?;
    let Some(root) = colons_before(&krate) else { return Some((krate.clone(), Some(krate))) };
    let is_inside = previous(&root).is_some_and(|token| token.kind() == SyntaxKind::IDENT || token.text() == ">");
    (!is_inside).then_some((root, Some(krate)))
}

/// The first token of the `::` before this one, which is two tokens in the arguments of macros.
fn colons_before(token: &SyntaxToken) -> Option<SyntaxToken> {
    let before = previous(token)?;
    match before.text() {
        "::" => Some(before),
        ":" => previous(&before).filter(|token| token.text() == ":"),
        _ => None,
    }
}

/// Whether the token stands in the body of a `macro_rules!`.
fn is_in_macro(token: &SyntaxToken) -> bool {
    // The name of a macro that is being defined stands between.
    let is_rules = |taker: SyntaxToken| taker.text() == "macro_rules";
    token.parent_ancestors().any(|node| match node.kind() {
        SyntaxKind::MACRO_RULES | SyntaxKind::MACRO_DEF => true,
        SyntaxKind::TOKEN_TREE => node.first_token().as_ref().and_then(previous).is_some_and(|name| {
            name.kind() == SyntaxKind::IDENT
                && previous(&name)
                    .filter(|bang| bang.kind() == SyntaxKind::BANG)
                    .as_ref()
                    .and_then(previous)
                    .is_some_and(is_rules)
        }),
        _ => false,
    })
}

/// Whether the token stands in text for another macro, or in what a macro looks for.
fn is_text(token: &SyntaxToken) -> bool {
    let trees = token.parent_ancestors().filter(|node| node.kind() == SyntaxKind::TOKEN_TREE);
    trees.filter_map(|tree| tree.first_token()).any(|open| {
        let bang = previous(&open).filter(|token| token.kind() == SyntaxKind::BANG);
        let taker = bang.as_ref().and_then(previous);
        let behind = open.parent().and_then(|tree| tree.last_token()).as_ref().and_then(next);
        taker.is_some_and(|taker| NOT_RUN.contains(&taker.text())) || behind.as_ref().is_some_and(is_arrow)
    })
}

/// Whether this begins a `=>`, which is two tokens in the arguments of macros.
fn is_arrow(token: &SyntaxToken) -> bool {
    token.text() == "=>" || token.text() == "=" && next(token).is_some_and(|next| next.text() == ">")
}

/// The names that this cell takes for itself.
fn own_names(tree: &Tree) -> Vec<String> {
    let rules = tree.descendants().filter_map(|place| ast::MacroRules::cast(place.node)?.name());
    let imports = tree.descendants().filter(|place| place.node.kind() == SyntaxKind::USE_TREE);
    let imported = imports.filter_map(|place| place.node.last_token()).map(|token| token.text().to_owned());
    rules.map(|name| name.text().to_string()).chain(imported).collect()
}

fn next(token: &SyntaxToken) -> Option<SyntaxToken> {
    successors(token.next_token(), SyntaxToken::next_token).find(|token| !token.kind().is_trivia())
}

fn previous(token: &SyntaxToken) -> Option<SyntaxToken> {
    successors(token.prev_token(), SyntaxToken::prev_token).find(|token| !token.kind().is_trivia())
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::tests::{prepared, without_marks};
    use crate::evaluator::cell::{Notebook, prepare};

    fn check(code: &str, expected: &str) {
        assert_eq!(without_marks(&prepared(code).rust), expected, "{code}");
    }

    #[test]
    fn places_are_those_of_the_cell() {
        check("let a = (file!(), line!(), column!());", "let a = (\"In[1]\", 1u32, 28u32);");
        check("const L: u32 =\n  line!();", "const L: u32 =\n  2u32;");
        check("println!(\"{}\", line!());", "println!(\"{}\", 1u32);");
        check("let s = concat!(file!(), \":\", std::line![]);", "let s = concat!(\"In[1]\", \":\", 1u32);");
        check("fn f() { g(::std::file!(), core::column! {}) }", "fn f() { g(\"In[1]\", 28u32) }");
    }

    #[test]
    fn dbg_is_told_its_place() {
        check("dbg!(1 + 1);", "::loopbook::__private::dbg!(\"In[1]:1:1\"; 1 + 1);");
        check("let x = dbg!(a, b);", "let x = ::loopbook::__private::dbg!(\"In[1]:1:9\"; a, b);");
        check("dbg!();", "::loopbook::__private::dbg!(\"In[1]:1:1\"; );");
        check("f(std::dbg!(x))\n;", "f(::loopbook::__private::dbg!(\"In[1]:1:3\"; x))\n;");
        check("dbg!(f()?);", "::loopbook::__private::dbg!(\"In[1]:1:1\"; \"f()?\" => ::loopbook::__try!(f()));");
        check("std::dbg!(x);", "::loopbook::__private::dbg!(\"In[1]:1:1\"; x);");
        check("g!(dbg!(x));", "g!(::loopbook::__private::dbg!(\"In[1]:1:4\"; x));");
    }

    #[test]
    fn in_a_macro_dbg_asks_who_uses_it() {
        let place = "::loopbook::__private::dbg!(::loopbook::__private::here(); $e)";
        let rules = |body: &str| format!("macro_rules! m {{ ($e:expr) => {{ {body} }} }}");
        check(&rules("dbg!($e)"), &format!("#[macro_export] {}", rules(place)));
        check(&format!("fn f() {{ {} }}", rules("std::dbg!($e)")), &format!("fn f() {{ {} }}", rules(place)));
        let of_macros = rules("macro_rules! n { () => { dbg!($e) } }");
        check(&of_macros, &format!("#[macro_export] {}", of_macros.replace("dbg!($e)", place)));
    }

    #[test]
    fn what_is_not_run_here_or_is_no_such_macro_stays() {
        for code in [
            "macro_rules! m { () => { line!() } }",
            "let s = stringify!(line!());",
            "macro_rules! m { (dbg!($e:expr)) => { $e } }",
            "println!(\"{}\", stringify!(dbg!(x)));",
            "line!(1);",
            "a::line!();",
            "let line = 1; line;",
            "use log::dbg; dbg!(x);",
        ] {
            let rust = without_marks(&prepared(code).rust);
            assert!(!rust.contains("__private::dbg") && !rust.contains("u32"), "{rust}");
        }
    }

    #[test]
    fn a_macro_of_the_users_own_stays_in_later_cells() {
        let mut notebook = Notebook::default();
        let define = prepare(1, "macro_rules! line { () => { 7 } }", &notebook).expect("a good cell");
        notebook.learn(&define);
        assert!(prepare(2, "line!();", &notebook).expect("a good cell").rust.contains("line!()"));
    }
}
