//! The names that a cell may use without a `use`, in one place: evcxr gets them as code, people as a sentence, and the
//! pages of names look here first.

use super::wording;

/// Paths, and what is imported from each of them. Macros have their `!`.
pub const PRELUDE: [(&str, &[&str]); 3] = [
    ("async_std", &["task"]),
    ("std::time", &["Duration", "Instant"]),
    ("loopbook", &["display", "gather!", "gather_all", "input", "race!", "try_gather!", "try_gather_all"]),
];

/// The imports, as evcxr gets them before the first cell. A cell may define the names anew.
pub fn code() -> String {
    let import = |(path, names): &(&str, &[&str])| {
        let names: Vec<_> = names.iter().map(|name| name.trim_end_matches('!')).collect();
        format!("use ::{path}::{{{}}};", names.join(", "))
    };
    PRELUDE.iter().map(import).collect::<Vec<_>>().join(" ")
}

/// What there is to say to people, in Markdown. `:help`, the README and the tour have it word for word.
///
/// ```
/// let sentence = loopbook_kernel::evaluator::support::prelude::sentence();
/// assert!(sentence.starts_with("These names need no `use`: `task`, `Duration`,"));
/// ```
pub fn sentence() -> String {
    let names: Vec<_> = PRELUDE.iter().flat_map(|(_, names)| names.iter()).map(|name| format!("`{name}`")).collect();
    format!("These names need no `use`: {}.", wording::listed(&names))
}

/// Where a name of the prelude comes from: `async_std::task` for `task`.
pub(in crate::evaluator) fn path_of(name: &str) -> Option<String> {
    let has = |names: &&[&str]| names.iter().any(|known| known.trim_end_matches('!') == name);
    let (path, _) = PRELUDE.iter().find(|(_, names)| has(names))?;
    Some(format!("{path}::{name}"))
}
