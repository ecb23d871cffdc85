"""Cells of subshells (JEP 91): Rust that runs beside the main shell's, with its items and without its variables."""

import time

import pytest

from client import CELL_DEADLINE, SLACK
from starting import connect_apart, running_kernel
from test_protocol import ask, reply_to, send

PREPARED = """
struct Point { x: i32 }
impl Point { fn twice(&self) -> i32 { self.x * 2 } }
fn triple(n: i32) -> i32 { n * 3 }
async fn later(n: i32) -> i32 { task::sleep(Duration::from_millis(20)).await; n }
macro_rules! seven { () => { 7 } }
static HITS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
let hidden = 41;
"""


@pytest.fixture(scope="module")
def manager(kernel_name, tmp_path_factory):
    with running_kernel(kernel_name, tmp_path_factory.mktemp("notebook")) as kernel:
        yield kernel.manager


@pytest.fixture
def client(manager):
    client = connect_apart(manager)
    yield client
    ask(client, "interrupt_request")
    client.stop_channels()


@pytest.fixture
def subshell(client):
    reply = run(client, PREPARED)
    assert reply["status"] == "ok", reply
    subshell = ask(client, "create_subshell_request")["content"]["subshell_id"]
    yield subshell
    ask(client, "delete_subshell_request", {"subshell_id": subshell})


def run(client, code, subshell=None, **more):
    return ask(client, "execute_request", {"code": code, "silent": False, **more}, "shell", subshell)["content"]


def texts(client, sent):
    """What the request `sent` printed and showed, until it was idle."""
    found = []
    while True:
        message = client.get_iopub_msg(timeout=CELL_DEADLINE)
        if message["parent_header"].get("msg_id") != sent:
            continue
        content = message["content"]
        if content.get("execution_state") == "idle":
            return "".join(found)
        found.append(content.get("text") or content.get("data", {}).get("text/plain", ""))


def shown(client, code, subshell):
    sent = send(client, "execute_request", {"code": code, "silent": False}, "shell", subshell)
    reply = reply_to(client, sent)["content"]
    return reply, texts(client, sent)


def test_subshells_run_rust_while_the_main_shell_awaits(client, subshell):
    main = client.execute("task::sleep(Duration::from_secs(300)).await; hidden")
    for code, expected in {
        "1 + 1": "2",
        "Point { x: 4 }.twice()": "8",
        "triple(later(2).await)": "6",
        "seven!()": "7",
        "gather!(later(1), later(2))": "(1, 2)",
        "let v: Vec<i32> = (0..3).collect(); println!(\"{v:?}\");": "[0, 1, 2]\n",
        "HITS.fetch_add(1, std::sync::atomic::Ordering::SeqCst); display(\"shown\");": "shown",
        "HITS.fetch_add(1, std::sync::atomic::Ordering::SeqCst)": "1",
        "fn local() -> u8 { 9 } local()": "9",
        "task::spawn(async { 5 }).await": "5",
    }.items():
        reply, text = shown(client, code, subshell)
        assert reply["status"] == "ok" and expected in text, (code, reply, text)
    ask(client, "interrupt_request")
    assert reply_to(client, main)["content"]["ename"] == "Interrupted"
    reply, text = shown(client, "(hidden, HITS.load(std::sync::atomic::Ordering::SeqCst))", None)
    assert text == "(41, 2)", "statics are shared, and the variable was never away"


def test_subshells_see_no_variables_and_say_so(client, subshell):
    run(client, "struct Hidden(u8);", None)
    for main in (None, client.execute("task::sleep(Duration::from_secs(300)).await")):
        reply = run(client, "hidden + 1", subshell)
        text = "\n".join(reply["traceback"])
        assert reply["ename"] == "CompileError" and "`hidden` is a variable of the main shell" in text, text
        assert "similar" not in text, text
        assert "In[" in reply["evalue"] and "of subshell" in reply["evalue"]
    assert run(client, "let mine = 1;", subshell)["status"] == "ok"
    reply = run(client, "mine", subshell)
    assert "ends with that cell" in " ".join("\n".join(reply["traceback"]).split()), reply


def test_subshells_fail_like_the_main_shell(client, subshell):
    for code, ename, evalue in (
        ("let n = 1;\npanic!(\"oh no\")", "Panic", "line 2"),
        ("let n: i32 = \"x\".parse()?;", "Error", "invalid digit"),
        ("let n: i32 = \"x\";", "CompileError", "mismatched types"),
        ("let = ;", "CompileError", "line 1"),
        (":nonsense", "CommandError", "nonsense"),
        (":restart\n1", "CommandError", "changes the notebook"),
    ):
        reply = run(client, code, subshell)
        assert (reply["status"], reply["ename"]) == ("error", ename) and evalue in reply["evalue"], reply
        assert reply["traceback"]
    for code in ("if true { return; }", "let unused_thing = 1;", ""):
        assert run(client, code, subshell)["status"] == "ok", code
    reply, text = shown(client, "let unused_thing = 1;", subshell)
    assert "unused variable" in text
    reply, text = shown(client, "hidden", None)
    assert text == "41"


def test_subshells_are_interrupted(client, subshell):
    waiting = ("task::sleep(Duration::from_secs(300)).await", "task::block_on(task::sleep(Duration::from_secs(300)))")
    for code in (*waiting, "loop {}", "std::thread::spawn(|| loop {}).join().unwrap();"):
        sent = send(client, "execute_request", {"code": f"println!(\"runs\"); {code}"}, "shell", subshell)
        until_text(client, sent, "runs")
        start = time.monotonic()
        ask(client, "interrupt_request")
        assert reply_to(client, sent)["content"]["ename"] == "Interrupted"
        assert time.monotonic() - start < 1 * SLACK
    waiting = send(client, "execute_request", {"code": "task::sleep(Duration::from_secs(300)).await"}, "shell", subshell)
    # Answered after the request before it was read; the interrupt takes another socket and could overtake it.
    reply_to(client, client.kernel_info())
    ask(client, "interrupt_request")
    assert reply_to(client, waiting)["content"]["ename"] == "Interrupted", "in whatever phase it was"
    assert run(client, "2", subshell)["status"] == "ok"


def test_subshells_have_tasks_input_and_expressions(client, subshell):
    reply, text = shown(client, "let n = task::spawn(async { task::sleep(Duration::from_secs(300)).await });\n:tasks", subshell)
    assert reply["status"] == "error", "a command stands before the code"
    reply, text = shown(client, "task::spawn(async { task::sleep(Duration::from_secs(300)).await });", subshell)
    _, text = shown(client, ":tasks", subshell)
    assert "of subshell" in text, text
    reply = run(client, "1", subshell, user_expressions={"a": "triple(3)", "b": "hidden"})
    assert reply["user_expressions"]["a"]["data"]["text/plain"] == "9"
    assert reply["user_expressions"]["b"]["ename"] == "CompileError"
    reply = run(client, "input(\"?\").await?", subshell, allow_stdin=False)
    assert reply["ename"] == "Error" and "takes no input" in reply["evalue"], reply
    silent = send(client, "execute_request", {"code": "display(1)", "silent": True}, "shell", subshell)
    assert reply_to(client, silent)["content"]["status"] == "ok" and texts(client, silent) == ""


def test_subshells_outlive_the_end_of_the_process(client, subshell):
    sent = send(client, "execute_request", {"code": "println!(\"runs\"); task::sleep(Duration::from_secs(300)).await"}, "shell", subshell)
    until_text(client, sent, "runs")
    assert run(client, "std::process::exit(3)")["ename"] == "ChildDied"
    assert reply_to(client, sent)["content"]["ename"] == "ChildDied"
    assert run(client, "let again = 1;")["status"] == "ok"
    assert run(client, "triple(1)", subshell)["status"] == "ok"


def until_text(client, sent, text):
    while True:
        message = client.get_iopub_msg(timeout=CELL_DEADLINE)
        if message["parent_header"].get("msg_id") == sent and text in message["content"].get("text", ""):
            return


def test_subshells_are_not_needed_to_inspect_by_comm(client, subshell):
    main = client.execute("let sleeper = task::Builder::new().name(\"sleeper\".into()).spawn(task::sleep(Duration::from_secs(300))).unwrap(); std::thread::sleep(Duration::from_secs(3));")
    deadline = time.monotonic() + CELL_DEADLINE
    names = set()
    while "sleeper" not in names:
        assert time.monotonic() < deadline, names
        opened = send(client, "comm_open", {"comm_id": "c", "target_name": "loopbook.inspect", "data": {"query": "tasks"}}, "shell")
        data = comm_answer(client, opened)
        assert data["query"] == "tasks"
        names = {task["name"] for task in data["data"]}
    [cell] = [task for task in data["data"] if task["kind"] == "cell"]
    assert cell["state"] == "running", "the cell computes, and the inspector answers"
    wrong = send(client, "comm_msg", {"comm_id": "c", "data": {"query": "tasks", "cell": "x"}}, "shell")
    assert "cannot answer" in comm_answer(client, wrong)["error"]
    assert reply_to(client, main)["content"]["status"] == "ok"


def comm_answer(client, sent):
    while True:
        message = client.get_iopub_msg(timeout=CELL_DEADLINE)
        if message["msg_type"] == "comm_msg" and message["parent_header"].get("msg_id") == sent:
            return message["content"]["data"]
