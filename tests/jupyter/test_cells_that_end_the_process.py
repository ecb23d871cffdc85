"""Cells that end the process they run in lose variables, say which, and nothing else."""

import os
import signal

import pytest

# What ends the process, and what the error must say of it. All of it stands in a function that the optimiser cannot see
# through.
ENDINGS = {
    "exit": ("std::process::exit(3);", ["3"]),
    "abort": ("std::process::abort();", ["SIGABRT"]),
    "null dereference": ("unsafe { std::ptr::null_mut::<u8>().write_volatile(1) };", ["SIGSEGV"]),
    "stack overflow": ("println!(\"{}\", deep(std::hint::black_box(1)));", ["SIGABRT", "SIGSEGV", "stack"]),
    "100 GB": ("let v = vec![1u8; std::hint::black_box(100_000_000_000)]; println!(\"{}\", v.len());", ["SIGABRT", "SIGKILL", "memory"]),
    "recursion in a task": (
        "async_std::task::spawn(async { println!(\"{}\", deep(std::hint::black_box(1))) }).await;",
        ["SIGABRT", "SIGSEGV", "stack"],
    ),
    "kill": ("std::process::Command::new(\"kill\").args([\"-9\", &std::process::id().to_string()]).status()?; loop {}", ["SIGKILL"]),
}

ITEMS = """
use std::collections::HashMap;
#[derive(Debug, Clone)] struct Point { x: i32 }
fn deep(n: u64) -> u64 { let page = std::hint::black_box([n; 512]); page[7] + deep(n + 1) }
fn twice(n: i32) -> i32 { 2 * n }
macro_rules! thrice { ($e:expr) => { 3 * $e } }
"""


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_end_of_the_process_costs_variables_only(kernel, ending):
    code, words = ENDINGS[ending]
    kernel.run(ITEMS).ok()
    kernel.run("let precious = vec![Point { x: 1 }];").ok()
    result = kernel.run(code)
    assert (result.status, result.reply["ename"]) == ("error", "ChildDied"), str(result)
    said = result.reply["evalue"] + result.report + result.stderr
    assert any(word in said for word in words), said
    assert "precious" in said, "the variables that are lost are named"
    lines = "let map: HashMap<i32, Point> = HashMap::from([(1, Point { x: twice(7) })]);\nthrice!(map[&1].x)"
    assert kernel.run(lines).ok().text == "42"


def test_the_end_between_two_cells_is_told_at_the_next(kernel):
    kernel.run(ITEMS).ok()
    child = int(kernel.run("let precious = 1; std::process::id()").ok().text)
    os.kill(child, signal.SIGKILL)
    told = kernel.run("twice(21)")
    said = str(told) + told.report
    assert told.text == "42" or "SIGKILL" in said
    assert "precious" in said, "the variables that are lost are named"
    assert kernel.run("twice(21)").ok().text == "42"
