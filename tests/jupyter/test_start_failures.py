"""A kernel that cannot run cells says why under the first one, and tries again as soon as that makes sense."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from offline import wrapped_kernel
from starting import running_kernel, work_root


@contextlib.contextmanager
def small_disk(options):
    """A disk of its own for the working directories. Gives a function that mounts it with other options."""
    work_root().mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(work_root())]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let us mount a disk")
    try:
        yield lambda options: subprocess.run(["mount", "-o", f"remount,{options}", str(work_root())], check=True)
    finally:
        subprocess.run(["umount", "--lazy", str(work_root())], check=True)


def test_a_kernel_on_a_full_disk_works_once_there_is_room(kernel_name, tmp_path):
    with small_disk("size=200k") as remount, running_kernel(kernel_name, tmp_path) as kernel:
        refused = kernel.run("let x = 1;")
        assert_says(refused, "cells cannot be compiled: ", "space", "Then run the cell again.")
        assert "{" not in refused.report
        assert_says(kernel.run("let x = 1;"), "space")
        remount("size=4g")
        assert kernel.run("let x = 1; x + 1").ok().text == "2"
        assert kernel.run("x").ok().text == "1"
        kernel.check_leftovers()


def test_a_disk_that_fills_up_later_costs_no_variable(kernel_name, tmp_path):
    with small_disk("size=4g") as remount, running_kernel(kernel_name, tmp_path) as kernel:
        kernel.run("let x = vec![1, 2];").ok()
        fill = work_root() / "fill"
        with contextlib.suppress(OSError), fill.open("wb") as file:
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        refused = kernel.run("let y = x.len() + 1;")
        assert_says(refused, "the disk on which cells are compiled is full", "Free some space")
        assert "{" not in refused.report
        fill.unlink()
        assert kernel.run("x").ok().text == "[1, 2]"
        kernel.check_leftovers()


def test_a_kernel_whose_cache_cannot_be_written_works_once_it_can(kernel_name, tmp_path):
    with small_disk("size=4g,ro") as remount, running_kernel(kernel_name, tmp_path) as kernel:
        assert_says(kernel.run("1"), "cannot make the kernel's working directory", "Read-only file system")
        remount("rw")
        assert kernel.run("1 + 1").ok().text == "2"
        kernel.check_leftovers()


def test_a_cache_that_is_a_file_is_told(kernel_name, tmp_path):
    (tmp_path / "cache").write_text("")
    with running_kernel(kernel_name, tmp_path, env={"LOOPBOOK_CACHE": str(tmp_path / "cache")}) as kernel:
        assert_says(kernel.run("1"), "cells cannot be compiled: ", str(tmp_path / "cache"), "Not a directory")
        kernel.check_leftovers()


def test_rustups_own_reason_is_told(kernel_name, tmp_path):
    if not shutil.which("rustup"):
        pytest.skip("there is no rustup on this machine")
    with running_kernel(kernel_name, tmp_path, env={"RUSTUP_TOOLCHAIN": "nonexistent"}) as kernel:
        said = ["rustup", "'nonexistent", "is not installed", "RUSTUP_TOOLCHAIN asks for `nonexistent`", "restart the kernel"]
        assert_says(kernel.run("1"), *said)
        assert_says(kernel.run("1"), *said)
        kernel.check_leftovers()


def test_a_machine_without_rust_is_told_how_to_get_it(kernel_name, tmp_path):
    (tmp_path / "empty").mkdir()
    environment = {"PATH": str(tmp_path / "empty"), "CARGO_HOME": str(tmp_path / "empty")}
    with running_kernel(kernel_name, tmp_path, env=environment) as kernel:
        assert_says(kernel.run("1"), "cannot find rustc", "install Rust", "restart the kernel")
        kernel.check_leftovers()


def test_without_a_c_compiler_the_first_cell_says_so(kernel_name, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("rustup", "cargo", "rustc", "sh"):
        if path := shutil.which(name):
            (tools / name).symlink_to(path)
    with running_kernel(kernel_name, tmp_path, env={"PATH": str(tools)}) as kernel:
        assert_says(kernel.run("1"), "linker `cc` not found", "install a C compiler")
        kernel.check_leftovers()


@pytest.mark.parametrize("lacking", ["HOME", "TMPDIR"])
def test_a_kernel_without_a_home_or_a_temporary_directory_runs_cells(kernel_name, tmp_path, monkeypatch, lacking):
    command = ["env", "-u", "HOME"] if lacking == "HOME" else ["env", "TMPDIR=/nowhere"]
    name, path = wrapped_kernel(kernel_name, command, tmp_path)
    monkeypatch.setenv("JUPYTER_PATH", path)
    with running_kernel(name, tmp_path) as kernel:
        assert kernel.run("let v = vec![1]; v.len()").ok().text == "1"
        assert kernel.run("v").ok().text == "[1]"
        kernel.check_leftovers()


def test_a_history_that_cannot_be_written_costs_no_cell(kernel_name, tmp_path):
    (tmp_path / "file").write_text("")
    with running_kernel(kernel_name, tmp_path, env={"LOOPBOOK_HISTORY": str(tmp_path / "file" / "h.sqlite")}) as kernel:
        assert kernel.run("1 + 1").ok().text == "2"
        kernel.check_leftovers()


def test_an_installation_without_its_child_program_is_told(kernel_name, tmp_path, monkeypatch):
    spec = KernelSpecManager().get_kernel_spec(kernel_name).to_dict()
    image = pathlib.Path(spec["argv"][0]).parents[1]
    (tmp_path / "image" / "bin").mkdir(parents=True)
    shutil.copy(spec["argv"][0], tmp_path / "image" / "bin")
    shutil.copytree(image / "crates", tmp_path / "image" / "crates")
    spec["argv"][0] = str(tmp_path / "image" / "bin" / "loopbook")
    place = tmp_path / "jupyter" / "kernels" / "half"
    place.mkdir(parents=True)
    (place / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter") + os.pathsep + os.environ["JUPYTER_PATH"])
    with running_kernel("half", tmp_path) as kernel:
        assert_says(kernel.run("1"), "loopbook-child is missing", "run `loopbook install` again")
        kernel.check_leftovers()


def assert_says(result, *words):
    """A compile error that says all of this, in its traceback."""
    assert result.status == "error" and result.reply["ename"] == "CompileError", str(result)
    missing = [word for word in words if word not in result.report]
    assert not missing, f"{missing} is not said in:\n{result.report}"
