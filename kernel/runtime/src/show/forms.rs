//! Content in a given form: HTML, Markdown, drawings, pictures. Each is made by a function of the same name as its type.

use loopbook_channel::counted;
use std::fmt;

macro_rules! text_forms {
    ($($(#[$about:meta])* $name:ident)+) => {
        $(
            $(#[$about])*
            #[derive(Clone, PartialEq, Eq)]
            pub struct $name {
                text: String,
            }

            $(#[$about])*
            #[allow(non_snake_case)]
            pub fn $name(text: impl Into<String>) -> $name {
                $name { text: text.into() }
            }

            impl $name {
                /// The text that it was made of.
                pub fn as_str(&self) -> &str {
                    &self.text
                }
            }
        )+
    };
}
text_forms! {
    /// HTML to show.
    ///
    /// ```
    /// loopbook::display(loopbook::Html("<b>bold</b>"));
    /// ```
    Html
    /// Markdown to show, with mathematics between dollar signs.
    ///
    /// ```
    /// loopbook::display(loopbook::Markdown(format!("Waiting costs **nothing**: $t = {}$", 0)));
    /// ```
    Markdown
    /// A drawing to show, as the text of an SVG file.
    ///
    /// ```
    /// loopbook::display(loopbook::Svg("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"));
    /// ```
    Svg
}

/// A picture to show, as the bytes of a PNG file.
///
/// ```no_run
/// loopbook::display(loopbook::Png(std::fs::read("plot.png")?));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Png {
    bytes: Vec<u8>,
}

/// A picture to show, as the bytes of a PNG file.
///
/// ```no_run
/// loopbook::display(loopbook::Png(std::fs::read("plot.png")?));
/// # Ok::<(), std::io::Error>(())
/// ```
#[allow(non_snake_case)]
pub fn Png(bytes: impl Into<Vec<u8>>) -> Png {
    Png { bytes: bytes.into() }
}

impl Png {
    /// The bytes that it was made of.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Html").field(&self.text).finish()
    }
}

impl fmt::Debug for Markdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Markdown").field(&self.text).finish()
    }
}

impl fmt::Debug for Svg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Svg({})", counted(self.text.chars().count(), "character"))
    }
}

impl fmt::Debug for Png {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Png({})", counted(self.bytes.len(), "byte"))
    }
}
