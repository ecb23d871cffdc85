//! What the inspector sees of loops, and what their tasks share with the notebook's loop.
#![deny(warnings)]

use async_std::io::prelude::*;
use async_std::net::TcpStream;
use loopbook::facade::task;
use loopbook::{CancelOutcome, Lane, Loop, TaskKind, TaskState, gather, timeline};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

const CLIENTS: usize = 1_000;

fn compute(milliseconds: u64) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(milliseconds) {
        std::hint::spin_loop();
    }
}

async fn make_request() {
    compute(100);
    task::sleep(Duration::from_millis(190)).await;
    compute(100);
}

/// For how long more than `limit` of the lanes were in this state.
fn beyond(lanes: &[&Lane], state: TaskState, limit: usize) -> f64 {
    let spans = || lanes.iter().flat_map(|lane| &lane.spans);
    let mut times: Vec<f64> = spans().flat_map(|span| [span.from, span.to]).collect();
    times.sort_by(f64::total_cmp);
    let is_too_many = |pair: &[f64]| {
        let middle = (pair[0] + pair[1]) / 2.0;
        spans().filter(|span| span.state == state && span.from < middle && middle < span.to).count() > limit
    };
    times.windows(2).filter(|pair| is_too_many(pair)).map(|pair| pair[1] - pair[0]).sum()
}

/// E4, figure 1.10
#[test]
fn of_three_requests_at_most_one_runs_and_two_wait_and_they_take_half_the_time() {
    let lab = Loop::new("lab");
    let began = Instant::now();
    lab.run_until_complete(async {
        for _ in 1..=3 {
            make_request().await;
        }
    });
    let one_after_the_other = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let tasks: Vec<_> = (1..=3).map(|n| lab.create_task(format!("T{n}"), make_request())).collect();
    lab.run_until_complete(async {
        for task in tasks {
            task.await;
        }
    });
    let took = began.elapsed().as_secs_f64();
    let timeline = timeline();
    let is_request = |lane: &&Lane| lane.name.as_deref().is_some_and(|name| name.starts_with('T'));
    let lanes: Vec<&Lane> = timeline.lanes.iter().filter(is_request).collect();
    assert_eq!(lanes.len(), 3, "{timeline:#?}");
    assert!(lanes.iter().all(|lane| lane.kind == TaskKind::Loop && lane.end == Some(TaskState::Completed)));
    // 1,170 ms, and 600 ms: six times 100 ms of computing is the least that one thread can do.
    assert!(took >= 0.6 && took < 0.75 * one_after_the_other, "{took} s of {one_after_the_other} s");
    assert_eq!(beyond(&lanes, TaskState::Running, 1), 0.0, "{timeline:#?}");
    assert!(beyond(&lanes, TaskState::Idle, 2) <= took / 20.0, "{timeline:#?}");
    assert!(beyond(&lanes, TaskState::Idle, 1) > 0.0, "two wait at once, for a while");
}

#[test]
fn tasks_of_a_loop_are_known_and_stand_still_while_nobody_runs_it() {
    let lab = Loop::new("standing");
    let ready = lab.create_task("ready", async {});
    let sleeper = lab.create_task("sleeper", task::sleep(Duration::from_secs(3600)));
    let info = |id| loopbook::task(id).expect("it lives");
    assert_eq!((info(ready.id()).kind, info(ready.id()).state), (TaskKind::Loop, TaskState::Frozen));
    assert_eq!(info(ready.id()).name.as_deref(), Some("ready"));
    let seen = lab.run_until_complete(async {
        let other = info(sleeper.id());
        let me = loopbook::current_task().expect("a future of its own");
        (me.kind, me.name, other.state)
    });
    assert_eq!(seen, (TaskKind::Branch, Some("run_until_complete".into()), TaskState::Idle));
    let stats = loopbook::loop_stats();
    let summary = stats.loops.iter().find(|summary| summary.name == "standing").expect("it is listed");
    assert_eq!((summary.is_running, summary.tasks, summary.ready), (false, 1, 0));
    let table = loopbook::__bundle!(stats).expect("shows as a table");
    assert!(table["text/plain"].as_str().expect("text").contains("loop \"standing\", not running: 1 task, 0 ready"));
    assert_eq!(loopbook::cancel(sleeper.id()), CancelOutcome::Requested);
    lab.run_until_complete(task::yield_now());
    assert_eq!(info(sleeper.id()).state, TaskState::Cancelled);
    drop(lab);
    assert!(loopbook::loop_stats().loops.iter().all(|summary| summary.name != "standing"));
}

/// C22
#[test]
fn whoever_blocks_a_loop_is_noticed() {
    // Outside of cells all places are the same one.
    let noticed = || -> u64 {
        let lints = loopbook::lints();
        lints.iter().filter(|lint| lint.name == "slow_poll").map(|lint| lint.times).sum()
    };
    let (lab, before) = (Loop::new("lab"), noticed());
    let blocks = lab.create_task("blocks", async { compute(150) });
    lab.run_until_complete(blocks);
    assert!(noticed() > before, "{:?}", loopbook::lints());
}

#[test]
fn who_awaits_whom_is_known() {
    let lab = Loop::new("lab");
    let awaited = lab.create_task("awaited", task::sleep(Duration::from_millis(50)));
    let id = awaited.id();
    let awaiting = lab.create_task("awaiting", awaited);
    lab.run_until_complete(async {
        task::yield_now().await;
        assert_eq!(loopbook::task(id).expect("it lives").awaited_by, [awaiting.id()]);
        awaiting.await;
    });
}

#[test]
fn everything_of_the_notebooks_loop_works_on_a_loop() {
    let lab = Loop::new("lab");
    let here = std::thread::current().id();
    let work = lab.create_task("all of it", async move {
        assert_eq!(std::thread::current().id(), here);
        let spawned = task::spawn(async { 1 });
        let blocking = task::spawn_blocking(|| 2);
        let (three, four) = gather!(async { 3 }, async {
            task::sleep(Duration::from_millis(1)).await;
            4
        });
        let nested = task::block_on(async { 5 });
        let local = task::block_on(async { task::spawn_local(async { 6 }).await });
        let id = async_std::task::current().id();
        let tokio = tokio::time::timeout(Duration::from_secs(60), async { 7 }).await.expect("in time");
        (spawned.await + blocking.await + three + four + nested + local + tokio, id)
    });
    assert_eq!(lab.run_until_complete(work).0, 28);
    let before = loopbook::loop_stats().untracked;
    for _ in 0..20 {
        let task = lab.create_task("counted", async {});
        lab.run_until_complete(task);
        lab.stop();
        lab.run_forever();
        task::block_on(async { lab.run_until_complete(async {}) });
    }
    let after = loopbook::loop_stats().untracked;
    assert!(after < before + 10, "{before} and then {after} tasks past the inspector");
}

/// Answers each connection after `delay`, from two threads.
fn server(delay: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    // The queue of 128 that std asks for runs over, and Linux then leaves some clients connected to nobody.
    // SAFETY: the descriptor is the listener's.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 4 * CLIENTS as i32) }, 0);
    let address = listener.local_addr().expect("it is bound");
    let (accepted, answers) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { break };
            if accepted.send((Instant::now() + delay, stream)).is_err() {
                break;
            }
        }
    });
    std::thread::spawn(move || {
        for (due, mut stream) in answers {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            // A client may be gone.
            let _ = stream.write_all(b"hello");
        }
    });
    address
}

async fn ask(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.expect("somebody listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

/// C18
#[test]
fn one_thread_waits_for_a_thousand_connections_at_once() {
    allow_files(3 * CLIENTS as u64);
    let address = server(Duration::from_secs(1));
    let lab = Loop::new("lab");
    let time = |clients: usize| {
        let began = Instant::now();
        let tasks: Vec<_> = (0..clients).map(|n| lab.create_task(format!("client {n}"), ask(address))).collect();
        let answers = lab.run_until_complete(async {
            let mut answers = 0;
            for task in tasks {
                answers += usize::from(task.await == "hello");
            }
            answers
        });
        assert_eq!(answers, clients);
        began.elapsed().as_secs_f64()
    };
    let (one, all) = (time(1), time(CLIENTS));
    println!("one connection {one:.3} s, {CLIENTS} connections {all:.3} s");
    assert!(all < 2.0 * one, "one connection {one:.3} s, {CLIENTS} connections {all:.3} s");
}

/// Raises the limit of open files if it is lower.
fn allow_files(wanted: u64) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointers are to a `rlimit` that lives through the calls.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        limit.rlim_cur = limit.rlim_cur.max(wanted.min(limit.rlim_max));
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
    }
}
