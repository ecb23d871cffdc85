"""The examples that asyncio is taught with, written in Rust as one would in a program."""

import pytest

FETCH_DATA = """
use async_std::task;
use std::time::Duration;

async fn fetch_data(n: u32) -> String {
    println!("Fetching data {n}");
    task::sleep(Duration::from_secs(2)).await;
    println!("Done fetching {n}");
    format!("Data {n}")
}

async fn main() {
    let results = gather!(fetch_data(1), fetch_data(2), fetch_data(3));
    println!("{results:?}");
}
"""

TASKS = """
use async_std::task;
use std::time::Duration;

fn task1() {
    println!("Task 1 started");
    std::thread::sleep(Duration::from_secs(2));
    println!("Task 1 completed");
}

fn task2() {
    println!("Task 2 started");
    std::thread::sleep(Duration::from_secs(2));
    println!("Task 2 completed");
}

async fn async_task1() {
    println!("Task 1 started");
    task::sleep(Duration::from_secs(2)).await;
    println!("Task 1 completed");
}

async fn async_task2() {
    println!("Task 2 started");
    task::sleep(Duration::from_secs(2)).await;
    println!("Task 2 completed");
}
"""

FETCHED = (
    "Fetching data 1\nFetching data 2\nFetching data 3\n"
    "Done fetching 1\nDone fetching 2\nDone fetching 3\n"
    '("Data 1", "Data 2", "Data 3")\n'
)
BLOCKING = "Task 1 started\nTask 1 completed\nTask 2 started\nTask 2 completed\n"
NON_BLOCKING = "Task 1 started\nTask 2 started\nTask 1 completed\nTask 2 completed\n"


@pytest.mark.parametrize("last_line", ["main().await", "task::block_on(main())"])
def test_three_fetches_take_as_long_as_one(kernel, last_line):
    result = kernel.run(FETCH_DATA + last_line).ok()
    assert result.stdout == FETCHED
    assert result.text is None, "() is not shown"
    assert 1.5 < result.seconds_between_first_and_last_output() < 3.5


def test_gather_gives_results_in_the_order_of_its_arguments(kernel):
    kernel.run(FETCH_DATA).ok()
    backwards = """
    async fn after(millis: u64) -> u64 { task::sleep(Duration::from_millis(millis)).await; millis }
    gather!(after(300), after(100), after(200))
    """
    assert kernel.run(backwards).ok().text == "(300, 100, 200)"
    listed = "loopbook::gather_all((1..=3).map(fetch_data)).await"
    assert kernel.run(listed).ok().text == '["Data 1", "Data 2", "Data 3"]'


def test_results_of_gather_can_be_named_at_the_top_level(kernel):
    kernel.run(FETCH_DATA).ok()
    named = kernel.run("let (a, b, c) = gather!(fetch_data(1), fetch_data(2), fetch_data(3));").ok()
    assert 1.5 < named.seconds_between_first_and_last_output() < 3.5
    assert kernel.run('println!("{a}, {b}, {c}")').ok().stdout == "Data 1, Data 2, Data 3\n"


def test_blocking_takes_twice_as_long_as_not_blocking(kernel):
    kernel.run(TASKS).ok()
    blocking = kernel.run("task1();\ntask2();").ok()
    awaited = kernel.run("gather!(async_task1(), async_task2());").ok()
    blocked_on = kernel.run("async fn main() { gather!(async_task1(), async_task2()); }\ntask::block_on(main())").ok()
    assert blocking.stdout == BLOCKING
    assert awaited.stdout == blocked_on.stdout == NON_BLOCKING
    seconds = [result.seconds_between_first_and_last_output() for result in (blocking, awaited, blocked_on)]
    assert 1.6 < seconds[0] / seconds[1] < 2.4 and 1.6 < seconds[0] / seconds[2] < 2.4, seconds
