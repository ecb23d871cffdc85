//! A timeline as a drawing.
//!
//! Colours are of middling lightness, and text has the colour of the page, so that it can be read on light and dark pages;
//! each state has a hatch as well as a colour. Nothing moves and no script runs, so it survives wherever HTML is shown.

use super::folded::{self, Columns, Row};
use super::{Lane, Timeline, glyphs, text};
use crate::views::{self, Escaped};
use crate::{TaskKind, TaskState};
use loopbook_channel::cell_label;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Pixels.
const NAMES: usize = 190;
const LANES: usize = 760;
const HEIGHT: usize = 18;
const BAR: usize = 12;
const TOP: usize = 24;
/// The most bytes of a drawing.
const LARGEST: usize = 200_000;
/// A poll of this length keeps others waiting: it is marked.
const BLOCKED: f64 = 0.1;
/// Pixels from which on a wait is labelled.
const LABELLED: f64 = 56.0;
/// Pixels from which on a wait has its sign.
const SIGNED: f64 = 12.0;
const MOST_LABELS: usize = 150;
const MOST_ARROWS: usize = 150;

/// The drawing, with columns as fine as the size allows.
pub(super) fn draw(timeline: &Timeline) -> String {
    let mut columns = LANES;
    loop {
        let svg = with_columns(timeline, columns);
        if svg.len() <= LARGEST || columns <= LANES / 16 {
            return svg;
        }
        columns /= 2;
    }
}

/// The drawing as a figure with a caption and a description.
pub(super) fn figure(timeline: &Timeline) -> String {
    format!(
        "<figure style=\"margin:0;overflow-x:auto\">{}<figcaption style=\"font-size:90%;opacity:.8\">{}</figcaption></figure>",
        draw(timeline),
        Escaped(&caption(timeline))
    )
}

fn caption(timeline: &Timeline) -> String {
    let mut caption = format!(
        "{} tasks in {}. Filled: runs; dense hatch: ready, waits for a thread; pale: waits. Red edge: a poll of over \
         {:.0} ms.",
        timeline.lanes.len(),
        time(timeline.to - timeline.from),
        BLOCKED * 1e3
    );
    if timeline.lanes.iter().flat_map(|lane| &lane.spans).any(|span| span.waits.is_some()) {
        let _ = write!(caption, " {}", glyphs::LEGEND);
    }
    if timeline.lost > 0 {
        let _ = write!(caption, " {} older events are forgotten.", timeline.lost);
    }
    caption
}

fn with_columns(timeline: &Timeline, columns: usize) -> String {
    // Patterns are found by their names in the whole page.
    static FIGURES: AtomicU64 = AtomicU64::new(1);
    let id = format!("lb{}-{}", std::process::id(), FIGURES.fetch_add(1, Ordering::Relaxed));
    let (rows, left_out) = folded::rows(timeline);
    let busy: Vec<usize> = (0..timeline.workers.len()).filter(|&at| timeline.workers[at].utilization > 0.0).collect();
    let below = TOP + HEIGHT * busy.len();
    let height = below + HEIGHT * rows.len() + 8 + if left_out > 0 { HEIGHT } else { 0 };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"11\" fill=\"currentColor\"><title>{}</title><desc>{}</desc>\
         <defs><pattern id=\"{id}\" width=\"3\" height=\"3\" patternUnits=\"userSpaceOnUse\">\
         <path d=\"M0 3L3 0\" stroke=\"#c77f00\" stroke-width=\"1.4\"/></pattern></defs>",
        Escaped(&caption(timeline)),
        Escaped(&describe(timeline)),
        width = NAMES + LANES + 8,
    );
    bands(&mut svg, timeline, height);
    axis(&mut svg, timeline, height);
    for (row, &worker) in busy.iter().enumerate() {
        worker_row(&mut svg, timeline, worker, TOP + HEIGHT * row, columns);
    }
    for (at, row) in rows.iter().enumerate() {
        let y = below + HEIGHT * at;
        label(&mut svg, &row.title, y);
        if row.lanes.len() == 1 {
            lane(&mut svg, timeline, row, y, columns, &id);
        } else {
            strip(&mut svg, timeline, row, y, columns, &id);
        }
    }
    arrows(&mut svg, timeline, &rows, below);
    if left_out > 0 {
        label(&mut svg, &format!("and {left_out} more places"), height - HEIGHT);
    }
    svg.push_str("</svg>");
    svg
}

/// The first lines of the text, for those who do not see the drawing.
fn describe(timeline: &Timeline) -> String {
    const LINES: usize = 12;
    text::draw(timeline).lines().take(LINES).collect::<Vec<_>>().join("\n")
}

/// A pale band behind each cell, with its name.
fn bands(svg: &mut String, timeline: &Timeline, height: usize) {
    for cell in timeline.lanes.iter().filter(|lane| lane.kind == TaskKind::Cell) {
        let (Some(first), Some(last)) = (cell.spans.first(), cell.spans.last()) else { continue };
        let (from, to) = (x(timeline, first.from), x(timeline, last.to));
        let _ = write!(
            svg,
            "<rect x=\"{from:.1}\" y=\"12\" width=\"{:.1}\" height=\"{}\" fill=\"#808080\" fill-opacity=\".09\"/>\
             <text x=\"{:.1}\" y=\"10\" font-size=\"9\">{}</text>",
            (to - from).max(1.0),
            height - 12,
            from + 2.0,
            Escaped(&cell.title())
        );
    }
}

fn axis(svg: &mut String, timeline: &Timeline, height: usize) {
    const TICKS: usize = 5;
    let length = timeline.to - timeline.from;
    for tick in 0..=TICKS {
        let at = NAMES + LANES * tick / TICKS;
        let anchor = if tick == TICKS { "end" } else { "start" };
        let _ = write!(
            svg,
            "<path d=\"M{at} 14V{height}\" stroke=\"#808080\" stroke-opacity=\".3\"/><text x=\"{at}\" y=\"21\" \
             font-size=\"9\" text-anchor=\"{anchor}\">{}</text>",
            Escaped(&time(length * tick as f64 / TICKS as f64))
        );
    }
}

fn worker_row(svg: &mut String, timeline: &Timeline, worker: usize, y: usize, columns: usize) {
    let Some(thread) = timeline.workers.get(worker) else { return };
    label(svg, &format!("{} {:.0} %", thread.name, 100.0 * thread.utilization), y);
    let mut busy = vec![false; columns];
    for span in timeline.lanes.iter().flat_map(|lane| &lane.spans).filter(|span| span.worker == Some(worker)) {
        let last = folded::column(timeline, span.to, columns).min(columns - 1);
        busy[folded::column(timeline, span.from, columns).min(last)..=last].fill(true);
    }
    let path = runs(columns, |at| busy[at]).fold(String::new(), |path, run| path + &bar(run, columns, y + 6, 6));
    let _ = write!(svg, "<path d=\"{path}\" fill=\"#808080\"/>");
}

/// The lane of one task.
fn lane(svg: &mut String, timeline: &Timeline, row: &Row<'_>, y: usize, columns: usize, id: &str) {
    let Some(lane) = row.lanes.first() else { return };
    let shares = Columns::new(timeline, row, columns);
    let in_state = |state| {
        runs(columns, |at| shares.main(at) == Some(state))
            .fold(String::new(), |path, run| path + &bar(run, columns, y + 3, BAR))
    };
    let moments = runs(columns, |at| shares.ran(at) && shares.main(at) != Some(TaskState::Running))
        .fold(String::new(), |path, run| path + &bar(run, columns, y + 3, BAR / 2));
    let _ = write!(
        svg,
        "<g><title>{}</title><path d=\"{}\" fill=\"#3b82d6\" fill-opacity=\".25\"/><path d=\"{}\" fill=\"url(#{id})\"/>\
         <path d=\"{}{moments}\" fill=\"#2e9e4f\"/>",
        Escaped(&tooltip(lane)),
        in_state(TaskState::Idle),
        in_state(TaskState::Scheduled),
        in_state(TaskState::Running),
    );
    marks(svg, timeline, lane, y);
    svg.push_str("</g>");
}

/// What is written on a lane: what it waits for, long polls, a bad end.
fn marks(svg: &mut String, timeline: &Timeline, lane: &Lane, y: usize) {
    let limit = if timeline.lanes.len() > 10 { MOST_LABELS / timeline.lanes.len() } else { 20 };
    let mut labels = 0;
    for span in &lane.spans {
        let (from, to) = (x(timeline, span.from), x(timeline, span.to));
        if span.state == TaskState::Running && span.to - span.from >= BLOCKED && labels <= limit {
            labels += 1;
            let _ =
                write!(svg, "<path d=\"M{from:.1} {}H{to:.1}\" stroke=\"#e0463e\" stroke-width=\"2\"/>", y + 3 + BAR);
        }
        let Some(waits) = span.waits.as_ref().filter(|_| to - from >= SIGNED && labels < limit) else { continue };
        labels += 1;
        let mut text = from + 4.0;
        if let Some(sign) = glyphs::of(waits) {
            let _ = write!(
                svg,
                "<path transform=\"translate({:.1} {})\" d=\"{sign}\" fill=\"none\" stroke=\"currentColor\" \
                 stroke-width=\".8\"/>",
                from + 2.0,
                y + 5
            );
            text += SIGNED;
        }
        if to - from >= LABELLED {
            let _ = write!(svg, "<text x=\"{text:.1}\" y=\"{}\" font-size=\"9\">{}</text>", y + 12, Escaped(waits));
        }
    }
    let mark = match lane.end {
        Some(TaskState::Cancelled) => "✕",
        Some(TaskState::Panicked) => "⚡",
        _ => return,
    };
    let Some(last) = lane.spans.last() else { return };
    let _ =
        write!(svg, "<text x=\"{:.1}\" y=\"{}\" fill=\"#e0463e\">{mark}</text>", x(timeline, last.to) - 4.0, y + 13);
}

/// The row of several tasks: how many of them were in which state.
fn strip(svg: &mut String, timeline: &Timeline, row: &Row<'_>, y: usize, columns: usize, id: &str) {
    let shares = Columns::new(timeline, row, columns);
    let most = row.lanes.len() as f32;
    // Whole pixels, so that what hardly differs is drawn as one.
    let heights: Vec<[usize; 3]> = (0..shares.len())
        .map(|at| {
            shares
                .shares(at)
                .map(|share| if share > 0.0 { ((share / most * BAR as f32).round() as usize).clamp(1, BAR) } else { 0 })
        })
        .collect();
    let _ = write!(svg, "<g><title>{}: {} tasks</title>", Escaped(&row.title), row.lanes.len());
    let fills = [("#2e9e4f".to_owned(), "1"), (format!("url(#{id})"), "1"), ("#3b82d6".to_owned(), ".25")];
    for (state, (fill, opacity)) in fills.iter().enumerate() {
        let mut path = String::new();
        for tall in 1..=BAR {
            for run in runs(columns, |at| heights[at][state] == tall) {
                let under: usize = heights[run.0][..state].iter().sum();
                let bottom = (y + 3 + BAR).saturating_sub(under.min(BAR - 1));
                path += &bar(run, columns, bottom - tall.min(bottom), tall);
            }
        }
        let _ = write!(svg, "<path d=\"{path}\" fill=\"{fill}\" fill-opacity=\"{opacity}\"/>");
    }
    svg.push_str("</g>");
}

/// Thin lines from who wakes to who is woken, between lanes of their own.
fn arrows(svg: &mut String, timeline: &Timeline, rows: &[Row<'_>], below: usize) {
    let row_of = |task| {
        rows.iter().position(|row| matches!(row.lanes[..], [lane] if lane.task == task)).map(|at| below + HEIGHT * at)
    };
    let arrows = timeline.wakes.iter().filter_map(|wake| {
        let by = wake.by.filter(|by| *by != wake.task)?;
        Some((x(timeline, wake.at), row_of(by)?, row_of(wake.task)?))
    });
    let path = arrows.take(MOST_ARROWS).fold(String::new(), |mut path, (x, from, to)| {
        let middle = 3 + BAR / 2;
        let _ = write!(path, "M{x:.1} {}V{}", from + middle, to + middle);
        path
    });
    if !path.is_empty() {
        let _ = write!(svg, "<path d=\"{path}\" stroke=\"currentColor\" stroke-opacity=\".5\" stroke-width=\".8\"/>");
    }
}

fn tooltip(lane: &Lane) -> String {
    let spent =
        |state| lane.spans.iter().filter(|span| span.state == state).map(|span| span.to - span.from).sum::<f64>();
    let place = match (lane.cell, lane.line) {
        (Some(cell), Some(line)) => format!(", {}, line {line}", cell_label(cell)),
        (Some(cell), None) => format!(", {}", cell_label(cell)),
        (None, _) => String::new(),
    };
    format!(
        "{} (task {}{place}): ran {}, was ready {}, waited {}",
        lane.title(),
        lane.task,
        time(spent(TaskState::Running)),
        time(spent(TaskState::Scheduled)),
        time(spent(TaskState::Idle))
    )
}

fn label(svg: &mut String, text: &str, y: usize) {
    const LONGEST: usize = 30;
    let short: String = text.chars().take(LONGEST).collect();
    let _ = write!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>", NAMES - 6, y + 13, Escaped(&short));
}

/// Neighbouring columns for which `holds` is true, as first and one past the last.
fn runs(columns: usize, holds: impl Fn(usize) -> bool) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let from = (at..columns).find(|&at| holds(at))?;
        at = (from..columns).find(|&at| !holds(at)).unwrap_or(columns);
        Some((from, at))
    })
}

/// A rectangle over a run of columns, as part of a path.
fn bar((from, to): (usize, usize), columns: usize, y: usize, height: usize) -> String {
    let width = LANES / columns;
    format!("M{} {y}h{}v{height}h-{1}z", NAMES + from * width, (to - from) * width)
}

fn x(timeline: &Timeline, at: f64) -> f64 {
    let part = (at - timeline.from) / (timeline.to - timeline.from).max(1e-9);
    NAMES as f64 + LANES as f64 * part.clamp(0.0, 1.0)
}

fn time(seconds: f64) -> String {
    views::duration(Duration::from_secs_f64(seconds.max(0.0)))
}
