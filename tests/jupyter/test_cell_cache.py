"""A cell that was compiled on this machine before is loaded, not compiled; what is not the same cell is never loaded."""

import os
import subprocess
import uuid

import pytest

from client import CELL_DEADLINE
from conftest import installed_program
from starting import compiled_crates, running_kernel, work_root
from test_crates import crate

TIME = 3 * CELL_DEADLINE

NOTEBOOK = [
    "use std::time::Duration;\nuse async_std::task;",
    "#[derive(Debug, Clone)] struct Pt { x: u32 }\nasync fn f(n: u32) -> Pt { task::sleep(Duration::from_millis(5)).await; Pt { x: n } }",
    "let p = f(3).await;",
    "p.x + 1",
    "let unused = { let inner = 1; 7 };\nprintln!(\"{}\", p.x)",
    "let h = task::spawn(f(4));",
    "let q = h.await; q",
    "let text: String = [\"a\", \"b\"].concat();\nlet moved = text;",
    "std::fs::read_to_string(\"/nowhere\")?;",
    "moved.len()",
]


@pytest.fixture(autouse=True)
def with_the_cache(monkeypatch):
    """Also where all tests are run without it."""
    monkeypatch.delenv("LOOPBOOK_CELL_CACHE", raising=False)


@pytest.fixture
def start(kernel_name, tmp_path):
    return lambda env=None: running_kernel(kernel_name, tmp_path, env=env)


@pytest.fixture
def only_here():
    """An item that no other test and no other run of this one has: it is in the text of every cell below it."""
    return f"struct T{uuid.uuid4().hex};"


def run(kernel, cells):
    """Runs the cells and returns what each has shown, and how often rustc ran for them."""
    results = [kernel.run(cell, timeout=TIME) for cell in cells]
    shown = [(result.outputs, result.reply["status"]) for result in results]
    return shown, compiled_crates(kernel.pid).count("ctx")


def run_in_new_kernel(start, cells, **options):
    with start(**options) as kernel:
        shown = run(kernel, cells)
        kernel.check_leftovers()
        return shown


def test_a_notebook_that_is_run_again_needs_no_rustc_and_shows_the_same(start, only_here):
    first, runs = run_in_new_kernel(start, [only_here, *NOTEBOOK])
    assert runs >= len(NOTEBOOK)
    again, runs = run_in_new_kernel(start, [only_here, *NOTEBOOK])
    assert runs == 0
    assert again == first, "with its errors and its warnings"
    assert any("unused" in str(outputs) for outputs, _ in first), "there is a warning, or this shows nothing"


def test_without_the_cache_cells_are_compiled(start):
    off = {"LOOPBOOK_CELL_CACHE": "off"}
    (first, once), (again, twice) = [run_in_new_kernel(start, NOTEBOOK[:4], env=off) for _ in range(2)]
    assert first == again and once == twice >= 4


def test_a_cell_of_a_notebook_that_was_edited_is_compiled_with_what_it_says_now(start, only_here):
    cells = [only_here + " fn f() -> u32 { 1 }", "#[derive(Debug)] struct T { a: u8 }", "let t = T { a: 5 };", "f()", "t"]
    assert run_in_new_kernel(start, cells)[0][3][0] == [("result", {"text/plain": "1"})]
    edited = [only_here + " fn f() -> u32 { 2 }", "#[derive(Debug)] struct T { a: u16, b: u64 }", "let t = T { a: 5, b: 6 };", "f()", "t"]
    shown, runs = run_in_new_kernel(start, edited)
    assert runs >= 5
    assert shown[3][0] == [("result", {"text/plain": "2"})]
    assert "b: 6" in str(shown[4][0])
    swapped, _ = run_in_new_kernel(start, [cells[1], edited[0], cells[2], cells[4], cells[3]])
    assert swapped[4][0] == [("result", {"text/plain": "2"})] and "a: 5" in str(swapped[3][0])


def test_an_option_makes_another_cell(start, only_here):
    cell = [only_here, "cfg!(loopbook_no_ticks)"]
    plain, _ = run_in_new_kernel(start, cell)
    fast, _ = run_in_new_kernel(start, [":opt 2", *cell])
    assert plain[-1][0] == [("result", {"text/plain": "false"})]
    assert fast[-1][0] == [("result", {"text/plain": "true"})]


def test_files_and_variables_that_a_cell_asks_for_are_read_again(start, only_here, tmp_path):
    file = tmp_path / "data.txt"
    cells = [f'include_str!("{file}").len() as u32', 'env!("ASKED").len() as u32']

    def numbers(text, variable):
        file.write_text(text)
        shown, runs = run_in_new_kernel(start, [only_here, *cells], env={"ASKED": variable})
        return [outputs[0][1]["text/plain"] for outputs, _ in shown[1:]], runs

    assert numbers("one", "x")[0] == ["3", "1"]
    assert numbers("three", "x")[0] == ["5", "1"]
    assert numbers("three", "xyz")[0] == ["5", "3"]
    file.unlink()
    shown, _ = run_in_new_kernel(start, [only_here, *cells], env={"ASKED": "x"})
    assert shown[1][1] == "error" and shown[2][1] == "ok"


def test_a_crate_in_a_directory_that_was_edited_is_what_it_says_now(start, tmp_path):
    cells = [f":dep {tmp_path}/mine", "mine::f() as u32"]
    place = crate(tmp_path, "mine", "")
    for value in (1, 2):
        (place / "src" / "lib.rs").write_text(f"pub fn f() -> u8 {{ {value} }}\n")
        shown, _ = run_in_new_kernel(start, cells)
        assert shown[1][0] == [("result", {"text/plain": str(value)})]


def test_a_macro_that_reads_a_file_is_asked_again(start, tmp_path):
    file = tmp_path / "read.txt"
    place = tmp_path / "reading"
    crate(tmp_path, "reading", (
        "use proc_macro::TokenStream;\n"
        "#[proc_macro] pub fn read(_: TokenStream) -> TokenStream {\n"
        f'    std::fs::read_to_string("{file}").unwrap().parse().unwrap()\n}}\n'
    ))
    manifest = place / "Cargo.toml"
    manifest.write_text(manifest.read_text() + "\n[lib]\nproc-macro = true\n")
    for value in ("11u32", "22u32"):
        file.write_text(value)
        shown, _ = run_in_new_kernel(start, [f":dep {place}", "reading::read!()"])
        assert shown[1][0] == [("result", {"text/plain": value[:2]})]


def test_an_interrupted_cell_is_not_taken_for_one_that_was_compiled(start, only_here):
    cell = "let slow = { const fn f(n: u32) -> u64 { let mut i = 0; let mut s = 0; while i < n { s += i as u64; i += 1; } s } const N: u64 = f(60_000_000); N };"
    cells = [only_here, "#[allow(long_running_const_eval)]\n" + cell]
    for _ in range(2):
        with start() as kernel:
            kernel.run(cells[0]).ok()
            before = len(compiled_crates(kernel.pid))
            result = kernel.start(cells[1])
            kernel.until(lambda: len(compiled_crates(kernel.pid)) > before, what="rustc runs")
            kernel.interrupt()
            kernel.wait(result, timeout=TIME)
            assert result.reply["status"] == "error"
            assert kernel.run("2 + 2").ok().text == "4"


def test_two_kernels_at_once_both_get_their_cells(start, only_here):
    with start() as one, start() as two:
        for cell in (only_here, "let a = 3;", "a + 1"):
            results = [kernel.start(cell) for kernel in (one, two)]
            for kernel, result in zip((one, two), results):
                kernel.wait(result, timeout=TIME)
        assert [result.text for result in results] == ["4", "4"]


def test_compiled_cells_are_their_users_alone(start, only_here):
    run_in_new_kernel(start, [only_here])
    cells = work_root().parent / "cells"
    assert cells.stat().st_mode & 0o777 == 0o700
    assert list(cells.iterdir()) and all(not file.stat().st_mode & 0o077 for file in cells.iterdir())


def test_what_is_kept_is_shown_and_emptied(prefix, tmp_path):
    if prefix is None:
        pytest.skip("LOOPBOOK_KERNEL_NAME names a kernel whose program we do not know")

    def cache(*options, **env):
        command = [str(installed_program(prefix)), "cache", *options]
        env = {**os.environ, "LOOPBOOK_CACHE": str(tmp_path), **env}
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout

    (tmp_path / "cells").mkdir(mode=0o700)
    (tmp_path / "cells" / "one").write_bytes(bytes(100_000))
    (tmp_path / "template" / "key").mkdir(parents=True)
    lines = {line.split()[0]: line for line in cache().splitlines()}
    assert str(tmp_path) in lines and "1 entry" in lines["cells"] and "kB" in lines["cells"]
    assert "off" in cache(LOOPBOOK_CELL_CACHE="off")
    assert cache("--clear") == f"emptied {tmp_path}\n"
    assert not list((tmp_path / "cells").iterdir()) and not (tmp_path / "template").exists()
    (tmp_path / "cells").chmod(0o755)
    assert "open to other users" in cache()
