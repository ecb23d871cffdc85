"""A JupyterLab with copies of the notebooks, and a real Chromium on it.

Tests only what is there: `tests/run browser` installs the kernel and the Python packages. The kernel is the one that
Jupyter finds under `LOOPBOOK_KERNEL_NAME`, else `loopbook`; the browser is `LOOPBOOK_CHROMIUM`, else the first in PATH.
Screenshots of failed tests and the server's log are kept in `LOOPBOOK_BROWSER_LOGS`, else in pytest's directory.
"""

import json
import os
import pathlib
import re

import pytest
from playwright.sync_api import sync_playwright

from lab import BROWSER_OPTIONS, Notebook, find_browser, running_lab

ROOT = pathlib.Path(__file__).parents[2]
WINDOW = {"width": 1200, "height": 1000}


@pytest.fixture(scope="session", autouse=True)
def logs(tmp_path_factory):
    place = pathlib.Path(os.environ.get("LOOPBOOK_BROWSER_LOGS") or tmp_path_factory.mktemp("logs"))
    place.mkdir(parents=True, exist_ok=True)
    return place


@pytest.fixture(scope="session")
def browser():
    program = find_browser()
    if not program:
        pytest.fail("no Chromium in PATH: install it (Debian: apt install chromium) or name it in LOOPBOOK_CHROMIUM")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=list(BROWSER_OPTIONS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def notebooks(tmp_path_factory):
    """The directory that JupyterLab shows."""
    place = tmp_path_factory.mktemp("notebooks")
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        write_notebook(place / notebook.name, json.loads(notebook.read_text()))
    return place


@pytest.fixture(scope="session")
def lab(browser, notebooks, logs, tmp_path_factory):
    """JupyterLab's address. Without a browser none is started."""
    with running_lab(tmp_path_factory.mktemp("lab"), notebooks, logs / "jupyterlab.log") as address:
        yield address


@pytest.fixture(scope="session")
def tour(browser, lab):
    """The tour, run from top to bottom. A test may run it again."""
    with Notebook(browser.new_page(viewport=WINDOW), lab, "00_tour.ipynb") as notebook:
        notebook.run_all()
        yield notebook


@pytest.fixture
def notebook(browser, lab, notebooks, request):
    """A notebook of the test's own, with one empty cell."""
    name = re.sub(r"\W+", "_", request.node.name) + ".ipynb"
    cell = {"cell_type": "code", "execution_count": None, "id": "only", "metadata": {}, "outputs": [], "source": ""}
    write_notebook(notebooks / name, {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    with Notebook(browser.new_page(viewport=WINDOW), lab, name) as opened:
        yield opened


def write_notebook(place, content):
    """Writes a notebook for the kernel under test, without the outputs of an earlier run."""
    name = os.environ.get("LOOPBOOK_KERNEL_NAME", "loopbook")
    content["metadata"]["kernelspec"] = {"display_name": name, "language": "rust", "name": name}
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    place.write_text(json.dumps(content))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for notebook in item.funcargs.values():
            if isinstance(notebook, Notebook):
                notebook.page.screenshot(path=item.funcargs["logs"] / f"{item.name}.png")
    return report
