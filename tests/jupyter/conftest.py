"""Installs the program once and hands out kernels.

Which program: `LOOPBOOK_PROGRAM`, else the release build of this tree. It is installed into `LOOPBOOK_TEST_PREFIX`, else
into a temporary directory. With `LOOPBOOK_KERNEL_NAME` nothing is installed: that kernelspec is tested as it is.
"""

import os
import pathlib
import subprocess
import sys

import pytest

from starting import running_kernel

ROOT = pathlib.Path(__file__).parents[2]
WARM_DEADLINE = 1800


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory):
    """No configuration of the person who runs the tests takes part."""
    home = tmp_path_factory.mktemp("home")
    # Short names: a socket's path may have no more than 107 bytes.
    for name, directory in (("JUPYTER_CONFIG_DIR", "cfg"), ("JUPYTER_RUNTIME_DIR", "run"), ("IPYTHONDIR", "ipy")):
        os.environ[name] = str(home / directory)
        (home / directory).mkdir()
    # nbconvert and the console are found as programs beside this Python.
    os.environ["PATH"] = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    os.environ["LOOPBOOK_HISTORY"] = str(home / "history.sqlite")
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")


@pytest.fixture(scope="session")
def prefix(tmp_path_factory, clean_environment):
    """Where the program under test is installed; `None` if `LOOPBOOK_KERNEL_NAME` names a kernel that is."""
    if "LOOPBOOK_KERNEL_NAME" in os.environ:
        return None
    place = pathlib.Path(os.environ.get("LOOPBOOK_TEST_PREFIX") or tmp_path_factory.mktemp("prefix"))
    program = os.environ.get("LOOPBOOK_PROGRAM", str(ROOT / "target" / "release" / "loopbook"))
    subprocess.run([program, "install", "--prefix", str(place)], check=True)
    subprocess.run([str(installed_program(place)), "warm"], check=True, timeout=WARM_DEADLINE)
    os.environ["JUPYTER_PATH"] = str(place / "share" / "jupyter")
    return place


def installed_program(prefix):
    """The installed copy of the program."""
    return prefix / "share" / "loopbook" / "bin" / "loopbook"


@pytest.fixture(scope="session")
def kernel_name(prefix):
    return os.environ.get("LOOPBOOK_KERNEL_NAME", "loopbook")


@pytest.fixture(scope="module")
def module_kernel(kernel_name, tmp_path_factory):
    with running_kernel(kernel_name, tmp_path_factory.mktemp("notebook")) as kernel:
        yield kernel


@pytest.fixture
def kernel(module_kernel):
    """A kernel that the tests of one file share. What a test leaves unread fails it."""
    yield module_kernel
    module_kernel.check_leftovers()


@pytest.fixture
def fresh_kernel(kernel_name, tmp_path):
    """A kernel of the test's own."""
    with running_kernel(kernel_name, tmp_path) as kernel:
        yield kernel
        kernel.check_leftovers()
