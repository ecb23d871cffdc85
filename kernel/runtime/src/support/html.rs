//! Escaping text for HTML.

use std::fmt::{self, Display, Write};

/// Text in HTML: nothing in it is taken for markup.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            // Notebooks typeset what stands between dollar signs.
            '$' => f.write_str("&#36;"),
            c => f.write_char(c),
        })
    }
}
