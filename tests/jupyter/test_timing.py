"""`:timing` says where the time of a cell went."""

import re
import time

import pytest

ROW = re.compile(r"^(?P<part> {4})? *(?P<seconds>\d+\.\d{3}) s  (?P<name>.+)$")


@pytest.fixture
def timed(kernel):
    """A kernel that tells the times; `tell(code)` gives the total and the rows of a cell."""
    # Of this run alone: what was compiled before comes from the cache.
    kernel.run(f"const RUN_{time.time_ns()}: () = ();").ok()
    kernel.run(":timing").ok()

    def tell(code, status="ok"):
        result = kernel.run(code)
        assert result.status == status, str(result)
        bundle = result.displays[-1]
        first, *rest = bundle["text/plain"].splitlines()
        rows = [ROW.match(line) for line in rest]
        assert all(rows), bundle["text/plain"]
        assert bundle["text/html"].count("<tr>") == len(rows) + 1
        return float(first.split()[1]), [(row["name"], float(row["seconds"]), bool(row["part"])) for row in rows]

    yield tell
    assert not kernel.run(":timing\n1").ok().displays[1:], "it is off again"


def test_the_rows_are_the_way_of_a_cell_and_add_up(timed):
    timed("1 + 1")
    total, rows = timed("async fn twice(n: u64) -> u64 { n * 2 }\nlet four = twice(2).await;")
    names = [name for name, _, is_part in rows if not is_part]
    assert names[:3] == ["preparation", "evcxr, before the compiler", "compiler"], rows
    assert names[-3:] == ["loading", "running", "evcxr and the kernel, afterwards"], rows
    assert "of it rustc" in [name for name, _, is_part in rows if is_part], rows
    assert sum(seconds for _, seconds, is_part in rows if not is_part) == pytest.approx(total, abs=0.005 * len(rows))


def test_what_a_cell_waits_for_is_in_the_row_of_running(timed):
    timed("1 + 1")
    _, rows = timed("task::sleep(Duration::from_millis(700)).await;")
    assert dict((name, seconds) for name, seconds, _ in rows)["running"] >= 0.69


def test_a_second_round_of_the_compiler_says_why(timed):
    timed('let text = String::from("text");')
    _, rows = timed("let moved = text; println!(\"{}\", moved.len());")
    assert "compiler, once more: a variable was moved (E0382)" in [name for name, _, _ in rows], rows


def test_a_cell_that_does_not_compile_and_one_of_commands_have_times_too(timed):
    _, rows = timed("no_such_name", status="error")
    assert rows[-1][0] == "evcxr, after the compiler"
    _, rows = timed(":vars")
    assert [name for name, _, _ in rows] == ["commands and preparation"]
