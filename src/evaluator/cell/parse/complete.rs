//! Whether a cell would run as it is: what consoles ask before they send it.

use super::head;
use super::nesting::scan;
use super::syntax::Tree;
use super::{SHALLOW, on_a_large_stack};
use crate::evaluator::Completeness;

/// Whether `code` is complete. What only rustc can tell counts as complete.
///
/// ```
/// use loopbook_kernel::evaluator::{Completeness, cell::is_complete};
/// assert_eq!(is_complete("fn f() {"), Completeness::Incomplete { indent: "    ".into() });
/// assert_eq!(is_complete("f()"), Completeness::Complete);
/// assert_eq!(is_complete("f())"), Completeness::Invalid);
/// ```
pub fn is_complete(code: &str) -> Completeness {
    let Ok(cleaned) = head::clean(code) else { return Completeness::Invalid };
    let text = cleaned.text.trim_end();
    let scan = scan(text);
    if let Some(fault) = &scan.fault {
        if !fault.is_unfinished() {
            return Completeness::Invalid;
        }
        return Completeness::Incomplete { indent: "    ".repeat(scan.open) };
    }
    let places = on_a_large_stack(scan.longest > SHALLOW, || {
        Tree::parse(text).err().map(|problems| problems.iter().map(|problem| problem.place()).collect::<Vec<_>>())
    });
    let Some(places) = places else { return Completeness::Complete };
    // Only the end of the text is wrong: more of it may put it right.
    let end = super::problem::position(text, text.len());
    if places.iter().all(|place| *place >= end) {
        return Completeness::Incomplete { indent: String::new() };
    }
    Completeness::Invalid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_incomplete() {
        for (code, indent) in [
            ("fn f() {\n    if x {", 8),
            ("f(", 4),
            ("let s = \"abc", 0),
            ("/* a", 0),
            ("let x = 1 +", 0),
            ("let x =", 0),
            ("use std::", 0),
            ("let x = 5", 0),
            ("x.", 0),
            ("#[derive(Debug)]", 0),
            ("fn f()", 0),
            ("r#\"a\"", 0),
        ] {
            assert_eq!(is_complete(code), Completeness::Incomplete { indent: " ".repeat(indent) }, "{code}");
        }
    }

    #[test]
    fn what_could_run_is_complete() {
        for code in ["", "1", ":tasks", ":dep a = \"1\"\nlet x = 1;", "# c\n", "f().await?", "no_such_name()", "// c"] {
            assert_eq!(is_complete(code), Completeness::Complete, "{code}");
        }
    }

    #[test]
    fn what_more_text_cannot_mend_is_invalid() {
        for code in ["}", "f(]", "let = ;", "!ls", "let x = ;\n1"] {
            assert_eq!(is_complete(code), Completeness::Invalid, "{code}");
        }
    }
}
