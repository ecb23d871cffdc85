//! Timelines of tasks that really ran.
#![deny(warnings)]

use loopbook::facade::task;
use loopbook::{Lane, TaskKind, TaskState, Timeline, gather, timeline, trace};
use std::time::{Duration, Instant};

fn compute(milliseconds: u64) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(milliseconds) {
        std::hint::spin_loop();
    }
}

async fn make_request() {
    compute(20);
    task::sleep(Duration::from_millis(38)).await;
    compute(20);
}

fn lane<'a>(timeline: &'a Timeline, name: &str) -> &'a Lane {
    timeline.lanes.iter().find(|lane| lane.name.as_deref() == Some(name)).unwrap_or_else(|| panic!("no lane {name}"))
}

fn spent(lane: &Lane, state: TaskState) -> f64 {
    lane.spans.iter().filter(|span| span.state == state).map(|span| span.to - span.from).sum()
}

#[test]
fn of_three_requests_on_one_thread_one_runs_at_a_time() {
    let ((), timeline) = task::block_on(trace(async {
        gather!(make_request(), make_request(), make_request());
    }));
    let branches: Vec<&Lane> =
        timeline.lanes.iter().filter(|lane| lane.name.as_deref() == Some("make_request()")).collect();
    assert_eq!(branches.len(), 3, "{timeline:#?}");
    assert!(branches.iter().all(|lane| lane.kind == TaskKind::Branch && lane.end == Some(TaskState::Completed)));
    let mut times: Vec<f64> =
        branches.iter().flat_map(|lane| &lane.spans).flat_map(|span| [span.from, span.to]).collect();
    times.sort_by(f64::total_cmp);
    for pair in times.windows(2) {
        let middle = (pair[0] + pair[1]) / 2.0;
        let now = |state| {
            let is_now = |lane: &&Lane| {
                lane.spans.iter().any(|span| span.state == state && span.from < middle && middle < span.to)
            };
            timeline.lanes.iter().filter(is_now).count()
        };
        assert!(now(TaskState::Running) <= 1, "{timeline:#?}");
    }
    for lane in branches {
        assert!(spent(lane, TaskState::Running) >= 0.039, "{lane:#?}");
        assert!(spent(lane, TaskState::Idle) > 0.0, "{lane:#?}");
        assert!(lane.spans.iter().any(|span| span.waits.as_deref() == Some("sleep")), "{lane:#?}");
    }
}

#[test]
fn a_lane_has_no_gaps_and_ends_as_the_task_did() {
    let cancelled = task::Builder::new().name("to be cancelled".into());
    let cancelled = cancelled.spawn(task::sleep(Duration::from_secs(600))).expect("a thread");
    let panicked = task::Builder::new().name("to panic".into());
    let panicked = panicked.spawn(async { panic!("as it should") }).expect("a thread");
    task::block_on(async {
        task::sleep(Duration::from_millis(30)).await;
        cancelled.cancel().await;
        let _ = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(panicked)).await;
    });
    let timeline = timeline();
    let lane_of = |name| lane(&timeline, name);
    assert_eq!(lane_of("to be cancelled").end, Some(TaskState::Cancelled));
    assert_eq!(lane_of("to panic").end, Some(TaskState::Panicked));
    let spans = &lane_of("to be cancelled").spans;
    assert!(spans.windows(2).all(|pair| pair[0].to == pair[1].from), "{spans:#?}");
    assert_eq!(spans[0].state, TaskState::Scheduled, "{:#?}", lane_of("to be cancelled"));
    assert!(timeline.to_text().contains("to be cancelled"));
}

#[test]
fn who_woke_whom_is_in_it() {
    let (woken, waking) = task::block_on(async {
        let (sender, receiver) = async_std::channel::bounded::<()>(1);
        let woken = task::spawn(async move {
            let _ = receiver.recv().await;
            loopbook::current_task().expect("inside a task").id
        });
        task::sleep(Duration::from_millis(30)).await;
        let waking = task::spawn(async move {
            let _ = sender.send(()).await;
            loopbook::current_task().expect("inside a task").id
        });
        (woken.await, waking.await)
    });
    let timeline = timeline();
    assert!(timeline.wakes.iter().any(|wake| wake.task == woken && wake.by == Some(waking)), "{:?}", timeline.wakes);
}
