//! A timeline in plain ASCII.

use super::folded::{self, Row};
use super::{Timeline, folded::Columns};
use crate::TaskState;
use crate::support::units;
use loopbook_channel::counted;
use std::time::Duration;

/// Columns for time.
const WIDTH: usize = 72;
/// Characters for names.
const NAME: usize = 24;

/// The lanes as lines, under a line that says what they mean.
pub(super) fn draw(timeline: &Timeline) -> String {
    let length = timeline.to - timeline.from;
    let time = |seconds: f64| ascii(&units::duration(Duration::from_secs_f64(seconds.max(0.0))));
    let (rows, left_out) = folded::rows(timeline);
    let mut lines = vec![format!(
        "timeline of {}: {}; a column is {}; # runs, = is ready, . waits, x cancelled, ! panicked",
        time(length),
        counted(timeline.lanes.len(), "task"),
        time(length / WIDTH as f64),
    )];
    for row in &rows {
        let columns = Columns::new(timeline, row, WIDTH);
        let mut line: Vec<char> = (0..WIDTH).map(|at| columns.main(at).map_or(' ', letter)).collect();
        mark_end(&mut line, timeline, row);
        let line: String = line.into_iter().collect();
        let name: String = ascii(&row.title).chars().take(NAME).collect();
        lines.push(format!("{name:NAME$} |{line}|"));
    }
    if left_out > 0 {
        lines.push(format!("and {} with fewer tasks", counted(left_out, "more place")));
    }
    if timeline.lost > 0 {
        lines.push(forgotten(timeline.lost));
    }
    lines.join("\n")
}

/// The timeline in words, for those who do not see it: the first lanes, and how many tasks ran and waited at once.
pub(super) fn describe(timeline: &Timeline) -> String {
    const LANES: usize = 8;
    const SPANS: usize = 8;
    let time = |seconds: f64| units::duration(Duration::from_secs_f64(seconds.max(0.0)));
    let mut sentences =
        vec![format!("Timeline, {}, {}.", counted(timeline.lanes.len(), "task"), time(timeline.to - timeline.from))];
    for lane in timeline.lanes.iter().take(LANES) {
        let verb = |state| match state {
            TaskState::Running => "ran",
            TaskState::Scheduled => "was ready",
            _ => "waited",
        };
        let spans = lane.spans.iter().take(SPANS);
        let mut parts: Vec<String> =
            spans.map(|span| format!("{} to {}", verb(span.state), time(span.to - timeline.from))).collect();
        if lane.spans.len() > SPANS {
            parts.push("and so on".to_owned());
        }
        let start = lane.spans.first().map_or(timeline.from, |span| span.from) - timeline.from;
        sentences.push(format!("{} from {}: {}.", lane.title(), time(start), parts.join(", ")));
    }
    if timeline.lanes.len() > LANES {
        sentences.push(format!("And {}.", counted(timeline.lanes.len() - LANES, "more task")));
    }
    sentences.push(format!(
        "At most {} running, {} waiting at once.",
        timeline.most_at_once(TaskState::Running),
        timeline.most_at_once(TaskState::Idle)
    ));
    sentences.join(" ")
}

/// How many events are missing because they are too old.
pub(super) fn forgotten(events: u64) -> String {
    let are = if events == 1 { "is" } else { "are" };
    format!("{} {are} forgotten", counted(events as usize, "older event"))
}

fn letter(state: TaskState) -> char {
    match state {
        TaskState::Running => '#',
        TaskState::Scheduled => '=',
        _ => '.',
    }
}

fn mark_end(line: &mut [char], timeline: &Timeline, row: &Row<'_>) {
    let [lane] = row.lanes[..] else { return };
    let mark = match lane.end {
        Some(TaskState::Cancelled) => 'x',
        Some(TaskState::Panicked) => '!',
        _ => return,
    };
    let Some(last) = lane.spans.last() else { return };
    let at = folded::column(timeline, last.to, line.len()).min(line.len() - 1);
    line[at] = mark;
}

fn ascii(text: &str) -> String {
    text.replace('µ', "u").chars().map(|c| if c.is_ascii() && !c.is_control() { c } else { '?' }).collect()
}
