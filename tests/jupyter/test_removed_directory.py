"""A kernel whose working directory somebody removes makes it again, and nothing is lost."""

import os
import pathlib
import shutil
import signal

import pytest

from starting import compiled_crates, eventually, processes, running_kernel, work_directories

REMOVED = {
    "everything": lambda work: shutil.rmtree(work),
    "all that is in it": lambda work: [remove(path) for path in work.iterdir()],
    "what was compiled": lambda work: shutil.rmtree(work / "crate" / "target"),
    "the configuration": lambda work: shutil.rmtree(work / ".cargo"),
    "what the shims remember": lambda work: shutil.rmtree(work / "state"),
}
SAID = "has been made again from the compiled runtime. Variables and tasks are still there."


@pytest.fixture(scope="module")
def crate(tmp_path_factory):
    """A crate of the user's own."""
    directory = tmp_path_factory.mktemp("crate")
    (directory / "src").mkdir()
    (directory / "Cargo.toml").write_text('[package]\nname = "mine"\nversion = "0.1.0"\nedition = "2024"\n')
    (directory / "src" / "lib.rs").write_text("pub fn seven() -> u8 { 7 }")
    return directory


@pytest.fixture(scope="module")
def kernel_with_state(kernel_name, tmp_path_factory):
    with running_kernel(kernel_name, tmp_path_factory.mktemp("notebook")) as kernel:
        kernel.run("#[derive(Debug, Clone)] struct Point { x: f64 }\nfn twice(n: i32) -> i32 { 2 * n }").ok()
        kernel.run("let points = vec![Point { x: 1.5 }];\nlet (ask, asked) = async_std::channel::unbounded::<i32>();").ok()
        kernel.run("let task = task::spawn(async move { let mut sum = 0; while let Ok(n) = asked.recv().await { sum += n; } sum });").ok()
        yield kernel


@pytest.mark.parametrize("what", REMOVED)
def test_variables_and_tasks_outlive_the_directory(kernel_with_state, what):
    kernel = kernel_with_state
    [work] = work_directories(kernel.pid)
    REMOVED[what](work)
    result = kernel.run("ask.send(twice(2)).await.unwrap(); points.clone()").ok()
    assert result.text == "[Point { x: 1.5 }]"
    assert SAID in said(result)[-1]
    assert set(compiled_crates(kernel.pid)) <= {"ctx"}, "the runtime is linked and not compiled"
    again = kernel.run("task::block_on(async { ask.len() })").ok()
    assert not again.displays, "it is said once"
    assert os.stat(work).st_mode & 0o077 == 0


def test_the_next_process_of_the_cells_finds_the_kernel(kernel_name, tmp_path):
    with running_kernel(kernel_name, tmp_path) as kernel:
        kernel.run("fn twice(n: i32) -> i32 { 2 * n }\nlet x = 1;").ok()
        [work] = work_directories(kernel.pid)
        shutil.rmtree(work)
        assert kernel.run("x").ok().text == "1"
        shutil.rmtree(work)
        os.kill(int(kernel.run("std::process::id()").ok().text), signal.SIGKILL)
        kernel.run("1")
        shutil.rmtree(work)
        assert kernel.run("twice(21)").ok().text == "42"


def test_a_directory_that_goes_while_the_process_of_the_cells_dies_is_made_again(kernel_name, tmp_path):
    with running_kernel(kernel_name, tmp_path) as kernel:
        child = int(kernel.run("fn twice(n: i32) -> i32 { 2 * n }\nstd::process::id()").ok().text)
        [work] = work_directories(kernel.pid)
        shutil.rmtree(work)
        os.kill(child, signal.SIGKILL)
        eventually(lambda: child not in dict(processes(kernel.mark)), 5, "the child is gone")
        assert kernel.run("twice(21)").ok().text == "42"
        assert set(compiled_crates(kernel.pid)) <= {"ctx"}


def test_crates_of_the_notebook_and_its_level_are_kept(kernel_name, tmp_path, crate):
    with running_kernel(kernel_name, tmp_path) as kernel:
        kernel.run(f':dep mine = {{ path = "{crate}" }}\nlet x = mine::seven();').ok()
        kernel.run(":opt 1").ok()
        [work] = work_directories(kernel.pid)
        level = (work / ".cargo" / "config.toml").read_text()
        shutil.rmtree(work)
        result = kernel.run("x + mine::seven()").ok()
        assert result.text == "14"
        assert "The crates of `:dep` are compiled again with this cell." in "\n".join(said(result))
        assert (work / ".cargo" / "config.toml").read_text() == level
        assert set(compiled_crates(kernel.pid)) == {"ctx", "mine"}
        assert kernel.run("mine::seven()").ok().text == "7"


def said(result):
    """What was said of the working directory, and of the crates that are compiled in it."""
    return [display["text/plain"] for display in result.displays + result.of("update")]


def remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        pathlib.Path(path).unlink()
