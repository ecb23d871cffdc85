"""What a front end asks beside cells: values, pages, completions, the history; also while a cell runs."""

import time

import pytest

from client import SLACK
from starting import connect, connect_apart, running_kernel
from test_protocol import ask, reply_to

# A person notices more than this.
PROMPT = 0.3


@pytest.fixture(scope="module")
def answering(kernel_name, tmp_path_factory):
    """A kernel that has run a cell."""
    with running_kernel(kernel_name, tmp_path_factory.mktemp("notebook")) as kernel:
        kernel.run("let x = 20;\nfn twice(n: i32) -> i32 { 2 * n }\nx").ok()
        yield kernel


@pytest.fixture
def client(answering):
    client = connect_apart(answering.manager)
    yield client
    client.stop_channels()


def execute(client, code, **content):
    return ask(client, "execute_request", {"code": code, **content}, "shell")["content"]


def test_answers_expressions_have_a_value_or_an_error_each(client):
    wanted = {"sum": "x + 1", "unit": "println!()", "bad": "nonsense + 1", "broken": "let = ;"}
    reply = execute(client, "let y = twice(x);", user_expressions=wanted)
    assert reply["status"] == "ok"
    found = reply["user_expressions"]
    assert found["sum"]["data"]["text/plain"] == "21" and found["unit"]["status"] == "ok"
    for key in ("bad", "broken"):
        assert found[key]["status"] == "error" and found[key]["ename"] == "CompileError"
        assert "In[" not in found[key]["evalue"] + "".join(found[key]["traceback"])
    assert execute(client, "y", user_expressions={"y": "y"})["user_expressions"]["y"]["data"]["text/plain"] == "40"
    assert "user_expressions" not in execute(client, "nonsense", user_expressions={"y": "y"})


@pytest.mark.parametrize("code", [":help", ":help tasks", "?Vec", "?twice", "Vec?"])
def test_answers_a_question_opens_the_pager(client, code):
    reply = execute(client, code)
    assert reply["status"] == "ok", reply
    [page] = reply["payload"]
    assert page["source"] == "page" and page["data"]["text/plain"].strip()


def test_answers_a_variable_with_a_question_mark_is_an_expression(client):
    assert execute(client, 'let good: Result<i32, String> = Ok(7);')["status"] == "ok"
    reply = execute(client, "good?")
    assert reply["status"] == "ok" and not reply["payload"]


def test_answers_commands_complete_with_their_arguments(client):
    for code, wanted in ((":tas", ":tasks"), (":tasks --", "--all"), (":type ", "x"), (":help tas", "tasks"), (":dep seri", None), ("# graded\n:tas", ":tasks")):
        reply = reply_to(client, client.complete(code, len(code)))["content"]
        assert reply["status"] == "ok" and (wanted is None or wanted in reply["matches"]), (code, reply["matches"])
        types = reply["metadata"]["_jupyter_types_experimental"]
        assert [one["text"] for one in types] == reply["matches"]


def test_answers_come_while_a_cell_sleeps(client):
    subshell = ask(client, "create_subshell_request")["content"]["subshell_id"]
    sleeping = client.execute("task::sleep(Duration::from_secs(60)).await")
    time.sleep(3)
    took = {}
    for name, send in {
        "complete": lambda: client.complete("twi", 3),
        "command": lambda: client.complete(":dep s", 6),
        "inspect": lambda: client.inspect("twice", 5),
        "is_complete": lambda: client.is_complete("fn f() {"),
        "history": lambda: client.history(hist_access_type="tail", n=3),
        "comm_info": lambda: client.comm_info(),
        "kernel_info": lambda: client.kernel_info(),
    }.items():
        start = time.monotonic()
        reply = reply_to(client, send())["content"]
        took[name] = time.monotonic() - start
        assert reply["status"] in ("ok", "incomplete"), (name, reply)
        if name == "complete":
            assert "twice" in reply["matches"]
    for code in (":tasks", ":vars", ":help"):
        start = time.monotonic()
        reply = ask(client, "execute_request", {"code": code}, "shell", subshell)["content"]
        took[code] = time.monotonic() - start
        assert reply["status"] == "ok", reply
    print(took)
    assert max(took.values()) < PROMPT * SLACK, took
    ask(client, "interrupt_request")
    assert reply_to(client, sleeping)["content"]["ename"] == "Interrupted"


def test_answers_the_history_is_known_to_the_next_kernel(fresh_kernel):
    code = f"{time.time_ns()}_i64 % 2 + 40"
    fresh_kernel.run(code).ok()
    fresh_kernel.check_leftovers()
    fresh_kernel.manager.restart_kernel(now=False)
    fresh_kernel.reconnect(connect(fresh_kernel.manager))
    request = {"hist_access_type": "search", "pattern": code, "output": True}
    found = ask(fresh_kernel.client, "history_request", request, "shell")["content"]["history"]
    assert [(entry[2][0], entry[2][1] in ("40", "41")) for entry in found] == [(code, True)]
