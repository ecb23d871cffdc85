"""What a kernel leaves behind when it ends, and kernels beside each other."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from starting import MARK, connect, eventually, processes, resident_bytes, running_kernel, work_directories

# Enough to compile that there is time to kill the kernel meanwhile.
LONG_TO_COMPILE = "\n".join(f"fn f{n}(x: u64) -> String {{ format!(\"{{x}} {{}}\", {n}) }}" for n in range(3000))

SERVER = """
import json, pathlib, sys, time
from jupyter_client.manager import KernelManager
manager = KernelManager(kernel_name=sys.argv[1])
manager.start_kernel(cwd=sys.argv[2])
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=120)
client.execute_interactive("let alive = 1;")
client.execute("std::thread::sleep(std::time::Duration::from_secs(3600));")
print(json.dumps({"kernel": manager.provisioner.pid}), flush=True)
time.sleep(3600)
"""


def test_sigkill_of_an_idle_kernel_leaves_no_process(kernel_name, tmp_path):
    with running_kernel(kernel_name, tmp_path) as kernel:
        kernel.run("let x = 1;").ok()
        assert len(processes(kernel.mark)) >= 2, "a kernel and a child"
        kill(kernel)


def test_sigkill_while_a_cell_runs_leaves_no_process(kernel_name, tmp_path):
    with running_kernel(kernel_name, tmp_path) as kernel:
        result = kernel.start('println!("begun"); loop { std::hint::spin_loop(); }')
        kernel.until(lambda: "begun" in result.stdout)
        kill(kernel)


def test_sigkill_while_a_cell_compiles_leaves_no_process(kernel_name, tmp_path):
    with running_kernel(kernel_name, tmp_path) as kernel:
        kernel.run("1").ok()
        kernel.start(LONG_TO_COMPILE)
        eventually(lambda: any("rustc" in command for _, command in processes(kernel.mark)), 10, "rustc runs")
        kill(kernel)


def test_the_next_start_sweeps_what_sigkill_left(kernel_name, tmp_path):
    with running_kernel(kernel_name, tmp_path) as kernel:
        kernel.run("1").ok()
        pid = kernel.pid
        assert work_directories(pid)
        kill(kernel)
    with running_kernel(kernel_name, tmp_path) as kernel:
        eventually(lambda: not work_directories(pid), 5, "the dead kernel's directory is gone")
        assert kernel.run("1 + 1").ok().text == "2", "the living kernel's directory is not"


@pytest.mark.parametrize("terminal", ["living", "gone"])
def test_a_killed_server_takes_the_kernel_with_it(kernel_name, tmp_path, terminal):
    mark = f"server-{terminal}-{os.getpid()}"
    command = [sys.executable, "-c", SERVER, kernel_name, str(tmp_path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE if terminal == "gone" else None}
    server = subprocess.Popen(command, env={**os.environ, MARK: mark}, text=True, **pipes)
    try:
        pid = json.loads(server.stdout.readline())["kernel"]
        assert work_directories(pid) and len(processes(mark)) >= 3
    finally:
        if server.stderr:
            # Nothing reads the kernel's log any more: writing to it fails.
            server.stderr.close()
        server.kill()
        server.wait()
    eventually(lambda: not processes(mark), 3, "kernel, child, cargo and rustc are gone with the server")
    assert not work_directories(pid)


def test_shutdown_leaves_neither_process_nor_directory(kernel_name, tmp_path):
    with running_kernel(kernel_name, tmp_path) as kernel:
        kernel.run("let x = 1;").ok()
        mark, pid = kernel.mark, kernel.pid
    eventually(lambda: not processes(mark), 3, "every process is gone")
    assert not work_directories(pid)


def test_two_kernels_do_not_see_each_other(kernel_name, tmp_path):
    with running_kernel(kernel_name, tmp_path) as one, running_kernel(kernel_name, tmp_path) as other:
        cells = [(k, k.start(f"let x = {n}; fn f() -> i32 {{ {n} }}")) for n, k in ((1, one), (2, other))]
        for kernel, started in cells:
            kernel.wait(started).ok()
        for number in range(5):
            cells = [(k, k.start(f"(x, f(), {number})")) for k in (one, other)]
            texts = [kernel.wait(started).ok().text for kernel, started in cells]
            assert texts == [f"(1, 1, {number})", f"(2, 2, {number})"]
        assert not set(work_directories(one.pid)) & set(work_directories(other.pid))
        kill(one)
        assert other.run("x").ok().text == "2", "the end of one is nothing to the other"


def test_twenty_restarts_leak_nothing(kernel_name, tmp_path):
    directories_before = set(work_directories())
    with running_kernel(kernel_name, tmp_path) as kernel:
        kernel.run("let x = 1;").ok()
        kernel.check_leftovers()
        running = sorted(program(command) for _, command in processes(kernel.mark))
        memory = resident_bytes(kernel.mark)
        for restart in range(1, 21):
            old = kernel.pid
            kernel.manager.restart_kernel(now=False)
            kernel.reconnect(connect(kernel.manager))
            assert not work_directories(old)
            if restart % 10 == 0:
                kernel.run("let x = 1;").ok()
                kernel.check_leftovers()
        eventually(lambda: len(processes(kernel.mark)) == len(running), 3, f"the processes are again {running}")
        assert resident_bytes(kernel.mark) < 1.3 * memory
        # What an earlier test's killed kernel left may have been swept meanwhile.
        assert len(set(work_directories()) - directories_before) == 1


def kill(kernel):
    """Kills the kernel process alone, as the out-of-memory killer would, and asserts that all others go with it."""
    os.kill(kernel.pid, signal.SIGKILL)
    eventually(lambda: not processes(kernel.mark), 3, "child, cargo and rustc are gone with the kernel")


def program(command):
    return pathlib.Path(command.split(" ")[0]).name
