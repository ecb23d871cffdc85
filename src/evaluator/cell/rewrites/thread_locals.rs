//! `thread_local!` at cell level: like `static`s, one per thread for all cells.
//!
//! evcxr does not know what a macro defines, so the macro is taken away: what is left are statics of the runtime's
//! `LocalSlot`, which later cells see. Only done if the runtime has one ([`Notebook::local_slots`]).

use super::edits::Edits;
use super::statics;
use crate::evaluator::cell::items::layouts::{SlotName, idents};
use crate::evaluator::cell::notebook::Notebook;
use crate::evaluator::cell::parse::syntax::{Place, Tree, meaningful_tokens, token_hash};
use ra_ap_syntax::ast;
use ra_ap_syntax::{AstNode, Edition, NodeOrToken, SourceFile, SyntaxKind};

/// A `thread_local!` that was taken away.
pub(in crate::evaluator::cell) struct Local {
    /// Where it began.
    pub(in crate::evaluator::cell) call: usize,
    /// Where the statics in it begin: first token, and node.
    pub(in crate::evaluator::cell) statics: Vec<(usize, usize)>,
}

impl Local {
    /// Whether this offset is in front of its first static.
    pub(super) fn is_taken_away(&self, at: usize) -> bool {
        let first = self.statics.first().map_or(self.call, |(first, _)| *first);
        (self.call..first).contains(&at)
    }
}

/// Rewrites the cell's `thread_local!`s; `found` gets their statics.
pub(in crate::evaluator::cell) fn rewrite(
    tree: &Tree,
    text: &str,
    notebook: &Notebook,
    edits: &mut Edits,
    found: &mut Vec<SlotName>,
) -> Vec<Local> {
    if !notebook.local_slots || !text.contains("thread_local") {
        return Vec::new();
    }
    tree.statements().filter_map(|place| rewrite_call(&place, text, edits, found)).collect()
}

fn rewrite_call(statement: &Place, text: &str, edits: &mut Edits, found: &mut Vec<SlotName>) -> Option<Local> {
    let first = meaningful_tokens(&statement.node).next()?;
    let call = statement.node.descendants().find_map(ast::MacroCall::cast)?;
    let path = call.path()?;
    let is_ours = statement.range(path.syntax().clone()).start == statement.range(first.clone()).start
        && matches!(path.syntax().text().to_string().as_str(), "thread_local" | "std::thread_local");
    let arguments = call.token_tree().filter(|_| is_ours)?;
    let inner = statement.range(arguments.syntax().clone());
    let (start, end) = (inner.start + 1, inner.end.checked_sub(1)?);
    // The last static needs no semicolon.
    let missing = if text[start..end].trim_end().ends_with(';') { "" } else { ";" };
    let parse = SourceFile::parse(&format!("{}{missing}", &text[start..end]), Edition::Edition2024);
    let root = parse.syntax_node();
    let only_statics = root.children().all(|node| node.kind() == SyntaxKind::STATIC);
    if !parse.errors().is_empty() || !only_statics || root.children().next().is_none() {
        return None;
    }
    let mut local = Local { call: statement.range(first).start, statics: Vec::new() };
    for node in root.children() {
        let place = Place::starting_at(node.clone(), start);
        found.push(rewrite_local(&place, edits)?);
        let first =
            node.descendants_with_tokens().filter_map(NodeOrToken::into_token).find(|t| !t.kind().is_trivia())?;
        local.statics.push((place.range(first).start, place.range(node).start));
    }
    let whole = statement.range(statement.node.clone());
    edits.replace(local.call..start, "");
    edits.replace(end..whole.end, missing);
    Some(local)
}

fn rewrite_local(place: &Place, edits: &mut Edits) -> Option<SlotName> {
    let item = ast::Static::cast(place.node.clone())?;
    let (of, body) = (item.ty()?, item.body()?);
    let (name, hash) = (statics::name_of(&item), token_hash(&place.node));
    let open = format!("::loopbook::__private::LocalSlot::new({name:?}, 0x{hash:016x}, || ");
    edits.wrap(place.range(of.syntax().clone()), 0, "::loopbook::__private::LocalSlot<", ">");
    edits.wrap(place.range(body.syntax().clone()), 0, &open, ")");
    Some(SlotName { path: name, mentions: idents(of.syntax()) })
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Notebook, prepare};

    #[test]
    fn thread_locals_become_statics() {
        let notebook = Notebook { local_slots: true, ..Notebook::default() };
        let code = "thread_local! {\n    /// Doc\n    pub static A: Cell<u8> = const { Cell::new(1) };\n    static B: u8 = 2\n}";
        let rust = prepare(1, code, &notebook).expect("fine").rust;
        let lines: Vec<_> = rust.lines().map(str::trim).collect();
        assert!(!rust.contains("thread_local"), "{rust}");
        assert!(
            lines[2].starts_with("/*lb:1:3*/pub static A: ::loopbook::__private::LocalSlot<Cell<u8>> = "),
            "{rust}"
        );
        assert!(lines[2].ends_with(", || const { Cell::new(1) });"), "{rust}");
        assert!(lines[3].starts_with("static/*lb:1:4*/ B: ::loopbook::__private::LocalSlot<u8> = "), "{rust}");
        assert!(rust.trim_end().ends_with(';'), "{rust}");
    }

    #[test]
    fn without_slots_they_stay() {
        let rust = prepare(1, "thread_local! { static B: u8 = 2; }", &Notebook::default()).expect("fine").rust;
        assert_eq!(rust, "/*lb:1:1*/thread_local! { static B: u8 = 2; };");
    }

    #[test]
    fn the_last_one_of_a_cell_ends_by_itself() {
        let notebook = Notebook { local_slots: true, ..Notebook::default() };
        let rust = prepare(1, "thread_local! { static B: u8 = 2; }", &notebook).expect("fine").rust;
        assert_eq!(rust.matches(';').count(), 1, "{rust}");
    }
}
