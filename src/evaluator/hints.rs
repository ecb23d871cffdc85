//! Advice for errors whose own words do not help in a notebook.

use super::diagnostics::Diagnostic;
use super::wording;

/// Codes of errors about names that nothing goes by.
const NOT_FOUND: [&str; 7] = ["E0405", "E0412", "E0422", "E0423", "E0425", "E0432", "E0433"];

/// The variable that evcxr could not keep because it is a lazy future, from evcxr's message.
///
/// ```
/// use loopbook_kernel::evaluator::hints::lazy_future;
/// let message = "The variable `f` has type `impl Future<Output = u8>` which cannot be persisted.";
/// assert_eq!(lazy_future(message), Some("f"));
/// assert_eq!(lazy_future("The variable `v` has type `Vec<impl Future>` which cannot be persisted."), None);
/// ```
pub fn lazy_future(message: &str) -> Option<&str> {
    let rest = message.split("The variable `").nth(1)?;
    let (name, rest) = rest.split_once("` has type `")?;
    let (kind, _) = rest.split_once("` which cannot be persisted")?;
    (kind.starts_with("impl ") && kind.contains("Future")).then_some(name)
}

/// Hints for a cell that did not compile: its text, rustc's diagnostics, and evcxr's words if there are none.
pub fn of(code: &str, diagnostics: &[Diagnostic], message: &str) -> Vec<&'static str> {
    let mut hints = Vec::new();
    let said = |text: &str| {
        message.contains(text)
            || diagnostics
                .iter()
                .any(|d| d.message.contains(text) || d.children.iter().any(|c| c.message.contains(text)))
    };
    let unknown_type = said("Couldn't automatically determine type") || said("experimental");
    if unknown_type && ["futures::join!", "futures::try_join!", "join!("].iter().any(|name| code.contains(name)) {
        hints.push("use `gather!(a, b, …)`: it is known to the notebook and needs no `.await`");
    }
    // The type that rust-analyzer sees in the arms of a `select!` is `!`.
    let never_type = said("expected type `!`") || said("expected `!`");
    if (unknown_type || never_type) && code.contains("select!") {
        hints.push("use `race!(a, b, …)`, or `gather!` to wait for all: the notebook cannot see the type of `select!`");
    }
    if said("is not a future") && code.contains("gather!") {
        hints.push("`gather!(…)` awaits by itself and gives a tuple: leave out `.await`, and put `async { … }` around a nested `gather!`");
    }
    if said("only allowed inside `async`") && code.contains("gather!") {
        hints.push("`gather!` awaits, so it can only stand in a cell, an `async fn` or an `async` block");
    }
    hints.extend(wording::linker_missing(message));
    if message.contains("cannot be persisted") && message.contains("impl Future") {
        hints.push(
            "box each future for a later cell, as in `.map(|i| loopbook::keep(fetch(i)))`, or await them in this cell",
        );
    }
    hints
}

/// Hints for a cell of a subshell that names what is not there; `is_variable` knows the main shell's variables.
///
/// ```
/// use loopbook_kernel::evaluator::{diagnostics::Diagnostic, hints::of_subshell};
/// let error = serde_json::json!({
///     "message": "cannot find value `x` in this scope", "level": "error", "code": { "code": "E0425" },
/// });
/// let error = Diagnostic::from_json(&error).unwrap();
/// assert!(of_subshell(&[error], |name| name == "x")[0].contains("`x` is a variable of the main shell"));
/// ```
pub fn of_subshell(diagnostics: &[Diagnostic], is_variable: impl Fn(&str) -> bool) -> Vec<String> {
    let unresolved = |d: &&Diagnostic| d.code.as_ref().is_some_and(|code| NOT_FOUND.contains(&code.code.as_str()));
    let names = diagnostics.iter().filter(unresolved).filter_map(|d| d.message.split('`').nth(1));
    let (variables, others): (Vec<_>, Vec<_>) = names.partition(|name| is_variable(name));
    let mut hints: Vec<_> = variables
        .into_iter()
        .map(|name| {
            format!(
                "`{name}` is a variable of the main shell, whose running cell holds all variables: cells of a subshell \
                 see functions, types, macros and statics, and no variables. Run this in the main shell, or share the \
                 value by a `static`"
            )
        })
        .collect();
    hints.dedup();
    if !others.is_empty() {
        hints.push(
            "cells of a subshell see what cells of the main shell have defined; what a cell of a subshell defines ends \
             with that cell"
                .to_owned(),
        );
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_join_that_hides_its_type_is_answered_with_gather() {
        let message = "Couldn't automatically determine type of variable `a`.\nPlease give it an explicit type.";
        let hints = of("let (a, b) = futures::join!(f(), g());", &[], message);
        assert!(hints[0].contains("gather!"), "{hints:?}");
        assert!(of("let a = Default::default();", &[], message).is_empty());
    }

    #[test]
    fn a_select_that_hides_its_type_is_answered_with_race() {
        let diagnostic = |note: &str| {
            let note = serde_json::json!({ "message": note, "level": "note" });
            let json = serde_json::json!({ "message": "mismatched types", "level": "error", "children": [note] });
            Diagnostic::from_json(&json).expect("a diagnostic")
        };
        let code = "let x = tokio::select! { a = f() => a };";
        assert!(of(code, &[diagnostic("expected type `!`\n   found type `{integer}`")], "")[0].contains("race!"));
        assert!(of(code, &[diagnostic("expected type `u8`")], "").is_empty());
    }

    #[test]
    fn futures_in_a_vector_are_answered_with_keep() {
        let message = "The variable `v` has type `Vec<impl Future<Output = u8>>` which cannot be persisted.";
        assert_eq!(lazy_future(message), None);
        assert!(of("", &[], message)[0].contains("loopbook::keep"));
    }
}
