"""The notebooks of the course. From a clean kernel each, with no network, they print what is committed; and what they say is so.

Running them takes minutes, so each is run once: its committed outputs are one run, and the test's own is the other. Both have
printed the same, cell by cell. If not, the outputs are stale (`tests/run notebooks` writes them anew), or a lesson prints
what differs each time: times belong in displays.
"""

import warnings

import pytest

import notebook_checks as checks
from client import SLACK
from inventory import INVENTORY, SYLLABUS, in_order, wanted
from notebooks import DIRECTORY, execute, paths, read
from offline import with_loopback_only, wrapped_kernel

SECONDS_EACH = 60 * SLACK

each_notebook = pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)


@pytest.fixture
def offline(kernel_name, tmp_path, monkeypatch):
    """How to run a notebook so that there is no network but 127.0.0.1, as arguments of `execute`."""
    command = with_loopback_only()
    if not command:
        warnings.warn("this machine does not let us make a network namespace (unshare -n), so lessons have its network")
        return {"kernel_name": kernel_name}
    name, jupyter_path = wrapped_kernel(kernel_name, command, tmp_path)
    monkeypatch.setenv("JUPYTER_PATH", jupyter_path)
    return {"kernel_name": name, "transport": "ipc"}


@each_notebook
def test_notebooks_run_offline_and_print_what_is_committed(path, tmp_path, offline):
    committed = read(path)
    run, seconds = execute(committed, directory=tmp_path, go_on=True, **offline)
    complain(path, [*checks.failures(run), *checks.differences(run, committed)])
    assert seconds <= SECONDS_EACH


@pytest.mark.parametrize("name", SYLLABUS)
def test_notebooks_mirror_what_the_syllabus_gives_them(name):
    path = DIRECTORY / f"{name}.ipynb"
    if not path.exists():
        complain(path, [f"it is not there; nothing mirrors {SYLLABUS[name]}"])
    agree(path, lambda notebook: [f"no code cell has the id {one}" for one in checks.missing_ids(notebook, wanted(name))])


def test_notebooks_leave_nothing_of_the_inventory_out():
    given = {row for name in SYLLABUS for row in wanted(name)}
    assert given == INVENTORY, in_order(given ^ INVENTORY)


@each_notebook
def test_notebooks_say_of_each_cell_what_it_mirrors(path):
    agree(path, checks.ids)


@each_notebook
def test_notebooks_are_saved_after_a_run_from_top_to_bottom(path):
    agree(path, checks.form)


@each_notebook
def test_notebooks_fail_where_they_mean_to_and_nowhere_else(path):
    agree(path, checks.failures)


@each_notebook
def test_notebooks_name_no_machine_and_no_host(path):
    agree(path, checks.whereabouts)


@each_notebook
def test_notebooks_spell_commands_and_names_as_they_are(path):
    agree(path, checks.names)


@each_notebook
def test_notebooks_link_to_what_is_there(path):
    agree(path, checks.dead_links)


@each_notebook
def test_notebooks_say_no_numbers_that_their_cells_and_outputs_do_not(path):
    agree(path, checks.stale_numbers)


@pytest.mark.parametrize("path", [path for path in paths() if path.stem[:2] not in ("00", "12")], ids=lambda path: path.stem)
def test_notebooks_have_the_parts_of_a_lesson(path):
    agree(path, checks.lesson)


def agree(path, check):
    """Fails with all that a check has to say of a notebook, if it has."""
    complain(path, list(check(read(path))))


def complain(path, complaints):
    if complaints:
        pytest.fail("\n".join([f"notebooks/{path.name}:", *complaints]), pytrace=False)
