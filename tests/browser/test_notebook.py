"""What a person does with a notebook in JupyterLab, tried in a real browser."""

import re

import pytest


@pytest.mark.short
def test_the_tour_runs_from_top_to_bottom(tour):
    shown = tour.shown()
    assert "hello, notebook" in shown[0] and "42" in shown[0]
    assert re.search(r"\d\.\d+s", shown[1]), "how long it has slept"
    assert '"Data 1"' in shown[3]
    assert "Data 1, Data 2, Data 3" in shown[4]
    assert "this cell did not wait for the counter" in shown[6]
    assert re.search(r"idle\s+counter\s+task\s+In\[6\]", shown[7]), "the table of tasks"
    assert "hello, Ada" in shown[10]
    assert "InvalidDigit" in shown[11]
    assert "still here: Data 1, Data 2, Data 3" in shown[13]


@pytest.mark.short
def test_lines_of_a_background_task_stay_below_the_cell_that_started_it(tour):
    shown = tour.shown()
    lines = shown[5].split("\n")
    assert len(lines) > 1 and lines == [f"counted to {n}" for n in range(1, len(lines) + 1)]
    assert not any("counted to" in text for text in shown[6:])


@pytest.mark.short
def test_tables_progress_and_html_are_drawn(tour):
    assert tour.outputs(7).locator("table tr").count() >= 2
    assert tour.outputs(9).locator("progress").count() == 1
    assert tour.outputs(9).locator("b").inner_text() == "bold"
    assert "step 10 of 10" in tour.text(9) and "step 9" not in tour.text(9), "updated in place"


def test_errors_are_coloured_and_show_no_escape_codes(notebook):
    shown = notebook.run_last('let number: u32 = "text";')
    assert "mismatched types" in shown and "In[1]:1:" in shown
    assert "\x1b" not in shown and "[1m" not in shown and "[0m" not in shown
    assert notebook.outputs(0).locator("pre span[style*='color']").count() > 0


@pytest.mark.short
def test_the_stop_button_ends_a_cell_that_awaits(notebook):
    notebook.run_last("use async_std::task;\nuse std::time::Duration;\nlet kept = 7;")
    cell = notebook.start_last('println!("waiting");\ntask::sleep(Duration::from_secs(3600)).await;')
    notebook.wait_for(lambda: "waiting" in notebook.text(cell), "the cell to print")
    notebook.press_stop()
    notebook.wait_until_done()
    assert "Interrupted" in notebook.text(cell)
    assert "7" in notebook.run_last("kept")


def test_the_stop_button_pressed_twice_ends_a_cell_that_computes(notebook):
    cell = notebook.start_last('println!("computing");\nloop {\n    std::hint::spin_loop();\n}')
    notebook.wait_for(lambda: "computing" in notebook.text(cell), "the cell to print")
    notebook.press_stop()
    notebook.wait_for(lambda: "a second time" in notebook.text(cell), "the advice")
    notebook.press_stop()
    notebook.wait_until_done()
    assert "Interrupted" in notebook.text(cell)
    assert "42" in notebook.run_last("6 * 7")


def test_a_cell_asks_in_a_box(notebook):
    cell = notebook.start_last('let name = loopbook::input("Who? ").await?;\nprintln!("hello, {name}");')
    notebook.answer(cell, "Ada")
    notebook.wait_until_done()
    assert "Who?" in notebook.text(cell) and "hello, Ada" in notebook.text(cell)


def test_a_password_is_hidden(notebook):
    ask = 'let secret = loopbook::password("Secret: ").await?;'
    cell = notebook.start_last(ask + '\nprintln!("{} letters", secret.len());')
    assert notebook.answer(cell, "swordfish") == "password"
    notebook.wait_until_done()
    assert "9 letters" in notebook.text(cell) and "swordfish" not in notebook.text(cell)


def test_standard_input_asks_in_a_box(notebook):
    read = "let mut line = String::new();\nstd::io::stdin().read_line(&mut line)?;"
    cell = notebook.start_last(f'{read}\nprintln!("got {{line:?}}");')
    notebook.answer(cell, "one line")
    notebook.wait_until_done()
    assert r'got "one line\n"' in notebook.text(cell)


def test_a_late_answer_to_a_question_that_was_interrupted_answers_no_other(notebook):
    cell = notebook.start_last('loopbook::input("first? ").await?')
    notebook.box(cell).wait_for()
    notebook.press_stop()
    notebook.wait_until_done()
    if notebook.box(cell).count():
        notebook.answer(cell, "late")
    notebook.start_last('loopbook::input("second? ").await?')
    notebook.answer(cell, "in time")
    notebook.wait_until_done()
    assert '"in time"' in notebook.text(cell)


@pytest.mark.short
def test_tab_completes_a_name_of_an_earlier_cell(notebook):
    notebook.run_last("fn distance_in_metres(from: f64) -> f64 {\n    from\n}")
    cell = notebook.write_last("distance_in_m")
    notebook.wait_for(lambda: is_offered(notebook, "distance_in_metres"), "the completion to be offered")
    notebook.page.keyboard.press("Enter")
    notebook.wait_for(lambda: notebook.source(cell).startswith("distance_in_metres"), "the completion")


def is_offered(notebook, name):
    """Presses Tab as a person does: again if nothing comes. JupyterLab gives up a completion after one second."""
    notebook.page.keyboard.press("Tab")
    notebook.page.wait_for_timeout(1500)
    return notebook.page.locator(".jp-Completer-item").get_by_text(name).count() > 0


def test_shift_tab_shows_a_signature(notebook):
    notebook.run_last("fn distance_in_metres(from: f64) -> f64 {\n    from\n}")
    notebook.write_last("distance_in_metres")
    notebook.page.keyboard.press("Shift+Tab")
    tooltip = notebook.page.locator(".jp-Tooltip")
    tooltip.wait_for()
    assert "fn distance_in_metres(from: f64) -> f64" in tooltip.inner_text()


def test_a_restart_forgets_and_runs_again(notebook):
    notebook.run_last("let kept = 7;")
    notebook.menu("Kernel", "Restart Kernel…")
    notebook.accept_dialog()
    notebook.wait_for(lambda: notebook.kernel_status() != "idle", "the restart")
    notebook.wait_for(lambda: notebook.kernel_status() == "idle", "the new kernel")
    assert "cannot find value `kept`" in notebook.run_last("kept")


def test_restart_and_run_all_gives_the_same_again(tour):
    before = tour.shown()
    tour.run_all("Kernel", "Restart Kernel and Run All Cells…")
    after = tour.shown()
    assert without_times(before) == without_times(after)


def without_times(shown):
    """The tables of tasks and threads and the progress bar show little else than measured times; a process has a number."""
    return [re.sub(r"\d+\.\d+ ?s|process \d+", "", text) for cell, text in enumerate(shown) if cell not in (7, 9, 13)]
