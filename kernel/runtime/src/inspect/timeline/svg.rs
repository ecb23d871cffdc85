//! A figure as SVG, and as a picture in HTML: JupyterLab removes SVG that stands in the HTML of a notebook which
//! somebody has sent, and a picture can have a description. Nothing moves, no script runs, and there are no tooltips.

use super::drawing::{Anchor, BLOCKED, Bar, Color, Drawing, Fill, INK, LANES, ORANGE, Shape, time};
use super::{Timeline, glyphs, text};
use crate::support::base64;
use loopbook_channel::{Escaped, counted};
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

/// The most bytes of a drawing, so that a page which has it in base64 gets less than 200 kB.
const LARGEST: usize = 145_000;

/// The drawing, with columns as fine as the size allows.
pub(super) fn draw(timeline: &Timeline) -> String {
    let mut columns = LANES;
    loop {
        let svg = write(timeline, &Drawing::new(timeline, columns));
        if svg.len() <= LARGEST || columns <= LANES / 16 {
            return svg;
        }
        columns /= 2;
    }
}

/// The drawing as a figure with a caption and a description. A picture, because a notebook that was sent by somebody shows
/// no SVG that stands in its HTML.
pub(super) fn figure(timeline: &Timeline) -> String {
    format!(
        "<figure style=\"margin:0;overflow-x:auto\"><img alt=\"{}\" src=\"data:image/svg+xml;base64,{}\" \
         style=\"max-width:100%;height:auto;background:#fff\"><figcaption style=\"font-size:90%;opacity:.8\">{}</figcaption></figure>",
        Escaped(&text::describe(timeline)),
        base64::encode(draw(timeline).as_bytes()),
        Escaped(&caption(timeline))
    )
}

fn caption(timeline: &Timeline) -> String {
    let mut caption = format!(
        "{} in {}. Filled: runs; dense hatch: ready, waits for a thread; pale: waits. Red edge: a poll of over \
         {:.0} ms.",
        counted(timeline.lanes.len(), "task"),
        time(timeline.to - timeline.from),
        BLOCKED * 1e3
    );
    caption += glyphs::legend(timeline);
    if timeline.lost > 0 {
        let _ = write!(caption, " {}.", text::forgotten(timeline.lost));
    }
    caption
}

fn write(timeline: &Timeline, drawing: &Drawing) -> String {
    // Patterns are found by their names in the whole page.
    static FIGURES: AtomicU64 = AtomicU64::new(1);
    let id = format!("lb{}-{}", std::process::id(), FIGURES.fetch_add(1, Ordering::Relaxed));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" font-family=\"sans-serif\"><title>{}</title><desc>{}</desc>\
         <defs><pattern id=\"{id}\" width=\"3\" height=\"3\" patternUnits=\"userSpaceOnUse\">\
         <path d=\"M0 3L3 0\" stroke=\"{ORANGE}\" stroke-width=\"1.4\"/></pattern></defs>\
         <rect width=\"{width}\" height=\"{height}\" rx=\"3\" fill=\"#fff\"/>",
        Escaped(&caption(timeline)),
        Escaped(&text::describe(timeline)),
        width = drawing.width,
        height = drawing.height,
    );
    for shape in &drawing.shapes {
        // Writing to a string cannot fail.
        let _ = write_shape(&mut svg, shape, &id);
    }
    svg.push_str("</svg>");
    svg
}

fn write_shape(svg: &mut String, shape: &Shape, hatch: &str) -> fmt::Result {
    match shape {
        Shape::Begin(title) => write!(svg, "<g><title>{}</title>", Escaped(title)),
        Shape::End => svg.write_str("</g>"),
        Shape::Bars { bars, fill } => {
            svg.write_str("<path d=\"")?;
            for Bar { x, y, width, height } in bars {
                write!(svg, "M{} {y}h{}v{height}h-{1}z", Short(*x), Short(*width))?;
            }
            match fill {
                Fill::Solid(color) => write!(svg, "\" fill=\"{color}\"/>"),
                Fill::Hatch => write!(svg, "\" fill=\"url(#{hatch})\"/>"),
            }
        }
        Shape::Lines { lines, color, width } => {
            svg.write_str("<path d=\"")?;
            for [from, to] in lines {
                write!(svg, "M{} {}L{} {}", Short(from.0), Short(from.1), Short(to.0), Short(to.1))?;
            }
            write!(svg, "\" stroke=\"{color}\" stroke-width=\"{width}\"/>")
        }
        Shape::Words { x, y, size, anchor, color, text } => {
            let anchor = if *anchor == Anchor::End { " text-anchor=\"end\"" } else { "" };
            write!(svg, "<text x=\"{}\" y=\"{y}\" font-size=\"{size}\"{anchor}", Short(*x))?;
            if *color != INK {
                write!(svg, " fill=\"{color}\"")?;
            }
            write!(svg, ">{}</text>", Escaped(text))
        }
    }
}

/// A number with at most one decimal.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round() / 10.0;
        write!(f, "{tenths}")
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}
