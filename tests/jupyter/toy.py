"""A kernel that speaks the toy language over real sockets: what holds for messages holds for any language."""

import contextlib
import json
import os
import pathlib
import tempfile

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from conftest import ROOT

# The program under test, as in conftest.py.
PROGRAM = os.environ.get("LOOPBOOK_PROGRAM", str(ROOT / "target" / "release" / "loopbook"))


@contextlib.contextmanager
def toy_kernel(env=None, **manager_options):
    """A running kernel of the toy language; gives its manager. `env` is added to the environment."""
    if not pathlib.Path(PROGRAM).is_file():
        pytest.skip(f"there is no program {PROGRAM}")
    with tempfile.TemporaryDirectory() as directory:
        spec = pathlib.Path(directory) / "toy"
        spec.mkdir()
        argv = [PROGRAM, "kernel", "-f", "{connection_file}", "--toy"]
        text = {"argv": argv, "display_name": "Toy", "language": "toy", "interrupt_mode": "message"}
        (spec / "kernel.json").write_text(json.dumps(text))
        specs = KernelSpecManager(kernel_dirs=[directory])
        manager = KernelManager(kernel_name="toy", kernel_spec_manager=specs, **manager_options)
        manager.start_kernel(env={**os.environ, **(env or {})})
        try:
            yield manager
        finally:
            manager.shutdown_kernel(now=True)


def megabytes(manager, line):
    """A line of the kernel's memory in /proc/PID/status (VmRSS now, VmHWM at most), in MiB."""
    status = pathlib.Path(f"/proc/{manager.provisioner.pid}/status").read_text()
    [kilobytes] = [row.split()[1] for row in status.splitlines() if row.startswith(f"{line}:")]
    return int(kilobytes) / 1024
