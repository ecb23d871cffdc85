"""Starting and ending kernels, and finding what they leave behind: processes and directories."""

import contextlib
import os
import pathlib
import shutil
import time
import uuid

from jupyter_client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from client import SLACK, Kernel

# Every process that descends from a kernel carries this variable, so that leaks can be found whoever their parent is.
MARK = "LOOPBOOK_TEST_MARK"
READY_DEADLINE = 30 * SLACK


@contextlib.contextmanager
def running_kernel(name, cwd, env=None, **manager_options):
    """A kernel with a transcript client. Ended at the end, by force if it has to be."""
    mark = uuid.uuid4().hex
    manager = KernelManager(kernel_name=name, **manager_options)
    manager.start_kernel(cwd=str(cwd), env={**os.environ, MARK: mark, **(env or {})})
    kernel = None
    try:
        kernel = Kernel(manager, connect(manager))
        kernel.mark = mark
        yield kernel
    finally:
        if kernel:
            kernel.close()
        if manager.has_kernel:
            manager.shutdown_kernel(now=False)
        manager.cleanup_resources()


def connect(manager):
    """A client of a kernel that has answered kernel_info."""
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=READY_DEADLINE)
    except RuntimeError as error:
        # A negative status is the number of the signal that ended the kernel.
        raise AssertionError(f"{error}; its exit status is {manager.provisioner.process.poll()}") from error
    return client


def connect_apart(manager):
    """A client with a session of its own: those that a manager makes share one ZeroMQ identity, and a reply could go to any."""
    client = BlockingKernelClient(connection_file=manager.connection_file)
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=READY_DEADLINE)
    return client


def processes(mark):
    """Living processes that carry the mark: pairs (pid, command line)."""
    found = []
    for directory in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            environment = (directory / "environ").read_bytes().split(b"\0")
            command = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            is_zombie = (directory / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue
        if f"{MARK}={mark}".encode() in environment and not is_zombie:
            found.append((int(directory.name), command))
    return found


def resident_bytes(mark):
    """Memory that all processes with the mark hold, shared pages counted once per process."""
    total = 0
    for pid, _ in processes(mark):
        with contextlib.suppress(OSError):
            total += int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return total


def work_root():
    """Where kernels have their working directories."""
    cache = os.environ.get("LOOPBOOK_CACHE")
    if not cache:
        home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
        cache = pathlib.Path(home) / "loopbook"
    return pathlib.Path(cache) / "work"


def work_directories(pid=None):
    """Working directories of all kernels, or of the kernel with this process id."""
    root = work_root()
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if pid is None or path.name.startswith(f"{pid}-"))


def compiled_crates(pid):
    """Names of the crates that rustc was run for in the kernel with this process id, in order."""
    logs = [path / "state" / "rustc.log" for path in work_directories(pid)]
    return [name for log in logs if log.exists() for name in log.read_text().split()]


def compilations(pid):
    """Who has compiled cells in the kernel with this process id, in order: `rustc`, or `cache` if nobody had to."""
    logs = [path / "state" / "compilations.log" for path in work_directories(pid)]
    return [name for log in logs if log.exists() for name in log.read_text().split()]


def eventually(condition, seconds, what):
    """Waits until `condition()` is true; `what` says what was hoped for."""
    deadline = time.monotonic() + seconds * SLACK
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"after {seconds * SLACK:.0f} s still not so: {what}"
        time.sleep(0.05)


def forget_crates():
    """Has the next kernel compile the crates that its notebook asks for. Those that run have their own names for the files."""
    shutil.rmtree(work_root().parent / "compiled", ignore_errors=True)
