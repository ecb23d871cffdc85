"""The tools that people use: nbconvert, the console; and Jupyter's own conformance tests. nbclient runs all notebooks in
`test_notebooks`."""

import re
import subprocess
import sys

import jupyter_kernel_test
import pexpect
import pytest

from client import CELL_DEADLINE
from conftest import ROOT

TOUR = ROOT / "notebooks" / "00_tour.ipynb"


@pytest.fixture(autouse=True)
def output_as_headless_clients_take_it(monkeypatch):
    """nbclient drops what arrives under an earlier cell's header."""
    monkeypatch.setenv("LOOPBOOK_LATE_OUTPUT", "current")


def test_nbconvert_makes_a_page_of_the_tour(kernel_name, tmp_path):
    page = tmp_path / "tour.html"
    options = [f"--ExecutePreprocessor.kernel_name={kernel_name}", "--ExecutePreprocessor.timeout=300"]
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "html", *options, "--output", str(page), str(TOUR)]
    subprocess.run(command, check=True, cwd=tmp_path)
    html = page.read_text()
    assert "Done fetching 3" in html and "<table" in html
    highlighted = re.search(r'<span class="k">(async|fn|let)</span>', html)
    assert highlighted, "the code is coloured as Rust"


def test_the_console_runs_a_cell(kernel_name, tmp_path):
    command = ["-m", "jupyter_console", "--kernel", kernel_name, "--simple-prompt"]
    console = pexpect.spawn(sys.executable, command, cwd=str(tmp_path), timeout=CELL_DEADLINE, encoding="utf-8")
    try:
        console.expect(r"In \[1\]: ")
        console.sendline("1 + 41")
        console.expect(r"Out\[1\]:\s*42")
        console.expect(r"In \[2\]: ")
        console.sendline("async_std::future::ready(43).await")
        console.expect(r"Out\[2\]:\s*43")
        console.sendeof()
        console.expect("exit")
        console.sendline("y")
        console.expect(pexpect.EOF)
    finally:
        console.close(force=True)


class TestConformance(jupyter_kernel_test.KernelTests):
    """The suite that other kernels measure themselves with."""

    kernel_name = "loopbook"
    language_name = "rust"
    file_extension = ".rs"
    code_hello_world = 'println!("hello, world")'
    code_stderr = 'eprintln!("oops")'
    code_generate_error = 'panic!("on purpose")'
    code_execute_result = [{"code": "6 * 7", "result": "42"}]
    code_display_data = [{"code": 'loopbook::display_as("text/html", "<b>x</b>");', "mime": "text/html"}]
    code_clear_output = "loopbook::clear_output(false);"
    complete_code_samples = ["let x = 1;", "fn f() {}"]
    incomplete_code_samples = ["fn f() {", "let s = \"abc"]
    invalid_code_samples = ["let = ;", "f(]"]
    completion_samples = [
        {"text": ":ver", "matches": {":version"}},
        {"text": "let numbers: Vec<u8> = Vec::with_cap", "matches": {"with_capacity"}},
    ]
    code_page_something = "?Vec"
    code_inspect_sample = "println!"
    supported_history_operations = ("tail", "range", "search")
    code_history_pattern = "6 [*] 7"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The suite gives each cell fifteen seconds, which are few for the first one where other tests run beside it.
        cls.kc.execute("1")
        cls.kc.get_shell_msg(timeout=CELL_DEADLINE)

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def installed(cls, kernel_name):
        cls.kernel_name = kernel_name


class TestWelcome(jupyter_kernel_test.IopubWelcomeTests):
    """And whether a client learns that its subscription has arrived."""

    support_iopub_welcome = True

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def installed(cls, kernel_name):
        cls.kernel_name = kernel_name
