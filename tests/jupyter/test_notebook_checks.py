"""The checks of notebooks, tried on notebooks that are wrong: each must find what it is for, and let pass what is right."""

import nbformat
import pytest

import api_names
import notebook_checks as checks
from notebooks import KERNELSPEC, joined, printed

PROSE = """# A notebook

Each wait takes 200 ms, all of them about 0.6 s. `loopbook::trace` and `lab::server()` show it; so does `:tasks --all`.
`Loop::call_later` is for later, see [the first heading](#A-notebook) and [`spawn`](https://docs.rs/async-std/).

> In the book it took 65.15 s.

```python
time.sleep(9)  # 9 s
```"""
LANGUAGE = {"name": "rust", "file_extension": ".rs", "pygments_lexer": "rust"}


def notebook(prose=PROSE, source="let unit = Duration::from_millis(200);", outputs=None, tags=(), rows=("E1",)):
    """A notebook of two cells. What is not said is right."""
    text = nbformat.v4.new_markdown_cell(prose, id="text")
    metadata = {"loopbook": {"rows": list(rows)}, **({"tags": list(tags)} if tags else {})}
    outputs = [shown("it took 612.4 ms")] if outputs is None else outputs
    code = nbformat.v4.new_code_cell(source, id="code", metadata=metadata, outputs=outputs, execution_count=1)
    return nbformat.v4.new_notebook(cells=[text, code], metadata={"kernelspec": KERNELSPEC, "language_info": LANGUAGE})


def shown(text):
    return nbformat.v4.new_output("display_data", {"text/plain": text})


def stdout(text):
    return nbformat.v4.new_output("stream", name="stdout", text=text)


def error():
    return nbformat.v4.new_output("error", ename="Panic", evalue="on purpose", traceback=["Panic: on purpose"])


def test_a_notebook_that_is_right_has_no_complaints():
    for check in (
        checks.form, checks.ids, checks.failures, checks.whereabouts, checks.names, checks.dead_links, checks.stale_numbers
    ):
        assert list(check(notebook())) == [], check.__name__


@pytest.mark.parametrize("claim", ["It takes 200 ms.", "It takes 0.2 s.", "About 612 ms.", "0.61 seconds", "0.6-second waits"])
def test_a_time_may_be_said_as_code_and_outputs_say_it(claim):
    assert list(checks.stale_numbers(notebook(claim))) == []


@pytest.mark.parametrize("claim", ["It takes 300 ms.", "about 0.7 s", "620 ms", "After 2 seconds", "1,000 ms", "5 µs", "3-minute", "2 MiB", "200 bytes", "3 times as long", "0.6 ×", "12 %"])
def test_a_time_that_nothing_shows_is_stale(claim):
    assert len(list(checks.stale_numbers(notebook(claim)))) == 1


def test_what_is_quoted_or_asked_is_nobodys_claim():
    for text in ("> It took 65.15 s.", "# The 5 s kernel", "## Three questions\n\nIt takes 3 s.\n\nWhy not 4 s?", "five minutes"):
        assert list(checks.stale_numbers(notebook(text))) == [], text
    assert len(list(checks.stale_numbers(notebook("## Questions\n\n3 s?\n\n## Answers\n\n4 s.")))) == 1


@pytest.mark.parametrize(
    "source, claim",
    [
        ("task::sleep(Duration::from_secs(2)).await;", "2 seconds"),
        ("task::sleep(Duration::from_secs_f64(0.5)).await;", "500 ms"),
        ("lab::get(server.url(\"/delay/300\")).await?;", "300 ms"),
        ("const UNIT: Duration = Duration::from_micros(1_500);", "1.5 ms"),
        ("pause().await; // 4 s", "4 s"),
        ("let kept = [0u8; 4_000];", "4,000 bytes"),
        ("let stack = 2 << 20; // 2 MiB", "2 MiB"),
    ],
)
def test_times_are_found_in_code(source, claim):
    assert list(checks.stale_numbers(notebook(claim, source))) == []
    assert list(checks.stale_numbers(notebook(claim, "pause().await;"))) != []


@pytest.mark.parametrize(
    "prose",
    ["`loopbook::tracing`", "`lab::serve()`", "`loopbook::lab::sever()`", "`Loop::call_sooner`", "`TaskState::Waiting`", "`:task-list`",
     "```rust\nloopbook::gather_some(x).await\n```", "`server.max_inflight()`", "`aio::cost`"],
)
def test_names_that_do_not_exist_are_found(prose):
    assert list(checks.names(notebook(prose))) != []


@pytest.mark.parametrize(
    "prose", ["`loopbook::lab::server()`", "`gather!(a, b)`", "`TaskState::Idle`", "`:loop threads 1`", "`unit`", "`max_in_flight()`"]
)
def test_names_that_exist_are_not(prose):
    assert list(checks.names(notebook(prose, source="let (a, b, unit) = (1, 2, 3);"))) == []


def test_a_link_to_nothing_is_found():
    assert list(checks.dead_links(notebook("# One heading\n\n[here](#One-heading) [there](00_tour.ipynb)"))) == []
    for link in ("#Another-heading", "99_nothing.ipynb", "00_tour.ipynb#No-such-heading", "ex/ex99_nothing.ipynb"):
        assert len(list(checks.dead_links(notebook(f"# One heading\n\n[it]({link})")))) == 1, link


def test_a_link_to_nothing_is_found_in_what_a_cell_shows():
    table = nbformat.v4.new_output("display_data", {"text/markdown": "| [here](00_tour.ipynb) | [there](99_nothing.ipynb) |"})
    assert list(checks.dead_links(notebook(outputs=[table]))) == ["there is no 99_nothing.ipynb"]


def test_machines_and_hosts_are_found():
    for text in ("  at /root/.cache/loopbook/mod.rs:1:1", "/home/ada/notebook", "see https://blog.example.net/async"):
        assert len(list(checks.whereabouts(notebook(outputs=[shown(text)])))) == 1, text
        assert len(list(checks.whereabouts(notebook(prose=text)))) == 1, text
    for text in ("http://127.0.0.1:4000/delay/300", "/proc/self/status", "and/or", "https://doc.rust-lang.org/std/"):
        assert list(checks.whereabouts(notebook(outputs=[shown(text)]))) == [], text


def test_a_cell_that_fails_has_to_be_tagged_and_a_tagged_one_has_to_fail():
    assert "has failed: Panic: on purpose" in next(checks.failures(notebook(outputs=[error()])))
    assert "has not failed" in next(checks.failures(notebook(tags=["raises-exception"])))
    assert list(checks.failures(notebook(outputs=[error()], tags=["raises-exception"]))) == []


def test_a_run_that_prints_something_else_is_found():
    committed = notebook(outputs=[stdout("a\nb\n")])
    assert list(checks.differences(notebook(outputs=[stdout("a\n"), shown("0.3 s"), stdout("b\n")]), committed)) == []
    assert "prints" in next(checks.differences(notebook(outputs=[stdout("b\na\n")]), committed))
    assert "['Panic']" in next(checks.differences(notebook(outputs=[stdout("a\nb\n"), error()]), committed))


def test_ids_that_are_missing_or_unknown_are_found():
    assert "has no ids" in next(checks.ids(notebook(rows=())))
    assert "C31" in next(checks.ids(notebook(rows=("C1", "C31"))))
    assert checks.missing_ids(notebook(rows=("E1", "C2")), {"E1", "C10", "C2", "F1.7"}) == ["C10", "F1.7"]


def test_what_a_front_end_adds_and_what_was_not_run_is_found():
    run_twice = notebook()
    run_twice.cells[1].execution_count = 2
    timed = notebook()
    timed.cells[1].metadata["execution"] = {"iopub.status.busy": "2020-01-01"}
    another = notebook()
    another.metadata["kernelspec"] = {**KERNELSPEC, "name": "rust"}
    assert ["top to bottom" in text for text in checks.form(run_twice)] == [True]
    assert ["`execution`" in text for text in checks.form(timed)] == [True]
    assert ["kernelspec" in text for text in checks.form(another)] == [True]


def test_what_a_task_prints_late_counts_for_its_own_cell():
    late = notebook(outputs=[stdout("counted to 1\n")])
    late.cells.append(nbformat.v4.new_code_cell("", outputs=[stdout("[In 1] counted to 2\nhere\n[In 1] counted "), stdout("to 3\n")]))
    assert printed(late) == {1: "counted to 1\ncounted to 2\ncounted to 3\n", 2: "here\n"}
    prompt = notebook(outputs=[stdout("counted to 1\ncounted to 2\n")])
    prompt.cells.append(nbformat.v4.new_code_cell("", outputs=[stdout("here\n")]))
    late.cells[2].outputs = [stdout("[In 1] counted to 2\nhere\n")]
    assert printed(late) == printed(prompt)


def test_where_a_stream_is_cut_makes_no_difference():
    outputs = [stdout("a\n"), stdout("b"), stdout("c\n"), shown("d"), stdout("e\n")]
    assert [output.get("text") for output in joined(outputs)] == ["a\nbc\n", None, "e\n"]


def test_the_names_are_read_from_the_source():
    assert {"Loop", "Promise", "lab", "cost", "gather", "predict"} <= api_names.exported()
    assert {"server", "get", "Server"} <= api_names.exported("lab")
    assert "run_until_complete" in api_names.members("Loop") and "Idle" in api_names.members("TaskState")
