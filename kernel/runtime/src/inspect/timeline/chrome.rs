//! A timeline in the format that Chrome's `about:tracing` and Perfetto read.

use super::Timeline;
use crate::TaskState;
use serde_json::{Value, json};

/// The process that threads belong to.
const PROCESS: u32 = 1;

/// A slice on its thread's track for each poll, a track of its own for each task, and arrows from wakes to polls.
pub(super) fn json(timeline: &Timeline) -> String {
    let mut events = vec![json!({
        "ph": "M", "name": "process_name", "pid": PROCESS, "args": {"name": "Loopbook"}
    })];
    for (index, worker) in timeline.workers.iter().enumerate() {
        events.push(json!({
            "ph": "M", "name": "thread_name", "pid": PROCESS, "tid": index + 1, "args": {"name": worker.name}
        }));
    }
    for lane in &timeline.lanes {
        let title = lane.title();
        for span in &lane.spans {
            let (from, to) = (micros(span.from), micros(span.to));
            let waits = span.waits.as_ref().map(|waits| timeline.called(waits));
            let arguments = json!({"task": lane.task, "cell": lane.cell, "line": lane.line, "waits": waits});
            if let (TaskState::Running, Some(worker)) = (span.state, span.worker) {
                events.push(json!({
                    "ph": "X", "cat": "poll", "name": title, "pid": PROCESS, "tid": worker + 1, "ts": from,
                    "dur": to - from, "args": arguments
                }));
            }
            let word = match span.state {
                TaskState::Running => "running",
                TaskState::Scheduled => "scheduled",
                _ => "waiting",
            };
            let of_task = |phase: &str, at: f64| json!({"ph": phase, "cat": title, "id": lane.task, "name": word, "pid": PROCESS, "tid": 0, "ts": at});
            events.push(of_task("b", from));
            events.push(of_task("e", to));
        }
    }
    wakes(timeline, &mut events);
    json!({"traceEvents": events, "displayTimeUnit": "ms"}).to_string()
}

/// An arrow from the poll that woke a task to the next poll of that task.
fn wakes(timeline: &Timeline, events: &mut Vec<Value>) {
    for (number, wake) in timeline.wakes.iter().enumerate() {
        let running = |task, at: f64, inside: bool| {
            let spans = &timeline.lane(task)?.spans;
            let after = spans.partition_point(|span| span.to < at);
            let span = spans[after..].iter().find(|span| span.state == TaskState::Running)?;
            (!inside || span.from <= at).then_some(span)
        };
        let Some((from, to)) =
            wake.by.and_then(|by| Some((running(by, wake.at, true)?, running(wake.task, wake.at, false)?)))
        else {
            continue;
        };
        let (Some(source), Some(target)) = (from.worker, to.worker) else { continue };
        let arrow = |phase: &str, thread: usize, at: f64| {
            json!({
                "ph": phase, "cat": "wake", "name": "wake", "id": number, "pid": PROCESS, "tid": thread + 1, "ts": at,
                "bp": "e"
            })
        };
        events.push(arrow("s", source, micros(wake.at)));
        events.push(arrow("f", target, micros(to.from.max(wake.at))));
    }
}

/// Chrome counts in microseconds.
fn micros(seconds: f64) -> f64 {
    seconds * 1e6
}
