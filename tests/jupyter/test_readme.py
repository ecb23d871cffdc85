"""Every line of the README's tables does what it says."""

import pathlib
import re

import pytest

from starting import running_kernel

README = pathlib.Path(__file__).parents[2] / "README.md"
HEADING = "| in a cell | what it does |"
# What the lines of the table take for granted.
CONTEXT = """
async fn fetch_data(n: u32) -> String {
    task::sleep(Duration::from_millis(10)).await;
    format!("Data {n}")
}
async fn a() -> u32 { 1 }
async fn b() -> u32 { 2 }
"""
# The same of values; what an iterator or a future has for a type cannot be written down, so they live in one cell.
VALUES = {"value": "let value = 6 * 7;", "iter": "let iter = (1..=2).map(fetch_data);", "future": "let future = fetch_data(1);"}


def rows():
    """The first columns of the table of cells, each as the pieces of code in it."""
    table = README.read_text().split(HEADING)[1].split("\n\n")[0]
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    return [re.findall(r"`([^`]+)`", line.split(" | ")[0]) for line in lines]


def cell(code):
    """A cell that does what a piece of the table stands for."""
    if re.fullmatch(r"[\w:]+!", code):
        return f"?{code}"
    if code.startswith((":", "?")):
        return code
    code = code.replace("…", "")
    needed = [value for name, value in VALUES.items() if re.search(rf"\b{name}\b", code)]
    return "\n".join(["{", *needed, code, "}"]) if needed else code


@pytest.fixture(scope="module")
def notebook(kernel_name, tmp_path_factory):
    with running_kernel(kernel_name, tmp_path_factory.mktemp("notebook")) as kernel:
        kernel.run(CONTEXT).ok()
        yield kernel


def test_readme_has_the_table_that_these_tests_read():
    assert len(rows()) > 12 and all(rows()), rows()
    assert any("?spawn" in row for row in rows())


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_readme_lines_of_the_table_run(notebook, row):
    for code in row:
        answers = ["Ada"] if "input(" in code else None
        result = notebook.run(cell(code), answers=answers, background=True).ok()
        if code.startswith((":", "?")) and not code.startswith(":dep"):
            shown = result.displays or result.reply["payload"]
            assert shown and shown[0], f"{code} shows nothing"
    if row[0].startswith("let h ="):
        notebook.run("h.await").ok()
    if row[0].startswith("let f ="):
        assert notebook.run("f.await").ok().text == '"Data 1"'


def test_readme_example_at_the_top_gives_what_it_says(notebook):
    example = re.search(r"```rust\n(.*?)```", README.read_text(), re.S)[1]
    assert notebook.run(example).ok().text == '("Data 1", "Data 2", "Data 3")'
