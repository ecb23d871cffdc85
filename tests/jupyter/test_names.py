"""What is known of names: `?name`, tooltips and completions, before rust-analyzer is warm, while a cell runs, and after."""

import json
import re
import time

import pytest

from client import SLACK
from starting import eventually, running_kernel
from test_protocol import ask, reply_to

# JupyterLab's completer gives up after this.
COMPLETER = 1.0
COMMON = ["spawn", "gather", "gather!", "task::spawn", "task", "Vec", "HashMap", "Duration", "println!", "race!", "loopbook::Loop"]
KINDS = {"function", "macro", "class", "trait", "module", "instance"}
LATER = {"function": 0, "macro": 0, "module": 1, "class": 2, "trait": 3, "instance": 4}


@pytest.fixture(scope="module")
def client(kernel_name, tmp_path_factory):
    """A client of a kernel that has run a cell and is idle."""
    with running_kernel(kernel_name, tmp_path_factory.mktemp("notebook")) as kernel:
        kernel.run("struct Point;").ok()
        yield kernel.client


@pytest.fixture(scope="module")
def busy(kernel_name, tmp_path_factory):
    """A client of a kernel that runs a cell."""
    with running_kernel(kernel_name, tmp_path_factory.mktemp("notebook")) as kernel:
        kernel.run("1").ok()
        running = kernel.start("task::sleep(Duration::from_secs(3600)).await")
        yield kernel.client
        kernel.interrupt()
        kernel.wait(running)


def complete(client, code):
    content = reply_to(client, client.complete(code, len(code)))["content"]
    return content["metadata"]["_jupyter_types_experimental"]


def inspect(client, code, position=None):
    return reply_to(client, client.inspect(code, len(code) if position is None else position))["content"]


def execute(client, code):
    return ask(client, "execute_request", {"code": code}, "shell")["content"]


@pytest.mark.parametrize("name", [*COMMON, "Point", "spawn()"])
def test_names_a_question_is_answered(client, name):
    reply = execute(client, f"?{name}")
    assert reply["status"] == "ok", reply
    [page] = reply["payload"]
    assert re.split(r"::|[!(]", name.rstrip("!()"))[-1] in page["data"]["text/plain"]


def test_names_a_question_in_the_first_cell_is_answered(fresh_kernel):
    reply = fresh_kernel.run("?spawn").ok().reply
    assert "async_std::task::spawn" in reply["payload"][0]["data"]["text/plain"]


@pytest.mark.parametrize("name", COMMON)
def test_names_are_explained_while_a_cell_runs(busy, name):
    reply = inspect(busy, name)
    assert reply["found"], name
    assert set(reply["data"]) >= {"text/plain", "text/html", "text/markdown"}


def test_names_are_explained_before_the_kernel_is_warm(kernel_name, tmp_path):
    with running_kernel(kernel_name, tmp_path) as kernel:
        eventually(lambda: inspect(kernel.client, "spawn")["found"], 10, "`spawn` is known")
        assert "async_std::task::spawn" in inspect(kernel.client, "let h = spawn(", 12)["data"]["text/plain"]
        assert "gather!" in [item["text"] for item in complete(kernel.client, "loopbook::")]


def test_names_that_nobody_knows_are_refused_with_what_to_do(client):
    reply = execute(client, "?no_such_name")
    assert reply["ename"] == "CommandError" and "nothing is known of `no_such_name`" in reply["evalue"]


@pytest.mark.parametrize("name", ["gather", "task::spawn", "loopbook::lab", "Vec::push", "HashMap"])
def test_names_are_explained_without_hidden_lines_and_with_colours(client, name):
    # `Vec::push` only rust-analyzer knows.
    data = inspect(client, name)["data"]
    for text in data.values():
        # A heading of Markdown begins with a capital letter.
        assert not re.search(r"^\s*(<[^>]*>)*# [^A-Z]", text, re.M), text
        assert "\x1b" not in text
    assert '<span style="color:' in data["text/html"]
    if "text/markdown" in data:
        fences = re.findall(r"^ *```(\w*)$", data["text/markdown"], re.M)
        assert fences and "rust" in fences and all(fence for fence in fences[::2])


def test_names_of_the_crate_come_in_the_order_of_use_with_their_kinds(client, busy):
    for one in (client, busy):
        items = complete(one, "loopbook::")
        names = [item["text"] for item in items]
        kinds = {item["text"]: item["type"] for item in items}
        assert names[:2] == ["gather!", "gather_all"] and names.index("display") < names.index("About")
        wanted = {"gather!": "macro", "display": "function", "Loop": "class", "lab": "module", "Awaitable": "trait"}
        assert {name: kinds[name] for name in wanted} == wanted
        assert set(kinds.values()) <= KINDS
        private = {"connection", "executor", "expansion", "process", "running", "__private", "__show!", "__try!"}
        assert not private & set(names) and not [name for name in names if name.startswith("_")]
        places = [LATER[kind] for name, kind in kinds.items()][30:]
        assert places == sorted(places)


def test_names_behind_other_paths_have_kinds_too(client):
    for code, wanted in (
        ("std::collections::Hash", {"HashMap": "class", "HashSet": "class"}),
        ("task::sp", {"spawn": "function", "spawn_local": "function"}),
        ("use loopbook::gat", {"gather": "macro", "gather_all": "function"}),
        ("loopbook::lab::", {"get": "function"}),
        ("async_std::", {"task": "module"}),
    ):
        kinds = {item["text"]: item["type"] for item in complete(client, code)}
        assert {name: kinds.get(name) for name in wanted} == wanted, code


def test_names_complete_at_the_first_tab_of_a_session(kernel_name, tmp_path):
    with running_kernel(kernel_name, tmp_path) as kernel:
        kernel.run("let counter = 1;").ok()
        for code, wanted in (("cou", "counter"), ("gath", "gather!"), ("loopbook::", "gather!"), ("Ve", "Vec"), ("std::", "collections")):
            start = time.monotonic()
            items = complete(kernel.client, code)
            took = time.monotonic() - start
            assert wanted in [item["text"] for item in items], (code, items)
            assert took < COMPLETER * SLACK, (code, took)
        assert "abs" in [item["text"] for item in complete(kernel.client, "counter.")]


@pytest.mark.parametrize(
    "line, wanted",
    [
        (":time 1+1", ":timing"), ("%time", ":timing"), ("%%timeit", "loopbook::cost"), ("%%bash", "std::process::Command"), ("!ls -l", '"ls -l"'),
        ("%who", ":vars"), ("%whos", ":vars"), ("%pip install x", ":dep"), ("%cd ..", "set_current_dir"), ("%env A=1", ":env"),
        ("%matplotlib inline", "loopbook::Svg"), ("%run x.py", ":dep"), ("%load x.py", ":dep"), ("%%writefile x", "std::fs::write"),
        ("%%html", "loopbook::Html"), ("%reset", ":clear"), ("%debug", "dbg!"), (":show_deps", ":deps"), (":sccache 1", "not available"),
        (":quit", "Shut Down"),
    ],
)
def test_names_of_other_programs_commands_say_what_to_use_here(client, line, wanted):
    reply = execute(client, line)
    assert reply["status"] == "error"
    text = re.sub(r"\x1b\[[0-9;]*m", "", json.dumps(reply, ensure_ascii=False)).replace('\\"', '"')
    assert wanted in text, text


def test_names_of_types_may_be_asked_with_the_mark_behind(client):
    reply = execute(client, "Point?")
    assert reply["status"] == "ok" and "struct Point" in reply["payload"][0]["data"]["text/plain"]


def test_names_marked_as_tests_are_functions_and_a_sentence_says_so(fresh_kernel):
    result = fresh_kernel.run("#[test]\nfn adds_up() { assert_eq!(1 + 1, 3, \"it does not\"); }").ok()
    assert "`adds_up()`" in result.stderr and "not run" in result.stderr
    failed = fresh_kernel.run("adds_up()")
    assert failed.status == "error" and failed.reply["ename"] == "Panic" and "it does not" in failed.report
    fresh_kernel.run("#[async_std::test]\nasync fn waits() { task::yield_now().await; }").ok()
    fresh_kernel.run("waits().await").ok()
    hidden = fresh_kernel.run("#[cfg(test)]\nmod tests { use super::*; }").ok()
    assert "`tests` is left out" in hidden.stderr


@pytest.mark.parametrize(
    ("attribute", "head", "call"),
    [
        ("", "fn main()", "main()"),
        ("", "async fn main()", "main().await"),
        ("#[tokio::main]", "async fn main()", "main()"),
        ("#[async_std::main]", "async fn main()", "main()"),
        ("#[tokio::main]", "async fn main() -> Result<(), std::fmt::Error>", "main()?"),
        ("", "async fn main() -> Result<(), std::fmt::Error>", "main().await?"),
    ],
)
def test_a_main_that_nobody_calls_is_told_how_to_be_called(kernel, attribute, head, call):
    end = "Ok(())" if "Result" in head else ""
    program = f'{attribute}\n{head} {{ println!("it runs"); {end} }}'
    result = kernel.run(program).ok()
    assert "it runs" not in result.stdout and f"run it with `{call}`" in result.stderr, str(result)
    # What the note says works.
    assert kernel.run(call).ok().stdout == "it runs\n"
    both = kernel.run(f"{program}\n{call};").ok()
    assert (both.stdout, both.stderr) == ("it runs\n", "")
