//! Mends the code that evcxr writes around a cell to find out what is wrong with it: that code has errors of its own.
//!
//! evcxr does so when rust-analyzer does not see the type of a variable. Every stored variable is an argument then, so that
//! its type, as rust-analyzer writes it, holds references of any lifetime; and evcxr wants them to live for ever. Its own
//! `Result` is whatever the notebook calls so.

use std::fs;
use std::io;
use std::path::Path;

/// What evcxr writes, and what does the same without errors.
const MENDED: [(&str, &str); 2] = [
    ("fn evcxr_variable_store<T: 'static>(_: T) {}", "fn evcxr_variable_store<T>(_: T) {}"),
    (") -> Result<(), EvcxrUserCodeError> {", ") -> ::core::result::Result<(), EvcxrUserCodeError> {"),
];

/// The end of the function around the cell.
const END: (&str, &str) = ("\nOk(())\n}", "\n::core::result::Result::Ok(())\n}");

/// Mends the file that is about to be checked.
///
/// # Errors
/// If it cannot be read or written.
pub(super) fn mend(file: &Path) -> io::Result<()> {
    let text = fs::read_to_string(file)?;
    let mended = mended(&text);
    if mended == text { Ok(()) } else { fs::write(file, mended) }
}

fn mended(text: &str) -> String {
    // The generated code stands behind everything that a cell may have written.
    let Some(start) = text.rfind(MENDED[0].0) else { return text.to_owned() };
    let (head, mut tail) = (&text[..start], text[start..].to_owned());
    for (before, after) in MENDED {
        tail = tail.replacen(before, after, 1);
    }
    if let Some(end) = tail.rfind(END.0) {
        tail.replace_range(end..end + END.0.len(), END.1);
    }
    format!("{head}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_evcxr_wrote_around_the_cell_is_changed() {
        let cell = "fn f() -> Result<(), EvcxrUserCodeError> {\nOk(())\n}\n";
        let text = format!(
            "{cell}{}\nasync fn w(m: &str{}\nlet x = 1;\nevcxr_variable_store(x);\nOk(())\n}}\n",
            MENDED[0].0, MENDED[1].0
        );
        let expected = format!(
            "{cell}{}\nasync fn w(m: &str{}\nlet x = 1;\nevcxr_variable_store(x);\n::core::result::Result::Ok(())\n}}\n",
            MENDED[0].1, MENDED[1].1
        );
        assert_eq!(mended(&text), expected);
        assert_eq!(mended(cell), cell);
    }
}
