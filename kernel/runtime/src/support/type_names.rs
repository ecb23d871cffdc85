//! Names of types, as people write them.

use std::any::type_name;

/// The name of `T` without the paths in it; a future or closure is named after the function that it stands in.
pub(crate) fn of<T: ?Sized>() -> String {
    readable(type_name::<T>())
}

/// The async function whose call `F` is; `None` for async blocks of a cell and futures of other kinds.
pub(crate) fn function_of_future<F: ?Sized>() -> Option<String> {
    function(type_name::<F>())
}

fn function(full: &str) -> Option<String> {
    // What evcxr calls the function that it puts a cell into.
    const CELL: &str = "run_user_code";
    let path = full.strip_suffix("::{{closure}}")?;
    let name = path.rsplit("::").next()?;
    let anonymous = name.contains('{') || name.contains('<') || name.starts_with(CELL);
    (!anonymous).then(|| name.to_owned())
}

fn readable(full: &str) -> String {
    const ANONYMOUS: &str = "{{closure}}";
    let mut readable = String::with_capacity(full.len());
    let mut rest = full;
    while let Some(first) = rest.chars().next() {
        let length = path_length(rest);
        if length == 0 {
            readable.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let path = &rest[..length];
        let mut parts = path.rsplit("::").filter(|part| *part != ANONYMOUS && !part.is_empty());
        let name = parts.next().unwrap_or(ANONYMOUS);
        readable.push_str(name);
        if path.ends_with(ANONYMOUS) {
            readable.push_str("::{…}");
        }
        rest = &rest[length..];
    }
    readable
}

/// How many bytes of `text` are one path, from the start.
fn path_length(text: &str) -> usize {
    let part_of_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '{' | '}' | '#');
    text.find(|c| !part_of_path(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::{function, readable};

    #[test]
    fn paths_are_left_out() {
        assert_eq!(readable("alloc::vec::Vec<ctx::Point>"), "Vec<Point>");
        assert_eq!(readable("core::result::Result<(), &dyn core::error::Error>"), "Result<(), &dyn Error>");
        assert_eq!(readable("[i32; 3]"), "[i32; 3]");
    }

    #[test]
    fn what_has_no_name_is_named_after_its_function() {
        assert_eq!(readable("ctx::fetch::{{closure}}"), "fetch::{…}");
        assert_eq!(function("ctx::fetch::{{closure}}").as_deref(), Some("fetch"));
        assert_eq!(function("ctx::run_user_code_3::{{closure}}"), None);
    }
}
