//! Types of variables, as rustc prints them, as code can name them, and as people read them.
//!
//! evcxr repeats the type of every stored variable in each cell. It gets a placeholder for the type of a variable of which the
//! user has written none, and rustc gets in its place what rustc has said when the variable was defined
//! (`build/shims/variable_types`). That has full paths; in code they begin with `::` or `crate::`, so that they mean the same
//! in a cell that has a `Vec` or a module `std` of its own.

/// How every placeholder begins.
pub const PLACEHOLDER: &str = "__lb_type_";

/// What comes before the path of a prelude name, and the names.
const PRELUDE: [(&str, &[&str]); 13] = [
    ("std::boxed", &["Box"]),
    ("std::clone", &["Clone"]),
    ("std::cmp", &["Eq", "Ord", "PartialEq", "PartialOrd"]),
    ("std::convert", &["AsMut", "AsRef", "From", "Into", "TryFrom", "TryInto"]),
    ("std::default", &["Default"]),
    ("std::future", &["Future", "IntoFuture"]),
    ("std::iter", &["DoubleEndedIterator", "ExactSizeIterator", "Extend", "FromIterator", "IntoIterator", "Iterator"]),
    ("std::marker", &["Copy", "Send", "Sized", "Sync", "Unpin"]),
    ("std::ops", &["AsyncFn", "AsyncFnMut", "AsyncFnOnce", "Drop", "Fn", "FnMut", "FnOnce"]),
    ("std::option", &["Option"]),
    ("std::result", &["Result"]),
    ("std::string", &["String", "ToString"]),
    ("std::vec", &["Vec"]),
];

/// Names that stand for themselves wherever they are.
const WORDS: [&str; 29] = [
    "!", "_", "as", "bool", "char", "const", "dyn", "extern", "f32", "f64", "false", "fn", "for", "i128", "i16", "i32",
    "i64", "i8", "impl", "isize", "mut", "str", "true", "u128", "u16", "u32", "u64", "u8", "unsafe",
];

/// Like [`WORDS`]; a name of its own because `usize` is in every length.
const LENGTH: &str = "usize";

/// Where the first name of a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// To `std` or `core`.
    Std,
    /// To a crate that cells know by this name.
    Crate(String),
    /// To an item of the notebook.
    Notebook,
}

/// A type that code can name, if nothing on the way to it is private.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// How.
    pub code: String,
    /// Whether the value is a function's own type, which has no name; this is that of a pointer to it.
    pub is_function: bool,
    /// Whether it certainly can be named.
    pub is_certain: bool,
}

/// The placeholder of the variable at this place among those of a cell.
pub fn placeholder(number: u32, place: usize) -> String {
    format!("{PLACEHOLDER}{number}_{place}")
}

/// What rustc has printed as the type of the variable `name`, as code.
///
/// # Errors
/// What evcxr says of a variable whose type it cannot write down.
pub fn named(name: &str, printed: &str, root: impl Fn(&str) -> Root) -> Result<Named, String> {
    let (ty, is_function) = match function_pointer(printed) {
        Some(pointer) => (pointer, true),
        None => (printed, false),
    };
    if ["{closure@", "{async closure@"].iter().any(|begin| ty.starts_with(begin)) {
        return Err(format!("The variable `{name}` is a closure, which cannot be persisted."));
    }
    // An item in a block, of which the path is known only there.
    if ty.contains("::{") {
        return Err(unknown(name));
    }
    if ty.contains(['{', '}']) || ty.split(|c: char| !is_of_name(c)).any(|word| word == "impl") {
        return Err(unnameable(name, ty));
    }
    let mut named =
        Named { code: String::new(), is_function, is_certain: !ty.contains(" as ") && !ty.contains("for<") };
    let parts: Vec<Part<'_>> = parts(ty).collect();
    for (at, part) in parts.iter().enumerate() {
        let Part::Path(path) = *part else {
            named.code += part.text();
            continue;
        };
        let first = path.split("::").next().unwrap_or_default();
        let is_alone = first.len() == path.len();
        if is_alone && (WORDS.contains(&path) || path == LENGTH || path.starts_with(|c: char| c.is_ascii_digit())) {
            named.is_certain &= !["dyn", "fn", "extern", "unsafe"].contains(&path);
            named.code += path;
            continue;
        }
        // The name of an associated type, as in `Iterator<Item = u8>`.
        if is_alone && parts[at + 1..].iter().take(2).map(Part::text).eq([" ", "="]) {
            named.code += path;
            continue;
        }
        match root(first) {
            Root::Std if !is_alone => named.code += &format!("::{path}"),
            Root::Crate(krate) if !is_alone => {
                named.code += &format!("::{krate}{}", &path[first.len()..]);
                named.is_certain = false;
            }
            _ => {
                named.code += &format!("crate::{path}");
                named.is_certain &= is_alone;
            }
        }
    }
    Ok(named)
}

/// What evcxr says of a variable whose type it does not see.
pub fn unknown(name: &str) -> String {
    format!("Couldn't automatically determine type of variable `{name}`.")
}

/// What evcxr says of a variable whose type cannot be written down.
pub fn unnameable(name: &str, ty: &str) -> String {
    format!("The variable `{name}` has type `{}` which cannot be persisted.", shown(&without_places(ty)))
}

/// A type for people: without what each cell sees without a path.
///
/// ```
/// use loopbook_kernel::evaluator::support::typename::shown;
/// let code = "::std::vec::Vec<::std::option::Option<crate::m::P>>";
/// assert_eq!(shown(code), "Vec<Option<m::P>>");
/// assert_eq!(shown("::std::fmt::Result"), "std::fmt::Result");
/// ```
pub fn shown(ty: &str) -> String {
    let short = |path: &str| -> String {
        let path = path.trim_start_matches("::");
        let path = path.strip_prefix("crate::").unwrap_or(path);
        match path.rsplit_once("::") {
            Some((module, name)) if PRELUDE.iter().any(|known| known.0 == module && known.1.contains(&name)) => {
                name.to_owned()
            }
            _ => path.to_owned(),
        }
    };
    parts(ty).map(|part| if let Part::Path(path) = part { short(path) } else { part.text().to_owned() }).collect()
}

/// Whether a type is written so that it means the same in every cell, and not as people write it.
pub fn is_for_every_cell(ty: &str) -> bool {
    parts(ty).any(|part| matches!(part, Part::Path(path) if path.starts_with("::") || path.starts_with("crate::")))
}

/// The paths in code that lead through modules or into crates other than the standard library.
pub fn foreign(code: &str) -> impl Iterator<Item = &str> {
    let path = |part| if let Part::Path(path) = part { Some(path) } else { None };
    let is_plain = |path: &str| {
        path.starts_with("::std::")
            || path.starts_with("::core::")
            || path.trim_start_matches("crate::").split("::").count() == 1
    };
    parts(code).filter_map(path).filter(move |path| !is_plain(path))
}

/// Whether it is part of a name. What rustc prints between names is ASCII; names have letters and marks of all languages.
fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

enum Part<'a> {
    Path(&'a str),
    Other(&'a str),
}

impl<'a> Part<'a> {
    fn text(&self) -> &'a str {
        match self {
            Self::Path(text) | Self::Other(text) => text,
        }
    }
}

/// The paths in a type, and what stands between them.
fn parts(ty: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = ty;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let of_path = |c: char| is_of_name(c) || c == ':' || c == '#';
        let length = |matches: &dyn Fn(char) -> bool, from: usize| {
            rest[from..].find(|c| !matches(c)).map_or(rest.len(), |end| from + end)
        };
        let (end, is_path) = match first {
            // A lifetime, or a character that is a parameter.
            '\'' => match rest[1..].char_indices().nth(1) {
                Some((at, '\'')) => (at + 2, false),
                _ => (length(&of_path, 1), false),
            },
            '"' => (rest[1..].find('"').map_or(rest.len(), |end| end + 2), false),
            // `T: Bound` stands in no type, but `<P as T>::Out` does.
            ':' if rest.starts_with("::") && rest[2..].starts_with(is_of_name) => (length(&of_path, 0), true),
            c if of_path(c) && c != ':' => (length(&of_path, 0), true),
            c => (c.len_utf8(), false),
        };
        let (part, behind) = rest.split_at(end);
        rest = behind;
        Some(if is_path { Part::Path(part) } else { Part::Other(part) })
    })
}

/// The pointer that stands for a function's own type, `fn(u8) -> u8 {f}`.
fn function_pointer(printed: &str) -> Option<&str> {
    let is_function =
        ["fn(", "for<", "unsafe fn(", "unsafe extern ", "extern "].iter().any(|begin| printed.starts_with(begin));
    if !is_function || !printed.ends_with('}') {
        return None;
    }
    let mut depth = 0_usize;
    let open = printed.char_indices().rev().find(|(_, c)| {
        match c {
            '}' => depth += 1,
            '{' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    open.map(|(at, _)| printed[..at].trim_end())
}

/// A type with what closures and blocks implement in the place of where they stand.
fn without_places(ty: &str) -> String {
    let mut text = ty.to_owned();
    let kinds = [
        ("{closure@", "impl Fn(_)"),
        ("{async closure@", "impl AsyncFn(_)"),
        ("{async ", "impl Future<Output = _>"),
        ("{", "fn"),
    ];
    for (begin, instead) in kinds {
        while let Some(start) = text.find(begin)
            && let Some(length) = text[start..].find('}')
        {
            text.replace_range(start..=start + length, instead);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(first: &str) -> Root {
        match first {
            "std" | "core" => Root::Std,
            "serde" => Root::Crate("renamed".into()),
            _ => Root::Notebook,
        }
    }

    fn code(printed: &str) -> Named {
        named("x", printed, root).unwrap()
    }

    #[test]
    fn paths_mean_the_same_in_every_cell() {
        for (printed, wanted, is_certain) in [
            ("i32", "i32", true),
            ("[u8; 3]", "[u8; 3]", true),
            ("&[&str]", "&[&str]", true),
            ("(i32,)", "(i32,)", true),
            ("std::thread::JoinHandle<!>", "::std::thread::JoinHandle<!>", true),
            ("std::borrow::Cow<'_, str>", "::std::borrow::Cow<'_, str>", true),
            ("std::vec::Vec<P>", "::std::vec::Vec<crate::P>", true),
            ("m::Q<4>", "crate::m::Q<4>", false),
            ("serde::de::X<'static>", "::renamed::de::X<'static>", false),
            ("C<'a', true>", "crate::C<'a', true>", true),
            ("*const usize", "*const usize", true),
            (
                "std::boxed::Box<dyn std::iter::Iterator<Item = P> + std::marker::Send>",
                "::std::boxed::Box<dyn ::std::iter::Iterator<Item = crate::P> + ::std::marker::Send>",
                false,
            ),
            ("for<'a> fn(&'a str) -> &'a P", "for<'a> fn(&'a str) -> &'a crate::P", false),
            ("extern \"C\" fn(u8)", "extern \"C\" fn(u8)", false),
        ] {
            let expected = Named { code: wanted.into(), is_function: false, is_certain };
            assert_eq!(code(printed), expected, "{printed}");
        }
    }

    #[test]
    fn a_function_is_kept_as_a_pointer() {
        let named = code("for<'a> fn(&'a str) -> usize {foo::<{ 1 }>}");
        assert_eq!((named.code.as_str(), named.is_function), ("for<'a> fn(&'a str) -> usize", true));
        assert_eq!(code("fn(u8) -> P {P}").code, "fn(u8) -> crate::P");
    }

    #[test]
    fn what_has_no_name_is_said_in_evcxrs_words() {
        for (printed, said) in [
            ("{closure@src/lib.rs:1:2: 3:4}", "`x` is a closure, which"),
            ("{async block@src/lib.rs:1:2: 3:4}", "has type `impl Future<Output = _>` which"),
            ("impl std::future::Future<Output = i32>", "has type `impl Future<Output = i32>` which"),
            ("std::vec::Vec<{closure@src/lib.rs:1:2: 3:4}>", "has type `Vec<impl Fn(_)>` which"),
            ("std::iter::Map<std::ops::Range<i32>, fn(i32) -> i32 {f}>", "has type `std::iter::Map<"),
            ("run_user_code_3::{closure#0}::Inner", "determine type of variable `x`"),
        ] {
            let message = named("x", printed, root).unwrap_err();
            assert!(message.contains(said), "{message}");
        }
    }

    #[test]
    fn names_have_letters_and_marks_of_all_languages_and_may_contain_words() {
        for ty in ["संख्या", "x\u{302}", "shape_impl::S"] {
            let named = named("v", ty, |_| Root::Notebook).expect("it has a name");
            assert_eq!(named.code, format!("crate::{ty}"));
        }
        assert!(super::named("v", "impl Copy", |_| Root::Notebook).is_err());
    }
}
