"""Front ends ask all the time, also while a cell runs or compiles. And a cell that is too large to be compiled."""

import statistics
import time

import pytest

from client import CELL_DEADLINE, SLACK
from starting import connect_apart

# In seconds: what a person takes for at once.
BOUND = 0.3 * SLACK
LEAST = 20
PREPARATION = """use async_std::task;
use std::time::Duration;
#[derive(Debug, Clone)]
struct Station { name: String, height_in_metres: f64 }
let station = Station { name: "Zugspitze".into(), height_in_metres: 2962.0 };"""
RECORDS = "".join(
    "#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]\n"
    f"struct Record{n} {{ id: u64, name: String, tags: std::collections::BTreeMap<String, Vec<u32>> }}\n"
    for n in range(600)
)
QUESTIONS = {
    "complete a name": ("complete_request", {"code": "stat", "cursor_pos": 4}, "station"),
    "complete a field": ("complete_request", {"code": "station.", "cursor_pos": 8}, "height_in_metres"),
    "complete a command": ("complete_request", {"code": ":ta", "cursor_pos": 3}, ":tasks"),
    "inspect": ("inspect_request", {"code": "station", "cursor_pos": 3, "detail_level": 0}, "Station"),
    "is_complete": ("is_complete_request", {"code": "fn f() {"}, "incomplete"),
    "history": (
        "history_request",
        {"output": False, "raw": True, "hist_access_type": "tail", "n": 3},
        "use async_std::task;",
    ),
    "comm_info": ("comm_info_request", {}, "comms"),
    "kernel_info": ("kernel_info_request", {}, "rust"),
}


@pytest.fixture
def asking(fresh_kernel):
    """A second client, with a session of its own."""
    client = connect_apart(fresh_kernel.manager)
    yield client
    client.stop_channels()


def test_questions_are_answered_while_a_cell_sleeps(fresh_kernel, asking):
    fresh_kernel.run(PREPARATION).ok()
    ask_all(asking)
    begin = time.monotonic()
    cell = fresh_kernel.start('println!("runs");\ntask::sleep(Duration::from_secs(10)).await;')
    fresh_kernel.until(lambda: cell.stdout == "runs\n")
    check(ask_while(asking, lambda: time.monotonic() - begin < 9))
    fresh_kernel.wait(cell).ok()


def test_questions_are_answered_while_a_cell_compiles(fresh_kernel, asking):
    fresh_kernel.run(PREPARATION).ok()
    ask_all(asking)
    cell = fresh_kernel.start(RECORDS + 'println!("runs");')
    check(ask_while(asking, lambda: not cell.stdout))
    fresh_kernel.wait(cell).ok()


@pytest.mark.parametrize("code", ['let long = "{}";\nlong.len()', "// {}\n52428800"], ids=["text", "comment"])
def test_questions_are_answered_around_a_cell_of_fifty_megabytes(fresh_kernel, asking, code):
    fresh_kernel.run(PREPARATION).ok()
    cell = fresh_kernel.start(code.format("x" * (50 << 20)))
    slowest = 0
    while cell.reply is None:
        slowest = max(slowest, ask(asking, "kernel_info"))
        fresh_kernel.look_for_reply()
    fresh_kernel.wait(cell)
    print(f"{cell.status} after {time.time() - cell.sent:.1f} s, others within {slowest:.2f} s: {cell.text or cell.report}")
    assert cell.status == "error" or cell.text == "52428800"
    assert len(cell.report) < 10_000, "an error does not repeat all of it"
    # While it is read from the socket and sent to all clients, the others wait.
    assert slowest < 10 * BOUND
    assert fresh_kernel.run("station.name.len()").ok().text == "9"


def ask_while(client, busy):
    """Asks every question again and again. Gives the seconds that each answer took."""
    seconds = {question: [] for question in QUESTIONS}
    while busy():
        for question, taken in ask_all(client).items():
            seconds[question].append(taken)
        # The machine is there for the cell.
        time.sleep(0.02)
    return seconds


def ask_all(client):
    return {question: ask(client, question) for question in QUESTIONS}


def ask(client, question):
    """Gives the seconds until the answer."""
    kind, content, expected = QUESTIONS[question]
    message = client.session.msg(kind, content)
    begin = time.monotonic()
    client.shell_channel.send(message)
    reply = client.get_shell_msg(timeout=CELL_DEADLINE)
    taken = time.monotonic() - begin
    assert reply["parent_header"]["msg_id"] == message["header"]["msg_id"]
    assert expected in str(reply["content"]), question
    return taken


def check(seconds):
    for question, taken in seconds.items():
        assert len(taken) >= LEAST, f"{question}: only {len(taken)} answers"
        slow = statistics.quantiles(taken, n=20)[-1]
        print(f"{question}: {len(taken)} answers, 95 % within {slow * 1000:.1f} ms, all within {max(taken) * 1000:.1f} ms")
        assert slow < BOUND, question
