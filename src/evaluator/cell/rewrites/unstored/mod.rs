//! Variables that live to the end of their cell and are not kept for later ones.
//!
//! evcxr stores every variable of a `let` that it sees at a cell's top level, and refuses the cell if it cannot. It
//! does not look into macros, so a `let` that need not, or cannot, be stored is put into one: it runs, and its
//! variables are dropped at the end of the cell, as in a function. If it also binds variables that can be kept,
//! `let a = a;` behind it shows them to evcxr. That helps also where rust-analyzer does not see their types at once, as
//! with `futures::join!`.
//!
//! evcxr stores the others while these are still there. A guard still locks then what evcxr wants to store, so it is
//! dropped just before.
//!
//! What `foreseen` does not see is learnt from evcxr's refusal, or from errors in lines that evcxr has written
//! (`diagnostics/blame.rs`). A stored variable that such a cell only rebinds (`let mut m = m`) is never given up for that.

mod foreseen;
mod lets;
mod moved_by_await;

use super::edits::Edits;
use super::findings::Why;
use super::origin::Origin;
use crate::evaluator::cell::parse::problem::Lines;
use crate::evaluator::cell::parse::syntax::{Place, Tree, meaningful_tokens};
use crate::evaluator::cell::{MUTEX, RENAMED_MUTEX};
use foreseen::{Foreseen, foresee};
use lets::{Let, Name, lets};
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, SyntaxKind, SyntaxToken};
use std::collections::{BTreeMap, BTreeSet};

/// A variable that its cell does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unstored {
    /// Its name, as typed.
    pub name: String,
    /// The line of its `let`, from 1.
    pub line: u32,
    /// Why.
    pub why: Why,
    /// Whether it is made of what had that name before.
    pub uses_old: bool,
}

/// Hides from evcxr what is not to be kept.
pub(in crate::evaluator::cell) fn rewrite(
    tree: &Tree,
    text: &str,
    origin: &Origin,
    edits: &mut Edits,
) -> Vec<Unstored> {
    let lets = lets(tree);
    let lines = Lines::new(text);
    let mut last = BTreeMap::new();
    for (index, statement) in lets.iter().enumerate() {
        last.extend(statement.names.iter().map(|name| (name.text.as_str(), index)));
    }
    let mut why: BTreeMap<String, Why> = origin
        .not_kept
        .iter()
        .filter(|(name, _)| last.contains_key(name.as_str()))
        .map(|(n, w)| (n.clone(), w.clone()))
        .collect();
    let mut locking = Vec::new();
    for (index, foreseen) in foresee(&lets, &origin.notebook).into_iter().enumerate() {
        let Some(Foreseen { why: reason, locks }) = foreseen else { continue };
        for name in lets[index].names.iter().filter(|name| last[name.text.as_str()] == index) {
            why.entry(name.text.clone()).or_insert_with(|| reason.clone());
            locking.extend(locks.clone().map(|locked| (name.text.clone(), locked)));
        }
    }
    for (name, at) in moved_by_await::awaited_away(tree, &origin.notebook) {
        why.insert(name, Why::MovedByAwait(lines.of(at)));
    }
    let mut unstored = Vec::new();
    for (index, statement) in lets.iter().enumerate() {
        let is_hidden = |name: &Name| why.contains_key(&name.text) || origin.typed_from_behind.contains(&name.text);
        if statement.names.iter().any(is_hidden) {
            let is_last = |name: &&Name| last[name.text.as_str()] == index;
            let kept = statement.names.iter().filter(|name| is_last(name) && !why.contains_key(&name.text));
            hide(statement, kept, &lines, origin.cell, edits);
            let gone = statement.names.iter().filter(is_last).filter_map(|name| {
                let why = why.get(&name.text)?.clone();
                let line = lines.of(statement.place.bare_range().start);
                let first = lets.iter().find(|other| other.binds(&name.text));
                let uses_old = first.is_some_and(|first| first.mentions(&name.text));
                Some(Unstored { name: name.text.clone(), line, why, uses_old })
            });
            unstored.extend(gone);
        }
    }
    let is_new = |locked: &str| last.contains_key(locked) && !why.contains_key(locked);
    let ends = |name: &str| {
        let foreseen =
            || locking.iter().any(|(guard, locked)| guard == name && is_new(locked)) && never_moves(tree, name);
        origin.ends.get(name).copied().unwrap_or_else(foreseen)
    };
    let ended = unstored.iter().rev().filter(|local| ends(&local.name)).map(|local| local.name.clone());
    drop_at_the_end(tree, ended, edits);
    unstored
}

fn hide<'a>(statement: &Let, kept: impl Iterator<Item = &'a Name>, lines: &Lines, cell: u32, edits: &mut Edits) {
    let Some(first) = meaningful_tokens(&statement.place.node).next() else { return };
    let range = statement.place.range(first).start..statement.place.bare_range().end;
    edits.wrap(range.clone(), 0, "::loopbook::__unstored!(", ");");
    for name in kept {
        let line = lines.of(name.range.start);
        edits.close(range.end, 0, "let");
        edits.mark_close(range.end, (cell, line));
        edits.close(range.end, 0, if name.is_mut { " mut " } else { " " });
        let stored = if name.text == MUTEX { RENAMED_MUTEX } else { &name.text };
        edits.copy(range.end, name.range.clone(), stored);
        edits.close(range.end, 0, " = ");
        edits.copy(range.end, name.range.clone(), stored);
        edits.close(range.end, 0, ";");
    }
}

/// Drops variables behind the cell's last statement, in this order.
fn drop_at_the_end(tree: &Tree, names: impl Iterator<Item = String>, edits: &mut Edits) {
    let Some(last) = tree.statements().last() else { return };
    let end = last.range(last.node.clone()).end;
    for name in names {
        let stored = if name == MUTEX { RENAMED_MUTEX } else { &name };
        edits.close(end, 0, drop_of(stored));
    }
}

/// How a statement of ours begins that drops a variable.
const ENDS: &str = " ::core::mem::drop(";

pub(in crate::evaluator::cell) fn drop_of(name: &str) -> String {
    format!("{ENDS}{name});")
}

/// The variable that a statement of ours drops at the end of a cell.
pub(in crate::evaluator) fn dropped_by(line: &str) -> Option<&str> {
    line.split_once(&ENDS[1..])?.1.split_once(");").map(|(name, _)| name)
}

/// Whether a variable is bound once, and nothing but looked at, so that it is still there at the end of the cell.
fn never_moves(tree: &Tree, name: &str) -> bool {
    let uses: BTreeSet<_> = tree
        .tokens()
        .filter(|(_, token)| token.kind() == SyntaxKind::IDENT && token.text() == name)
        .map(|(_, token)| use_of(&token))
        .collect();
    !uses.contains(&Use::Moved) && tree.descendants().filter(|place| binds(place, name)).count() == 1
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Bound,
    Looked,
    Moved,
}

fn use_of(token: &SyntaxToken) -> Use {
    if token.parent().is_some_and(|parent| parent.kind() == SyntaxKind::NAME) {
        return Use::Bound;
    }
    let near = |next: fn(&SyntaxToken) -> Option<SyntaxToken>| {
        std::iter::successors(next(token), next).find(|token| !token.kind().is_trivia()).map(|token| token.kind())
    };
    let looks = [SyntaxKind::DOT, SyntaxKind::L_BRACK, SyntaxKind::EQ, SyntaxKind::EQ2, SyntaxKind::NEQ];
    let is_looked = near(SyntaxToken::prev_token)
        .is_some_and(|kind| [SyntaxKind::STAR, SyntaxKind::AMP, SyntaxKind::MUT_KW, SyntaxKind::DOT].contains(&kind))
        || near(SyntaxToken::next_token).is_some_and(|kind| looks.contains(&kind))
        || is_formatted(token);
    if is_looked { Use::Looked } else { Use::Moved }
}

/// An argument of a macro that only looks at its arguments.
fn is_formatted(token: &SyntaxToken) -> bool {
    let call = token.parent_ancestors().find_map(ast::MacroCall::cast);
    let name = call.and_then(|call| super::macro_arguments::macro_name(&call));
    name.is_some_and(|name| {
        ["assert", "assert_eq", "assert_ne", "eprint", "eprintln", "format", "print", "println", "write", "writeln"]
            .contains(&name.as_str())
    })
}

fn binds(place: &Place, name: &str) -> bool {
    let bound = ast::IdentPat::cast(place.node.clone()).and_then(|pattern| pattern.name());
    bound.is_some_and(|bound| bound.text() == name)
}

#[cfg(test)]
mod tests;
