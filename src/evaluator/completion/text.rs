//! What rust-analyzer reads: the items of the notebook, and a function whose parameters are its variables and whose body is
//! the code that is being typed.

use crate::evaluator::cell::{MUTEX, RENAMED_MUTEX};
use std::fmt::Write;

/// A file for rust-analyzer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Rust.
    pub whole: String,
    /// Where the code begins that is being typed, in bytes.
    pub start: usize,
    /// How long that is.
    pub length: usize,
}

/// Above the code. What `?` gives need not be right, since nobody asks for the type of the function.
const HEAD: &str = "\n#[allow(unused)]\nasync fn __cell(";

/// Below the code: it need not be complete, and the end of its value is not the function's.
const FOOT: &str = "\n;loop {}\n}\n";

impl Text {
    /// Puts it together from items in Rust, variables with their types, and code.
    pub fn new(items: &str, variables: &[(String, String)], code: &str) -> Self {
        let mut whole = format!("{items}{HEAD}");
        for (name, ty) in variables {
            let name = if name == RENAMED_MUTEX { MUTEX } else { name };
            let _it_is_memory = write!(whole, "mut {name}: {ty}, ");
        }
        whole.push_str(") -> Result<(), Box<dyn std::error::Error>> {\n");
        let start = whole.len();
        whole.push_str(code);
        whole.push_str(FOOT);
        Self { whole, start, length: code.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ra_ap_syntax::{Edition, SourceFile};

    #[test]
    fn the_code_stands_behind_the_items_and_below_the_variables() {
        let variables = [("a".to_owned(), "Vec<u8>".to_owned()), (RENAMED_MUTEX.to_owned(), "u32".to_owned())];
        let text = Text::new("fn twice() {}\n", &variables, "a.len() // so many");
        assert_eq!(&text.whole[text.start..text.start + text.length], "a.len() // so many");
        assert!(text.whole.starts_with("fn twice() {}\n"));
        assert!(text.whole.contains("mut a: Vec<u8>") && text.whole.contains("mut mutex: u32"), "{}", text.whole);
        assert!(SourceFile::parse(&text.whole, Edition::Edition2024).errors().is_empty(), "{}", text.whole);
    }
}
