"""What tools make of a notebook: papermill, nbval and nbconvert, and the pages that people read in the end."""

import re
import subprocess
import sys

import nbformat
import pexpect
import pytest
from nbclient import NotebookClient

from client import CELL_DEADLINE
from conftest import ROOT

TOUR = ROOT / "notebooks" / "00_tour.ipynb"
SAME_EACH_TIME = (
    "async fn double(n: u32) -> u32 { n * 2 }\nlet doubled = gather!(double(1), double(2));",
    'println!("{doubled:?}");\neprintln!("a warning of the notebook\'s own");\ndoubled',
    'loopbook::display_as("text/html", "<b>bold</b>");',
    'let number: u32 = "seven".parse()?;',
    "let kept: u32 = std::env::var(\"KEPT\").map_or(7, |text| text.parse().unwrap());\nkept",
)


@pytest.fixture(autouse=True)
def output_as_headless_clients_take_it(monkeypatch):
    """They drop what arrives under an earlier cell's header."""
    monkeypatch.setenv("LOOPBOOK_LATE_OUTPUT", "current")


@pytest.fixture(scope="module")
def executed_tour(kernel_name, tmp_path_factory):
    """The tour with the outputs of this kernel."""
    place = tmp_path_factory.mktemp("tour") / "tour.ipynb"
    return execute(nbformat.read(TOUR, as_version=4), kernel_name, place)


@pytest.fixture(scope="module")
def executed(kernel_name, tmp_path_factory):
    """A notebook that shows the same whenever it is run, with its outputs."""
    cells = [nbformat.v4.new_code_cell(source) for source in SAME_EACH_TIME]
    cells[3].metadata["tags"] = ["raises-exception"]
    place = tmp_path_factory.mktemp("same") / "same.ipynb"
    return execute(nbformat.v4.new_notebook(cells=cells), kernel_name, place)


def test_a_client_writes_down_which_language_it_is(executed):
    language = nbformat.read(executed, as_version=4).metadata["language_info"]
    assert language["name"] == "rust" and language["pygments_lexer"] == "rust"
    assert language["file_extension"] == ".rs" and language["mimetype"] == "text/rust"


def test_papermill_runs_the_tour(kernel_name, tmp_path):
    tool("papermill", "--no-progress-bar", "-k", kernel_name, TOUR, "out.ipynb", cwd=tmp_path)
    cells = code_cells(nbformat.read(tmp_path / "out.ipynb", as_version=4))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any("still here: Data 1, Data 2, Data 3" in output.get("text", "") for cell in cells for output in cell.outputs)


def test_papermill_says_what_has_failed(kernel_name, executed, tmp_path):
    """It does so in the end, as with every kernel: it takes no notice of the tag by which a cell is meant to fail."""
    done = tool("papermill", "--no-progress-bar", "-k", kernel_name, executed, "out.ipynb", cwd=tmp_path, expect=1)
    assert "Error: invalid digit found in string" in done and "In[4]:1:19" in done
    assert "\x1b[" not in done.rpartition("PapermillExecutionError")[2], "no escape codes in what a person reads"
    cells = code_cells(nbformat.read(tmp_path / "out.ipynb", as_version=4))
    failed = [cell for cell in cells if any(output.output_type == "error" for output in cell.outputs)]
    assert [cell.metadata.tags for cell in failed] == [["raises-exception"]] and cells[-1].outputs


def test_papermill_hands_parameters_over_by_the_environment(kernel_name, executed, tmp_path, monkeypatch):
    """It knows how to write assignments in some languages, and Rust is not among them."""
    papermill = "papermill", "--no-progress-bar", "-k", kernel_name
    refused = tool(*papermill, "-p", "kept", "8", executed, "out.ipynb", cwd=tmp_path, expect=1)
    assert "No parameter translator" in refused
    monkeypatch.setenv("KEPT", "8")
    tool(*papermill, executed, "out.ipynb", cwd=tmp_path, expect=1)
    assert code_cells(nbformat.read(tmp_path / "out.ipynb", as_version=4))[-1].outputs[0].data["text/plain"] == "8"


def test_nbval_finds_every_output_again(executed, tmp_path):
    """It runs cells without counting them, so an error has no number of its cell."""
    numbers = tmp_path / "numbers.cfg"
    numbers.write_text("[cells]\nregex: In\\[\\d+\\]\nreplace: In[n]\n")
    done = tool("pytest", "-p", "no:cacheprovider", "--nbval", "--nbval-sanitize-with", numbers, executed)
    assert "5 passed" in done


def test_nbval_runs_the_tour(executed_tour):
    """Times and tasks differ, so its outputs are not compared."""
    cells = len(code_cells(nbformat.read(executed_tour, as_version=4)))
    assert f"{cells} passed" in tool("pytest", "-p", "no:cacheprovider", "--nbval-lax", executed_tour)


def test_pages_show_coloured_rust(executed_tour):
    for form, name in (("html", "tour.html"), ("slides", "tour.slides.html")):
        page = convert(executed_tour, form, name)
        keywords = re.findall(r'<span class="kd?">(\w+)</span>', page)
        assert {"async", "fn", "let", "for"} <= set(keywords), form
        assert '<span class="fm">println!</span>' in page, "as Pygments colours Rust, and no other language"
        assert "Done fetching 3" in page and "<table" in page, form
        assert "\x1b" not in page, form
    assert 'class="reveal"' in page, "slides"


def test_pages_show_coloured_errors(executed):
    for form, name in (("html", "same.html"), ("slides", "same.slides.html")):
        page = convert(executed, form, name)
        error = re.search(r"<pre>\n?(.*?invalid digit found in string.*?)</pre>", page, re.S)[1]
        assert re.search(r'<span style="[^"]*background-color: rgb[^"]*">Error</span>', error) and "\x1b" not in page, form
    page = convert(executed, "markdown", "same.md")
    assert "\x1b" not in page and "In[4]:1:19" in page


def test_markdown_says_that_code_is_rust(executed_tour):
    page = convert(executed_tour, "markdown", "tour.md")
    tour = nbformat.read(executed_tour, as_version=4)
    in_prose = sum(cell.source.count("```rust\n") for cell in tour.cells if cell.cell_type == "markdown")
    assert page.count("```rust\n") == in_prose + len(code_cells(tour))
    assert "\x1b" not in page


def test_a_script_is_a_file_of_rust(executed_tour):
    script = convert(executed_tour, "script", "tour.rs")
    assert script.startswith('println!("hello, notebook");\n6 * 7\n')


def test_the_console_shows_errors_and_pages_and_stops_a_cell(kernel_name, tmp_path):
    command = ["-m", "jupyter_console", "--kernel", kernel_name, "--simple-prompt"]
    console = pexpect.spawn(sys.executable, command, cwd=str(tmp_path), timeout=CELL_DEADLINE, encoding="utf-8")
    try:
        console.expect(r"In \[1\]: ")
        console.sendline('let number: u32 = "text";')
        console.expect("mismatched types")
        console.expect(r"In\[1\]:1:19")
        console.expect(r"In \[2\]: ")
        console.sendline(":help tasks")
        console.expect("Shows the tasks of the loop")
        console.expect(r"In \[3\]: ")
        console.sendline('println!("wait{}", "s"); async_std::task::sleep(std::time::Duration::from_secs(3600)).await;')
        console.expect("waits")
        # The console may lose what it reads while it sends an interrupt; a person presses the keys again.
        for _ in range(10):
            console.sendintr()
            if console.expect([r"Interrupted.*In \[4\]: ", r"In \[4\]: ", pexpect.TIMEOUT], timeout=10) < 2:
                break
        console.sendline("6 * 7")
        console.expect(r"Out\[4\]:\s*42")
    finally:
        console.close(force=True)


def execute(notebook, kernel_name, place):
    """Runs a notebook and writes it to `place`, as a front end would save it."""
    options = {"kernel_name": kernel_name, "timeout": CELL_DEADLINE}
    NotebookClient(notebook, **options, resources={"metadata": {"path": str(place.parent)}}).execute()
    notebook.metadata["kernelspec"] = {"name": kernel_name, "display_name": "Rust (async)", "language": "rust"}
    nbformat.write(notebook, place)
    return place


def convert(notebook, form, name):
    """What nbconvert makes of it."""
    tool("nbconvert", "--log-level", "ERROR", "--to", form, notebook)
    return (notebook.parent / name).read_text()


def tool(name, *arguments, cwd=None, expect=0):
    """Runs a Python tool. Gives all that it said."""
    command = [sys.executable, "-m", name, *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    assert done.returncode == expect, done.stdout
    return done.stdout


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]
