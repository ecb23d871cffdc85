//! What the loop tells of itself: its threads, who waits for whom, what woke a task.
#![deny(warnings)]

use loopbook::facade::task::{self, JoinHandle};
use loopbook::{TaskInfo, TaskState, WokenBy, call_graph, loop_stats};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn named<T: Send + 'static>(name: &str, future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    task::Builder::new().name(name.to_owned()).spawn(future).expect("a thread for it")
}

/// Waits until the living tasks are as wanted.
fn until<T>(wanted: impl Fn(&[TaskInfo]) -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        let tasks = loopbook::all_tasks();
        if let Some(found) = wanted(&tasks) {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{tasks:#?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn idle(name: &str) -> TaskInfo {
    until(|tasks| {
        tasks.iter().find(|task| task.name.as_deref() == Some(name) && task.state == TaskState::Idle).cloned()
    })
}

#[test]
fn the_loop_knows_its_threads_and_what_they_do() {
    let (tell, told) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let blocked = named("blocked", async move {
        let _ = tell.send(loopbook::current_task().expect("inside a task").id);
        let _ = released.recv();
    });
    let id = told.recv().expect("it runs");
    let stats = loop_stats();
    let worker = stats.workers.iter().find(|worker| worker.task == Some(id)).expect("a thread polls it");
    assert!(worker.name.starts_with("loop-"), "{worker:?}");
    assert!(worker.utilization > 0.0 && worker.utilization <= 1.0, "{worker:?}");
    assert!(stats.running >= 1 && stats.living >= stats.running + stats.runnable + stats.idle, "{stats:?}");
    assert_eq!(loopbook::task(id).expect("it lives").thread.as_deref(), Some(worker.name.as_str()));
    assert!(stats.lag.median <= stats.lag.p99 && stats.lag.p99 <= stats.lag.longest, "{stats:?}");
    release.send(()).expect("it waits");
    task::block_on(blocked);
    let name = worker.name.clone();
    let table = loopbook::__bundle!(stats).expect("shows as a table");
    assert!(table["text/plain"].as_str().expect("text").contains(&name), "{table:?}");
}

#[test]
fn tasks_that_go_past_the_inspector_are_counted() {
    let before = loop_stats().untracked;
    for _ in 0..10 {
        async_std::task::block_on(async_std::task::spawn(async {}));
    }
    // Each `block_on` of async-std is one of its tasks too.
    let after = loop_stats().untracked;
    assert!(after >= before + 20, "{before}, {after}");
    for _ in 0..100 {
        task::block_on(task::spawn(async {}));
    }
    // Other tests start tasks at the same time, of which one or two may be between the two counters.
    assert!(loop_stats().untracked < after + 20);
}

#[test]
fn the_call_graph_goes_from_a_task_to_what_it_awaits() {
    let inner = named("inner", task::sleep(Duration::from_secs(600)));
    let outer = named("outer", inner);
    idle("inner");
    let outer_id = until(|tasks| {
        let outer = tasks.iter().find(|task| task.name.as_deref() == Some("outer"))?;
        (!outer.waiting_on.is_empty()).then_some(outer.id)
    });
    let graph = call_graph(outer_id).expect("it lives");
    assert_eq!(graph.awaits.len(), 1);
    assert_eq!(graph.awaits[0].name.as_deref(), Some("inner"));
    assert_eq!(graph.awaits[0].awaited_by, [outer_id]);
    assert!(graph.awaits[0].waits[0].starts_with("sleep"), "{graph:?}");
    let text = graph.to_string();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(call_graph(u64::MAX).is_none());
    drop(outer);
}

#[test]
fn tasks_that_wait_for_each_other_are_shown_as_a_circle() {
    let other: Arc<Mutex<Option<JoinHandle<()>>>> = Arc::default();
    let mine = Arc::clone(&other);
    let one = named("one", async move {
        let other = loop {
            let taken = mine.lock().expect("no panic").take();
            match taken {
                Some(other) => break other,
                None => task::sleep(Duration::from_millis(1)).await,
            }
        };
        other.await
    });
    let two = named("two", one);
    *other.lock().expect("no panic") = Some(two);
    let circle = until(|tasks| {
        let one = tasks.iter().find(|task| task.name.as_deref() == Some("one"))?;
        let graph = call_graph(one.id)?;
        graph.awaits.first()?.awaits.first()?.cycle.clone()
    });
    assert_eq!(circle.len(), 2);
}

#[test]
fn what_woke_a_task_is_known() {
    let (sender, receiver) = async_std::channel::unbounded::<()>();
    let waits = named("receiver", async move { while receiver.recv().await.is_ok() {} });
    let id = idle("receiver").id;
    let woken_by =
        || until(|tasks| tasks.iter().find(|task| task.id == id && task.state == TaskState::Idle)?.woken_by.clone());
    let sending = sender.clone();
    let by = task::block_on(task::spawn(async move {
        sending.send(()).await.expect("somebody receives");
        loopbook::current_task().expect("inside a task").id
    }));
    assert_eq!(woken_by(), WokenBy::Task { id: by });
    std::thread::Builder::new().name("elsewhere".into()).spawn(move || sender.try_send(())).expect("a thread");
    until(|tasks| {
        let by = tasks.iter().find(|task| task.id == id).map(|task| task.woken_by.clone());
        // The channel closes when its last sender is gone, so the task may have ended.
        by.is_none_or(|by| by == Some(WokenBy::Thread { name: "elsewhere".into() })).then_some(())
    });
    task::block_on(waits);

    let slept = named("slept", async {
        task::sleep(Duration::from_millis(20)).await;
        loopbook::current_task().expect("inside a task").woken_by
    });
    assert_eq!(task::block_on(slept), Some(WokenBy::Reactor));

    // A thread that blocks on a future waits for timers itself, be it a thread of one's own or one of the pool that
    // polls a task; which of the threads that wait meets a timer is chance.
    let slept = async || {
        task::sleep(Duration::from_millis(2)).await;
        loopbook::current_task().expect("inside a task").woken_by
    };
    for _ in 0..20 {
        assert_eq!(task::block_on(slept()), Some(WokenBy::Reactor));
        let nested = named("nested", async move { task::block_on(slept()) });
        assert_eq!(task::block_on(nested), Some(WokenBy::Reactor));
    }

    let joined = named("joined", async {
        let inner = task::spawn(task::sleep(Duration::from_millis(20)));
        let me = loopbook::current_task().expect("inside a task").id;
        let inner_id = loopbook::all_tasks().iter().find(|task| task.parent == Some(me)).expect("just started").id;
        inner.await;
        (loopbook::current_task().expect("inside a task").woken_by, inner_id)
    });
    let (by, inner) = task::block_on(joined);
    assert_eq!(by, Some(WokenBy::Task { id: inner }));
}

#[test]
fn a_socket_that_is_waited_for_is_among_the_resources() {
    let listener = task::block_on(async_std::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let accepting = task::spawn(async move { listener.accept().await.map(drop) });
    let began = Instant::now();
    loop {
        let found = loopbook::resources();
        if found.iter().any(|resource| resource.what.contains(&address) && resource.waits.as_deref() == Some("to read"))
        {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{found:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(loop_stats().sources >= 1);
    let sockets: Vec<_> = loopbook::resources().into_iter().filter(|resource| resource.kind == "socket").collect();
    assert!(sockets.iter().all(|socket| !socket.what.starts_with("Unix socket")), "the runtime's own: {sockets:?}");
    drop(accepting);
}

#[test]
fn what_cannot_be_cancelled_says_why_and_what_to_do() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let blocked = task::spawn_blocking(move || released.recv().is_ok());
    let blocking = |task: &&TaskInfo| task.kind == loopbook::TaskKind::Blocking;
    let id = until(|tasks| tasks.iter().find(blocking).map(|task| task.id));
    let outcome = loopbook::cancel(id);
    assert_eq!(outcome, loopbook::CancelOutcome::NotCancellable);
    let shown = loopbook::__bundle!(outcome).expect("a text");
    let shown = shown["text/plain"].as_str().expect("text");
    assert!(shown.starts_with("NotCancellable: a closure of `spawn_blocking`") && shown.contains("flag"), "{shown}");
    release.send(()).expect("it waits");
    assert!(task::block_on(blocked));
}
