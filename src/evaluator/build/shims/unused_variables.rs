//! Variables that a cell does not mention stay in the store.
//!
//! evcxr takes every variable of the notebook out of its store when a cell begins, and puts it back when it ends. What drops a
//! value of a variable's type is compiled with the cell for that, all channels and maps of it. So the lines of variables whose
//! names do not occur in the cell are made comments. That evcxr asks whether their types are those of before, stays.

/// Calls the body of the cell: what stands before is evcxr's, and so is what follows [`END`].
const BODY: &str = "\n::loopbook::__private::run_cell";
const END: &str = "\n}));\n";
/// Makes a comment of a line.
const UNUSED: &str = "//unused ";
const TAKE: &str = " = evcxr_variable_store.take_variable::<";
const PUT: &str = "evcxr_variable_store.put_variable::<";
const NAME: &str = "(stringify!(";

/// The text of a cell's crate without the taking out and putting back of variables that it does not mention.
pub(super) fn leave(text: &str) -> String {
    let Some((before, body, behind)) = parts(text) else { return text.to_owned() };
    let with = |lines: &str| -> String {
        let unused = |line: &&str| variable(line).is_some_and(|name| !mentions(body, name));
        lines.split_inclusive('\n').flat_map(|line| [if unused(&line) { UNUSED } else { "" }, line]).collect()
    };
    [&with(before), body, &with(behind)].concat()
}

/// The text with all its variables, if rustc misses one that [`leave`] has left: its name has come from an `include!`, or from
/// a procedural macro that put it together.
pub(super) fn bring_back(text: &str, errors: &str) -> Option<String> {
    let (before, ..) = parts(text)?;
    let mut left = before.lines().filter_map(|line| line.strip_prefix(UNUSED)).filter_map(variable);
    let is_missed =
        |name: &str| ["value", "function"].iter().any(|kind| errors.contains(&format!("cannot find {kind} `{name}`")));
    left.any(is_missed).then(|| bring_all_back(text))?
}

/// The text with all its variables; `None` if it has no body.
pub(super) fn bring_all_back(text: &str) -> Option<String> {
    let (before, body, behind) = parts(text)?;
    let with = |lines: &str| -> String {
        lines.split_inclusive('\n').map(|line| line.strip_prefix(UNUSED).unwrap_or(line)).collect()
    };
    Some([&with(before), body, &with(behind)].concat())
}

/// What evcxr has written before the body of the cell, the body, and what evcxr has written behind it.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let end = text.rfind(END)? + END.len();
    let function = text[..end].rfind("\npub extern \"C\" fn run_user_code_")?;
    let start = text[function..end].find(BODY)? + function;
    Some((&text[..start + 1], &text[start + 1..end], &text[end..]))
}

/// The variable that a line of evcxr's takes out or puts back. One whose name is not plain may be written in two ways.
fn variable(line: &str) -> Option<&str> {
    let is_ours = line.starts_with(PUT) || line.starts_with("let ") && line.contains(TAKE);
    let name = line.trim_end().rsplit_once(NAME)?.1.split_once(')')?.0;
    (is_ours && line.trim_end().ends_with(';') && name.is_ascii()).then_some(name)
}

/// Whether a name occurs, be it in a string or a comment: formats name variables.
fn mentions(text: &str, name: &str) -> bool {
    let name = name.strip_prefix("r#").unwrap_or(name);
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(body: &str) -> String {
        format!(
            "fn item() {{ a; }}\n#[unsafe(no_mangle)]\npub extern \"C\" fn run_user_code_7(\n\
             vars_ok &= evcxr_variable_store.check_variable::<u64>(stringify!(a));\n\
             let a = evcxr_variable_store.take_variable::<u64>(stringify!(a));\n\
             let mut ab = evcxr_variable_store.take_variable::<Vec<u64>>(stringify!(ab));\n\
             ::loopbook::__private::run_cell(::std::boxed::Box::pin(async {{\n{body}\n}}));\n\n\
             evcxr_variable_store.put_variable::<u64>(stringify!(a), a);\n\
             evcxr_variable_store.put_variable::<Vec<u64>>(stringify!(ab), ab);\nevcxr_variable_store\n}}\n"
        )
    }

    fn left(body: &str) -> Vec<String> {
        let text = leave(&cell(body));
        assert_eq!(text.lines().count(), cell(body).lines().count());
        assert!(text.contains("\nvars_ok &= evcxr_variable_store.check_variable::<u64>(stringify!(a));"));
        text.lines().filter_map(|line| line.strip_prefix(UNUSED)).filter_map(variable).map(str::to_owned).collect()
    }

    #[test]
    fn what_is_not_mentioned_is_neither_taken_nor_put_back() {
        assert_eq!(left("1 + 1"), ["a", "ab", "a", "ab"]);
        assert_eq!(left("a + 1"), ["ab", "ab"]);
        assert_eq!(left("println!(\"{ab:?}\")"), ["a", "a"]);
        assert_eq!(left("f(&r#a, abc, ab_)"), ["ab", "ab"]);
        assert_eq!(left("\n}));\n a"), ["ab", "ab"]);
    }

    #[test]
    fn what_rustc_misses_comes_back_with_all_others() {
        let text = leave(&cell("include!(\"f.rs\")"));
        assert_eq!(bring_back(&text, "error: cannot find value `other` in this scope"), None);
        let back = bring_back(&text, "error: cannot find value `a` in this scope");
        assert_eq!(back, Some(cell("include!(\"f.rs\")")));
    }

    #[test]
    fn what_is_no_cell_stays() {
        let item = "let a = evcxr_variable_store.take_variable::<u64>(stringify!(a));\n";
        assert_eq!(leave(item), item);
    }
}
