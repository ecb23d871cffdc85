"""Local servers, predictions and costs, as lessons use them."""

import json

import pytest


def test_lab_servers_count_what_overlaps_and_live_across_cells(kernel):
    kernel.run("use loopbook::{cost, lab};").ok()
    kernel.run("let server = lab::server();").ok()
    kernel.run('let (a, b, c) = gather!(lab::get(server.url("/delay/200")), lab::get(server.url("/delay/200")),\n'
               '    lab::get(server.url("/delay/200")));').ok()
    assert kernel.run("(server.max_in_flight(), server.requests(), server.in_flight())").ok().text == "(3, 3, 0)"
    # A lazy request is kept in a variable, and sent when it is awaited.
    kernel.run('let later = lab::get(server.url("/echo"));').ok()
    assert kernel.run("server.requests()").ok().text == "3"
    assert kernel.run("later.await?.status").ok().text == "200"
    assert "GET /echo HTTP/1.1" in kernel.run("server.trace()").ok().text
    # The old server ends when the cell is run again.
    kernel.run("let before = server.addr();").ok()
    kernel.run("let server = lab::server();").ok()
    refused = kernel.run('lab::get(format!("http://{before}/")).await?')
    assert refused.status == "error" and "connection" in refused.error["evalue"].lower()
    tasks = json.loads(kernel.run('println!("{}", loopbook::json(&loopbook::all_tasks()))').ok().stdout)
    assert [task["kind"] for task in tasks] == ["cell"], "a server is no task"


def test_a_prediction_is_compared_when_the_cell_has_ended(fresh_kernel):
    kernel = fresh_kernel
    compared = kernel.run(
        """
        loopbook::predict!(5.0);
        task::sleep(Duration::from_millis(500)).await;
        println!("done");
        7
        """
    )
    assert compared.ok().text == "7" and compared.stdout == "done\n" and compared.stderr == ""
    [shown] = compared.displays
    assert shown["text/plain"].startswith("You said 5.0 s, it took ") and "times as fast" in shown["text/plain"]
    failed = kernel.run('loopbook::predict!(1); panic!("oh")')
    assert failed.status == "error"
    assert "The cell was ended after" in failed.displays[0]["text/plain"]
    told = json.loads(kernel.run('println!("{}", loopbook::json(&loopbook::predictions()))').ok().stdout)
    assert [(one["cell"], one["said"], one["ended_well"]) for one in told] == [(1, 5.0, True), (2, 1.0, False)]
    assert 0.5 <= told[0]["took"] < 5.0


@pytest.mark.parametrize(
    "code, verdict",
    [
        ("loopbook::cost(loopbook::lab::get(Duration::from_millis(500))).await", "waiting (I/O-bound)"),
        ("loopbook::cost_of(|| loopbook::lab::fib(38))", "(CPU-bound)"),
    ],
)
def test_a_cost_says_whether_it_was_waiting_or_computing(kernel, code, verdict):
    shown = kernel.run(code).ok().text
    # On a machine that is busy with something else, what computes waits for a processor too.
    assert verdict in shown or ("CPU" in verdict and "computing" in shown), shown
