"""Interrupts, in every phase of a cell."""

import os
import signal

import pytest

from client import SLACK
from starting import compilations, eventually, forget_crates, processes, work_directories

# Enough to compile that there is time to interrupt it.
LONG_TO_COMPILE = "\n".join(f'fn f{n}(x: u64) -> String {{ format!("{{x}} {{}}", {n}) }}' for n in range(3000))

BACKGROUND = """
use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
let kept = vec![1, 2, 3];
let count = Arc::new(AtomicU64::new(0));
let counter = count.clone();
let ticker = task::spawn(async move {
    while Arc::strong_count(&counter) > 0 {
        counter.fetch_add(1, Ordering::Relaxed);
        task::sleep(Duration::from_millis(20)).await;
    }
});
fn twice(n: i32) -> i32 { 2 * n }
"""

AWAITING = {
    "a timer": "task::sleep(Duration::from_secs(3600)).await;",
    "a task": "task::spawn(async { task::sleep(Duration::from_secs(3600)).await }).await;",
    "gather": "let (a, b) = gather!(std::future::pending::<u8>(), task::sleep(Duration::from_secs(3600)));",
    "block_on": "task::block_on(async { task::sleep(Duration::from_secs(3600)).await });",
    "nested block_on": "task::block_on(async { task::block_on(task::sleep(Duration::from_secs(3600))) });",
    "input": 'let answer = loopbook::input("never answered").await.unwrap();',
    "read_line": "std::io::stdin().read_line(&mut String::new()).unwrap();",
}

OWNED = """
#[derive(Debug)] struct Owned { id: u32 }
#[derive(Debug)] struct Other { id: u32 }
static CALLS: std::sync::Mutex<Vec<Owned>> = std::sync::Mutex::new(Vec::new());
let (owned, other, plain) = (Owned { id: 7 }, Other { id: 9 }, vec![1]);
*CALLS.lock().unwrap() = vec![Owned { id: 8 }];
"""

# What an interrupted cell would have done to what it found, and which of its builds is to be interrupted.
COSTS = {
    "moves": ("drop(owned); drop(plain);", 1),
    "defines anew": ("let owned = 1; let plain = plain.len();", 1),
    "changes a type": ("#[derive(Debug)] struct Owned { id: u64, more: bool }", 2),
    "changes a type and moves": ("#[derive(Debug)] struct Owned { id: u64, more: bool }\ndrop(plain);", 2),
    "gives a type parameters": ("#[derive(Debug)] struct Other<T> { id: T }", 5),
}


@pytest.fixture
def busy(module_kernel):
    """A kernel with variables and a background task, which must all be there in the end."""
    kernel = module_kernel
    kernel.run("use async_std::task;\nuse std::time::Duration;").ok()
    kernel.run(BACKGROUND).ok()
    yield kernel
    before = int(kernel.run("(kept.len(), count.load(Ordering::Relaxed)).1").ok().text)
    after = int(kernel.run("task::sleep(Duration::from_millis(100)).await; count.load(Ordering::Relaxed)").ok().text)
    assert after > before, "the background task runs on"
    assert kernel.run("kept[2] + twice(2)").ok().text == "7"
    kernel.run("ticker.cancel().await;").ok()
    kernel.check_leftovers()


@pytest.mark.parametrize("what", AWAITING)
def test_a_cell_that_awaits_is_interrupted_at_once_and_nothing_is_lost(busy, what):
    asks = what in ("input", "read_line")
    result = busy.start(f'println!("begun");\n{AWAITING[what]}', answers=[] if asks else None)
    busy.until(lambda: "begun" in result.stdout)
    if asks:
        busy.client.get_stdin_msg(timeout=5 * SLACK)
    assert_interrupted(busy, result, 0.2)


def test_an_interrupt_of_a_cell_that_compiles_ends_rustc_and_nothing_is_lost(busy):
    result = busy.start(LONG_TO_COMPILE)
    eventually(lambda: compilers(busy), 10, "rustc runs")
    assert_interrupted(busy, result, 1)
    eventually(lambda: not compilers(busy), 1, "rustc is gone")


def test_an_interrupt_of_a_build_of_a_dependency_ends_cargo_and_nothing_is_lost(busy):
    forget_crates()
    result = busy.start(':dep regex = "1"\nregex::Regex::new("a").unwrap().is_match("b")')
    eventually(lambda: compilers(busy), 20, "cargo or rustc runs")
    assert_interrupted(busy, result, 1)
    eventually(lambda: not compilers(busy), 1, "cargo and rustc are gone")


def test_an_interrupted_execution_never_runs(busy, tmp_path):
    for n in range(3):
        trace = tmp_path / f"ran-{n}"
        code = f'let inferred{n} = vec![{n}].into_iter().map(|n| n + 1).collect::<Vec<_>>(); std::fs::write("{trace}", "").unwrap();'
        result = busy.start(code)
        busy.until(lambda: any(m.type == "execute_input" for m in busy.published(result.id)))
        assert_interrupted(busy, result, 1)
        assert busy.run("1 + 1").ok().text == "2", "the next cell is not hit"
        assert not trace.exists()


@pytest.mark.parametrize("what", COSTS)
def test_an_interrupt_before_a_cell_runs_costs_no_variable(busy, what):
    busy.run(OWNED).ok()
    code, build = COSTS[what]
    # It is built, and waits for a process that is stopped.
    child = next(pid for pid, command in processes(busy.mark) if "loopbook-child" in command)
    os.kill(child, signal.SIGSTOP)
    result = busy.start(code)
    [directory] = work_directories(busy.pid)
    eventually(lambda: any(directory.glob("**/libcode_*.so")), 10, "the cell is built")
    assert_interrupted(busy, result, 2)
    check_owned(busy, result)
    before = len(compilations(busy.pid))
    result = busy.start(f"{code}\n{LONG_TO_COMPILE}")
    eventually(lambda: len(compilations(busy.pid)) >= before + build, 20, "it is compiled")
    assert_interrupted(busy, result, 2)
    check_owned(busy, result)


def check_owned(kernel, result):
    assert "Dropped" not in str(result.displays), "nothing was"
    code = "(owned.id, other.id, plain.len(), CALLS.lock().unwrap().iter().map(|owned| owned.id).collect::<Vec<u32>>())"
    assert kernel.run(code).ok().text == "(7, 9, 1, [8])"


def test_an_interrupt_of_an_idle_kernel_hits_no_later_cell(busy):
    for n in range(10):
        busy.interrupt()
        assert busy.run(f"{n} + 1").ok().text == str(n + 1)


def test_sigint_to_the_process_group_kills_nothing(busy):
    os.killpg(os.getpgid(busy.pid), signal.SIGINT)
    assert busy.run("kept.len()").ok().text == "3"


def test_a_queue_of_cells_is_aborted_but_none_behind_it(busy):
    first = busy.start('println!("begun"); task::sleep(Duration::from_secs(3600)).await;')
    queued = [busy.start("1"), busy.start("2")]
    busy.until(lambda: "begun" in first.stdout)
    busy.interrupt()
    assert busy.wait(first).reply["ename"] == "Interrupted"
    assert [busy.wait(result).status for result in queued] == ["aborted", "aborted"]
    assert busy.run("3").ok().text == "3"


def test_variables_of_an_interrupted_cell_are_unknown_not_broken(busy):
    result = busy.start('let unborn = 1; println!("begun"); task::sleep(Duration::from_secs(3600)).await;')
    busy.until(lambda: "begun" in result.stdout)
    assert_interrupted(busy, result, 0.2)
    assert busy.run("unborn").reply["ename"] == "CompileError"


def test_a_cell_that_blocks_is_warned_at_the_first_interrupt_and_restarted_at_the_second(fresh_kernel):
    kernel = fresh_kernel
    kernel.run("use std::collections::HashMap;\nfn twice(n: i32) -> i32 { 2 * n }\nstruct Point { x: i32 }").ok()
    kernel.run("let precious = 1;").ok()
    result = kernel.start('println!("begun"); std::thread::sleep(std::time::Duration::from_secs(3600));')
    kernel.until(lambda: "begun" in result.stdout)
    kernel.interrupt()
    kernel.until(lambda: said_of(result).count("interrupt") >= 1)
    assert result.reply is None, "the first interrupt only says what a second one would do"
    kernel.interrupt()
    kernel.wait(result)
    assert result.reply["ename"] == "Interrupted"
    assert "precious" in result.reply["evalue"] + result.report, "the variables that are lost are named"
    lines = "let map: HashMap<i32, Point> = HashMap::from([(1, Point { x: twice(21) })]);\nmap[&1].x"
    assert kernel.run(lines).ok().text == "42"


def assert_interrupted(kernel, result, seconds):
    since = kernel.interrupt()
    kernel.wait(result)
    assert result.status == "error" and result.reply["ename"] == "Interrupted", str(result)
    assert [error["ename"] for error in result.of("error")] == ["Interrupted"]
    assert kernel.seconds_to_idle(result, since) < seconds * SLACK


def compilers(kernel):
    return [command for _, command in processes(kernel.mark) if command.split(" ")[0].endswith(("/rustc", "/cargo"))]


def said_of(result):
    shown = [str(bundle.get("text/plain", "")) for bundle in result.displays]
    return (result.stderr + "".join(shown)).lower()
