//! The types of variables, from the rustc that compiles the cell which defines them.
//!
//! evcxr asks its rust-analyzer for the type of every variable that a cell defines, and waits for the answer before it has
//! rustc compile the cell. It takes the type of a `let` as it is written, so it gets one: behind the cell stands
//! `let mut x:__lb_type_7_0=x;` for each variable whose own `let` gives no type (`cell::variable_types`). It believes in a type
//! of that name and writes `put_variable::<__lb_type_7_0>(stringify!(x), x)`, and in later cells `check_variable` and
//! `take_variable` of the same. Before rustc reads this,
//!
//! - those last statements are taken out, their lines stay,
//! - a variable that is new is stored as a `_`,
//! - of others the type is known, and takes the placeholder's place.
//!
//! What rustc has found for the `_` it tells in the middle of the same compilation (`type_questions`).
//!
//! None of this would be needed if evcxr could be told, by the caller, which types the variables of a cell have: a callback
//! in `EvalContext::run_statements` in the place of `fix_variable_types`, or `VariableState::type_name` as an `Option` with
//! `_` written for `None`, and a function to set it from what the compiler has said, before `commit_state`.

use super::state::{State, replace};
use crate::evaluator::support::typename::{self, PLACEHOLDER};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

/// What is known of types.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableTypes {
    /// By placeholder, as code.
    types: BTreeMap<String, String>,
    /// Paths into crates that have been seen to lead to something public.
    pub(super) public: BTreeSet<String>,
}

/// A variable whose type is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) placeholder: String,
}

impl VariableTypes {
    /// What is known in the kernel with this working directory.
    pub fn of(root: &Path) -> Self {
        Self::load(&State::of(root))
    }

    pub(super) fn load(state: &State) -> Self {
        let text = fs::read(state.types()).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Puts it into a working directory that was made again.
    ///
    /// # Errors
    /// If it cannot be written down.
    pub fn put(&self, root: &Path) -> io::Result<()> {
        self.save(&State::of(root))
    }

    pub(super) fn save(&self, state: &State) -> io::Result<()> {
        replace(&state.types(), &serde_json::to_vec(self)?)
    }

    /// Forgets all types but those that evcxr still knows the placeholders of.
    ///
    /// # Errors
    /// If it cannot be written down.
    pub fn forget_others<'a>(mut self, root: &Path, living: impl Iterator<Item = &'a str>) -> io::Result<()> {
        let living: BTreeSet<&str> = living.collect();
        let before = self.types.len();
        self.types.retain(|placeholder, _| living.contains(placeholder.as_str()));
        if self.types.len() < before { self.save(&State::of(root)) } else { Ok(()) }
    }

    /// The type that evcxr knows as `ty`, as code that means the same in every cell.
    pub fn code<'a>(&'a self, ty: &'a str) -> &'a str {
        self.types.get(ty).map_or(ty, String::as_str)
    }

    /// The same as people read it.
    pub fn shown(&self, ty: &str) -> String {
        let code = self.code(ty);
        // What a person has written stays as it is.
        if typename::is_for_every_cell(code) { typename::shown(code) } else { code.to_owned() }
    }

    pub(super) fn learn(&mut self, asked: &Asked, code: &str) {
        self.types.insert(asked.placeholder.clone(), code.to_owned());
    }

    /// The text as rustc gets it, and the variables whose types it asks.
    pub(super) fn rewrite(&self, text: &str) -> (String, Vec<Asked>) {
        if !text.contains(PLACEHOLDER) {
            return (text.to_owned(), Vec::new());
        }
        let (text, asked) = without_questions(text);
        let mut rest = text.as_str();
        let mut written = String::with_capacity(text.len());
        while let Some(at) = rest.find(PLACEHOLDER) {
            let end = at + name_length(&rest[at..]);
            let placeholder = &rest[at..end];
            written += &rest[..at];
            written += match self.types.get(placeholder) {
                _ if asked.iter().any(|asked| asked.placeholder == placeholder) => "_",
                Some(code) => code,
                // Nothing is of this type: the variable is given up.
                None => "()",
            };
            rest = &rest[end..];
        }
        (written + rest, asked)
    }
}

/// The text without the statements that ask. Each stands on a line of its own, which stays.
fn without_questions(text: &str) -> (String, Vec<Asked>) {
    let (mut left, mut asked, mut copied) = (String::with_capacity(text.len()), Vec::new(), 0);
    let sign = format!(":{PLACEHOLDER}");
    for (colon, _) in text.match_indices(&sign) {
        let placeholder = &text[colon + 1..colon + 1 + name_length(&text[colon + 1..])];
        let Some(start) = text[..colon].rfind("let ") else { continue };
        let name = text[start + "let ".len()..colon].trim_start_matches("mut ");
        let rest = format!("={name};");
        let end = colon + 1 + placeholder.len();
        if start >= copied && text[end..].starts_with(&rest) {
            left += &text[copied..start];
            copied = end + rest.len();
            asked.push(Asked { name: name.to_owned(), placeholder: placeholder.to_owned() });
        }
    }
    (left + &text[copied..], asked)
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, placeholder: &str) -> Asked {
        Asked { name: name.into(), placeholder: placeholder.into() }
    }

    #[test]
    fn what_asks_is_taken_out_and_what_is_new_becomes_a_question() {
        let text = "let é = 1;\nlet mut é:__lb_type_2_0=é;\nput_variable::<__lb_type_2_0>(stringify!(é), é);\n";
        let (written, questions) = VariableTypes::default().rewrite(text);
        assert_eq!(questions, [asked("é", "__lb_type_2_0")]);
        assert_eq!(written.lines().next(), Some("let é = 1;"));
        assert!(written.ends_with("put_variable::<_>(stringify!(é), é);\n"), "{written}");
        assert_eq!(written.lines().nth(1), Some(""));
        assert_eq!(written.matches('\n').count(), text.matches('\n').count());
    }

    #[test]
    fn what_is_known_takes_the_place_of_its_placeholder() {
        let mut types = VariableTypes::default();
        types.learn(&asked("r#try", "__lb_type_1_try"), "::std::vec::Vec<crate::P>");
        let text = "check_variable::<__lb_type_1_try>(stringify!(r#try)); f(x: __lb_type_9_y)";
        let (written, questions) = types.rewrite(text);
        assert!(questions.is_empty());
        assert_eq!(written, "check_variable::<::std::vec::Vec<crate::P>>(stringify!(r#try)); f(x: ())");
        assert_eq!(types.shown("__lb_type_1_try"), "Vec<P>");
        assert_eq!((types.code("u8"), types.shown("m::P").as_str()), ("u8", "m::P"));
    }

    #[test]
    fn types_of_variables_that_are_gone_are_forgotten() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("state")).unwrap();
        let mut types = VariableTypes::default();
        types.learn(&asked("a", "__lb_type_1_a"), "u8");
        types.learn(&asked("b", "__lb_type_1_b"), "u16");
        types.save(&State::of(root.path())).unwrap();
        types.forget_others(root.path(), ["__lb_type_1_b", "String"].into_iter()).unwrap();
        let left = VariableTypes::of(root.path());
        assert_eq!((left.code("__lb_type_1_a"), left.code("__lb_type_1_b")), ("__lb_type_1_a", "u16"));
    }
}
