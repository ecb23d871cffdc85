"""Several pages on one kernel, and a page that is loaded again while a cell runs.

What a cell prints after its page has been loaded again is not shown: JupyterLab knows nothing of the cell any more,
whatever the kernel's language.
"""

import pytest

from lab import Notebook

PREPARATION = "use async_std::task;\nuse std::time::Duration;\nlet kept = 7;"
COUNTING = """for n in 1..=6 {
    println!("count {n}");
    task::sleep(Duration::from_millis(500)).await;
}"""


@pytest.fixture
def other_page(notebook, browser, lab):
    """The same notebook in a second page."""
    page = browser.new_page(viewport=notebook.page.viewport_size)
    other = Notebook(page, lab, notebook.name, workspace="other")
    yield other
    page.close()


def test_a_page_that_is_loaded_again_goes_on_with_the_kernel(notebook):
    notebook.run_last(PREPARATION)
    cell = notebook.start_last(COUNTING)
    notebook.wait_for(lambda: "count 2" in notebook.text(cell), "the cell to print")
    notebook.save()
    notebook.reload()
    assert notebook.text(cell).startswith("count 1\ncount 2\n"), "what was saved"
    assert "7" in notebook.run_last("kept"), "runs when the one before has ended"
    assert notebook.prompt(0) == "[3]:"


def test_a_cell_can_be_stopped_after_its_page_has_been_loaded_again(notebook):
    notebook.run_last(PREPARATION)
    cell = notebook.start_last('println!("waiting");\ntask::sleep(Duration::from_secs(3600)).await;')
    notebook.wait_for(lambda: "waiting" in notebook.text(cell), "the cell to print")
    notebook.save()
    notebook.reload()
    cell = notebook.start_last("kept")
    notebook.press_stop()
    # JupyterLab may have sent the cell before or behind the interrupt; one that came too late just runs.
    notebook.wait_until_done()
    assert "7" in notebook.run_last("kept")


def test_two_pages_get_what_they_asked_for(notebook, other_page):
    notebook.run_last(PREPARATION)
    cell = notebook.start_last(COUNTING)
    other = other_page.start_last('println!("theirs: {kept}");')
    notebook.wait_until_done()
    other_page.wait_until_done()
    assert notebook.text(cell).split() == [word for n in range(1, 7) for word in ("count", str(n))]
    assert other_page.text(other).strip() == "theirs: 7"
    assert (notebook.prompt(cell), other_page.prompt(other)) == ("[2]:", "[3]:")


def test_a_page_that_is_closed_takes_nothing_with_it(notebook, other_page):
    notebook.run_last(PREPARATION)
    other_page.start_last('task::sleep(Duration::from_millis(1500)).await;\nlet theirs = 8;')
    other_page.page.close()
    assert "15" in notebook.run_last("kept + theirs")
