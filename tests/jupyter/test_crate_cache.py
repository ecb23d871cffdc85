"""What one kernel has compiled for a `:dep` is there for the next one; what is half-done or may have changed is not."""

import json
import subprocess
import time

import pytest

from client import CELL_DEADLINE
from conftest import installed_program
from starting import compiled_crates, eventually, forget_crates, running_kernel, work_root
from test_crates import crate

TIME = 10 * CELL_DEADLINE
ADD = ':dep regex = "1"'
USE = 'regex::Regex::new("a+").unwrap().find("baab").unwrap().as_str()'


@pytest.fixture
def start(kernel_name, tmp_path):
    forget_crates()
    return lambda: running_kernel(kernel_name, tmp_path)


def run(kernel, *cells):
    """Runs the cells; gives what the last one shows, the crates that rustc was run for, and how long all of it took."""
    begin = time.monotonic()
    results = [kernel.run(cell, timeout=TIME).ok() for cell in cells]
    took = time.monotonic() - begin
    return results[-1].text, set(compiled_crates(kernel.pid)) - {"ctx"}, took


def test_a_crate_is_compiled_once_on_a_machine(start):
    with start() as kernel:
        shown, compiled, first = run(kernel, ADD, USE)
        assert shown == '"aa"' and "regex" in compiled
    with start_again(start) as kernel:
        shown, compiled, again = run(kernel, ADD, USE)
        assert shown == '"aa"' and compiled == set()
        assert again < first / 2, (first, again)


def start_again(start):
    """A kernel that finds what the last one has left."""
    keep = work_root().parent / "compiled"
    assert any(keep.glob("*/*/contents")), "something was kept"
    return start()


def test_crates_that_are_added_one_by_one_are_there_together_and_alone(start):
    with start() as kernel:
        run(kernel, ADD, ':dep either = "1"', USE)
    with start_again(start) as kernel:
        shown, compiled, _ = run(kernel, ':dep either = "1"\n' + ADD, "either::Either::<u8, u8>::Left(1)")
        assert shown == "Left(1)" and compiled == set()
    with start_again(start) as kernel:
        assert run(kernel, ADD, USE)[1] == set()


def test_other_features_are_another_crate(start):
    with start() as kernel:
        run(kernel, ADD)
    with start_again(start) as kernel:
        add = ':dep regex = { version = "1", default-features = false, features = ["std"] }'
        shown, compiled, _ = run(kernel, add, 'regex::Regex::new("(?i)é").is_err()')
        assert shown == "true" and "regex" in compiled


def test_two_kernels_that_compile_the_same_at_once_both_have_it(start):
    with start() as one, start() as two:
        started = [(kernel, kernel.start(f"{ADD}\n{USE}")) for kernel in (one, two)]
        for kernel, result in started:
            assert kernel.wait(result, timeout=TIME).ok().text == '"aa"'
    with start_again(start) as kernel:
        assert run(kernel, ADD, USE)[:2] == ('"aa"', set())


def test_a_build_that_is_killed_or_fails_leaves_nothing_half_done(start, tmp_path):
    with start() as kernel:
        kernel.start(f"{ADD}\n{USE}")
        eventually(lambda: "regex_syntax" in compiled_crates(kernel.pid), CELL_DEADLINE, "it compiles")
        kernel.manager.provisioner.process.kill()
        kernel.manager.provisioner.process.wait()
    with start() as kernel:
        crate(tmp_path, "broken", "pub fn f() -> u8 { missing }")
        assert kernel.run(f"{ADD}\n:dep {tmp_path}/broken", timeout=TIME).status == "error"
        assert run(kernel, ADD, USE)[0] == '"aa"'
    with start_again(start) as kernel:
        assert run(kernel, ADD, USE)[:2] == ('"aa"', set())


def test_a_crate_that_somebody_may_edit_is_compiled_by_every_kernel(start, tmp_path):
    mine = crate(tmp_path, "mine", "pub fn n() -> u8 { 1 }")
    for n in (1, 2):
        (mine / "src" / "lib.rs").write_text(f"pub fn n() -> u8 {{ {n} }}")
        with start() as kernel:
            assert run(kernel, f":dep {mine}", "mine::n()")[0] == str(n)


def test_warm_compiles_what_notebooks_will_ask_for(start, prefix, tmp_path):
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": [ADD + "\n", USE]}]
    notebook = tmp_path / "lesson.ipynb"
    notebook.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    warm = [str(installed_program(prefix)), "warm"]
    forget_crates()
    done = subprocess.run([*warm, "either@1", str(notebook)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "compiled either 1." in done.stdout and "compiled regex 1." in done.stdout
    with running_kernel("loopbook", tmp_path) as kernel:
        assert run(kernel, ADD + '\n:dep either = "1"', USE)[:2] == ('"aa"', set())
    missing = subprocess.run([*warm, "no-such-crate-of-anybody"], capture_output=True, text=True, timeout=600)
    assert missing.returncode != 0 and "no-such-crate-of-anybody" in missing.stderr
    absent = subprocess.run([*warm, "absent.ipynb"], capture_output=True, text=True, cwd=tmp_path, timeout=600)
    assert absent.returncode != 0 and "absent.ipynb" in absent.stderr
