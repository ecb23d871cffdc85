//! Variables that a cell does not keep for later ones: what evcxr says of them, and what a person reads.

use crate::evaluator::cell::{MUTEX, RENAMED_MUTEX, Unstored, Why};
use std::collections::BTreeSet;

/// The variable of which evcxr says in `message` that it cannot store it, and why.
///
/// ```
/// use loopbook_kernel::evaluator::cell::Why;
/// use loopbook_kernel::evaluator::errors::not_stored::refused;
/// let message = "The variable `k` is a closure, which cannot be persisted.\nYou can however";
/// assert_eq!(refused(message), Some(("k", Why::Closure)));
/// assert_eq!(refused("linking failed"), None);
/// ```
pub fn refused(message: &str) -> Option<(&str, Why)> {
    for intro in ["automatically determine type of variable `", "Failed to determine type of variable `"] {
        if let Some(rest) = message.split(intro).nth(1) {
            return Some((rest.split('`').next()?, Why::Unknown));
        }
    }
    let (name, rest) = message.split("The variable `").nth(1)?.split_once('`')?;
    if rest.starts_with(" contains a reference with a non-static lifetime") {
        return Some((name, Why::Borrows));
    }
    if rest.starts_with(" is a closure, which cannot be persisted") {
        return Some((name, Why::Closure));
    }
    let kind = rest.strip_prefix(" has type `")?.split_once("` which cannot be persisted")?.0;
    let why = match kind {
        kind if kind.starts_with("impl Fn") => Why::Closure,
        kind if kind.contains("impl Future") => Why::Future,
        _ => Why::Unnameable,
    };
    Some((name, why))
}

/// Why a variable is not kept, as in "it is a closure".
pub fn words(why: &Why) -> &'static str {
    match why {
        Why::MovedByAwait(_) => "its cell awaits it",
        Why::Borrows => "it refers to another variable",
        Why::Borrowed => "another variable of its cell refers to it until the cell ends",
        Why::Closure => "it is a closure, whose type has no name",
        Why::Chain => "its type has no name, as it holds a closure",
        Why::Future => "its type holds that of a future, which has no name",
        Why::Unnameable => "its type cannot be written down",
        Why::Unknown => "its type cannot be seen from outside",
    }
}

/// How to keep it.
pub fn help(why: &Why) -> &'static str {
    match why {
        Why::MovedByAwait(_) => "await it in the cell that needs its value, or keep the value",
        Why::Borrows => {
            "to keep it, make a value of its own, as by `.clone()` or `.to_owned()`; or write both in one cell"
        }
        Why::Borrowed => "to keep it, let what refers to it end before the cell does, in braces or by `drop`",
        Why::Closure => {
            "to keep it, write a `fn`, or box it, as in `let f: Box<dyn Fn(u32) -> u32> = Box::new(|n| n + 1);`"
        }
        Why::Chain => "to keep what it gives, collect it, as in `let v: Vec<u32> = it.collect();`",
        Why::Future => {
            "to keep it, box the future, as in `loopbook::keep(f)`, or start it, as in `task::spawn(f)`; or await it in the \
             cell that makes it"
        }
        Why::Unnameable => {
            "to keep it, box what has no name as a trait that it implements, as in `Box<dyn Fn(u32) -> u32>` for a closure \
             or `Box<dyn Iterator<Item = u32>>` for an iterator"
        }
        Why::Unknown => "to keep it, give it a type, as in `let x: Vec<u32> = …`",
    }
}

/// What is said, once, below a cell about what it does not keep: nothing of what it has used up, and nothing again.
/// `stored` are the variables of earlier cells, `hints` are added.
pub fn note(
    unstored: &[Unstored],
    stored: &[String],
    hints: &[&str],
    said: &mut BTreeSet<(String, Why)>,
) -> Option<String> {
    let is_new = |local: &&Unstored| {
        !matches!(local.why, Why::MovedByAwait(_)) && said.insert((local.name.clone(), local.why.clone()))
    };
    let new: Vec<_> = unstored.iter().filter(is_new).collect();
    if new.is_empty() {
        return None;
    }
    let said = |local: &Unstored| {
        let name = &local.name;
        let is_stored = stored.iter().any(|stored| stored == if name == MUTEX { RENAMED_MUTEX } else { name });
        let old = match (is_stored, local.uses_old) {
            (false, _) => String::new(),
            (true, true) => format!("; the `{name}` of an earlier cell stays"),
            (true, false) => format!("; the `{name}` of an earlier cell is dropped"),
        };
        format!("`{name}` (line {}) is not kept for later cells: {}{old}", local.line, words(&local.why))
    };
    let lines = new.iter().map(|local| said(local)).chain(hints.iter().map(|hint| format!("help: {hint}")));
    Some(format!("\x1b[32mnote\x1b[0m: {}", lines.collect::<Vec<_>>().join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evcxr_s_refusals_are_understood() {
        let borrowed = "The variable `r` contains a reference with a non-static lifetime so\ncan't be persisted.";
        assert_eq!(refused(borrowed), Some(("r", Why::Borrows)));
        let closures = "The variable `c` has type `impl Fn(i32) -> i32` which cannot be persisted.\nYou might";
        assert_eq!(refused(closures), Some(("c", Why::Closure)));
        let unnameable = "The variable `c` has type `Vec<impl Fn(i32)>` which cannot be persisted.\nYou might";
        assert_eq!(refused(unnameable), Some(("c", Why::Unnameable)));
        let future = "The variable `p` has type `Pin<Box<impl Future<Output = u8>>>` which cannot be persisted.";
        assert_eq!(refused(future), Some(("p", Why::Future)));
        assert!(help(&Why::Future).contains("loopbook::keep(f)") && !help(&Why::Future).contains("dyn Fn"));
        let unknown = "Couldn't automatically determine type of variable `x`.\nPlease give it an explicit type.";
        assert_eq!(refused(unknown), Some(("x", Why::Unknown)));
    }

    #[test]
    fn a_note_is_written_once() {
        let local = |name: &str, why| Unstored { name: name.into(), line: 2, why, uses_old: false };
        let unstored = [local("f", Why::Closure), local("h", Why::MovedByAwait(3)), local("r", Why::Borrows)];
        let mut said = BTreeSet::new();
        let text = note(&unstored, &["r".to_owned()], &["a hint"], &mut said).expect("a note");
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("`f` (line 2) is not kept for later cells: it is a closure"), "{text}");
        assert!(text.contains("another variable; the `r` of an earlier cell is dropped"), "{text}");
        assert_eq!(note(&unstored, &[], &[], &mut said), None);
        assert!(note(&[local("f", Why::Borrows)], &[], &[], &mut said).is_some());
    }
}
