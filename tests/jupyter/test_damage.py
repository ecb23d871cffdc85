"""A compiled runtime that was damaged is noticed, told by `loopbook doctor`, and mended by itself."""

import contextlib
import os
import pathlib
import subprocess

import pytest

from conftest import WARM_DEADLINE, installed_program
from starting import running_kernel, work_root


@pytest.fixture
def program(prefix):
    if prefix is None:
        pytest.skip("LOOPBOOK_KERNEL_NAME names a kernel whose compiled runtime is not ours to damage")
    program = installed_program(prefix)
    yield program
    subprocess.run([str(program), "warm"], check=True, timeout=WARM_DEADLINE)


def test_a_truncated_library_is_told_by_doctor_and_mended_by_the_next_kernel(program, kernel_name, tmp_path):
    assert "compiled for this compiler" in doctor(program)
    truncate("crate/target/*/debug/deps/libloopbook.so")
    told = doctor(program)
    assert "files are damaged" in told or "is damaged" in told
    assert "run `loopbook warm`, which compiles again what is damaged" in told
    with running_kernel(kernel_name, tmp_path) as kernel:
        result = kernel.run("task::sleep(Duration::from_millis(1)).await; 1 + 1", timeout=WARM_DEADLINE).ok()
        assert result.text == "2"
        told = [data["text/plain"] for data in result.displays]
        assert any("damaged" in text for text in told), told
    assert "compiled for this compiler" in doctor(program)


def test_a_list_that_is_gone_costs_seconds_and_no_crate(program, kernel_name, tmp_path):
    for name in ("tree", "Cargo.lock"):
        for template in templates():
            (template / name).unlink()
        done = subprocess.run([str(program), "warm"], check=True, capture_output=True, text=True, timeout=WARM_DEADLINE)
        assert "mending the compiled crates" in done.stdout
        assert "compiling loopbook " not in done.stdout, "everything else is taken over as it is"
    with running_kernel(kernel_name, tmp_path) as kernel:
        assert kernel.run("1 + 1").ok().text == "2"


def test_links_answers_and_half_made_templates_are_put_right(program, kernel_name, tmp_path):
    cache = work_root().parent
    for link in filter(pathlib.Path.is_symlink, cache.glob("tools/*/**/*")):
        link.unlink()
        link.symlink_to("/nowhere")
    for template in templates():
        for answer in (template / "answers").glob("*"):
            answer.write_text("garbage")
        template.with_suffix(".new").write_text("half-made")
    with running_kernel(kernel_name, tmp_path) as kernel:
        kernel.run("let v = vec![1];").ok()
        assert kernel.run("v").ok().text == "[1]"
    for template in templates():
        template.with_suffix(".new").unlink()


def templates():
    """The templates that have been used last in this cache."""
    found = [path for path in (work_root().parent / "template").iterdir() if (path / "listing").exists()]
    return sorted(found, key=lambda path: path.with_suffix(".lock").stat().st_mtime)[-1:]


def truncate(pattern):
    """Cuts a file in two, as a disk that was full may have left it. Kernels that live keep what they have."""
    [path] = [path for template in templates() for path in template.glob(pattern)]
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[: len(content) // 2])


def doctor(program):
    done = subprocess.run([str(program), "doctor"], capture_output=True, text=True, timeout=WARM_DEADLINE)
    [line] = [line for line in done.stdout.splitlines() if " template " in line]
    return line
