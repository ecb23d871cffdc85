"""The harness itself, tried on Python's kernel: what it reports must be right before it may judge ours."""

import pytest

from starting import processes, running_kernel

LATE = """
import threading
threading.Timer(0.3, lambda: print("late")).start()
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory, clean_environment):
    with running_kernel("python3", tmp_path_factory.mktemp("python")) as kernel:
        yield kernel


def test_outputs_come_in_order_and_neighbours_are_joined(python):
    cell = "from IPython.display import display, HTML\nprint('a'); print('b'); display(HTML('<b>x</b>')); 1 + 1"
    result = python.run(cell).ok()
    assert [kind for kind, _ in result.outputs] == ["stdout", "display", "result"]
    assert (result.stdout, result.text, result.stderr) == ("a\nb\n", "2", "")
    assert result.displays[0]["text/html"] == "<b>x</b>"
    python.check_leftovers()


def test_an_error_has_its_name_and_fails_ok(python):
    result = python.run("1 / 0")
    assert result.status == "error" and result.error["ename"] == "ZeroDivisionError"
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        result.ok()
    python.check_leftovers()


def test_questions_are_answered(python):
    result = python.run("print(input('name? '))", answers=["Ada"]).ok()
    assert (result.stdout, result.questions[0]["prompt"]) == ("Ada\n", "name? ")
    with pytest.raises(AssertionError, match="not asked for"):
        python.run("1", answers=["nobody"])
    python.check_leftovers()


def test_late_output_is_a_leftover_unless_announced(python):
    result = python.run(LATE, background=True).ok()
    python.until(lambda: result.stdout == "late\n")
    python.check_leftovers()
    result = python.run(LATE).ok()
    python.until(lambda: result.stdout == "late\n")
    with pytest.raises(AssertionError, match="left over(.|\n)*late"):
        python.check_leftovers()


def test_a_deadline_says_which_cell_it_was(python):
    result = python.start("import time; time.sleep(1)")
    with pytest.raises(AssertionError, match="time.sleep"):
        python.wait(result, timeout=0.1)
    python.wait(result)
    python.check_leftovers()


def test_descendants_are_found_by_their_mark(python):
    commands = [command for _, command in processes(python.mark)]
    assert len(commands) == 1 and "ipykernel" in commands[0]
