//! What rust-analyzer offers, as a front end should see it: names without the arguments that an editor would fill in, each
//! once, and none of ours.

use crate::evaluator::Completion;

/// One offer: what would be inserted, its kind, and its label.
pub struct Offer {
    /// `with_capacity(${1:capacity})$0`: a snippet, whose placeholders have numbers.
    pub code: String,
    /// As Jupyter calls it.
    pub kind: &'static str,
    /// `with_capacity(…)`
    pub label: String,
}

/// The names among these that go on where `typed` ends.
///
/// ```
/// use loopbook_kernel::evaluator::completion::rust_analyzer::{Offer, readable};
/// let offer = Offer { code: "with_capacity(${1:capacity})$0".into(), kind: "function", label: "with_capacity(…)".into() };
/// let items = readable([offer], "with_");
/// assert_eq!(items[0].text, "with_capacity");
/// assert_eq!(items[0].signature.as_deref(), Some("(capacity)"));
/// ```
pub fn readable(offers: impl IntoIterator<Item = Offer>, typed: &str) -> Vec<Completion> {
    let mut items: Vec<Completion> = Vec::new();
    for Offer { code, kind, label } in offers {
        let code = without_placeholders(&code);
        let end = code.find(|c: char| "({[<".contains(c) || c.is_whitespace()).unwrap_or(code.len());
        let name = code[..end].trim_end_matches("::");
        if name.is_empty() || !name.starts_with(typed) || is_ours(name) {
            continue;
        }
        let arguments = code[end..].starts_with('(').then(|| code[end..].trim_end_matches(';'));
        let signature = arguments.map_or_else(|| if label == name { String::new() } else { label }, str::to_owned);
        let item = Completion { text: name.to_owned(), kind, signature: Some(signature) };
        match items.iter_mut().find(|known| known.text == name) {
            // A private field and the method that reads it.
            Some(known) if kind == "function" => *known = item,
            Some(_) => {}
            None => items.push(item),
        }
    }
    items
}

/// `push(value)` for `push(${1:value})$0`.
fn without_placeholders(snippet: &str) -> String {
    let mut text = String::with_capacity(snippet.len());
    let mut rest = snippet;
    while let Some((before, behind)) = rest.split_once('$') {
        text.push_str(before);
        let number = behind.trim_start_matches('{');
        let named = number.trim_start_matches(|c: char| c.is_ascii_digit());
        if number.len() == named.len() {
            // A dollar of the code itself, as in a macro.
            text.push('$');
            rest = behind;
        } else if number.len() == behind.len() {
            rest = named;
        } else {
            let (name, behind) = named.split_once('}').unwrap_or((named, ""));
            text.push_str(name.trim_start_matches(':'));
            rest = behind;
        }
    }
    text + rest
}

/// Names that the kernel or evcxr has made.
fn is_ours(name: &str) -> bool {
    name.starts_with("lb_") || name.starts_with("__") || name.contains("evcxr")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(codes: &[&str], typed: &str) -> Vec<String> {
        let offer = |code: &&str| Offer { code: (*code).to_owned(), kind: "function", label: String::new() };
        readable(codes.iter().map(offer), typed).into_iter().map(|item| item.text).collect()
    }

    #[test]
    fn arguments_and_bodies_are_left_to_the_user() {
        assert_eq!(texts(&["column!()", "const {\n    \n}", "core::", "url"], ""), ["column!", "const", "core", "url"]);
        assert_eq!(texts(&["push(value);"], "p"), ["push"]);
    }

    #[test]
    fn placeholders_are_left_to_their_names() {
        assert_eq!(without_placeholders("push(${1:value});$0"), "push(value);");
        assert_eq!(without_placeholders("len()$0"), "len()");
        assert_eq!(without_placeholders("if ${1} { $0 }"), "if  {  }");
        assert_eq!(without_placeholders("$name costs $"), "$name costs $");
    }

    #[test]
    fn what_does_not_go_on_where_the_cursor_is_left_out() {
        assert_eq!(texts(&["le(other)", "iter().le(other)"], "le"), ["le"]);
    }

    #[test]
    fn a_field_and_a_method_of_one_name_are_one() {
        let offer = |code: &str, kind| Offer { code: code.to_owned(), kind, label: code.to_owned() };
        let items = readable([offer("len", "instance"), offer("len()", "function")], "l");
        assert_eq!(items.len(), 1);
        assert_eq!((items[0].kind, items[0].signature.as_deref()), ("function", Some("()")));
    }

    #[test]
    fn our_own_names_are_not_shown() {
        assert!(texts(&["lb_cell", "__private", "evcxr_variable_store"], "").is_empty());
    }
}
