//! Rust as HTML with colours, for pages of documentation.

use loopbook_channel::Escaped;
use ra_ap_syntax::{AstNode, Edition, NodeOrToken, SourceFile, SyntaxKind, SyntaxToken, T};

/// Dark enough on white and light enough on JupyterLab's dark ground: a page cannot know on which it stands.
mod colours {
    pub(super) const KEYWORD: &str = "#a44fb5";
    pub(super) const TEXT: &str = "#b25536";
    pub(super) const NUMBER: &str = "#33803f";
    pub(super) const COMMENT: &str = "#747474";
    pub(super) const MACRO: &str = "#2578b6";
}

/// Code as HTML, its words in colours. Need not be correct Rust.
pub(super) fn rust(code: &str) -> String {
    let tree = SourceFile::parse(code, Edition::Edition2024).tree();
    let tokens = tree.syntax().descendants_with_tokens().filter_map(NodeOrToken::into_token);
    tokens.map(|token| coloured(&token)).collect()
}

fn coloured(token: &SyntaxToken) -> String {
    let text = Escaped(token.text()).to_string();
    match colour(token) {
        Some(colour) => format!("<span style=\"color:{colour}\">{text}</span>"),
        None => text,
    }
}

fn colour(token: &SyntaxToken) -> Option<&'static str> {
    use SyntaxKind::{
        BYTE, BYTE_STRING, C_STRING, CHAR, COMMENT, FLOAT_NUMBER, IDENT, INT_NUMBER, LIFETIME_IDENT, STRING,
    };
    match token.kind() {
        COMMENT => Some(colours::COMMENT),
        STRING | BYTE_STRING | C_STRING | CHAR | BYTE => Some(colours::TEXT),
        INT_NUMBER | FLOAT_NUMBER => Some(colours::NUMBER),
        LIFETIME_IDENT => Some(colours::KEYWORD),
        IDENT if token.next_token().is_some_and(|next| next.kind() == T![!]) => Some(colours::MACRO),
        IDENT if ["async", "await", "macro", "let"].contains(&token.text()) => Some(colours::KEYWORD),
        kind if kind.is_keyword(Edition::Edition2024) => Some(colours::KEYWORD),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_code_is_lost() {
        for code in ["let x = vec![1, 2]; // <&>", "}} ' \" broken", "", "async fn f<'a>(s: &'a str) -> u8 { b'x' }"] {
            let html = rust(code);
            let mut text = String::new();
            let mut in_tag = false;
            for c in html.chars() {
                match c {
                    '<' => in_tag = true,
                    '>' => in_tag = false,
                    c if !in_tag => text.push(c),
                    _ => {}
                }
            }
            assert_eq!(text, Escaped(code).to_string(), "{html}");
        }
    }

    #[test]
    fn words_of_the_language_have_colours() {
        let html = rust("let s = \"a\"; println!(\"{s}\"); // b");
        for part in [">let<", ">&quot;a&quot;<", ">println<", ">// b<"] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    /// The contrast of two colours, as WCAG computes it.
    fn contrast(a: &str, b: &str) -> f64 {
        let luminance = |colour: &str| {
            let part = |at: usize| {
                let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
                if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn colours_can_be_read_on_light_and_on_dark_ground() {
        use colours::{COMMENT, KEYWORD, MACRO, NUMBER, TEXT};
        for colour in [COMMENT, KEYWORD, MACRO, NUMBER, TEXT] {
            let (light, dark) = (contrast(colour, "#ffffff"), contrast(colour, "#111111"));
            assert!(
                light >= 4.5 && dark >= 3.8,
                "{colour}: {light:.2} on white, {dark:.2} on JupyterLab's dark ground"
            );
        }
    }
}
