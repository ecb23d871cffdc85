"""The process that runs the cells may end at any time. Its last words arrive, and the kernel goes on."""

import os
import signal
import time

import pytest

from starting import eventually, processes

ENDINGS = {
    "exit": ("std::process::exit(3)", "exit status 3"),
    "success": ("std::process::exit(0)", "exit status 0"),
    "a number of our own": ("std::process::exit(99)", "exit status 99"),
    "abort": ("std::process::abort()", "signal 6 (SIGABRT)"),
    "null dereference": ("unsafe { std::ptr::null_mut::<u8>().write_volatile(1) }", "signal 11 (SIGSEGV)"),
}


@pytest.fixture(autouse=True)
def an_item_of_an_earlier_cell(kernel):
    """Items outlive the process that ran them; each test ends by using this one."""
    kernel.run("fn twice(n: i32) -> i32 { 2 * n }").ok()
    yield
    assert kernel.run("twice(21)").ok().text == "42"


@pytest.mark.parametrize("ending", ENDINGS)
def test_last_words_arrive_and_the_error_says_how_it_ended(kernel, ending):
    code, how = ENDINGS[ending]
    result = kernel.run(f'println!("last words"); eprint!("and these"); {code};')
    assert (result.stdout, result.stderr) == ("last words\n", "and these")
    assert_child_died(result, how)


def test_a_print_without_newline_survives_an_exit(kernel):
    result = kernel.run('print!("no newline"); std::process::exit(3);')
    assert result.stdout == "no newline"
    assert_child_died(result, "3")


def test_a_hundred_thousand_lines_survive_an_exit(kernel):
    result = kernel.run('for n in 0..100_000 { println!("line {n}"); }\nstd::process::exit(4);')
    assert result.stdout == "".join(f"line {n}\n" for n in range(100_000))
    assert_child_died(result, "4")


def test_the_reply_comes_soon_after_the_end(kernel):
    result = kernel.run('println!("last words"); std::process::exit(3);')
    arrival = result.printed_at()[0][1]
    error = next(m.at for m in result.messages if m.type == "error")
    # One second is asked for; the rest is for a machine that is busy with other tests.
    assert error - arrival < 4


def test_a_process_that_the_cell_leaves_behind_holds_nothing_up(kernel):
    code = """
    let child = std::process::Command::new("setsid").args(["sleep", "30"]).spawn().unwrap();
    println!("{}", child.id());
    std::process::exit(5);
    """
    before = time.time()
    result = kernel.run(code)
    assert_child_died(result, "5")
    assert time.time() - before < 25, "the reply waited for the process that was left behind"
    os.kill(int(result.stdout), signal.SIGKILL)


def test_a_kill_while_a_cell_runs_is_an_error_and_the_kernel_goes_on(kernel):
    result = kernel.start('println!("{}", std::process::id()); loop { std::thread::yield_now(); }')
    kernel.until(lambda: result.stdout.endswith("\n"))
    os.kill(int(result.stdout), signal.SIGKILL)
    assert_child_died(kernel.wait(result), "SIGKILL")


def test_a_kill_while_the_kernel_is_idle_is_told_and_the_kernel_goes_on(kernel):
    child = int(kernel.run("std::process::id()").ok().text)
    os.kill(child, signal.SIGKILL)
    eventually(lambda: child not in dict(processes(kernel.mark)), 5, "the child is gone")
    # Whether the next cell reports the loss or runs as if nothing had been is not for this test: the one behind it runs.
    kernel.run("1 + 1")
    assert kernel.run("1 + 1").ok().text == "2"


def test_items_imports_and_the_loop_work_in_the_new_process(kernel):
    kernel.run("use async_std::task;\nuse std::time::Duration;").ok()
    assert_child_died(kernel.run("let lost = 1; std::process::exit(0);"), "0")
    assert kernel.run("task::sleep(Duration::from_millis(10)).await; twice(4)").ok().text == "8"


def assert_child_died(result, how):
    assert result.status == "error" and result.reply["ename"] == "ChildDied", str(result)
    assert how in result.reply["evalue"], result.reply["evalue"]
    assert [error["ename"] for error in result.of("error")] == ["ChildDied"]
