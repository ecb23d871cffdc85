"""How much rustc compiles for a cell: functions, counted by rustc itself, so that nobody brings a thousand of them back unseen.

A cell's build is repeated by hand, by the call that the kernel keeps beside it."""

import json
import pathlib
import subprocess

import pytest

from client import CELL_DEADLINE
from starting import work_directories

# Per cell: its code, and how many functions it may compile. What the rows measured when they were written is about two thirds of it.
BUDGETS = [
    ("1 + 1", 40),
    ('println!("hi");', 25),
    ("f(2).await", 70),
    ("let handle = task::spawn(f(3));", 80),
    ("handle.await", 90),
    ("gather!(f(1), f(2), f(3))", 230),
    ("task::sleep(Duration::from_millis(1)).await", 130),
    ("async_std::future::timeout(Duration::from_secs(9), f(3)).await?", 210),
    ("task::spawn_blocking(|| 5).await", 130),
    ("vec![1, 2, 3]", 85),
    ("let text = String::from(\"a\"); text.len()", 75),
    ('"5".parse::<u32>()?', 90),
    ("for _ in loopbook::progress(0..3) {}", 70),
    ('display("a");', 60),
    ("let map = std::collections::HashMap::<String, Vec<u64>>::new();", 90),
    ("let (sender, receiver) = async_std::channel::unbounded::<u64>();", 330),
]
# A variable that a cell does not mention costs it the question whether its type is the same: two functions.
PER_VARIABLE = 2


def functions(kernel):
    """The functions that rustc compiles for the cell that was built last."""
    directory = work_directories(kernel.pid)[0]
    call = json.loads((directory / "state" / "build.command").read_text())
    arguments = list(call["arguments"])
    out = directory / "counted"
    out.mkdir(exist_ok=True)
    arguments[arguments.index("--out-dir") + 1] = str(out)
    environment = dict(map(tuple, call["environment"]))
    rustc = environment.get("LOOPBOOK_RUSTC") or "rustc"
    done = subprocess.run(
        [rustc, *arguments, "-Zprint-mono-items=y"],
        env=environment,
        cwd=call["directory"],
        capture_output=True,
        text=True,
        timeout=CELL_DEADLINE,
    )
    assert done.returncode == 0, done.stderr
    return [line.removeprefix("MONO_ITEM fn ").split(" @@")[0] for line in done.stdout.splitlines() if "MONO_ITEM fn" in line]


@pytest.fixture(scope="module")
def counted(module_kernel):
    module_kernel.run("async fn f(n: u64) -> u64 { n + 1 }\nlet (a, b) = (1_u64, 2_u64);").ok()
    counts = {}
    for code, _ in BUDGETS:
        module_kernel.run(code).ok()
        counts[code] = functions(module_kernel)
    return counts


@pytest.mark.parametrize(("code", "budget"), BUDGETS, ids=[code for code, _ in BUDGETS])
def test_a_cell_compiles_what_only_it_can_know(kernel, counted, code, budget):
    names = counted[code]
    assert 5 <= len(names), "rustc has counted nothing"
    assert len(names) <= budget, f"{len(names)} functions:\n" + "\n".join(sorted(names))


def test_nothing_of_the_executor_or_of_the_store_is_compiled_with_a_cell(kernel, counted):
    ours = ("async_executor::", "async_task::", "hashbrown::", "tokio::", "async_io::driver")
    cells = {code: names for code, names in counted.items() if "HashMap" not in code}
    found = {code: [name for name in names if any(part in name for part in ours)] for code, names in cells.items()}
    assert found == {code: [] for code in cells}


def test_a_variable_that_is_not_mentioned_costs_next_to_nothing(fresh_kernel):
    fresh_kernel.run("1 + 1").ok()
    before = len(functions(fresh_kernel))
    fresh_kernel.run("let (sender, receiver) = async_std::channel::unbounded::<Vec<String>>();").ok()
    fresh_kernel.run("1 + 1").ok()
    assert len(functions(fresh_kernel)) <= before + 2 * PER_VARIABLE
    fresh_kernel.run("drop(sender);").ok()
    assert fresh_kernel.run("receiver.recv().await.is_err()").ok().text == "true"


def test_a_name_that_comes_from_a_file_or_is_only_in_a_format_finds_its_variable(kernel, tmp_path):
    kernel.run("let first = 20; let second = vec![1]; let r#type = 3;").ok()
    assert kernel.run('format!("{first} {second:?}")').ok().text == '"20 [1]"'
    assert kernel.run("r#type + 1").ok().text == "4"
    (pathlib.Path(tmp_path) / "included.rs").write_text("{ second.push(first); second.len() }")
    kernel.run("let mut second = second;").ok()
    assert kernel.run(f'include!("{tmp_path}/included.rs")').ok().text == "2"
    assert kernel.run("second").ok().text == "[1, 20]"
