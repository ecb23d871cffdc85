//! At which `.await`s of cells a task stands. What the kernel writes into cells is written by hand here.
#![deny(warnings)]

use futures::future::{Either, join_all, poll_fn, select};
use loopbook::__private::at;
use loopbook::facade::task::{self, JoinHandle};
use loopbook::{TaskInfo, call_graph};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(600);

fn named<T: Send + 'static>(name: &str, future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    task::Builder::new().name(name.to_owned()).spawn(future).expect("a thread for it")
}

/// Waits until the task of that name is as wanted.
fn until<T>(name: &str, wanted: impl Fn(&TaskInfo) -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        let tasks = loopbook::all_tasks();
        let task = tasks.iter().find(|task| task.name.as_deref() == Some(name));
        if let Some(found) = task.and_then(&wanted) {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{task:#?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until the task stands where it should: depths and texts.
fn until_at(name: &str, expected: &[(u32, &str)]) {
    until(name, |task| (places(task) == expected).then_some(()));
}

fn places(task: &TaskInfo) -> Vec<(u32, &str)> {
    task.awaits.iter().map(|site| (site.depth, site.text.as_ref())).collect()
}

async fn inner() {
    at(task::sleep(LONG), &(1, 4, 9, "sleep(LONG)")).await;
}

async fn outer() {
    at(inner(), &(2, 5, 1, "inner()")).await;
}

#[test]
fn a_task_stands_at_one_await_inside_of_the_other() {
    let handle = named("chain", async { at(outer(), &(3, 1, 7, "outer()")).await });
    until_at("chain", &[(0, "outer()"), (1, "inner()"), (2, "sleep(LONG)")]);
    let id = until("chain", |task| {
        let site = &task.awaits[2];
        assert_eq!((site.cell, site.line, site.column), (1, 4, 9));
        assert!(task.awaits[0].since >= site.since, "{task:?}");
        Some(task.id)
    });
    let tree = call_graph(id).expect("it lives").to_string();
    let lines: Vec<&str> = tree.lines().map(|line| line.split(',').next().unwrap_or_default()).collect();
    assert_eq!(lines[1], "└── In[3]:1 outer()", "{tree}");
    assert_eq!(lines[2], "    └── In[2]:5 inner()", "{tree}");
    assert_eq!(lines[3], "        └── In[1]:4 sleep(LONG)", "{tree}");
    assert!(lines[4].starts_with("            └── sleep"), "{tree}");
    task::block_on(handle.cancel());
    let ended = loopbook::finished_tasks().into_iter().find(|task| task.id == id).expect("it has just ended");
    assert_eq!(ended.awaits, []);
}

#[test]
fn futures_that_are_done_leave_and_the_others_stay() {
    async fn branch(n: u64) {
        at(task::sleep(if n == 1 { Duration::from_millis(20) } else { LONG }), &(1, 1, 1, "sleep")).await;
        at(std::future::ready(()), &(1, 2, 1, "ready")).await;
    }
    let handle = named("joined", async { at(join_all((0..3).map(branch)), &(1, 5, 1, "join_all")).await });
    until_at("joined", &[(0, "join_all"), (1, "sleep"), (1, "sleep")]);
    task::block_on(handle.cancel());
}

#[test]
fn a_future_that_nobody_awaits_any_more_is_not_shown_until_somebody_does() {
    let (send, receive) = async_std::channel::bounded::<()>(1);
    let handle = named("selected", async move {
        let mut slow = pin!(outer());
        let wait = async { at(receive.recv(), &(1, 2, 1, "recv")).await };
        match at(select(slow.as_mut(), pin!(wait)), &(1, 1, 1, "select")).await {
            Either::Left(_) => unreachable!("nobody sleeps so long here"),
            Either::Right(_) => {}
        }
        let _ = at(receive.recv(), &(1, 3, 1, "between")).await;
        at(slow, &(1, 4, 1, "slow")).await;
    });
    until_at("selected", &[(0, "select"), (1, "inner()"), (2, "sleep(LONG)"), (1, "recv")]);
    task::block_on(send.send(())).expect("it receives");
    until_at("selected", &[(0, "between")]);
    task::block_on(send.send(())).expect("it receives");
    until_at("selected", &[(0, "slow"), (1, "inner()"), (2, "sleep(LONG)")]);
    task::block_on(handle.cancel());
}

#[test]
fn a_future_that_is_awaited_by_another_task_goes_with_it() {
    let (send, receive) = async_std::channel::bounded(1);
    let (go, went) = async_std::channel::bounded::<()>(1);
    let first = named("first", async move {
        let mut moved = Box::pin(outer());
        poll_fn(|cx| Poll::Ready(moved.as_mut().poll(cx).is_pending())).await;
        let _ = at(went.recv(), &(1, 1, 1, "go")).await;
        send.send(moved).await.expect("somebody receives");
        at(task::sleep(LONG), &(1, 2, 1, "rest")).await;
    });
    until_at("first", &[(0, "inner()"), (1, "sleep(LONG)"), (0, "go")]);
    let second = named("second", async move {
        let moved = receive.recv().await.expect("somebody sends");
        at(moved, &(2, 1, 1, "moved")).await;
    });
    task::block_on(go.send(())).expect("it receives");
    until_at("second", &[(0, "moved"), (1, "inner()"), (2, "sleep(LONG)")]);
    until_at("first", &[(0, "rest")]);
    task::block_on(second.cancel());
    until_at("first", &[(0, "rest")]);
    task::block_on(first.cancel());
}

#[test]
fn branches_of_gather_stand_where_they_stand() {
    let handle = named("gathers", async {
        let both = async { loopbook::gather!(outer(), inner()) };
        at(both, &(1, 1, 1, "both")).await
    });
    until_at("gathers", &[(0, "both")]);
    until_at("outer()", &[(0, "inner()"), (1, "sleep(LONG)")]);
    until_at("inner()", &[(0, "sleep(LONG)")]);
    task::block_on(handle.cancel());
}

#[test]
fn a_panic_inside_leaves_the_thread_as_it_was() {
    for _ in 0..64 {
        let handle = named("panics", async {
            let panics = async {
                task::yield_now().await;
                std::panic::resume_unwind(Box::new(()));
            };
            at(panics, &(1, 1, 1, "panics")).await;
        });
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| task::block_on(handle)));
        assert!(caught.is_err());
    }
    let handle = named("after", async { at(outer(), &(1, 2, 1, "outer()")).await });
    until_at("after", &[(0, "outer()"), (1, "inner()"), (2, "sleep(LONG)")]);
    task::block_on(handle.cancel());
}

#[test]
fn of_very_many_places_the_first_hundred_are_told() {
    let many = |count: u32| async move {
        at(join_all((0..count).map(|_| inner())), &(1, 1, 1, "join_all")).await;
    };
    let handle = named("many", many(10_000));
    until("many", |task| (task.awaits.len() == 100).then_some(()));
    task::block_on(handle.cancel());
}
