#!/usr/bin/env python3
"""What the kernel costs in seconds, beside evcxr_jupyter on the same machine in the same run.

    LOOPBOOK_TEST_PREFIX=target/test-prefix target/venv/bin/python benches/measure.py --evcxr ~/.cargo/bin/evcxr_jupyter

Figures are seconds as a client sees them: from the sending of a request (or the start of the process) to the `idle`
behind its result. Run it on a machine that does nothing else. `--offline` runs our kernel in a network namespace of its
own, so that nothing can be fetched.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests" / "jupyter"))

from jupyter_client.kernelspec import KernelSpecManager  # noqa: E402
from starting import resident_bytes, running_kernel  # noqa: E402

EXPRESSION = "async fn answer() -> u32 { 42 }\nanswer().await"
LET = "async fn answer() -> u32 { 42 }\nlet a = answer().await;\nprintln!(\"{a}\");"
SPAWN = "let n = {n}u64;\nlet handle = task::spawn(async move {{ n + 1 }});\nhandle.await"
LINES = 'for n in 0..100_000 { println!("line {n}"); }'

MEASURES = {
    "ready": "Ready (kernel_info answered)",
    "expression": "Launch to first awaited result, an expression",
    "let": "Launch to first awaited result, a `let`",
    "dependencies": "async-std at hand (first cell that names it)",
    "warm": "Warm cell that spawns and awaits, median",
    "plain": "Warm cell `1 + 1`, median",
    "lines": "100,000 printed lines",
    "messages": "… in so many messages",
    "memory": "Memory of all processes, MB",
}


def main():
    options = arguments()
    kernels = {"loopbook": Subject("loopbook", ["use async_std::task;"])}
    with tempfile.TemporaryDirectory() as directory:
        if options.offline:
            wrap_offline(kernels["loopbook"], pathlib.Path(directory))
        if options.evcxr:
            setup = [':dep async-std = { version = "1", features = ["attributes"] }\nuse async_std::task;']
            kernels["evcxr_jupyter"] = Subject(install_evcxr(options.evcxr, pathlib.Path(directory)), setup)
        figures = {name: measure(subject, options) for name, subject in kernels.items()}
    print(json.dumps(figures, indent=2) if options.json else table(figures))


class Subject:
    """A kernel to measure: its kernelspec's name, the cells that bring async-std, and options of its manager."""

    def __init__(self, name, setup):
        self.name, self.setup, self.options = name, setup, {}


def measure(subject, options):
    launches = [
        launch(subject, cell, options, seen) for cell, seen in ((EXPRESSION, "expression"), (LET, "let"))
        for _ in range(options.launches)
    ]
    figures = {key: statistics.median(f[key] for f in launches if key in f) for key in ("ready", "expression", "let")}
    return figures | warm(subject, options)


def launch(subject, cell, options, key):
    """One start: until kernel_info is answered, and until a first awaited result is there."""
    begin = time.time()
    with running_kernel(subject.name, options.directory, **subject.options) as kernel:
        ready = time.time() - begin
        kernel.run(cell, timeout=600).ok()
        return {"ready": ready, key: time.time() - begin}


def warm(subject, options):
    """One kernel that is used for a while."""
    with running_kernel(subject.name, options.directory, **subject.options) as kernel:
        kernel.run("1", timeout=600).ok()
        figures = {"dependencies": sum(seconds(kernel, cell) for cell in subject.setup)}
        spawns = [seconds(kernel, SPAWN.format(n=n)) for n in range(options.cells + 2)]
        plain = [seconds(kernel, f"{n} + 1") for n in range(options.cells + 2)]
        # The first two of each kind fill caches.
        figures |= {"warm": statistics.median(spawns[2:]), "plain": statistics.median(plain[2:])}
        begin = time.time()
        result = kernel.run(LINES, timeout=600).ok()
        kernel.until(lambda: result.stdout.endswith("line 99999\n"))
        figures |= {"lines": result.messages[-1].at - begin, "messages": len(result.messages)}
        return figures | {"memory": resident_bytes(kernel.mark) / 1e6}


def seconds(kernel, cell):
    begin = time.time()
    kernel.run(cell, timeout=600).ok()
    return time.time() - begin


def wrap_offline(subject, directory):
    spec = KernelSpecManager().get_kernel_spec(subject.name).to_dict()
    write_spec(directory / "kernels" / "offline", {**spec, "argv": ["unshare", "-n", *spec["argv"]]})
    # Sockets in the file system reach into the other network namespace.
    subject.name, subject.options = "offline", {"transport": "ipc", "ip": str(directory / "ipc")}
    add_jupyter_path(directory)


def install_evcxr(program, directory):
    """evcxr_jupyter's own `--install` writes to the user's directory; this writes the same elsewhere."""
    argv = [str(pathlib.Path(program).resolve()), "--control_file", "{connection_file}"]
    spec = {"argv": argv, "display_name": "evcxr", "language": "rust", "interrupt_mode": "message"}
    write_spec(directory / "kernels" / "evcxr-bench", spec)
    add_jupyter_path(directory)
    return "evcxr-bench"


def write_spec(directory, spec):
    directory.mkdir(parents=True)
    (directory / "kernel.json").write_text(json.dumps(spec))


def add_jupyter_path(directory):
    os.environ["JUPYTER_PATH"] = f"{directory}{os.pathsep}{os.environ.get('JUPYTER_PATH', '')}"


def table(figures):
    lines = ["| | " + " | ".join(figures) + " |", "|---|" + "---:|" * len(figures)]
    for key, title in MEASURES.items():
        lines.append(f"| {title} | " + " | ".join(number(key, f.get(key)) for f in figures.values()) + " |")
    return "\n".join(lines)


def number(key, value):
    if value is None:
        return "–"
    return f"{value:.0f}" if key in ("messages", "memory") else f"{value:.2f}"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evcxr", help="path of evcxr_jupyter, to measure it too")
    parser.add_argument("--launches", type=int, default=3, help="starts per kind of first cell (default 3)")
    parser.add_argument("--cells", type=int, default=15, help="warm cells per kind (default 15)")
    parser.add_argument("--offline", action="store_true", help="our kernel without a network (needs root)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--directory", default=".", help="working directory of the kernels")
    options = parser.parse_args()
    if prefix := os.environ.get("LOOPBOOK_TEST_PREFIX"):
        add_jupyter_path(pathlib.Path(prefix).resolve() / "share" / "jupyter")
    return options


if __name__ == "__main__":
    main()
