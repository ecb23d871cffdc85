//! A figure as PDF, which LaTeX takes as it is: vectors, and a font that every reader has.

use super::Timeline;
use super::drawing::{Anchor, Bar, Color, Drawing, Fill, LANES, ORANGE, Shape};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};

/// The most bytes of a drawing.
const LARGEST: usize = 145_000;
/// Points per pixel.
const SCALE: f32 = 0.75;
const FONT: Name<'_> = Name(b"F");

/// The drawing, with columns as fine as the size allows.
pub(super) fn draw(timeline: &Timeline) -> Vec<u8> {
    let mut columns = LANES;
    loop {
        let pdf = write(&Drawing::new(timeline, columns));
        if pdf.len() <= LARGEST || columns <= LANES / 16 {
            return pdf;
        }
        columns /= 2;
    }
}

fn write(drawing: &Drawing) -> Vec<u8> {
    let [catalog, pages, page, font, content] = [1, 2, 3, 4, 5].map(Ref::new);
    let size = Rect::new(0.0, 0.0, drawing.width as f32 * SCALE, drawing.height as f32 * SCALE);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(pages);
    pdf.pages(pages).kids([page]).count(1);
    let mut sheet = pdf.page(page);
    sheet.parent(pages).media_box(size).contents(content);
    sheet.resources().fonts().pair(FONT, font);
    sheet.finish();
    pdf.type1_font(font).base_font(Name(b"Helvetica")).encoding_predefined(Name(b"WinAnsiEncoding"));
    pdf.stream(content, &draw_shapes(drawing));
    pdf.finish()
}

fn draw_shapes(drawing: &Drawing) -> Vec<u8> {
    let mut content = Content::new();
    // Pixels from the left upper corner from here on, except that letters would stand on their heads.
    content.transform([SCALE, 0.0, 0.0, -SCALE, 0.0, drawing.height as f32 * SCALE]);
    for shape in &drawing.shapes {
        match shape {
            Shape::Begin(_) | Shape::End => {}
            Shape::Bars { bars, fill: Fill::Solid(color) } => {
                let [red, green, blue] = parts(*color);
                content.set_fill_rgb(red, green, blue);
                bars.iter().for_each(|bar| rectangle(&mut content, bar));
                content.fill_nonzero();
            }
            Shape::Bars { bars, fill: Fill::Hatch } => hatch(&mut content, bars),
            Shape::Lines { lines, color, width } => strokes(&mut content, lines, *color, *width),
            Shape::Words { x, y, size, anchor, color, text } => {
                let text = encode(text);
                let width = if *anchor == Anchor::End { width(&text) * size } else { 0.0 };
                let [red, green, blue] = parts(*color);
                content.set_fill_rgb(red, green, blue).begin_text().set_font(FONT, *size as f32);
                content.set_text_matrix([1.0, 0.0, 0.0, -1.0, (x - width) as f32, *y as f32]);
                content.show(Str(&text)).end_text();
            }
        }
    }
    content.finish().into_vec()
}

fn rectangle(content: &mut Content, bar: &Bar) {
    content.rect(bar.x as f32, bar.y as f32, bar.width as f32, bar.height as f32);
}

/// Upright stripes: each bar is a thick line with many gaps, which takes a few bytes.
fn hatch(content: &mut Content, bars: &[Bar]) {
    content.save_state().set_dash_pattern([1.4, 1.6], 0.0);
    for bar in bars {
        let middle = bar.y + bar.height / 2.0;
        strokes(content, &[[(bar.x, middle), (bar.x + bar.width, middle)]], ORANGE, bar.height);
    }
    content.restore_state();
}

fn strokes(content: &mut Content, lines: &[[(f64, f64); 2]], color: Color, width: f64) {
    let [red, green, blue] = parts(color);
    content.set_stroke_rgb(red, green, blue).set_line_width(width as f32);
    for [from, to] in lines {
        content.move_to(from.0 as f32, from.1 as f32).line_to(to.0 as f32, to.1 as f32);
    }
    content.stroke();
}

fn parts(Color(red, green, blue): Color) -> [f32; 3] {
    [red, green, blue].map(|part| f32::from(part) / 255.0)
}

/// In the font's encoding, which has Latin letters only.
fn encode(text: &str) -> Vec<u8> {
    let byte = |c: char| match c {
        '✕' => b'x',
        '⚡' => b'!',
        '→' => b'>',
        ' '..='~' | '\u{a1}'..='\u{ff}' => u8::try_from(c).unwrap_or(b'?'),
        _ => b'?',
    };
    text.chars().map(byte).collect()
}

/// How wide a text is, in units of its size; from Adobe's metrics of Helvetica, rounded.
fn width(text: &[u8]) -> f64 {
    let one = |byte: &u8| match byte {
        b'i' | b'j' | b'l' | b'\'' => 0.22,
        b' ' | b'!' | b',' | b'.' | b'/' | b':' | b';' | b'I' | b'[' | b'\\' | b']' | b'f' | b't' | b'|' => 0.28,
        b'(' | b')' | b'-' | b'`' | b'r' => 0.33,
        b'J' | b'c' | b'k' | b's' | b'v' | b'x' | b'y' | b'z' => 0.5,
        b'A' | b'B' | b'E' | b'K' | b'P' | b'S' | b'V' | b'X' | b'Y' => 0.67,
        b'C' | b'D' | b'H' | b'N' | b'R' | b'U' | b'w' => 0.72,
        b'G' | b'O' | b'Q' => 0.78,
        b'M' | b'm' => 0.83,
        b'%' => 0.89,
        b'W' => 0.94,
        _ => 0.56,
    };
    text.iter().map(one).sum()
}
