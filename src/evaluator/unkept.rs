//! Variables that cannot be kept for later cells, from evcxr's words about them.

use super::cell::Problem;

/// A variable, and why the next cell could not have it.
pub(super) struct Unkept<'a> {
    name: &'a str,
    why: Why<'a>,
}

enum Why<'a> {
    /// It refers to what ends with the cell.
    Borrows,
    /// Each closure has a type of its own, without a name.
    Closure,
    /// Its type cannot be written down.
    Unnameable(&'a str),
    /// evcxr does not see its type.
    Unknown,
}

impl<'a> Unkept<'a> {
    /// Understands a message of evcxr's.
    pub(super) fn parse(message: &'a str) -> Option<Self> {
        if let Some(rest) = message.split("automatically determine type of variable `").nth(1) {
            return Some(Self { name: rest.split('`').next()?, why: Why::Unknown });
        }
        let (name, rest) = message.split("The variable `").nth(1)?.split_once('`')?;
        if rest.starts_with(" contains a reference with a non-static lifetime") {
            return Some(Self { name, why: Why::Borrows });
        }
        if rest.starts_with(" is a closure, which cannot be persisted") {
            return Some(Self { name, why: Why::Closure });
        }
        let kind = rest.strip_prefix(" has type `")?.split_once("` which cannot be persisted")?.0;
        Some(Self { name, why: Why::Unnameable(kind) })
    }

    /// The same for people, at the `let` of the cell `code`.
    pub(super) fn problem(&self, code: &str, hints: &[&str]) -> Problem {
        let name = if self.name == super::cell::RENAMED_MUTEX { super::cell::MUTEX } else { self.name };
        let (message, label, help) = match self.why {
            Why::Borrows => (
                format!("`{name}` cannot be kept for later cells: it refers to another variable of this cell"),
                "holds a reference".to_owned(),
                "keep a value of its own, as by `.clone()` or `.to_owned()`",
            ),
            Why::Closure => (
                format!("`{name}` cannot be kept for later cells: it is a closure, whose type has no name"),
                "holds a closure".to_owned(),
                "write a `fn`, or box it, as in `let f: Box<dyn Fn(u32) -> u32> = Box::new(|n| n + 1);`",
            ),
            Why::Unnameable(kind) => (
                format!("`{name}` cannot be kept for later cells: its type has no name"),
                format!("is of type `{kind}`"),
                "box it as a trait that it implements, as in `let f: Box<dyn Fn(u32) -> u32> = Box::new(f);`",
            ),
            Why::Unknown => (
                format!("`{name}` cannot be kept for later cells: its type cannot be seen"),
                "of which type?".to_owned(),
                "give it a type, as in `let x: Vec<u32> = …`",
            ),
        };
        let mut problem = Problem::new(message, code, definition(code, name), label);
        if hints.is_empty() {
            problem = problem.with_help(help);
        }
        for hint in hints {
            problem = problem.with_help(*hint);
        }
        problem.with_help("if no other cell needs it, put this code in braces: `{ … }`")
    }
}

/// The name in the last `let` that binds it; the whole cell if there is none.
fn definition(code: &str, name: &str) -> std::ops::Range<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let is_bound = |at: usize| {
        let before = &code[..at];
        let pattern = before.rfind("let ").map(|start| &before[start..]);
        pattern.is_some_and(|pattern| !pattern.contains(['=', ';']))
    };
    let is_word = |at: usize| !code[..at].ends_with(is_part) && !code[at + name.len()..].starts_with(is_part);
    let found = code.match_indices(name).map(|(at, _)| at).filter(|at| is_word(*at) && is_bound(*at)).last();
    found.map_or(0..code.len(), |at| at..at + name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(message: &str, code: &str) -> Problem {
        Unkept::parse(message).expect("one of evcxr's").problem(code, &[])
    }

    #[test]
    fn the_let_is_shown_and_what_to_do() {
        let borrowed = "The variable `r` contains a reference with a non-static lifetime so\ncan't be persisted.";
        let found = problem(borrowed, "let v = vec![1];\nlet (r, s) = (&v[0], r2);");
        assert_eq!((found.spans[0].line, found.spans[0].col, found.spans[0].end_col), (2, 6, 7));
        assert!(found.message.starts_with("`r` cannot be kept") && found.help[0].contains("clone"), "{found:?}");
        let unnameable = "The variable `c` has type `impl Fn(i32) -> i32` which cannot be persisted.\nYou might";
        assert_eq!(problem(unnameable, "let c = |x: i32| x;").spans[0].label, "is of type `impl Fn(i32) -> i32`");
        let closure = "The variable `k` is a closure, which cannot be persisted.\nYou can however";
        assert!(problem(closure, "let k = |x: i32| x;").message.contains("it is a closure"));
        let unknown = "Couldn't automatically determine type of variable `x`.\nPlease give it an explicit type.";
        assert_eq!(problem(unknown, "let x = f();").spans[0].col, 5);
        assert!(Unkept::parse("linking failed").is_none());
    }
}
