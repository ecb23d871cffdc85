"""Tasks that live longer than their cell, and futures that are kept for a later one."""

import statistics
import time

from client import SLACK
from results import without_colour
from starting import compilations

# Each line carries the time at which it was printed, so that its delay can be told.
TICKER = """
use async_std::task;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

let ticker = task::spawn(async {
    for tick in 0..25 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        println!("tick {tick} {}", now.as_millis());
        task::sleep(Duration::from_millis(200)).await;
    }
    "ticked".to_string()
});
"""

FETCH = """
use async_std::task;
use std::time::Duration;

async fn fetch_data(n: u32) -> String {
    println!("fetching {n}");
    task::sleep(Duration::from_millis(100)).await;
    format!("Data {n}")
}
"""


def test_background_task_prints_between_cells(kernel):
    kernel.run("use async_std::task;").ok()
    first = kernel.run(TICKER, background=True).ok()
    seen_at_reply = len(first.printed_at())
    for number in (2, 3, 4):
        result = kernel.run(f'println!("cell {number}")').ok()
        assert result.stdout == f"cell {number}\n", "lines of the task stand under the cell that spawned it"
    assert kernel.run("ticker.await").ok().text == '"ticked"'
    assert first.stdout.count("tick ") == 25 and "cell" not in first.stdout
    assert seen_at_reply < 25, "the task went on after its cell"
    assert median_delay(first) < 0.3


def test_lines_arrive_while_the_kernel_is_idle(kernel):
    first = kernel.run(TICKER, background=True).ok()
    kernel.until(lambda: first.stdout.count("tick ") == 25)
    assert first.stdout.endswith("\n") and median_delay(first) < 0.3
    assert kernel.run("ticker.await").ok().text == '"ticked"'


def test_a_task_is_listed_with_its_cell_while_it_lives(kernel):
    spawner = kernel.run(
        """
        let sleeper = task::Builder::new().name("sleeper".to_string()).spawn(async {
            task::sleep(Duration::from_secs(3600)).await
        }).unwrap();
        """
    ).ok()
    listing = kernel.run(":tasks").ok()
    bundle = (listing.of("result") + listing.displays)[0]
    line = next(line for line in bundle["text/plain"].splitlines() if "sleeper" in line)
    assert str(spawner.reply["execution_count"]) in line
    assert "sleeper" in bundle["text/html"]
    counted = "loopbook::all_tasks().iter().filter(|task| task.name.as_deref() == Some(\"sleeper\")).count()"
    assert kernel.run(counted).ok().text == "1"
    kernel.run("sleeper.cancel().await;").ok()
    assert kernel.run(counted).ok().text == "0"


def test_a_handle_that_is_awaited_in_its_own_cell_costs_one_compilation(kernel):
    kernel.run("async fn twice(n: u32) -> u32 { task::yield_now().await; 2 * n }").ok()
    before = len(compilations(kernel.pid))
    code = "let first = task::spawn(twice(1)); let second = task::spawn(twice(2)); let sum = first.await + second.await;"
    kernel.run(code).ok()
    assert len(compilations(kernel.pid)) == before + 1
    assert kernel.run("sum").ok().text == "6"


def test_a_future_runs_only_when_it_is_awaited(kernel):
    kernel.run(FETCH).ok()
    kept = kernel.run("let f = fetch_data(1);").ok()
    time.sleep(0.5)
    assert kept.outputs == [], "nothing runs until the await"
    awaited = kernel.run("f.await").ok()
    assert (awaited.stdout, awaited.text) == ("fetching 1\n", '"Data 1"')


def test_an_unused_future_is_warned_of_in_a_display(kernel):
    kernel.run(FETCH).ok()
    result = kernel.run("fetch_data(9);").ok()
    assert result.stdout == "" and result.stderr == ""
    warning = without_colour(result.displays[0]["text/plain"])
    assert "unused" in warning and "Future" in warning and "fetch_data(9)" in warning


def median_delay(result):
    """Seconds from printing to arrival, as they should be on a machine with nothing else to do."""
    delays = [at - int(line.split()[2]) / 1000 for line, at in result.printed_at() if line.startswith("tick")]
    return statistics.median(delays) / max(1.0, SLACK / 4)
