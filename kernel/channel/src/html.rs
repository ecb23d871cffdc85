//! Escaping text for HTML.

use std::fmt::{self, Display, Write};

/// Text in HTML: nothing in it is taken for markup, nor for a formula.
///
/// ```
/// use loopbook_channel::Escaped;
/// assert_eq!(Escaped("Vec<u8> & \"$x$\"").to_string(), "Vec&lt;u8&gt; &amp; &quot;&#36;x&#36;&quot;");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a str);

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
