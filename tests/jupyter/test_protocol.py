"""What Jupyter's protocol demands of any kernel, over real sockets: the toy language stands for every other."""

import time

import pytest
import zmq
from jupyter_client import BlockingKernelClient
from jupyter_client.session import Session

from client import CELL_DEADLINE, SLACK
from schema import check_schema
from starting import connect
from toy import toy_kernel


@pytest.fixture(scope="module")
def manager():
    with toy_kernel() as manager:
        yield manager


@pytest.fixture
def client(manager):
    client = connect(manager)
    yield client
    client.stop_channels()


def ask(client, kind, content=None, channel="control", subshell=None):
    """Sends a request and waits for its reply."""
    sent = send(client, kind, content, channel, subshell)
    return reply_to(client, sent, channel)


def send(client, kind, content=None, channel="control", subshell=None):
    message = client.session.msg(kind, content or {})
    if subshell:
        message["header"]["subshell_id"] = subshell
    getattr(client, f"{channel}_channel").send(message)
    return message["header"]["msg_id"]


def reply_to(client, sent, channel="shell"):
    """Replies may come in any order; each of them is kept until somebody asks for it."""
    kept = client.__dict__.setdefault("kept_replies", {})
    while sent not in kept:
        reply = getattr(client, f"{channel}_channel").get_msg(timeout=CELL_DEADLINE)
        check_schema(reply)
        kept[reply["parent_header"]["msg_id"]] = reply
    return kept.pop(sent)


def test_everything_but_cells_is_answered_while_a_cell_runs(client):
    cell = client.execute("wait")
    requests = [client.kernel_info(), client.complete("pri", 3), client.inspect("print", 5), client.is_complete("1")]
    requests += [client.history(hist_access_type="tail", n=1), client.comm_info()]
    start = time.monotonic()
    for request in requests:
        assert reply_to(client, request)["content"].get("status") in ("ok", "complete")
    usage = ask(client, "usage_request")["content"]
    assert usage["kernel_memory"] > 0 and usage["host_virtual_memory"]["total"] > usage["kernel_memory"]
    assert ask(client, "interrupt_request")["content"]["status"] == "ok"
    assert reply_to(client, cell)["content"]["ename"] == "Interrupted"
    assert time.monotonic() - start < 2 * SLACK


def test_subshells_run_beside_the_main_shell(client):
    subshell = ask(client, "create_subshell_request")["content"]["subshell_id"]
    assert ask(client, "list_subshell_request")["content"]["subshell_id"] == [subshell]
    waiting = client.execute("wait")
    for count in (1, 2):
        code = {"code": f"{count}", "silent": False, "user_expressions": {"twice": f"{count}+{count}"}}
        reply = ask(client, "execute_request", code, "shell", subshell)
        assert reply["content"]["execution_count"] == count, "a subshell counts for itself"
        assert reply["content"]["user_expressions"]["twice"]["data"] == {"text/plain": str(2 * count)}
        assert reply["parent_header"]["subshell_id"] == subshell
    assert ask(client, "delete_subshell_request", {"subshell_id": subshell})["content"]["status"] == "ok"
    assert ask(client, "execute_request", {"code": "1"}, "shell", subshell)["content"]["status"] == "error"
    ask(client, "interrupt_request")
    assert reply_to(client, waiting)["content"]["status"] == "error"


def test_replies_go_to_who_asked(manager, client):
    # Clients that a manager makes share its session.
    other = BlockingKernelClient(connection_file=manager.connection_file)
    other.load_connection_file()
    other.start_channels()
    other.wait_for_ready(timeout=CELL_DEADLINE)
    mine, theirs = client.execute("fail mine"), other.execute("print theirs")
    assert reply_to(client, mine)["content"]["status"] == "error"
    reply = reply_to(other, theirs)
    assert reply["content"]["status"] == "ok", "an error of mine aborts nothing of theirs"
    assert reply["parent_header"]["session"] == other.session.session
    other.stop_channels()


def test_a_stranger_is_not_answered_and_nothing_is_played_back(manager, client):
    with raw_socket(manager) as socket:
        forger = Session(key=b"another key")
        socket.send_multipart(forger.serialize(forger.msg("kernel_info_request", {})))
        honest = Session(key=manager.session.key)
        recorded = honest.serialize(honest.msg("kernel_info_request", {}))
        for frames in ([b""], [b"<IDS|MSG>"], recorded[:4], recorded[:-1], [b"x" * 1000] * 100):
            socket.send_multipart(frames)
        assert not socket.poll(500), "a reply to what is not signed"
        socket.send_multipart(recorded)
        assert socket.poll(CELL_DEADLINE * 1000)
        socket.recv_multipart()
        socket.send_multipart(recorded)
        assert not socket.poll(500), "a reply to what was played back"
    assert reply_to(client, client.kernel_info())["content"]["status"] == "ok"


def test_fifty_megabytes_in_one_message(client):
    text = "x" * (50 << 20)
    sent = client.execute(f"print {text}", stop_on_error=False)
    assert reply_to(client, sent)["content"]["status"] == "ok"
    printed = 0
    while printed <= len(text):
        message = client.get_iopub_msg(timeout=CELL_DEADLINE)
        if message["msg_type"] == "stream" and message["parent_header"]["msg_id"] == sent:
            printed += len(message["content"]["text"])
    assert printed == len(text) + 1


def test_an_interrupt_is_answered_during_a_flood(client):
    client.execute("flood 64")
    for _ in range(5):
        start = time.monotonic()
        ask(client, "interrupt_request")
        assert time.monotonic() - start < 1 * SLACK


def test_shutdown_while_a_cell_runs_answers_all_that_wait():
    with toy_kernel() as manager:
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=CELL_DEADLINE)
        running, waiting = client.execute("wait"), client.execute("print never")
        # Answered after the two before it were read; the shutdown takes another socket and could overtake them.
        reply_to(client, client.kernel_info())
        assert ask(client, "shutdown_request", {"restart": False})["content"] == {"status": "ok", "restart": False}
        assert reply_to(client, running)["content"]["ename"] == "Interrupted"
        assert reply_to(client, waiting)["content"]["status"] == "aborted"
        deadline = time.monotonic() + CELL_DEADLINE
        while manager.is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not manager.is_alive()
        client.stop_channels()


def raw_socket(manager):
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(f"tcp://{manager.ip}:{manager.shell_port}")
    return socket
