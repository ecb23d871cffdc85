"""What the inspector must tell, in ten scenarios.

Two of them stand elsewhere: a lock that another task holds and a deadlock of two in `test_waits.py`, a tree three deep with
`gather!` in `test_awaits.py`. Times are compared with each other, never with the clock.
"""

import collections
import json
import os
import subprocess

from conftest import installed_program
from starting import running_kernel

import pytest


def test_scenario_a_thousand_sleepers_of_three_cells(fresh_kernel):
    kernel, cells = fresh_kernel, []
    for count in (200, 300, 500):
        spawn = f"let s{count}: Vec<_> = (0..{count}).map(|_| task::spawn(task::sleep(Duration::from_secs(3600)))).collect();"
        cells.append(kernel.run(spawn).ok().reply["execution_count"])
    kernel.run("task::sleep(Duration::from_millis(200)).await").ok()
    tasks = all_tasks(kernel)
    sleepers = [task for task in tasks if task["kind"] == "task"]
    assert collections.Counter(task["cell"] for task in sleepers) == dict(zip(cells, (200, 300, 500)))
    assert len({task["id"] for task in tasks}) == len(tasks)
    for task in sleepers:
        [wait] = task["waiting_on"]
        assert task["state"] == "idle" and wait["on"] == "sleep" and 3000 < wait["seconds"] < 3600, task
    # One row for each line that has started some.
    table = kernel.shown(":tasks")
    assert "1,000 tasks: 1,000 idle" in table and len(table.splitlines()) < 10, table
    for cell, count in zip(cells, (200, 300, 500)):
        assert f"{count} tasks: {count} idle" in kernel.shown(f":tasks --cell {cell}")
    assert "sleep" in kernel.shown(f":task {sleepers[0]['id']}")
    kernel.run(f"for cell in {cells} {{ loopbook::cancel_cell(cell).await; }}").ok()
    assert not [task for task in all_tasks(kernel) if task["kind"] == "task"]


def test_scenario_every_question_is_answered_while_all_workers_are_blocked(kernel_name, prefix, tmp_path):
    # What the terminal is told, and the lints, are nobody's leftovers.
    with running_kernel(kernel_name, tmp_path) as kernel:
        blocking = kernel.start(
            'println!("blocked");\n'
            "for _ in 0..64 { task::spawn(async { std::thread::sleep(Duration::from_secs(2)) }); }\n"
            "std::thread::sleep(Duration::from_secs(2));\n"
        )
        kernel.until(lambda: blocking.stdout)
        program, file = str(installed_program(prefix)), kernel.manager.connection_file
        answers = {}
        for question in ("tasks", "loop", "resources", "lints", "timeline", "pstree"):
            asked = [program, "inspect", "--json", "--kernel", file, question]
            answers[question] = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
        assert blocking.reply is None, "answered while it blocks"
        kernel.wait(blocking).ok()
    stuck = [worker for worker in answers["loop"]["workers"] if worker["task"] and worker["name"].startswith("loop-")]
    assert stuck and all(worker["polling_for"] > 0 for worker in stuck), answers["loop"]
    states = {task["state"] for task in answers["tasks"]}
    assert "running" in states and "scheduled" in states


def test_scenario_a_waker_that_is_lost(kernel):
    spawn = (
        'let lost = task::Builder::new().name("lost".into()).spawn(std::future::poll_fn(|_| '
        "std::task::Poll::<()>::Pending)).unwrap();"
    )
    cell = kernel.run(spawn, background=True).ok()
    kernel.until(lambda: cell.displays)
    [lint] = [display["text/plain"] for display in cell.displays]
    assert "lost_waker" in lint and '"lost"' in lint and f"In[{cell.reply['execution_count']}], line 1" in lint, lint
    kernel.run("lost.cancel().await").ok()


def test_scenario_a_task_that_wakes_itself(kernel):
    cell = kernel.run(
        'task::Builder::new().name("eager".into()).spawn(async { for _ in 0..50 { task::yield_now().await; } })?.await;\n'
        'let told = loopbook::finished_tasks().into_iter().rev().find(|task| task.name.as_deref() == Some("eager")).unwrap();\n'
        'println!("{} {} {}", told.polls, told.wakes, told.self_wakes);',
        background=True,
    ).ok()
    assert cell.stdout == "51 50 50\n"
    kernel.until(lambda: cell.displays)
    [lint] = [display["text/plain"] for display in cell.displays]
    assert "self_wakes" in lint and '"eager"' in lint, lint


CANCELS = """
use loopbook::{CancelOutcome, TaskState};
struct Tells(&'static str);
impl Drop for Tells { fn drop(&mut self) { println!("{} is dropped", self.0); } }
fn id(name: &str) -> u64 { loopbook::all_tasks().into_iter().find(|task| task.name.as_deref() == Some(name)).unwrap().id }
fn start(name: &'static str, future: impl Future<Output = ()> + Send + 'static) -> task::JoinHandle<()> {
    let tells = Tells(name);
    task::Builder::new().name(name.into()).spawn(async move { let _tells = tells; future.await }).unwrap()
}
"""


def test_scenario_cancel_in_each_state(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(CANCELS).ok()
    kernel.shown(":loop threads 1")
    idle = 'let h = start("idle", std::future::pending()); task::sleep(Duration::from_millis(50)).await;'
    cancelled = 'let o = loopbook::cancel(id("idle")); println!("{o:?}"); o.await; println!("{:?}", loopbook::cancel(1));'
    # Which of two threads prints first is open.
    lines = sorted(kernel.run(idle + cancelled).ok().stdout.splitlines())
    assert lines == ["AlreadyFinished", "Requested", "idle is dropped"]
    # The only worker is in a poll, and what is ready behind it is not polled before that ends.
    busy = (
        'let r = start("running", async { let began = std::time::Instant::now(); '
        "while began.elapsed() < Duration::from_millis(700) {} std::future::pending::<()>().await }); "
        'while loopbook::task(id("running")).unwrap().state != TaskState::Running {} '
        'let s = start("scheduled", async { println!("never runs") }); '
        'let (s, r) = (loopbook::cancel(id("scheduled")), loopbook::cancel(id("running"))); '
        'println!("{s:?} {}", matches!(r, CancelOutcome::InPoll(time) if time > Duration::ZERO)); s.await; '
        'println!("{}", loopbook::finished_tasks().len() >= 3);'
    )
    lines = sorted(kernel.run(busy).ok().stdout.splitlines())
    assert lines == ["Requested true", "running is dropped", "scheduled is dropped", "true"]
    others = (
        "let local = task::spawn_local(std::future::pending::<()>()); "
        "let blocking = task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(300))); "
        "task::sleep(Duration::from_millis(50)).await; "
        "for task in loopbook::all_tasks() { match task.kind { loopbook::TaskKind::Local | loopbook::TaskKind::Blocking "
        '=> println!("{:?} {:?}", task.kind, loopbook::cancel(task.id)), _ => {} } } blocking.await;'
    )
    assert kernel.run(others).ok().stdout == "Local Requested\nBlocking NotCancellable\n"
    ended = {task["name"]: task for task in finished_tasks(kernel)}
    for name in ("idle", "running", "scheduled"):
        assert ended[name]["state"] == "cancelled" and "In[" in ended[name]["cancelled_by"], ended[name]
    assert ended["scheduled"]["polls"] <= 1
    failed = kernel.run("h.await")
    assert failed.reply["ename"] == "Panic" and '"idle" was cancelled by' in failed.reply["evalue"], failed


def test_scenario_a_panic(fresh_kernel):
    kernel = fresh_kernel
    cell = kernel.run(
        'let p = task::Builder::new().name("bad".into()).spawn(async { task::yield_now().await; panic!("oh no") }).unwrap();\n'
        "task::sleep(Duration::from_millis(100)).await; let kept = 5;"
    ).ok()
    [bad] = [task for task in finished_tasks(kernel) if task["name"] == "bad"]
    assert (bad["state"], bad["line"], bad["cell"]) == ("panicked", 1, cell.reply["execution_count"])
    failed = kernel.run("p.await")
    assert (failed.reply["ename"], "oh no" in failed.reply["evalue"]) == ("Panic", True), failed
    assert kernel.run("kept").ok().text == "5"
    [lane] = [lane for lane in timeline(kernel)["lanes"] if lane["name"] == "bad"]
    assert lane["end"] == "panicked"


REQUESTS = """
fn work() { let began = std::time::Instant::now(); while began.elapsed() < Duration::from_millis(100) {} }
async fn make_request() { work(); task::sleep(Duration::from_millis(190)).await; work(); }
"""


@pytest.mark.parametrize("on", ["loop threads 1", "Loop"])
def test_scenario_figure_1_10(fresh_kernel, on):
    """100 ms of work, 190 ms of waiting, 100 ms of work, three times on one thread: 600 ms, never two at work."""
    kernel = fresh_kernel
    kernel.run(REQUESTS).ok()
    if on == "Loop":
        code = (
            'let own = loopbook::Loop::new("one"); let three: Vec<_> = (1..=3).map(|n| own.create_task(format!("request {n}"), '
            "make_request())).collect(); own.run_until_complete(loopbook::gather_all(three));"
        )
    else:
        kernel.shown(":loop threads 1")
        code = (
            'let three: Vec<_> = (1..=3).map(|n| task::Builder::new().name(format!("request {n}")).spawn(make_request())'
            ".unwrap()).collect(); loopbook::gather_all(three).await;"
        )
    cell = kernel.run(code).ok().reply["execution_count"]
    lanes = [lane for lane in timeline(kernel, cell)["lanes"] if (lane["name"] or "").startswith("request")]
    assert len(lanes) == 3
    spans = [span for lane in lanes for span in lane["spans"]]
    assert most_at_once(spans, "running") == 1
    # A machine that is busy may stretch the work, and then a third one waits for a moment.
    waiting = time_with_more_than(spans, "idle", 2)
    whole = max(span["to"] for span in spans) - min(span["from"] for span in spans)
    work = sum(span["to"] - span["from"] for span in spans if span["state"] == "running")
    assert most_at_once(spans, "idle") >= 2 and waiting < 0.05 * whole, (waiting, whole)
    # One after the other they would take two and a half times the work and more: 1.17 s for 0.6 s.
    assert work <= whole < 1.4 * work, (work, whole)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core cannot do two things at once")
def test_scenario_figure_1_10_is_another_one_on_the_pool(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(REQUESTS).ok()
    cell = kernel.run(
        "let three: Vec<_> = (1..=3).map(|n| task::spawn(make_request())).collect(); loopbook::gather_all(three).await;"
    ).ok()
    lanes = [lane for lane in timeline(kernel, cell.reply["execution_count"])["lanes"] if lane["kind"] == "task"]
    assert len(lanes) == 3 and most_at_once([span for lane in lanes for span in lane["spans"]], "running") >= 2


def all_tasks(kernel):
    return json.loads(kernel.run('println!("{}", loopbook::json(&loopbook::all_tasks()))').ok().stdout)


def finished_tasks(kernel):
    return json.loads(kernel.run('println!("{}", loopbook::json(&loopbook::finished_tasks()))').ok().stdout)


def timeline(kernel, cell=None):
    only = "" if cell is None else f".cell({cell})"
    return json.loads(kernel.run(f'println!("{{}}", loopbook::json(&loopbook::timeline(){only}))').ok().stdout)


def changes(spans, state):
    both = [(span[end], step) for span in spans if span["state"] == state for end, step in (("from", 1), ("to", -1))]
    return sorted(both)


def most_at_once(spans, state):
    now = most = 0
    for _, step in changes(spans, state):
        now += step
        most = max(most, now)
    return most


def time_with_more_than(spans, state, limit):
    now, since, total = 0, 0.0, 0.0
    for at, step in changes(spans, state):
        if now > limit:
            total += at - since
        now, since = now + step, at
    return total
