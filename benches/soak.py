#!/usr/bin/env python3
"""What a kernel holds after thousands of cells with background tasks: about a quarter of an hour for 2,000 of them.

    LOOPBOOK_TEST_PREFIX=target/test-prefix target/venv/bin/python benches/soak.py --cells 2000

Says at the end what each cell costs, and fails if something has grown that must not: descriptors, threads, processes,
directories, files.

After 2,000 cells of every kind, most of them with background tasks, none of these had changed. Each cell cost 2 kB in the
kernel and 200 kB in the child: its code, which variables and tasks may need for as long as the child lives. On disk that is
as much, in files without a name, which go with the child.
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests" / "jupyter"))

from soak import grown, per_cell, soak, soaking_kernel  # noqa: E402

TITLES = "cells  seconds  kernel MB  fds  threads  child MB  fds  threads  processes  directories  files  disk MB  held MB"


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as directory, soaking_kernel(options.kernel, pathlib.Path(directory)) as kernel:
        print(TITLES, flush=True)
        samples = soak(kernel, options.cells, options.each, Line())
    print(f"each cell beyond the first {options.warm}, in kB:")
    for name, value in (
        ("memory of the kernel", lambda taken: taken.kernel.memory),
        ("memory of the child", lambda taken: taken.child.memory),
        ("code of cells, on disk without a name until the child ends", lambda taken: taken.held),
        ("files with a name", lambda taken: taken.disk),
    ):
        print(f"  {per_cell(samples, value, options.warm) / 1e3:8.1f}  {name}")
    if more := grown(samples, options.warm):
        sys.exit(f"grown: {more}")


class Line:
    """Prints a sample."""

    def __init__(self):
        self.begin = time.monotonic()

    def __call__(self, taken):
        columns = [taken.cells, time.monotonic() - self.begin]
        for process in (taken.kernel, taken.child):
            columns += [process.memory / 1e6, process.descriptors, process.threads]
        columns += [taken.processes, taken.directories, taken.files, taken.disk / 1e6, taken.held / 1e6]
        widths = [len(title) + 2 for title in TITLES.split("  ")]
        print("".join(f"{value:<{width}.5g}" for value, width in zip(columns, widths)), flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=2000)
    parser.add_argument("--each", type=int, default=50, help="cells between two samples (default 50)")
    parser.add_argument("--warm", type=int, default=200, help="cells that fill caches first (default 200)")
    parser.add_argument("--kernel", default="loopbook", help="name of the kernelspec (default loopbook)")
    options = parser.parse_args()
    if prefix := os.environ.get("LOOPBOOK_TEST_PREFIX"):
        os.environ["JUPYTER_PATH"] = str(pathlib.Path(prefix).resolve() / "share" / "jupyter")
    return options


if __name__ == "__main__":
    main()
