//! The colours of errors and warnings, and the same as HTML.
//!
//! No one colour can be read on the light and on the dark grounds that front ends give to errors (pale red, and a red
//! that is nearly black). So a colour brings its own ground, both as numbers of the 256 that every front end and
//! terminal shows alike; without a colour, text is that of the page.

use annotate_snippets::Renderer;
use annotate_snippets::renderer::{Ansi256Color, Style};
use loopbook_channel::{Escaped, MimeBundle};

/// A colour and its ground, by their numbers.
pub(super) type Pair = (u8, u8);

/// White on dark red.
pub(in crate::evaluator) const ERROR: Pair = (231, 124);
/// Black on orange.
pub(super) const WARNING: Pair = (16, 214);
/// White on dark green.
const NOTE: Pair = (231, 22);
/// White on dark blue.
const HELP: Pair = (231, 24);
/// The same, a little lighter.
const CONTEXT: Pair = (231, 25);

/// rustc's layout in these colours.
pub fn renderer() -> Renderer {
    let pair = |(colour, ground): Pair| {
        Style::new().fg_color(Some(Ansi256Color(colour).into())).bg_color(Some(Ansi256Color(ground).into()))
    };
    Renderer::styled()
        .error(pair(ERROR))
        .warning(pair(WARNING))
        .note(pair(NOTE))
        .help(pair(HELP))
        .line_num(Style::new())
        .context(pair(CONTEXT))
        .addition(pair(NOTE))
        .removal(pair(ERROR))
        .emphasis(Style::new().bold())
}

/// A text in a colour, for terminals and for tracebacks.
pub(super) fn painted((colour, ground): Pair, text: &str) -> String {
    format!("\x1b[38;5;{colour};48;5;{ground}m{text}\x1b[0m")
}

/// Text with colours as something to show: as HTML, and plain for those who take no HTML and no escape codes either.
pub fn bundle(text: &str) -> MimeBundle {
    let html = format!("<pre style=\"margin:0;white-space:pre-wrap\">{}</pre>", html(text));
    MimeBundle::from([("text/plain".to_owned(), plain(text).into()), ("text/html".to_owned(), html.into())])
}

fn plain(text: &str) -> String {
    parts(text).map(|(_, text)| text).collect()
}

fn html(text: &str) -> String {
    let mut style = String::new();
    let part = |(codes, text)| {
        match codes {
            "" | "0" => style.clear(),
            codes => style += &declarations(codes),
        }
        let text = Escaped(text).to_string();
        if style.is_empty() || text.is_empty() { text } else { format!("<span style=\"{style}\">{text}</span>") }
    };
    parts(text).map(part).collect()
}

/// The text between escape codes, each piece with the numbers of the code before it.
fn parts(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut parts = text.split("\x1b[");
    let first = parts.next().map(|first| ("", first));
    first.into_iter().chain(parts.filter_map(|part| part.split_once('m')))
}

/// An escape code as CSS.
fn declarations(codes: &str) -> String {
    let mut style = String::new();
    let mut codes = codes.split(';');
    while let Some(code) = codes.next() {
        let property = match code {
            "1" => {
                style += "font-weight:bold;";
                continue;
            }
            "38" => "color",
            "48" => "background-color",
            _ => continue,
        };
        if let Some((red, green, blue)) = codes.nth(1).and_then(|number| Some(rgb(number.parse().ok()?))) {
            style += &format!("{property}:rgb({red},{green},{blue});");
        }
    }
    style
}

/// What a number of the 256 looks like: a cube of 6 by 6 by 6. The sixteen before it, which look as the front end
/// likes, and the greys behind it are not used.
fn rgb(number: u8) -> (u8, u8, u8) {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let at = usize::from(number.saturating_sub(16).min(215));
    (LEVELS[at / 36], LEVELS[at / 6 % 6], LEVELS[at % 6])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As WCAG defines it.
    fn contrast(one: (u8, u8, u8), other: (u8, u8, u8)) -> f64 {
        let part = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = |(red, green, blue)| 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
        let (one, other): (f64, f64) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn every_colour_can_be_read_on_its_ground() {
        for (colour, ground) in [ERROR, WARNING, NOTE, HELP, CONTEXT] {
            let contrast = contrast(rgb(colour), rgb(ground));
            assert!(contrast >= 4.5, "{colour} on {ground}: {contrast:.2}");
        }
        // JupyterLab's yellow on white, which was used before.
        assert!(contrast((0xdd, 0xb6, 0x2b), (255, 255, 255)) < 2.0);
    }

    #[test]
    fn what_is_rendered_has_no_colour_without_a_ground() {
        use annotate_snippets::{AnnotationKind, Level, Snippet};
        let snippet = Snippet::source("let a = b;").annotation(AnnotationKind::Primary.span(8..9).label("not found"));
        let snippet = snippet.annotation(AnnotationKind::Context.span(4..5).label("for this"));
        let note = Level::NOTE.message("a note");
        let title = Level::ERROR.primary_title("cannot find `b`").id("E0425");
        let text = renderer().render(&[title.element(snippet).element(note)]);
        let html = html(&text);
        let spans: Vec<&str> = html.split("<span style=\"").skip(1).collect();
        assert!(
            spans.iter().any(|span| span.contains("color:rgb(255,255,255);background-color:rgb(175,0,0);")),
            "{html}"
        );
        for span in spans {
            let style = span.split('"').next().unwrap_or_default();
            assert_eq!(style.starts_with("color:"), style.contains("background-color:"), "{html}");
        }
    }

    #[test]
    fn a_bundle_is_plain_and_html() {
        let bundle = bundle(&format!("{}: a < b", painted(ERROR, "Panic")));
        assert_eq!(bundle["text/plain"], "Panic: a < b");
        // Pages typeset what stands between dollar signs.
        assert_eq!(html("$x, $y, \"z\""), "&#36;x, &#36;y, &quot;z&quot;");
        let html = bundle["text/html"].as_str().unwrap();
        assert!(
            html.contains(
                "<span style=\"color:rgb(255,255,255);background-color:rgb(175,0,0);\">Panic</span>: a &lt; b"
            )
        );
    }
}
