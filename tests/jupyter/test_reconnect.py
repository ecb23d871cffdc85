"""A client may connect again under the ZeroMQ identity that it had, and two may have one identity: no reply is lost."""

import contextlib
import os

import pytest
import zmq
from jupyter_client.session import Session

from client import CELL_DEADLINE
from toy import toy_kernel

TIMES = int(os.environ.get("LOOPBOOK_TEST_RECONNECTS", "1000"))


@pytest.fixture(scope="module", params=["tcp", "ipc"])
def manager(request):
    with toy_kernel(transport=request.param) as manager:
        yield manager


@pytest.fixture
def session(manager):
    return Session(key=manager.session.key)


@contextlib.contextmanager
def connected(manager, channel, identity):
    """A DEALER of this identity at a socket of the kernel."""
    socket = zmq.Context.instance().socket(zmq.DEALER)
    if identity:
        socket.setsockopt(zmq.IDENTITY, identity)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(manager._make_url(channel))
    try:
        yield socket
    finally:
        socket.close()


def ask(session, socket, kind="kernel_info_request", content=None):
    """Sends a request and gives its message id."""
    return session.send(socket, kind, content or {})["header"]["msg_id"]


def answer(session, socket):
    """The next message: its type, and the id of what it is an answer to."""
    assert socket.poll(CELL_DEADLINE * 1000), "no reply"
    _identities, frames = session.feed_identities(socket.recv_multipart())
    message = session.deserialize(frames)
    return message["msg_type"], message["parent_header"]["msg_id"]


def answer_on(session, manager, channel):
    """Asks over a connection of its own and gives the type of the answer."""
    with connected(manager, channel, b"") as socket:
        ask(session, socket)
        return answer(session, socket)[0]


def execute(session, socket, code):
    return ask(session, socket, "execute_request", {"code": code, "silent": False, "allow_stdin": True})


def test_no_reply_is_lost_by_reconnecting_under_the_old_identity(manager, session):
    for _ in range(TIMES):
        with connected(manager, "shell", b"same") as socket:
            request = ask(session, socket)
            assert answer(session, socket) == ("kernel_info_reply", request)


def test_the_new_connection_may_be_there_before_the_old_one_has_gone(manager, session):
    with contextlib.ExitStack() as old:
        for _ in range(TIMES // 4):
            with contextlib.ExitStack() as new:
                socket = new.enter_context(connected(manager, "control", b"overlaps"))
                request = ask(session, socket)
                old.close()
                assert answer(session, socket) == ("kernel_info_reply", request)
                old = new.pop_all()


def test_two_clients_of_one_identity_get_their_own_replies(manager, session):
    with connected(manager, "control", b"twin") as first, connected(manager, "control", b"twin") as second:
        for _ in range(50):
            requests = [(socket, ask(session, socket)) for socket in (first, second, first)]
            for socket, request in sorted(requests, key=lambda one: one[0] is second):
                assert answer(session, socket) == ("kernel_info_reply", request)
        assert not first.poll(0) and not second.poll(0)


def test_a_client_is_asked_though_its_sockets_connect_in_any_order(manager, session):
    for turn in range(20):
        identity = f"late{turn}".encode()
        with connected(manager, "shell", identity) as socket:
            request = execute(session, socket, "input first?")
            answer_on(session, manager, "control")
            with connected(manager, "stdin", identity) as questions:
                assert answer(session, questions) == ("input_request", request)
                ask(session, questions, "input_reply", {"value": "yes"})
                assert answer(session, socket) == ("execute_reply", request)


def test_a_client_without_an_identity_is_answered(manager, session):
    with connected(manager, "shell", b"") as first, connected(manager, "shell", b"") as second:
        one, two = ask(session, first), ask(session, second)
        assert answer(session, first) == ("kernel_info_reply", one)
        assert answer(session, second) == ("kernel_info_reply", two)
