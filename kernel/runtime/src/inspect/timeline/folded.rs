//! From lanes to rows of a figure: one for each lane or, when there are many, one for each place that starts tasks; and
//! from times to columns.

use super::{Lane, Timeline};
use crate::{TaskKind, TaskState};
use loopbook_channel::{cell_label, counted, grouped, line_label};
use std::collections::BTreeMap;

/// With more lanes than this, those of one place share a row; and no more rows than this are shown.
pub(super) const MOST: usize = 60;

/// One row of a figure.
pub(super) struct Row<'a> {
    pub(super) title: String,
    pub(super) lanes: Vec<&'a Lane>,
}

/// The rows, and how many places have none.
pub(super) fn rows(timeline: &Timeline) -> (Vec<Row<'_>>, usize) {
    if timeline.lanes.len() <= MOST {
        return (timeline.lanes.iter().map(|lane| Row { title: lane.title(), lanes: vec![lane] }).collect(), 0);
    }
    let mut places: BTreeMap<_, Vec<&Lane>> = BTreeMap::new();
    for lane in &timeline.lanes {
        // Cells stay what they are.
        let own = (lane.kind == TaskKind::Cell).then_some(lane.task);
        places.entry((lane.cell, lane.line, lane.kind as u8, own)).or_default().push(lane);
    }
    let mut places: Vec<Vec<&Lane>> = places.into_values().collect();
    places.sort_by_key(|lanes| std::cmp::Reverse(lanes.len()));
    let left_out = places.len().saturating_sub(MOST);
    places.truncate(MOST);
    places.sort_by_key(|lanes| lanes[0].task);
    let rows = places.into_iter().map(|lanes| Row { title: title(&lanes), lanes });
    (rows.collect(), left_out)
}

/// The column in which a time lies, of so many.
pub(super) fn column(timeline: &Timeline, at: f64, columns: usize) -> usize {
    let part = (at - timeline.from) / (timeline.to - timeline.from).max(1e-9);
    (part * columns as f64).clamp(0.0, columns as f64) as usize
}

fn title(lanes: &[&Lane]) -> String {
    let first = lanes[0];
    if lanes.len() == 1 {
        return first.title();
    }
    let name = if lanes.iter().all(|lane| lane.name == first.name) { first.name.clone() } else { None };
    let count = grouped(lanes.len() as u64);
    match (name, first.cell, first.line) {
        (Some(name), ..) => format!("{count} x {name}"),
        (None, Some(cell), Some(line)) => format!("{count} of {}", line_label(cell, line)),
        (None, Some(cell), None) => format!("{count} of {}", cell_label(cell)),
        (None, None, _) => counted(lanes.len(), "task"),
    }
}

/// For each column of a row: which part of its time the tasks of the row spent in each state.
pub(super) struct Columns {
    /// Running, scheduled, idle; 1 is one task for the whole column.
    shares: Vec<[f32; 3]>,
}

impl Columns {
    pub(super) fn new(timeline: &Timeline, row: &Row<'_>, columns: usize) -> Self {
        let mut shares = vec![[0.0; 3]; columns];
        let width = (timeline.to - timeline.from).max(1e-9) / columns as f64;
        for span in row.lanes.iter().flat_map(|lane| &lane.spans) {
            let state = index(span.state);
            let (from, to) = ((span.from - timeline.from) / width, (span.to - timeline.from) / width);
            let last = (to.max(0.0) as usize).min(columns - 1);
            for (at, share) in shares.iter_mut().enumerate().take(last + 1).skip(from.max(0.0) as usize) {
                share[state] += (to.min(at as f64 + 1.0) - from.max(at as f64)).max(0.0) as f32;
            }
        }
        Self { shares }
    }

    /// The state in which most of the column was spent; nothing if the tasks were hardly there.
    pub(super) fn main(&self, at: usize) -> Option<TaskState> {
        let [running, scheduled, idle] = self.shares[at];
        if running + scheduled + idle < 0.02 {
            return None;
        }
        if running >= scheduled && running >= idle {
            return Some(TaskState::Running);
        }
        Some(if scheduled >= idle { TaskState::Scheduled } else { TaskState::Idle })
    }

    /// Whether it ran in that column, if only for a moment.
    pub(super) fn ran(&self, at: usize) -> bool {
        self.shares[at][0] > 0.0
    }

    /// How many tasks there were in that column, running, scheduled and idle.
    pub(super) fn shares(&self, at: usize) -> [f32; 3] {
        self.shares[at]
    }

    pub(super) fn len(&self) -> usize {
        self.shares.len()
    }
}

fn index(state: TaskState) -> usize {
    match state {
        TaskState::Running => 0,
        TaskState::Scheduled => 1,
        _ => 2,
    }
}
