"""The notebooks of the course: how they are read, and how they are run from a clean kernel.

Run as a program (`tests/run notebooks [NAME…]`) it runs all of them, or those that are named, and writes their outputs.
"""

import os
import pathlib
import re
import sys
import tempfile
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from client import CELL_DEADLINE

DIRECTORY = pathlib.Path(__file__).parents[2] / "notebooks"
KERNELSPEC = {"display_name": "Rust (async)", "language": "rust", "name": "loopbook"}
# What of a cell's metadata an author has written; front ends add what differs each time.
CELL_METADATA = {"loopbook", "tags", "jupyter", "slideshow"}
MUST_FAIL = "raises-exception"
# What a task prints when its cell is over: under a later cell, with the number of its own in front.
LATE_LINE = re.compile(r"^\[In (\d+)\] (.*\n?)", re.S)


def paths():
    """All notebooks, in the order of the course."""
    return sorted(DIRECTORY.glob("*.ipynb"))


def read(path):
    """A notebook as it is committed."""
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def rows(cell):
    """The ids of the inventory that a code cell mirrors."""
    return list(cell.metadata.get("loopbook", {}).get("rows", []))


def must_fail(cell):
    return MUST_FAIL in cell.metadata.get("tags", [])


def errors(cell):
    return [output for output in cell.outputs if output.output_type == "error"]


def printed(notebook):
    """What each code cell has printed to stdout, by its number: its own text, then what its tasks printed later.

    Under which cell a task's line goes depends on how fast the cells are; which cell has spawned the task does not.
    """
    texts = {}
    for number, cell in enumerate(code_cells(notebook), start=1):
        text = "".join(output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout")
        own = texts.setdefault(number, [])
        for line in text.splitlines(keepends=True):
            late = LATE_LINE.match(line)
            (texts.setdefault(int(late[1]), []) if late else own).append(late[2] if late else line)
    return {number: "".join(lines) for number, lines in texts.items()}


def execute(notebook, kernel_name, directory, transport="tcp", go_on=False):
    """Runs a notebook from a clean kernel in a directory. Gives a copy with its outputs, and the seconds that it took.

    At the first cell that fails and is not tagged nbclient raises its `CellExecutionError`, if it is not told to go on.
    """
    notebook = nbformat.from_dict(notebook)
    options = {"kernel_name": kernel_name, "timeout": CELL_DEADLINE, "record_timing": False, "allow_errors": go_on}
    if transport == "ipc":
        options["config"] = Config({"KernelManager": {"transport": transport, "ip": str(pathlib.Path(directory, "ipc"))}})
    client = NotebookClient(notebook, **options, resources={"metadata": {"path": str(directory)}})
    start = time.monotonic()
    # nbclient drops what arrives under an earlier cell's header.
    client.execute(env={**os.environ, "LOOPBOOK_LATE_OUTPUT": "current"})
    return notebook, time.monotonic() - start


def refresh(path, kernel_name="loopbook"):
    """Runs a notebook and writes it with its outputs. Gives the seconds that it took."""
    with tempfile.TemporaryDirectory() as directory:
        notebook, seconds = execute(read(path), kernel_name, directory)
    not_failed = [cell for cell in code_cells(notebook) if must_fail(cell) and not errors(cell)]
    assert not not_failed, f"tagged {MUST_FAIL}, and does not fail: {not_failed[0].source}"
    notebook.metadata["kernelspec"] = dict(KERNELSPEC)
    for key in set(notebook.metadata) - {"kernelspec", "language_info"}:
        del notebook.metadata[key]
    for cell in notebook.cells:
        for key in set(cell.metadata) - CELL_METADATA:
            del cell.metadata[key]
    for cell in code_cells(notebook):
        cell.outputs = joined(cell.outputs)
    nbformat.write(notebook, path)
    return seconds


def joined(outputs):
    """Outputs in which pieces of a stream are one if they follow each other: where text is cut differs each time."""
    result = []
    for output in outputs:
        before = result[-1] if result else {}
        if output.output_type == "stream" and before.get("name") == output.name:
            before["text"] += output.text
        else:
            result.append(output)
    return result


def main(names):
    """Refreshes the notebooks whose file names begin so, or all. Gives the exit status."""
    chosen = [path for path in paths() if not names or path.name.startswith(tuple(names))]
    if not chosen:
        print(f"there is no notebook {' or '.join(names)} in {DIRECTORY.name}/", file=sys.stderr)
        return 2
    failed = 0
    for path in chosen:
        before = printed(read(path))
        try:
            seconds = refresh(path)
        except (CellExecutionError, AssertionError) as error:
            failed += 1
            print(f"{path.name}: not written, because a cell went wrong\n{error}", file=sys.stderr)
            continue
        now = printed(read(path))
        changed = [str(number) for number in sorted({*before, *now}) if before.get(number, "") != now.get(number, "")]
        print(f"{path.name}: {seconds:.0f} s" + (f"; prints something else: In[{'], In['.join(changed)}]" if changed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
