"""Each notebook of the course, run from top to bottom in JupyterLab as a student would."""

import json
import pathlib

import pytest

from lab import Notebook

COURSE = pathlib.Path(__file__).parents[2] / "notebooks"
WINDOW = {"width": 1200, "height": 1000}
NAMES = sorted(path.stem for path in COURSE.glob("*.ipynb"))


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_of_the_course_runs_and_shows_its_figures(browser, lab, notebooks, logs, name):
    committed = code_cells(COURSE / f"{name}.ipynb")
    with Notebook(browser.new_page(viewport=WINDOW), lab, f"{name}.ipynb") as notebook:
        notebook.run_all()
        notebook.save()
        saved = notebooks / f"{name}.ipynb"
        notebook.wait_for(lambda: all(cell["execution_count"] for cell in code_cells(saved)), "the file to be written")
        photograph(notebook, logs / "course" / name)
        figures = notebook.panel.locator("figure img")
        for at in range(figures.count()):
            figure = figures.nth(at)
            assert figure.evaluate("image => image.complete && image.naturalWidth > 0"), "a figure that is drawn"
            assert figure.get_attribute("alt"), "and described"
    for before, now in zip(committed, code_cells(saved), strict=True):
        assert kinds(before, "error") == kinds(now, "error"), now


def code_cells(path):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def kinds(cell, kind):
    return sum(output["output_type"] == kind for output in cell["outputs"])


def photograph(notebook, place):
    """Page by page, for somebody to look at."""
    place.mkdir(parents=True, exist_ok=True)
    scroller = notebook.panel.locator(".jp-WindowedPanel-outer").first
    height = scroller.evaluate("box => box.scrollHeight")
    for page in range(1 + height // 900):
        scroller.evaluate("(box, top) => { box.scrollTop = top; }", 900 * page)
        notebook.page.wait_for_timeout(150)
        notebook.page.screenshot(path=place / f"{page:02}.png")
