//! What a figure of a timeline is made of, whatever it is drawn in: bars, lines and words.
//!
//! Each state has a hatch or a shade as well as a colour, and words are dark on the white ground that a figure brings
//! with it, so that it can be read on light pages, on dark ones, and on paper.

use super::folded::{self, Columns, Row};
use super::{Lane, Timeline, glyphs};
use crate::support::units;
use crate::{TaskKind, TaskState};
use loopbook_channel::{cell_label, counted};
use std::time::Duration;

/// Pixels.
const NAMES: f64 = 190.0;
pub(super) const LANES: usize = 760;
const HEIGHT: f64 = 18.0;
const BAR: f64 = 12.0;
const TOP: f64 = 24.0;
const MARGIN: f64 = 8.0;
/// A poll of this length keeps others waiting: it is marked.
pub(super) const BLOCKED: f64 = 0.1;
/// Pixels from which on a wait is labelled.
const LABELLED: f64 = 56.0;
/// Pixels from which on a wait has its sign.
const SIGNED: f64 = 12.0;
const MOST_LABELS: usize = 150;
const MOST_ARROWS: usize = 150;

pub(super) const INK: Color = Color(0x22, 0x22, 0x22);
const GREY: Color = Color(0x80, 0x80, 0x80);
const RED: Color = Color(0xc6, 0x28, 0x28);
const GREEN: Color = Color(0x2e, 0x9e, 0x4f);
/// The hatch of what is ready to run.
pub(super) const ORANGE: Color = Color(0xc7, 0x7f, 0x00);
/// What waits: pale, so that words on it can be read.
const PALE: Color = Color(0xce, 0xe0, 0xf5);
const BAND: Color = Color(0xf3, 0xf3, 0xf3);
const GRID: Color = Color(0xd9, 0xd9, 0xd9);

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Color(pub(super) u8, pub(super) u8, pub(super) u8);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    Solid(Color),
    /// Diagonal lines, in [`ORANGE`].
    Hatch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    End,
}

/// A rectangle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// One thing to draw. Points are pixels from the left upper corner.
#[derive(Debug)]
pub(super) enum Shape {
    /// What follows until [`Shape::End`] belongs together, and is called this.
    Begin(String),
    End,
    Bars {
        bars: Vec<Bar>,
        fill: Fill,
    },
    /// From, to.
    Lines {
        lines: Vec<[(f64, f64); 2]>,
        color: Color,
        width: f64,
    },
    Words {
        x: f64,
        y: f64,
        size: f64,
        anchor: Anchor,
        color: Color,
        text: String,
    },
}

/// A figure.
#[derive(Debug)]
pub(super) struct Drawing {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) shapes: Vec<Shape>,
}

impl Drawing {
    /// Draws a timeline, with time in so many columns.
    pub(super) fn new(timeline: &Timeline, columns: usize) -> Self {
        let (rows, left_out) = folded::rows(timeline);
        let busy: Vec<usize> =
            (0..timeline.workers.len()).filter(|&at| timeline.workers[at].utilization > 0.0).collect();
        let below = TOP + HEIGHT * busy.len() as f64;
        let last = below + HEIGHT * rows.len() as f64;
        let height = last + MARGIN + if left_out > 0 { HEIGHT } else { 0.0 };
        let mut drawing = Self { width: NAMES + LANES as f64 + MARGIN, height, shapes: Vec::new() };
        drawing.bands(timeline);
        drawing.axis(timeline);
        for (row, &worker) in busy.iter().enumerate() {
            drawing.worker(timeline, worker, TOP + HEIGHT * row as f64, columns);
        }
        for (at, row) in rows.iter().enumerate() {
            let y = below + HEIGHT * at as f64;
            drawing.label(&row.title, y);
            match row.lanes[..] {
                [lane] => drawing.lane(timeline, row, lane, y, columns),
                _ => drawing.strip(timeline, row, y, columns),
            }
        }
        drawing.arrows(timeline, &rows, below);
        if left_out > 0 {
            drawing.label(&format!("and {}", counted(left_out, "more place")), last);
        }
        drawing
    }

    /// A pale band behind each cell, with its name.
    fn bands(&mut self, timeline: &Timeline) {
        for cell in timeline.lanes.iter().filter(|lane| lane.kind == TaskKind::Cell) {
            let (Some(first), Some(last)) = (cell.spans.first(), cell.spans.last()) else { continue };
            let (from, to) = (x(timeline, first.from), x(timeline, last.to));
            self.bars(
                vec![Bar { x: from, y: 12.0, width: (to - from).max(1.0), height: self.height - 12.0 }],
                Fill::Solid(BAND),
            );
            self.words((from + 2.0, 10.0), 9.0, Anchor::Start, INK, cell.title());
        }
    }

    fn axis(&mut self, timeline: &Timeline) {
        let length = (timeline.to - timeline.from).max(1e-9);
        let step = round_step(length / 6.0);
        let mut tick = 0.0;
        while tick * step <= length {
            let part = tick * step / length;
            let at = NAMES + (LANES as f64 * part).floor();
            let anchor = if part > 0.95 { Anchor::End } else { Anchor::Start };
            self.lines(vec![[(at, 14.0), (at, self.height)]], GRID, 1.0);
            let label = if tick == 0.0 { "0".to_owned() } else { time(tick * step) };
            self.words((at, 21.0), 9.0, anchor, INK, label);
            tick += 1.0;
        }
    }

    fn worker(&mut self, timeline: &Timeline, worker: usize, y: f64, columns: usize) {
        let Some(thread) = timeline.workers.get(worker) else { return };
        self.label(&format!("{} {:.0} %", thread.name, 100.0 * thread.utilization), y);
        let mut busy = vec![false; columns];
        for span in timeline.lanes.iter().flat_map(|lane| &lane.spans).filter(|span| span.worker == Some(worker)) {
            let last = folded::column(timeline, span.to, columns).min(columns - 1);
            busy[folded::column(timeline, span.from, columns).min(last)..=last].fill(true);
        }
        self.bars(bars(columns, y + 6.0, 6.0, |at| busy[at]), Fill::Solid(GREY));
    }

    /// The row of one task.
    fn lane(&mut self, timeline: &Timeline, row: &Row<'_>, lane: &Lane, y: f64, columns: usize) {
        let shares = Columns::new(timeline, row, columns);
        let in_state = |state| bars(columns, y + 3.0, BAR, |at| shares.main(at) == Some(state));
        let moments =
            bars(columns, y + 3.0, BAR / 2.0, |at| shares.ran(at) && shares.main(at) != Some(TaskState::Running));
        self.shapes.push(Shape::Begin(tooltip(lane)));
        self.bars(in_state(TaskState::Idle), Fill::Solid(PALE));
        self.bars(in_state(TaskState::Scheduled), Fill::Hatch);
        self.bars(in_state(TaskState::Running).into_iter().chain(moments).collect(), Fill::Solid(GREEN));
        self.marks(timeline, lane, y);
        self.shapes.push(Shape::End);
    }

    /// What is written on a lane: what it waits for, long polls, a bad end.
    fn marks(&mut self, timeline: &Timeline, lane: &Lane, y: f64) {
        let limit = if timeline.lanes.len() > 10 { MOST_LABELS / timeline.lanes.len() } else { 20 };
        let mut labels = 0;
        for span in &lane.spans {
            let (from, to) = (x(timeline, span.from), x(timeline, span.to));
            if span.state == TaskState::Running && span.to - span.from >= BLOCKED && labels <= limit {
                labels += 1;
                self.lines(vec![[(from, y + 3.0 + BAR), (to, y + 3.0 + BAR)]], RED, 2.0);
            }
            let Some(waits) = span.waits.as_ref().filter(|_| to - from >= SIGNED && labels < limit) else { continue };
            labels += 1;
            let place = |(x, z): (f64, f64)| (from + 2.0 + x, y + 5.0 + z);
            let sign: Vec<_> = glyphs::of(waits).map(|line| line.map(place)).collect();
            let words = if sign.is_empty() { from + 4.0 } else { from + SIGNED };
            self.lines(sign, INK, 0.8);
            if to - from >= LABELLED {
                self.words((words, y + 12.0), 9.0, Anchor::Start, INK, timeline.called(waits));
            }
        }
        let mark = match lane.end {
            Some(TaskState::Cancelled) => "✕",
            Some(TaskState::Panicked) => "⚡",
            _ => return,
        };
        let Some(last) = lane.spans.last() else { return };
        self.words((x(timeline, last.to) - 4.0, y + 13.0), 11.0, Anchor::Start, RED, mark.to_owned());
    }

    /// The row of several tasks: how many of them were in which state.
    fn strip(&mut self, timeline: &Timeline, row: &Row<'_>, y: f64, columns: usize) {
        let shares = Columns::new(timeline, row, columns);
        let most = row.lanes.len() as f32;
        let full = BAR as usize;
        // Whole pixels, so that what hardly differs is drawn as one.
        let height = |share: f32| {
            if share > 0.0 { ((share / most * BAR as f32).round() as usize).clamp(1, full) } else { 0 }
        };
        let heights: Vec<[usize; 3]> = (0..shares.len()).map(|at| shares.shares(at).map(height)).collect();
        self.shapes.push(Shape::Begin(format!("{}: {}", row.title, counted(row.lanes.len(), "task"))));
        for (state, fill) in [Fill::Solid(GREEN), Fill::Hatch, Fill::Solid(PALE)].into_iter().enumerate() {
            let all = runs(columns, |at| {
                let under = heights[at][..state].iter().sum::<usize>().min(full - 1);
                let tall = heights[at][state].min(full - under);
                (tall > 0).then_some((under, tall))
            });
            let bar = |(mut bar, (under, tall)): (Bar, (usize, usize))| {
                (bar.y, bar.height) = (y + 3.0 + BAR - (under + tall) as f64, tall as f64);
                bar
            };
            self.bars(all.map(bar).collect(), fill);
        }
        self.shapes.push(Shape::End);
    }

    /// Thin lines from who wakes to who is woken, between lanes of their own.
    fn arrows(&mut self, timeline: &Timeline, rows: &[Row<'_>], below: f64) {
        let row_of = |task| {
            let at = rows.iter().position(|row| matches!(row.lanes[..], [lane] if lane.task == task))?;
            Some(below + HEIGHT * at as f64 + 3.0 + BAR / 2.0)
        };
        let arrows = timeline.wakes.iter().filter_map(|wake| {
            let by = wake.by.filter(|by| *by != wake.task)?;
            let x = x(timeline, wake.at);
            Some([(x, row_of(by)?), (x, row_of(wake.task)?)])
        });
        let lines = arrows.take(MOST_ARROWS).collect();
        self.lines(lines, GREY, 0.8);
    }

    fn label(&mut self, text: &str, y: f64) {
        const LONGEST: usize = 30;
        let short = text.chars().take(LONGEST).collect();
        self.words((NAMES - 6.0, y + 13.0), 11.0, Anchor::End, INK, short);
    }

    fn bars(&mut self, bars: Vec<Bar>, fill: Fill) {
        if !bars.is_empty() {
            self.shapes.push(Shape::Bars { bars, fill });
        }
    }

    fn lines(&mut self, lines: Vec<[(f64, f64); 2]>, color: Color, width: f64) {
        if !lines.is_empty() {
            self.shapes.push(Shape::Lines { lines, color, width });
        }
    }

    fn words(&mut self, (x, y): (f64, f64), size: f64, anchor: Anchor, color: Color, text: String) {
        self.shapes.push(Shape::Words { x, y, size, anchor, color, text });
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

/// A bar over each run of columns for which `holds` is true.
fn bars(columns: usize, y: f64, height: f64, holds: impl Fn(usize) -> bool) -> Vec<Bar> {
    runs(columns, |at| holds(at).then_some(())).map(|(bar, ())| Bar { y, height, ..bar }).collect()
}

/// The runs of columns that have the same key, as bars of which only the width is known, and the key.
fn runs<K: PartialEq>(columns: usize, key: impl Fn(usize) -> Option<K>) -> impl Iterator<Item = (Bar, K)> {
    let pixels = (LANES / columns) as f64;
    let mut at = 0;
    std::iter::from_fn(move || {
        let (from, found) = (at..columns).find_map(|at| Some((at, key(at)?)))?;
        at = (from + 1..columns).find(|&at| key(at).as_ref() != Some(&found)).unwrap_or(columns);
        let (x, width) = (NAMES + from as f64 * pixels, (at - from) as f64 * pixels);
        Some((Bar { x, y: 0.0, width, height: 0.0 }, found))
    })
}

/// The next number from this one on that is easy to read: 1, 2 or 5 with zeros.
fn round_step(at_least: f64) -> f64 {
    let power = 10f64.powf(at_least.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|step| *step >= at_least);
    step.unwrap_or(10.0 * power)
}

fn x(timeline: &Timeline, at: f64) -> f64 {
    let part = (at - timeline.from) / (timeline.to - timeline.from).max(1e-9);
    NAMES + LANES as f64 * part.clamp(0.0, 1.0)
}

/// A number of seconds, for people.
pub(super) fn time(seconds: f64) -> String {
    units::duration(Duration::from_secs_f64(seconds.max(0.0)))
}
