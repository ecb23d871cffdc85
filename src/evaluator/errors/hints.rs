//! Hints: advice under errors whose own text does not help in a notebook.

use super::diagnostics::Diagnostic;
use crate::evaluator::support::wording;

/// Codes of errors about names that nothing goes by.
const NOT_FOUND: [&str; 7] = ["E0405", "E0412", "E0422", "E0423", "E0425", "E0432", "E0433"];

/// The variable that evcxr could not keep because it is a lazy future, from evcxr's message.
///
/// ```
/// use loopbook_kernel::evaluator::errors::hints::lazy_future;
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
    if code.contains("gather!") && diagnostics.iter().any(of_several) {
        hints.push(
            "`gather_all(…).await` waits for all futures of a `Vec`, an array or an iterator, `try_gather_all(…).await` for \
             their first error; `gather!` takes them one by one",
        );
    } else if said("is not a future") && code.contains("gather!") {
        hints.push("`gather!(…)` awaits by itself and gives a tuple: leave out `.await`, and put `async { … }` around a nested `gather!`");
    }
    if said("only allowed inside `async`") && code.contains("gather!") {
        hints.push("`gather!` awaits, so it can only stand in a cell, an `async fn` or an `async` block");
    }
    if said("no two async blocks, even if identical, have the same type") && code.contains("vec![") {
        hints.push(
            "futures of different types can be awaited together one by one, as in `gather!(a, b)`; in a `Vec`, box each, as \
             in `loopbook::keep(a)`",
        );
    }
    if diagnostics.iter().any(wants_await) {
        hints.push("`.await` waits for a future and gives its value, as in `fetch().await`");
    }
    if diagnostics.iter().any(is_awaited_twice) {
        hints.push("a future can be awaited only once: keep what it gives, as in `let r = h.await;`");
    }
    hints.extend(wording::linker_missing(message));
    if message.contains("cannot be persisted") && message.contains("impl Future") {
        hints.push(
            "box each future for a later cell, as in `.map(|i| loopbook::keep(fetch(i)))`, or await them in this cell",
        );
    }
    hints
}

/// The name that is not there.
pub fn unresolved(error: &Diagnostic) -> Option<&str> {
    let is_about_name = error.error_code().is_some_and(|code| NOT_FOUND.contains(&code));
    error.message.split('`').nth(1).filter(|_| is_about_name)
}

/// Whether several futures stand where one is meant.
fn of_several(error: &Diagnostic) -> bool {
    let Some((ty, _)) = error.message.split_once("` is not a future") else { return false };
    ["`Vec<", "`&", "`[", "`std::iter::", "`std::vec::", "`std::array::", "`std::collections::"]
        .iter()
        .any(|start| ty.starts_with(start))
}

/// Whether a field or a method of a future is meant to be `.await`.
fn wants_await(error: &Diagnostic) -> bool {
    let mut words = error.message.split('`');
    let (Some(intro), Some(name), Some(_), Some(ty)) = (words.next(), words.next(), words.next(), words.next()) else {
        return false;
    };
    let is_missing = intro.starts_with("no field") || intro.starts_with("no method named");
    is_missing && (ty.contains("Future") || ty.contains("JoinHandle") || ty.contains("async ")) && is_like_await(name)
}

/// Whether a word has the letters of `await` in another order, or one letter more, less or other.
fn is_like_await(word: &str) -> bool {
    const MEANT: &[u8] = b"await";
    let word = word.as_bytes();
    let sorted = |word: &[u8]| {
        let mut letters = word.to_vec();
        letters.sort_unstable();
        letters
    };
    let alike = |(one, other): &(&u8, &u8)| one == other;
    let begin = word.iter().zip(MEANT).take_while(alike).count();
    let end = word[begin..].iter().rev().zip(MEANT[begin..].iter().rev()).take_while(alike).count();
    sorted(word) == sorted(MEANT) || begin + end + 1 >= word.len().max(MEANT.len())
}

fn is_awaited_twice(error: &Diagnostic) -> bool {
    let is_moved = error.error_code() == Some("E0382");
    is_moved && (error.is_about_future() || error.labels().any(|label| label.ends_with("moved due to this await")))
}

/// Hints for a cell of a subshell that names what is not there; `is_variable` knows the main shell's variables.
///
/// ```
/// use loopbook_kernel::evaluator::errors::diagnostics::Diagnostic;
/// use loopbook_kernel::evaluator::errors::hints::of_subshell;
/// let error = serde_json::json!({
///     "message": "cannot find value `x` in this scope", "level": "error", "code": { "code": "E0425" },
/// });
/// let error = Diagnostic::from_json(&error).unwrap();
/// assert!(of_subshell(&[error], |name| name == "x")[0].contains("`x` is a variable of the main shell"));
/// ```
pub fn of_subshell(diagnostics: &[Diagnostic], is_variable: impl Fn(&str) -> bool) -> Vec<String> {
    let names = diagnostics.iter().filter_map(unresolved);
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

    fn error(code: &str, message: &str, label: &str) -> Diagnostic {
        let span = serde_json::json!({ "line_start": 1, "line_end": 1, "column_start": 1, "column_end": 1,
            "is_primary": true, "label": label });
        let json =
            serde_json::json!({ "message": message, "level": "error", "code": { "code": code }, "spans": [span] });
        Diagnostic::from_json(&json).expect("a diagnostic")
    }

    #[test]
    fn several_futures_are_answered_with_gather_all() {
        for ty in ["Vec<{async block}>", "[{async block}; 1]", "std::iter::Map<std::ops::Range<i32>, {closure}>"] {
            let not_a_future = error("E0277", &format!("`{ty}` is not a future, so there is nothing to wait for"), "");
            let hints = of("gather!(fs)", &[not_a_future], "");
            assert!(hints.len() == 1 && hints[0].contains("gather_all"), "{ty}: {hints:?}");
        }
        let not_a_future = error("E0277", "`u8` is not a future, so there is nothing to wait for", "");
        assert!(of("gather!(f)", &[not_a_future], "")[0].contains("leave out `.await`"));
    }

    #[test]
    fn a_misspelt_await_is_answered() {
        for name in ["awiat", "awit", "wait", "await_", "awaits", "aawait", "awaot"] {
            let of_future = format!("no field `{name}` on type `impl Future<Output = u8>`");
            assert!(of("", &[error("E0609", &of_future, "")], "")[0].contains("`.await`"), "{name}");
        }
        for message in [
            "no field `length` on type `impl Future<Output = u8>`",
            "no field `aw` on type `impl Future<Output = u8>`",
            "no method named `wait` found for struct `Vec<u8>` in the current scope",
            "no field `wait`",
        ] {
            assert!(of("", &[error("E0609", message, "")], "").is_empty(), "{message}");
        }
    }

    #[test]
    fn a_future_that_is_awaited_twice_is_answered() {
        let twice = error("E0382", "use of moved value: `h`", "`h` moved due to this await");
        assert!(of("", &[twice], "")[0].contains("`let r = h.await;`"));
        assert!(of("", &[error("E0382", "use of moved value: `h`", "value moved here")], "").is_empty());
    }

    #[test]
    fn futures_in_a_vector_are_answered_with_keep() {
        let message = "The variable `v` has type `Vec<impl Future<Output = u8>>` which cannot be persisted.";
        assert_eq!(lazy_future(message), None);
        assert!(of("", &[], message)[0].contains("loopbook::keep"));
    }
}
