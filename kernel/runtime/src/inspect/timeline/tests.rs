//! Figures of timelines that are made up, and lanes of tasks that really ran.

use super::{Lane, Span, Timeline, Wake, Worker};
use crate::{TaskKind, TaskState};

fn span(state: TaskState, from: f64, to: f64) -> Span {
    let running = state == TaskState::Running;
    let waits = (state == TaskState::Idle).then(|| "sleep".to_owned());
    Span { state, from, to, worker: running.then_some(0), waits }
}

fn lane(task: u64, spans: Vec<Span>) -> Lane {
    Lane {
        task,
        name: Some(format!("request <{task}>")),
        kind: TaskKind::Task,
        cell: Some(3),
        line: Some(task as u32),
        parent: None,
        spans,
        end: Some(TaskState::Completed),
    }
}

fn timeline(lanes: Vec<Lane>) -> Timeline {
    let workers = vec![Worker { name: "loop-1".to_owned(), utilization: 0.0 }];
    let mut timeline = Timeline { from: 0.0, to: 0.6, lanes, workers, wakes: Vec::new(), lost: 0 };
    timeline.measure();
    timeline
}

/// Three requests of 100 ms of work, 190 ms of waiting, 100 ms of work, on one thread.
fn three_requests() -> Timeline {
    use TaskState::{Idle, Running, Scheduled};
    let request = |task: u64| {
        let start = 0.1 * (task - 1) as f64;
        let mut spans = vec![span(Running, start, start + 0.1), span(Idle, start + 0.1, start + 0.29)];
        if task > 1 {
            spans.insert(0, span(Scheduled, 0.0, start));
        }
        spans.push(span(Scheduled, start + 0.29, start + 0.3));
        spans.push(span(Running, start + 0.3, start + 0.4));
        lane(task, spans)
    };
    timeline(vec![request(1), request(2), request(3)])
}

#[test]
fn three_requests_look_like_the_figure() {
    let text = three_requests().to_text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    let lane = |at: usize| lines[at].split('|').nth(1).expect("a lane").as_bytes();
    for column in 0..lane(1).len() {
        let states: Vec<u8> = (1..4).map(|at| lane(at)[column]).collect();
        assert!(states.iter().filter(|state| **state == b'#').count() <= 1, "{text}");
        assert!(states.iter().filter(|state| **state == b'.').count() <= 2, "{text}");
    }
    assert!(text.is_ascii());
}

#[test]
fn the_figure_is_whole_and_escaped_and_needs_no_script() {
    let mut timeline = three_requests();
    timeline.wakes.push(Wake { at: 0.3, task: 2, by: Some(1) });
    timeline.lanes[2].end = Some(TaskState::Panicked);
    let svg = timeline.to_svg();
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
    for tag in ["svg", "g", "title", "desc", "text", "defs"] {
        assert_eq!(svg.matches(&format!("<{tag}")).count(), svg.matches(&format!("</{tag}>")).count(), "{tag}: {svg}");
    }
    assert!(svg.contains("request &lt;1&gt;") && !svg.contains("<1>") && !svg.contains("<script"));
    assert!(svg.contains("⚡") && svg.contains("sleep") && svg.contains("loop-1"));
    let html = timeline.to_html();
    assert!(html.starts_with("<figure") && html.contains("<figcaption"));
    // A picture with a description: a notebook that somebody has sent shows no SVG within HTML.
    assert!(html.contains("<img alt=\"Timeline, 3 tasks, 600.0 ms.") && !html.contains("<svg"), "{html}");
    assert!(
        html.contains("request &lt;2&gt; from 0 µs: was ready to 100.0 ms, ran to 200.0 ms, waited to 390.0 ms"),
        "{html}"
    );
    assert!(html.contains("At most 1 running, 2 waiting at once."), "{html}");
}

#[test]
fn a_task_has_the_same_name_wherever_it_is_spoken_of() {
    let mut timeline = three_requests();
    timeline.lanes[0].name = Some("T1".into());
    timeline.lanes[1].name = None;
    for (lane, awaited) in [(1, 1), (2, 2)] {
        let waiting = timeline.lanes[lane].spans.iter_mut().filter(|span| span.waits.is_some());
        waiting.for_each(|span| span.waits = Some(format!("task {awaited}")));
    }
    let words = |svg: String| {
        let words =
            svg.split("<text").skip(1).filter_map(|text| Some(text.split_once('>')?.1.split_once('<')?.0.to_owned()));
        words.collect::<Vec<_>>()
    };
    let count = |words: &[String], name: &str| words.iter().filter(|word| *word == name).count();
    let drawn = words(timeline.to_svg());
    assert_eq!((count(&drawn, "T1"), count(&drawn, "task 2"), count(&drawn, "task 1")), (2, 2, 0), "{drawn:?}");
    let json = timeline.to_chrome_json();
    let events: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let events = events["traceEvents"].as_array().expect("a list");
    assert!(events.iter().any(|event| event["name"] == "T1") && !json.contains("task 1"), "{json}");
    for text in [timeline.to_text(), super::text::describe(&timeline)] {
        assert!(text.contains("T1") && text.contains("task 2") && !text.contains("task 1"), "{text}");
    }
    let pdf = String::from_utf8_lossy(&timeline.to_pdf()).into_owned();
    assert!(pdf.matches("(T1) Tj").count() == 2 && !pdf.contains("task 1"), "{pdf}");
}

#[test]
fn the_same_drawing_is_a_pdf() {
    let mut timeline = three_requests();
    timeline.lanes[2].end = Some(TaskState::Panicked);
    let pdf = timeline.to_pdf();
    assert!(pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
    let has = |text: &[u8]| pdf.windows(text.len()).any(|window| window == text);
    for text in ["(request <1>) Tj", "(sleep) Tj", "(loop-1 100 %) Tj", "/Helvetica"] {
        assert!(has(text.as_bytes()), "{text}: {}", String::from_utf8_lossy(&pdf));
    }
}

#[test]
fn many_tasks_are_folded_and_the_drawing_stays_small() {
    let mut lanes = Vec::new();
    for task in 1..=3_000u64 {
        // Nothing repeats, so nothing can be drawn as one.
        let mut at = 0.0;
        let mut spans = Vec::new();
        for step in 0..200u64 {
            let length = 0.0005 + ((task * 31 + step * 17) % 97) as f64 * 1e-5;
            let state = [TaskState::Running, TaskState::Idle, TaskState::Scheduled][((task + step) % 3) as usize];
            spans.push(span(state, at, at + length));
            at += length;
        }
        lanes.push(Lane { line: Some((task % 80) as u32), name: None, ..lane(task, spans) });
    }
    let timeline = timeline(lanes);
    let svg = timeline.to_svg();
    small(&timeline);
    assert!(svg.contains("and 20 more places"), "the rest is counted");
    assert!(timeline.to_text().lines().count() <= 63);
}

#[test]
fn a_full_figure_of_lanes_stays_small() {
    let busy = |task| {
        let spans = (0..2_000).map(|step| {
            let state = [TaskState::Running, TaskState::Scheduled, TaskState::Idle][step % 3];
            span(state, step as f64 * 0.0003, (step + 1) as f64 * 0.0003)
        });
        lane(task, spans.collect())
    };
    small(&timeline((1..=60).map(busy).collect()));
}

/// Each form in which the figure is shown has less than 200 kB.
fn small(timeline: &Timeline) {
    let (html, pdf) = (timeline.to_html().len(), crate::support::base64::encode(&timeline.to_pdf()).len());
    assert!(html <= 200_000 && pdf <= 200_000, "{html} and {pdf} bytes");
}

#[test]
fn chrome_gets_slices_that_do_not_overlap_on_a_thread() {
    let json: serde_json::Value = serde_json::from_str(&three_requests().to_chrome_json()).expect("JSON");
    let events = json["traceEvents"].as_array().expect("a list");
    let mut slices: Vec<(f64, f64)> = events
        .iter()
        .filter(|event| event["ph"] == "X")
        .map(|event| (event["ts"].as_f64().expect("a time"), event["dur"].as_f64().expect("a time")))
        .collect();
    slices.sort_by(|one, other| one.0.total_cmp(&other.0));
    assert_eq!(slices.len(), 6);
    assert!(slices.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0 + 1.0), "{slices:?}");
    let count = |phase: &str| events.iter().filter(|event| event["ph"] == phase).count();
    assert_eq!(count("b"), count("e"));
}

#[test]
fn parts_of_a_timeline_can_be_had() {
    let mut whole = three_requests();
    whole.lanes[0].cell = Some(1);
    assert_eq!(whole.clone().cell(3).lanes.len(), 2);
    let end = whole.clone().last(std::time::Duration::from_millis(150));
    assert!((end.to - end.from - 0.15).abs() < 1e-9);
    assert_eq!(end.lanes.iter().map(|lane| lane.task).collect::<Vec<_>>(), [2, 3]);
    assert!(end.workers[0].utilization > 0.99);
    assert!(whole.cell(9).to_svg().ends_with("</svg>"));
}
