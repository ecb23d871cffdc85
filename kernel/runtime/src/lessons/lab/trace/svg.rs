//! A trace as a drawing: the client's line on the left, the server's on the right, an arrow for each piece.

use super::{Side, Trace};
use crate::support::units;
use loopbook_channel::{Escaped, counted};
use std::fmt::Write;

/// Pixels.
const WIDTH: usize = 760;
const LEFT: usize = 110;
const RIGHT: usize = WIDTH - 30;
const TOP: usize = 34;
const LINE: usize = 13;
const GAP: usize = 16;
/// So many lines of a piece are written out.
const MOST_LINES: usize = 10;
/// So many characters of a line.
const LONGEST: usize = 86;
/// So many pieces are drawn.
const MOST_PIECES: usize = 40;

pub(super) fn draw(trace: &Trace) -> String {
    let mut arrows = String::new();
    let mut y = TOP;
    for piece in trace.pieces.iter().take(MOST_PIECES) {
        let lines: Vec<String> = piece.lines().collect();
        for line in lines.iter().take(MOST_LINES) {
            y += LINE;
            let _ = write!(
                arrows,
                "<text x=\"{}\" y=\"{y}\" font-family=\"monospace\" font-size=\"10\">{}</text>",
                LEFT + 12,
                Escaped(&shortened(line))
            );
        }
        if lines.len() > MOST_LINES {
            y += LINE;
            let more = counted(lines.len() - MOST_LINES, "more line");
            let _ = write!(arrows, "<text x=\"{}\" y=\"{y}\" font-size=\"10\">… {more}</text>", LEFT + 12);
        }
        y += LINE;
        arrow(&mut arrows, piece.from, y, &units::duration(piece.at), piece.length);
        y += GAP;
    }
    end(&mut arrows, trace, y + LINE);
    let height = y + 2 * LINE;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"11\" fill=\"#1a1a1a\"><title>What went over connection {}</title>\
         <desc>{}</desc><rect width=\"{WIDTH}\" height=\"{height}\" rx=\"3\" fill=\"#fff\"/><text x=\"{LEFT}\" y=\"14\" text-anchor=\"middle\">client {}</text>\
         <text x=\"{RIGHT}\" y=\"14\" text-anchor=\"end\">server {}</text>\
         <path d=\"M{LEFT} 20V{bottom}M{RIGHT} 20V{bottom}\" stroke=\"#808080\"/>{arrows}</svg>",
        trace.connection,
        Escaped(&trace.to_text()),
        trace.client,
        trace.server,
        bottom = height - LINE,
    )
}

/// An arrow from one line to the other, with its time and its size.
fn arrow(svg: &mut String, from: Side, y: usize, time: &str, length: usize) {
    let (start, tip, back, color) = match from {
        Side::Client => (LEFT, RIGHT, RIGHT - 8, "#2f7ed8"),
        Side::Server => (RIGHT, LEFT, LEFT + 8, "#2a9d4a"),
    };
    let _ = write!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-size=\"10\">{}</text>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-size=\"10\">{}</text>\
         <path d=\"M{start} {y}H{tip}M{back} {}L{tip} {y}L{back} {}\" stroke=\"{color}\" stroke-width=\"1.5\" fill=\"none\"/>",
        LEFT - 8,
        y + 3,
        Escaped(time),
        RIGHT - 12,
        y - 4,
        counted(length, "byte"),
        y - 4,
        y + 4,
    );
}

/// What is not drawn, and the end of the connection.
fn end(svg: &mut String, trace: &Trace, y: usize) {
    let left_out = trace.pieces.len().saturating_sub(MOST_PIECES);
    let end = match (trace.closed, left_out) {
        (Some(at), 0) => format!("closed after {}", units::duration(at)),
        (Some(at), more) => format!("{}, closed after {}", counted(more, "more piece"), units::duration(at)),
        (None, 0) => "still open".to_owned(),
        (None, more) => format!("{}, still open", counted(more, "more piece")),
    };
    let _ = write!(svg, "<text x=\"{}\" y=\"{y}\" font-size=\"10\">{}</text>", LEFT + 12, Escaped(&end));
}

/// A line that fits, with spaces that stay as they are.
fn shortened(line: &str) -> String {
    let more = (line.chars().count() > LONGEST).then_some('…');
    line.chars().take(LONGEST).map(|c| if c == ' ' { '\u{a0}' } else { c }).chain(more).collect()
}
