"""Cells and the programs that they start have the user's own environment, and end with the kernel."""

import json
import os
import pathlib
import signal

import pytest

from starting import eventually, processes, running_kernel

# What a user may have set, and what evcxr, cargo or we would rather have otherwise.
OF_THE_USER = {
    "RUST_BACKTRACE": "full",
    "RUSTFLAGS": "--cfg mine",
    "CARGO_HOME": "",
    "CARGO_TARGET_DIR": "/nowhere/target",
    "CARGO_BUILD_JOBS": "1",
    "CARGO_ENCODED_RUSTFLAGS": "--cfg\x1fmine",
    "RUSTC": "/nowhere/rustc",
    "RUSTC_WRAPPER": "/nowhere/wrapper",
    "LD_LIBRARY_PATH": "/nowhere/lib",
    "EVCXR_TMPDIR": "/nowhere/evcxr",
    "MINE": "a = b\nand ü",
}

ENVIRONMENT = "loopbook::json(&std::env::vars().collect::<std::collections::BTreeMap<_, _>>())"

SLEEPS = {
    "of a cell": 'std::process::Command::new("sleep").arg("3600").spawn().unwrap().id()',
    "of a shell": 'std::process::Command::new("sh").args(["-c", "sleep 3600 & wait"]).spawn().unwrap().id()',
    "in a group apart": 'use std::os::unix::process::CommandExt;\n'
    'std::process::Command::new("sleep").arg("3600").process_group(0).spawn().unwrap().id()',
}


@pytest.mark.parametrize("backtrace", ["full", None])
def test_a_cell_and_its_programs_have_the_environment_of_the_kernel_and_nothing_else(
    kernel_name, tmp_path, monkeypatch, backtrace
):
    monkeypatch.delenv("RUST_BACKTRACE", raising=False)
    wanted = {**OF_THE_USER, "RUST_BACKTRACE": backtrace}
    # A directory that holds the user's registry must be found, or nothing compiles.
    wanted["CARGO_HOME"] = os.environ.get("CARGO_HOME", str(pathlib.Path.home() / ".cargo"))
    if backtrace is None:
        del wanted["RUST_BACKTRACE"]
    with running_kernel(kernel_name, tmp_path, env=wanted) as kernel:
        there = pathlib.Path(f"/proc/{kernel.pid}/environ")
        given = {k.decode(): v.decode() for k, _, v in (e.partition(b"=") for e in there.read_bytes().split(b"\0") if e)}
        in_cell = json.loads(json.loads(kernel.run(ENVIRONMENT).ok().text))
        assert in_cell == given
        assert in_cell.get("RUST_BACKTRACE") == backtrace
        printed = kernel.run('let said = std::process::Command::new("env").arg("-0").output().unwrap(); print!("{}", String::from_utf8_lossy(&said.stdout));')
        in_program = dict(entry.split("=", 1) for entry in printed.ok().stdout.split("\0") if entry)
        assert {k: v for k, v in in_program.items() if k != "_"} == {k: v for k, v in given.items() if k != "_"}


@pytest.mark.parametrize("program", SLEEPS)
@pytest.mark.parametrize("how", ["SIGTERM", "shutdown", ":restart", "exit"])
def test_programs_that_cells_have_started_end_with_their_process(kernel_name, tmp_path, program, how):
    with running_kernel(kernel_name, tmp_path) as kernel:
        pid = int(kernel.run(SLEEPS[program]).ok().text)
        eventually(lambda: sleepers(kernel.mark), 5, "the program runs")
        end(kernel, how)
        if (how, program) == ("exit", "in a group apart"):
            # Nobody knows any more whose child it was. The README says so.
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not sleepers(kernel.mark), 5, "the program has ended, too")


def test_programs_end_with_a_kernel_that_is_killed(kernel_name, tmp_path):
    with running_kernel(kernel_name, tmp_path) as kernel:
        kernel.run(SLEEPS["of a shell"]).ok()
        eventually(lambda: sleepers(kernel.mark), 5, "the program runs")
        os.kill(kernel.pid, signal.SIGKILL)
        eventually(lambda: not processes(kernel.mark), 5, "nothing is left")


def test_a_program_with_a_session_of_its_own_goes_on_and_a_restart_says_so(kernel_name, tmp_path):
    with running_kernel(kernel_name, tmp_path) as kernel:
        pid = int(kernel.run('std::process::Command::new("setsid").args(["sleep", "3600"]).spawn().unwrap().id()').ok().text)
        eventually(lambda: sleepers(kernel.mark), 5, "the program runs")
        text = kernel.shown(":restart")
        assert f"This program goes on, since it has a session apart (`setsid`): sleep ({pid})." in text
        assert kernel.run("1 + 1").ok().text == "2"
    try:
        assert sleepers(kernel.mark) == [pid]
    finally:
        os.kill(pid, signal.SIGKILL)


def sleepers(mark):
    return [pid for pid, command in processes(mark) if command.startswith("sleep ")]


def end(kernel, how):
    match how:
        case "SIGTERM":
            os.kill(kernel.pid, signal.SIGTERM)
        case "shutdown":
            kernel.manager.shutdown_kernel(now=False)
        case "exit":
            assert kernel.run("std::process::exit(7);").reply["ename"] == "ChildDied"
        case command:
            kernel.run(command).ok()
