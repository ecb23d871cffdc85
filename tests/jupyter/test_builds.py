"""What is shown while crates are compiled has an end, and says the same whenever the notebook is run."""

import pytest

from client import CELL_DEADLINE, SLACK
from test_crates import crate

# Cargo shows no bar in the first half second.
SLOW = 'fn main() { std::thread::sleep(std::time::Duration::from_secs(3)) }'
TIME = 3 * CELL_DEADLINE


def last_words(result):
    """The text of the one display of the cell, as a saved notebook has it."""
    assert len(result.displays) == 1, result
    return (result.displays + result.of("update"))[-1]["text/plain"]


def progress(result):
    return [bundle["text/plain"] for bundle in result.displays + result.of("update") if " of " in bundle["text/plain"]]


@pytest.fixture
def crates(module_kernel, tmp_path):
    crate(tmp_path, "slow", "pub fn f() -> u8 { 1 }\n", SLOW)
    return tmp_path


def test_a_crate_that_is_added_is_named_with_its_version(kernel, crates):
    added = kernel.run(f':dep slow = {{ path = "{crates}/slow" }}', timeout=TIME).ok()
    assert any("slow" in text for text in progress(added)), "it takes long enough to be seen"
    assert last_words(added) == "Added slow 0.1.0."
    again = kernel.run(f':dep slow = {{ path = "{crates}/slow" }}', timeout=TIME).ok()
    assert last_words(again) == "Added slow 0.1.0."
    assert kernel.run("1 + 1").ok().outputs == [("result", {"text/plain": "2"})], "nothing of it under another cell"


def test_several_crates_are_added_with_one_word_and_the_cell_goes_on(kernel, crates):
    for name in ("one", "two", "three"):
        crate(crates, name, "pub fn f() -> u8 { 1 }\n")
    lines = "".join(f":dep {crates}/{name}\n" for name in ("one", "two", "three"))
    result = kernel.run(f"{lines}one::f() + two::f()", timeout=TIME).ok()
    assert last_words(result) == "Added one 0.1.0, two 0.1.0 and three 0.1.0." and result.text == "2"


def test_a_crate_that_does_not_compile_ends_its_display(kernel, crates):
    crate(crates, "wrong", "pub fn f() -> u8 { missing }\n", SLOW)
    result = kernel.run(f":dep {crates}/wrong", timeout=TIME)
    assert result.reply["ename"] == "CommandError"
    assert progress(result) and last_words(result) == "Stopped at wrong."


def test_an_interrupt_ends_the_display(kernel, crates):
    crate(crates, "endless", "", 'fn main() { std::thread::sleep(std::time::Duration::from_secs(600)) }')
    result = kernel.start(f":dep {crates}/endless")
    kernel.until(lambda: progress(result), what="its progress is shown")
    kernel.interrupt()
    kernel.wait(result, timeout=20 * SLACK)
    assert result.reply["ename"] == "Interrupted" and last_words(result) == "Stopped at endless."
    assert kernel.run("2 + 2").ok().outputs == [("result", {"text/plain": "4"})]


def test_a_crate_that_was_edited_is_compiled_under_the_next_cell(kernel, crates):
    edited = crate(crates, "edited", "pub fn f() -> u8 { 1 }\n", SLOW)
    kernel.run(f":dep {edited}", timeout=TIME).ok()
    (edited / "src" / "lib.rs").write_text("pub fn f() -> u8 { 2 }\n")
    (edited / "build.rs").write_text(SLOW + "\n")
    result = kernel.run("edited::f()", timeout=TIME).ok()
    assert result.text == "2" and progress(result) and last_words(result) == "The crates are compiled."
    wrong = kernel.run("edited::missing()")
    assert wrong.status == "error" and not wrong.displays
