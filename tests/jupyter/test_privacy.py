"""What a user types is nobody else's: other users of the machine cannot read it, whatever the umask."""

import os
import pathlib
import shutil
import stat
import subprocess

import pytest

from offline import wrapped_kernel
from starting import running_kernel, work_directories

SECRET = "a-password-in-a-cell"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def test_nobody_else_can_use_a_working_directory_the_history_or_a_socket(kernel_name, tmp_path, monkeypatch):
    name, path = wrapped_kernel(kernel_name, ["sh", "-c", 'umask 0; exec "$@"', "sh"], tmp_path)
    monkeypatch.setenv("JUPYTER_PATH", path)
    history = tmp_path / "state" / "history.sqlite"
    sockets = tmp_path / "sockets"
    sockets.mkdir()
    options = {"transport": "ipc", "ip": str(sockets / "k")}
    with running_kernel(name, tmp_path, env={"LOOPBOOK_HISTORY": str(history)}, **options) as kernel:
        kernel.run(f'let secret = "{SECRET}";').ok()
        [work] = work_directories(kernel.pid)
        for private in (work, history.parent, history, *sockets.iterdir()):
            assert not private.stat().st_mode & OTHERS, f"{private} is open to others: {oct(private.stat().st_mode)}"
        assert holds_secret(work), "the text lies there, or this test shows nothing"
        as_somebody_else(["grep", "-rs", SECRET, str(work)])
        kernel.check_leftovers()


def test_a_history_that_was_open_to_others_is_so_no_longer(kernel_name, tmp_path):
    history = tmp_path / "history.sqlite"
    history.touch(mode=0o644)
    with running_kernel(kernel_name, tmp_path, env={"LOOPBOOK_HISTORY": str(history)}) as kernel:
        kernel.run(f'let secret = "{SECRET}";').ok()
        assert not history.stat().st_mode & OTHERS


def test_temporary_files_of_a_compilation_do_not_hold_the_cell(kernel_name, tmp_path):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with running_kernel(kernel_name, tmp_path, env={"TMPDIR": str(temporary)}) as kernel:
        kernel.run(f'let secret = "{SECRET}";').ok()
        readable = [file for file in temporary.rglob("*") if file.is_file() and file.stat().st_mode & OTHERS]
        assert not readable


def holds_secret(directory):
    files = [path for path in pathlib.Path(directory, "crate", "src").rglob("*") if path.is_file()]
    return any(SECRET.encode() in file.read_bytes() for file in files)


def as_somebody_else(command):
    """Runs a command as a user who owns nothing, and asserts that it finds nothing."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        return
    found = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", *command], capture_output=True, text=True)
    assert found.returncode != 0 and not found.stdout
