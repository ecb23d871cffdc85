#!/usr/bin/env python3
"""How long people wait for this kernel, beside evcxr_jupyter and ipykernel on the same machine in the same run.

    LOOPBOOK_TEST_PREFIX=target/test-prefix target/venv/bin/python benches/measure.py --install-evcxr target/evcxr --write-readme

Figures are seconds as a client sees them: from the sending of a request (or the start of the process) to the `idle` behind
its result. The kernels take turns, cell by cell, so that whatever the machine does besides hits all of them; what counts is
the ratio. Run it on a machine that does nothing else. Without `--evcxr` or `--install-evcxr` evcxr_jupyter is left out.
`--quick` is for trying out. `corpus.py` has the cells, `report.py` makes table and figure.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests" / "jupyter"))

from jupyter_client.kernelspec import KernelSpecManager  # noqa: E402
from jupyter_client.manager import KernelManager  # noqa: E402

import client  # noqa: E402
import report  # noqa: E402
from corpus import CELLS, NOTEBOOK, SETUP  # noqa: E402
from starting import compilations, processes, running_kernel, work_directories  # noqa: E402

# What is measured is time: replies of other kernels need not be as the protocol wants them.
client.check_schema = lambda message: None

EVCXR = "0.22.0"
PATIENCE = 900
SETTLE = 0.1
# Numbers in cells begin here: a cell that an earlier run has compiled would be taken from the cache.
SEED = int(time.time()) % 1_000_000 * 1_000
LINES = {
    "ipykernel": "for n in range(100_000): print(f'line {n}')",
    "others": 'for n in 0..100_000 { println!("line {n}"); }',
}
FIRST_LET = {
    "ipykernel": "async def answer(): return 42\na = await answer()\nprint(a)",
    "others": "async fn answer() -> u32 { @ }\nlet a = answer().await;\nprintln!(\"{a}\");",
}
TO_COMPLETE = {"ipykernel": ("words = ['a']", "words[0].upp"), "others": ("let words = String::new();", "words.is_em")}


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as directory:
        kernels = subjects(options, pathlib.Path(directory))
        figures = {name: {} for name in kernels}
        for name, subject in kernels.items():
            note(f"{name}: launches")
            figures[name] |= launches(subject, options)
        note("the corpus")
        cells = corpus(kernels, options)
        for name, subject in kernels.items():
            for what, measure in (("lines", lines), ("completion", completion), ("again", again), ("dep", dependency), ("memory", memory)):
                note(f"{name}: {what}")
                figures[name] |= measure(subject, options)
    measured = {"figures": figures, "cells": cells, "machine": report.machine()}
    print(json.dumps(measured, indent=2) if options.json else report.text(measured))
    if options.write_readme:
        report.write(measured, pathlib.Path(__file__).parents[1])


class Subject:
    """A kernel to measure: by which name the corpus knows it, its kernelspec's name, and options of its manager."""

    def __init__(self, name, spec):
        self.name, self.spec, self.options = name, spec, {}

    def start(self, options):
        return running_kernel(self.spec, options.directory, **self.options)

    def of(self, table):
        """What a table has for this kernel."""
        return table.get(self.name, table["others"])


def subjects(options, directory):
    kernels = {"loopbook": Subject("loopbook", "loopbook")}
    if options.offline:
        wrap_offline(kernels["loopbook"], directory)
    if options.install_evcxr:
        options.evcxr = install_evcxr(options.install_evcxr)
    if options.evcxr:
        argv = [str(pathlib.Path(options.evcxr).resolve()), "--control_file", "{connection_file}"]
        # Its own `--install` writes to the user's directory; this writes the same elsewhere.
        write_spec(directory, "evcxr-bench", {"argv": argv, "display_name": "evcxr", "language": "rust", "interrupt_mode": "message"})
        kernels["evcxr_jupyter"] = Subject("evcxr_jupyter", "evcxr-bench")
    if not options.no_ipykernel:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        write_spec(directory, "ipykernel-bench", {"argv": argv, "display_name": "Python", "language": "python"})
        kernels["ipykernel"] = Subject("ipykernel", "ipykernel-bench")
    add_jupyter_path(directory)
    return kernels


def launches(subject, options):
    """Until kernel_info is answered, and until a first awaited `let` is there, which has never been compiled before."""
    ready, first = [], []
    for launch in range(options.launches):
        ready.append(until_ready(subject, options))
        begin = time.time()
        with subject.start(options) as kernel:
            kernel.run(subject.of(FIRST_LET).replace("@", str(SEED + launch)), timeout=PATIENCE).ok()
            first.append(time.time() - begin)
    return {"ready": statistics.median(ready), "first": statistics.median(first)}


def until_ready(subject, options):
    """From the start of the process to its first reply. Not by `wait_for_ready`, which then waits 0.2 s for more."""
    begin = time.time()
    manager = KernelManager(kernel_name=subject.spec, **subject.options)
    manager.start_kernel(cwd=options.directory)
    client = manager.client()
    client.start_channels()
    try:
        client.kernel_info()
        client.get_shell_msg(timeout=PATIENCE)
        return time.time() - begin
    finally:
        client.stop_channels()
        manager.shutdown_kernel()


def corpus(kernels, options):
    """Seconds of every cell of the corpus in every kernel: `{kind: {kernel: [seconds]}}`."""
    seconds = {cell.kind: {name: [] for name in kernels} for cell in CELLS}
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(subject.start(options)) for name, subject in kernels.items()}
        for name, kernel in running.items():
            for code in SETUP[name]:
                kernel.run(code, timeout=PATIENCE).ok()
        names = list(kernels)
        # The first round fills caches.
        for turn in range(options.rounds + 1):
            for number, cell in enumerate(CELLS):
                for place in range(len(names)):
                    name = names[(place + number + turn) % len(names)]
                    # What a kernel still does behind its result is not to slow the next one.
                    time.sleep(SETTLE)
                    took = run(running[name], cell, cell.code(name, SEED + turn))
                    if turn > 0:
                        seconds[cell.kind][name].append(took)
    return seconds


def run(kernel, cell, code):
    begin = time.time()
    result = kernel.run(code, timeout=PATIENCE)
    took = time.time() - begin
    # A panic is no error for evcxr_jupyter.
    assert result.status != "error" or cell.fails, f"{cell.kind}:\n{code}\n{result}"
    return took


def lines(subject, options):
    """100,000 printed lines, until the last of them is there."""
    with subject.start(options) as kernel:
        kernel.run("1", timeout=PATIENCE).ok()
        times = []
        for _ in range(3):
            begin = time.time()
            result = kernel.run(subject.of(LINES), timeout=PATIENCE).ok()
            kernel.until(lambda result=result: result.stdout.endswith("line 99999\n"))
            times.append(result.messages[-1].at - begin)
        return {"lines": statistics.median(times)}


def completion(subject, options):
    """A completion in a warm kernel, and one while a cell is being compiled; ipykernel compiles nothing."""
    variable, code = subject.of(TO_COMPLETE)
    with subject.start(options) as kernel:
        kernel.run(variable, timeout=PATIENCE).ok()
        complete(kernel, code)
        idle = statistics.median(complete(kernel, code) for _ in range(options.rounds + 2))
        if subject.name == "ipykernel":
            return {"complete": idle}
        busy = []
        for number in range(options.rounds):
            cell = kernel.start(f"let number = {SEED + number}u64;")
            time.sleep(0.02)
            busy.append(complete(kernel, code))
            kernel.wait(cell, PATIENCE)
        return {"complete": idle, "complete_busy": statistics.median(busy)}


def complete(kernel, code):
    begin = time.time()
    request = kernel.client.complete(code, len(code))
    while True:
        reply = kernel.client.get_shell_msg(timeout=PATIENCE)
        if reply["parent_header"].get("msg_id") == request:
            return time.time() - begin
        # The reply to the cell has come first.
        result = kernel.results[reply["parent_header"]["msg_id"]]
        result.reply = reply["content"]


def again(subject, options):
    """Ten cells, run once and then once more in a new kernel: from its launch to the last result, and how often rustc ran."""
    cells = [python if subject.name == "ipykernel" else rust for rust, python in NOTEBOOK]
    figures = {}
    for _ in range(2):
        begin = time.time()
        with subject.start(options) as kernel:
            for code in cells:
                kernel.run(code, timeout=PATIENCE).ok()
            figures["again"] = time.time() - begin
            if (runs := rustc_runs(kernel)) is not None:
                figures["again_runs"] = runs
    return figures


def rustc_runs(kernel):
    """How often our kernel has called rustc for a cell; `None` for other kernels, which do not count."""
    return compilations(kernel.pid).count("rustc") if work_directories(kernel.pid) else None


def dependency(subject, options):
    """A `:dep` that an earlier kernel has built."""
    if subject.name == "ipykernel" or not options.dep:
        return {}
    for _ in range(2):
        with subject.start(options) as kernel:
            kernel.run("1", timeout=PATIENCE).ok()
            begin = time.time()
            kernel.run(f":dep {options.dep}", timeout=PATIENCE).ok()
            took = time.time() - begin
    return {"dep": took}


def memory(subject, options):
    """Memory of all processes of a kernel after its start, after 20 cells, and after 200."""
    figures, run_cells = {}, 0
    with subject.start(options) as kernel:
        for key, number in (("memory_start", 1), ("memory_20", 20), ("memory_200", 200)):
            if number > options.memory_cells:
                break
            for _ in range(run_cells, number):
                run_cells += 1
                kernel.run(f"{SEED + run_cells} + 1", timeout=PATIENCE).ok()
            figures[key] = sum(proportional_bytes(pid) for pid, _ in processes(kernel.mark)) / 1e6
    return figures


def proportional_bytes(pid):
    """Memory of a process; what it shares with others counts by its share."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def wrap_offline(subject, directory):
    spec = KernelSpecManager().get_kernel_spec(subject.spec).to_dict()
    write_spec(directory, "offline", {**spec, "argv": ["unshare", "-n", *spec["argv"]]})
    # Sockets in the file system reach into the other network namespace.
    subject.spec, subject.options = "offline", {"transport": "ipc", "ip": str(directory / "ipc")}


def install_evcxr(root):
    """Compiles evcxr_jupyter below `root`, if it is not there yet: several minutes."""
    program = pathlib.Path(root) / "bin" / "evcxr_jupyter"
    if not program.exists():
        note(f"evcxr_jupyter {EVCXR} is being compiled into {root}")
        command = ["cargo", "install", "evcxr_jupyter", "--version", EVCXR, "--locked", "--root", str(root)]
        subprocess.run(command, check=True)
    return program


def write_spec(directory, name, spec):
    place = directory / "kernels" / name
    place.mkdir(parents=True)
    (place / "kernel.json").write_text(json.dumps(spec))


def add_jupyter_path(directory):
    os.environ["JUPYTER_PATH"] = f"{directory}{os.pathsep}{os.environ.get('JUPYTER_PATH', '')}"


def note(text):
    print(text, file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evcxr", help="path of evcxr_jupyter, to measure it too")
    parser.add_argument("--install-evcxr", metavar="DIRECTORY", help=f"compile evcxr_jupyter {EVCXR} into it first, if it is not there")
    parser.add_argument("--no-ipykernel", action="store_true", help="leave ipykernel out")
    parser.add_argument("--launches", type=int, default=5, help="starts of each kernel (default 5)")
    parser.add_argument("--rounds", type=int, default=7, help="how often each cell of the corpus is measured (default 7)")
    parser.add_argument("--memory-cells", type=int, default=200, help="cells after which memory is looked at last (default 200)")
    parser.add_argument("--dep", default='semver = "1"', help="the crate that is built already; empty: none")
    parser.add_argument("--quick", action="store_true", help="two launches, two rounds, 20 cells")
    parser.add_argument("--offline", action="store_true", help="our kernel without a network (needs root)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--write-readme", action="store_true", help="put table and figure into the README, too")
    parser.add_argument("--directory", default=".", help="working directory of the kernels")
    options = parser.parse_args()
    if options.quick:
        options.launches, options.rounds, options.memory_cells = 2, 2, 20
    if prefix := os.environ.get("LOOPBOOK_TEST_PREFIX"):
        add_jupyter_path(pathlib.Path(prefix).resolve() / "share" / "jupyter")
    return options


if __name__ == "__main__":
    main()
