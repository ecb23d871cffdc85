"""Several clients at once: one that does not read costs the others nothing and the kernel a bounded amount of memory."""

import contextlib
import time

import pytest
import zmq

from client import CELL_DEADLINE
from conftest import ROOT
from starting import connect
from toy import megabytes, toy_kernel

FLOOD = 1024
# What the kernel may take beyond what it has before: 64 MiB for each client that lags, as much again for the messages
# that are on their way, and room for what the allocator keeps.
BOUND = 256


@pytest.fixture
def manager():
    # Every line is to go through the sockets, however many there are.
    with toy_kernel(env={"LOOPBOOK_PRINTED_LINES": "full"}) as manager:
        yield manager


@contextlib.contextmanager
def connected(manager):
    client = connect(manager)
    try:
        yield client
    finally:
        client.stop_channels()


@contextlib.contextmanager
def stalled(manager):
    """A subscriber that takes one message and then reads no more."""
    socket = zmq.Context.instance().socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, 1)
    socket.setsockopt(zmq.RCVBUF, 1 << 16)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(f"tcp://{manager.ip}:{manager.iopub_port}")
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    assert socket.poll(CELL_DEADLINE * 1000), "no welcome"
    socket.recv_multipart()
    try:
        yield socket
    finally:
        socket.close()


def drain(client, request):
    """Reads what a cell prints, up to the end of the flood. Gives the number of characters and the seconds it took."""
    printed, start = 0, time.monotonic()
    while True:
        message = client.get_iopub_msg(timeout=CELL_DEADLINE)
        if message["msg_type"] == "stream" and message["parent_header"].get("msg_id") == request:
            printed += len(message["content"]["text"])
            if message["content"]["text"].endswith("end of the flood\n"):
                return printed - len("end of the flood\n"), time.monotonic() - start


def test_a_client_that_never_reads_costs_the_others_nothing(manager):
    with connected(manager) as client:
        printed, alone = drain(client, client.execute(f"flood {FLOOD // 4}"))
        assert printed == (FLOOD // 4) << 20
        before = megabytes(manager, "VmRSS")
        with stalled(manager):
            request = client.execute(f"flood {FLOOD}")
            printed, together = drain(client, request)
        assert printed == FLOOD << 20, "nothing is lost for who reads"
        assert together < 4 * 4 * alone + 5, f"{together:.1f} s for four times of what took {alone:.1f} s"
        grown = megabytes(manager, "VmHWM") - before
        assert grown < BOUND, f"the kernel took {grown:.0f} MiB more"
        client.get_shell_msg(timeout=CELL_DEADLINE)


def test_nobody_needs_to_read_at_all(manager):
    with connected(manager) as client:
        before = megabytes(manager, "VmRSS")
    with stalled(manager), stalled(manager):
        shell = manager.client()
        shell.shell_channel.start()
        shell.execute(f"flood {FLOOD // 2}")
        assert shell.get_shell_msg(timeout=CELL_DEADLINE)["content"]["status"] == "ok"
        # Until both have been let go the kernel answers all the same.
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            shell.kernel_info()
            shell.get_shell_msg(timeout=CELL_DEADLINE)
            time.sleep(0.2)
            if megabytes(manager, "VmRSS") > before + 2 * BOUND:
                break
        assert megabytes(manager, "VmHWM") < before + 2 * BOUND
        shell.stop_channels()


def test_a_client_that_leaves_in_the_middle_is_not_missed(manager):
    with connected(manager) as staying:
        with connected(manager) as leaving:
            leaving.execute("flood 64")
            leaving.get_shell_msg(timeout=CELL_DEADLINE)
        printed, _seconds = drain(staying, staying.execute("flood 64"))
        assert printed >= 64 << 20
