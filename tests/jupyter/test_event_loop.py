"""Loops that cells make and run themselves: across cells, interrupted, misused, and as the inspector sees them."""

import json

SETUP = """
use loopbook::{Loop, Promise};
use std::time::Duration;
let lab = Loop::new("lab");
async fn fetch(n: u32) -> String { task::sleep(Duration::from_millis(20)).await; format!("Data {n}") }
let one = lab.create_task("one", fetch(1));
let promise = Promise::<u32>::new();
"""


def test_loops_live_across_cells(kernel):
    kernel.run(SETUP).ok()
    tasks = json.loads(kernel.run('println!("{}", loopbook::json(&loopbook::all_tasks()))').ok().stdout)
    [one] = [task for task in tasks if task["name"] == "one"]
    assert (one["kind"], one["state"], one["cell"], one["line"]) == ("loop", "frozen", 1, 6), one
    assert 'loop "lab", not running: 1 task, 1 ready' in kernel.shown(":loop")
    assert "one" in kernel.shown(":tasks")
    kernel.run("let two = lab.create_task(\"two\", { let promise = promise.clone(); async move { promise.await } });").ok()
    kernel.run("lab.call_later(Duration::from_millis(10), { let promise = promise.clone(); move || promise.set_result(7) });").ok()
    result = kernel.run("let both = lab.run_until_complete(async { (one.await, two.await) }); println!(\"{both:?}\");").ok()
    assert result.stdout.strip() == '("Data 1", Ok(7))'
    assert kernel.run("promise.clone().await").ok().text == "Ok(7)"
    called = kernel.run('lab.call_soon(|| println!("called back"));', background=True).ok()
    kernel.run("lab.stop(); lab.run_forever();").ok()
    # Under the cell that gave the callback.
    kernel.until(lambda: called.stdout)
    assert called.stdout == "called back\n"
    kernel.run("lab.close();").ok()


def test_loops_say_what_is_wrong_in_the_line_that_does_it(kernel):
    kernel.run(SETUP).ok()
    for misuse, words in [
        ("lab.run_until_complete(async { lab.run_forever() });", "This event loop is already running"),
        ("lab.run_until_complete(async { lab.close() });", "Cannot close a running event loop"),
        ("lab.stop(); lab.run_until_complete(fetch(2));", "Event loop stopped before Future completed"),
        ("loopbook::get_event_loop().stop();", "the notebook's own loop"),
        ("lab.close(); lab.run_forever();", "Event loop is closed"),
    ]:
        result = kernel.run("let before = 1;\n" + misuse)
        assert result.reply["status"] == "error" and words in result.reply["evalue"], result.reply
        assert ":2:" in result.report, result.report
    assert kernel.run("loopbook::get_running_loop().map(|running| running.name())").ok().text == 'Ok("notebook")'


def test_loops_are_interrupted_and_keep_their_queue(kernel):
    kernel.run(SETUP).ok()
    kernel.run('let ticks = lab.create_task("ticks", async { loop { task::sleep(Duration::from_millis(5)).await } });').ok()
    for run in ("lab.run_forever();", "lab.run_until_complete(std::future::pending::<()>());"):
        running = kernel.start(f'println!("runs");\n{run}')
        kernel.until(lambda: running.stdout)
        kernel.interrupt()
        result = kernel.wait(running)
        assert result.reply["ename"] == "Interrupted", result.reply
        state = kernel.run('println!("{:?} {}", (lab.is_running(), lab.is_closed()), lab.snapshot().waiting.len() + lab.snapshot().ready.len());').ok()
        assert state.stdout.startswith("(false, false)"), state.stdout
    assert kernel.run("lab.run_until_complete(fetch(3))").ok().text == '"Data 3"'
    assert kernel.run("(ticks.done(), one.done())").ok().text == "(false, true)"


def test_loops_print_under_the_cell_that_has_started_the_task(kernel):
    kernel.run(SETUP).ok()
    first = kernel.run('let said = lab.create_task("says", async { println!("from the task") });', background=True).ok()
    kernel.run("lab.run_until_complete(said);").ok()
    kernel.until(lambda: first.stdout)
    assert first.stdout == "from the task\n"
