//! Builds a timeline: the events of the threads become lanes of tasks.

use super::{Lane, Span, Timeline, Wake, Worker, seconds};
use crate::support::{clock::Moment, words};
use crate::tasks::{
    events::{self, Event, EventKind, NOBODY, WaitKind},
    registry, threads,
};
use crate::{Operation, TaskId, TaskInfo, TaskKind, TaskState, WaitingOn};
use std::collections::{BTreeMap, HashMap};

/// Everything that is remembered.
pub(super) fn timeline() -> Timeline {
    let known: HashMap<TaskId, TaskInfo> =
        registry::finished_and_living().into_iter().map(|task| (task.id, task)).collect();
    let threads = threads::all_and_gone();
    let mut events: Vec<(usize, Event)> = Vec::new();
    let mut lost = 0;
    for (index, thread) in threads.iter().enumerate() {
        let (remembered, forgotten) = thread.events();
        events.extend(remembered.into_iter().map(|event| (index, event)));
        lost += forgotten;
    }
    events.sort_by_key(|(_, event)| event.at);
    let now = Moment::now();
    let mut builder = Builder::default();
    events.iter().for_each(|(thread, event)| builder.take(*thread, event));
    let names = threads.iter().map(|thread| thread.name.clone()).collect();
    finish(builder, &known, names, lost, seconds(now))
}

/// Lanes under way.
#[derive(Default)]
struct Builder {
    lanes: BTreeMap<u32, Open>,
    wakes: Vec<(f64, u32, u32)>,
    /// The tasks that each thread polls, the innermost last.
    polled: HashMap<usize, Vec<u32>>,
    began: Option<f64>,
}

/// A lane under way.
struct Open {
    kind: TaskKind,
    cell: Option<u32>,
    parent: Option<u32>,
    spans: Vec<Span>,
    /// What it does, since when and on which thread; nothing while a branch of it is polled, or when it has ended.
    doing: Option<(TaskState, f64, Option<usize>)>,
    waits: Option<String>,
    end: Option<TaskState>,
}

impl Builder {
    fn take(&mut self, thread: usize, event: &Event) {
        let at = seconds(event.at);
        self.began.get_or_insert(at);
        let with = (event.with != NOBODY).then_some(event.with);
        let lane = self.lanes.entry(event.task).or_insert_with(|| Open::new(TaskKind::Task, None));
        match event.what {
            EventKind::Started(kind) => {
                *lane = Open::new(kind, with);
                lane.turn(at, Some(TaskState::Scheduled), None);
            }
            EventKind::Parent => lane.parent = with,
            EventKind::PollStarts => {
                lane.waits = None;
                lane.turn(at, Some(TaskState::Running), Some(thread));
                self.enter(thread, event.task, at);
            }
            EventKind::PollEnds => {
                lane.turn(at, Some(TaskState::Idle), None);
                self.leave(thread, event.task, at);
            }
            EventKind::PollEndsReady => {
                lane.turn(at, Some(TaskState::Scheduled), None);
                self.leave(thread, event.task, at);
            }
            EventKind::Woken => {
                if lane.doing.is_some_and(|(state, ..)| state == TaskState::Idle) {
                    lane.turn(at, Some(TaskState::Scheduled), None);
                }
                self.wakes.push((at, event.task, event.with));
            }
            EventKind::Waits(WaitKind::Timeout) if lane.waits.is_some() => {}
            EventKind::Waits(kind) => lane.waits = Some(waits(kind, with)),
            EventKind::Ended(state) => {
                lane.turn(at, None, None);
                lane.end = Some(state);
                self.leave(thread, event.task, at);
            }
        }
    }

    /// A poll begins on a thread: whatever was polled there contains it.
    fn enter(&mut self, thread: usize, task: u32, at: f64) {
        let polled = self.polled.entry(thread).or_default();
        let outer = polled.last().copied();
        polled.push(task);
        if let Some(outer) = outer.and_then(|outer| self.lanes.get_mut(&outer)) {
            outer.turn(at, None, None);
        }
    }

    fn leave(&mut self, thread: usize, task: u32, at: f64) {
        let Some(polled) = self.polled.get_mut(&thread) else { return };
        // A task may be dropped, and so end, without being polled.
        let Some(index) = polled.iter().rposition(|&known| known == task) else { return };
        polled.truncate(index);
        let outer = polled.last().copied();
        if let Some(outer) = outer.and_then(|outer| self.lanes.get_mut(&outer)) {
            outer.turn(at, Some(TaskState::Running), Some(thread));
        }
    }
}

impl Open {
    fn new(kind: TaskKind, cell: Option<u32>) -> Self {
        Self { kind, cell, parent: None, spans: Vec::new(), doing: None, waits: None, end: None }
    }

    /// Ends what it does and begins something else.
    fn turn(&mut self, at: f64, state: Option<TaskState>, worker: Option<usize>) {
        if let Some((state, from, worker)) = self.doing.take()
            && from < at
        {
            let waits = (state == TaskState::Idle).then(|| self.waits.clone()).flatten();
            self.spans.push(Span { state, from, to: at, worker, waits });
        }
        if self.end.is_none() {
            self.doing = state.map(|state| (state, at, worker));
        }
    }
}

/// What a lane says of a wait. Numbers of tasks are the lower halves, as rings know them.
fn waits(kind: WaitKind, number: Option<u32>) -> String {
    let word = match kind {
        WaitKind::Sleep => "sleep",
        WaitKind::Timeout => "timeout",
        WaitKind::Task => return format!("task {}", number.unwrap_or(0)),
        WaitKind::Lock => "lock",
        WaitKind::Send => "send",
        WaitKind::Receive => "receive",
        WaitKind::Condvar => "condvar",
        WaitKind::Barrier => "barrier",
    };
    number.map_or_else(|| word.to_owned(), |number| format!("{word} #{number}"))
}

/// The same of a task that has waited for longer than the rings remember.
fn waited(wait: &WaitingOn) -> String {
    match wait {
        WaitingOn::Sleep { .. } => waits(WaitKind::Sleep, None),
        WaitingOn::Timeout { .. } => waits(WaitKind::Timeout, None),
        WaitingOn::Lock { id, .. } => waits(WaitKind::Lock, Some(events::short(*id))),
        WaitingOn::Channel { id, operation: Operation::Send, .. } => waits(WaitKind::Send, Some(events::short(*id))),
        WaitingOn::Channel { id, .. } => waits(WaitKind::Receive, Some(events::short(*id))),
        WaitingOn::Condvar { id } => waits(WaitKind::Condvar, Some(events::short(*id))),
        WaitingOn::Barrier { id, .. } => waits(WaitKind::Barrier, Some(events::short(*id))),
        other => words::wait(other),
    }
}

fn finish(builder: Builder, known: &HashMap<TaskId, TaskInfo>, names: Vec<String>, lost: u64, now: f64) -> Timeline {
    // Rings know the lower half of a number; the whole one is the nearest below the highest that was given.
    let highest = registry::started();
    let whole = |short: u32| highest - u64::from((highest as u32).wrapping_sub(short));
    let mut lanes: BTreeMap<TaskId, Lane> = BTreeMap::new();
    for (short, mut open) in builder.lanes {
        open.turn(now, None, None);
        let task = whole(short);
        let info = known.get(&task);
        lanes.insert(
            task,
            Lane {
                task,
                name: info.and_then(|info| info.name.clone()),
                kind: info.map_or(open.kind, |info| info.kind),
                cell: info.map_or(open.cell, |info| info.cell),
                line: info.and_then(|info| info.line),
                parent: info.map_or(open.parent.map(whole), |info| info.parent),
                spans: open.spans,
                end: open.end,
            },
        );
    }
    // Tasks that have done nothing for so long that nothing of it is remembered.
    for info in known.values().filter(|info| !info.state.is_finished()) {
        waiting_all_along(&mut lanes, info, builder.began, now);
    }
    let wakes = builder.wakes.iter().map(|&(at, task, by)| {
        let by = (by != NOBODY).then(|| whole(by));
        Wake { at, task: whole(task), by }
    });
    let wakes = wakes.collect();
    let lanes: Vec<Lane> = lanes.into_values().filter(|lane| !lane.spans.is_empty()).collect();
    let workers = names.into_iter().map(|name| Worker { name, utilization: 0.0 }).collect();
    let mut timeline = Timeline { from: builder.began.unwrap_or(now), to: now, lanes, workers, wakes, lost };
    timeline.measure();
    timeline
}

fn waiting_all_along(lanes: &mut BTreeMap<TaskId, Lane>, info: &TaskInfo, began: Option<f64>, now: f64) {
    let from = began.unwrap_or(now).max(info.created.as_secs_f64());
    let waits = info.waiting_on.first().map(waited);
    lanes.entry(info.id).or_insert_with(|| Lane {
        task: info.id,
        name: info.name.clone(),
        kind: info.kind,
        cell: info.cell,
        line: info.line,
        parent: info.parent,
        spans: vec![Span { state: TaskState::Idle, from, to: now, worker: None, waits }],
        end: None,
    });
}
