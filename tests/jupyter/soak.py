"""A kernel that is used for long: cells of every kind, and what its processes hold meanwhile."""

import contextlib
import dataclasses
import os
import pathlib
import re
import statistics

from starting import processes, running_kernel, work_directories

# Each is run every `len(CELLS)` cells; `{n}` is the number of the cell. They use few names, so that what the notebook
# itself defines does not grow.
CELLS = (
    ("late = task::spawn(async move {{ task::sleep(Duration::from_millis(300)).await; println!(\"late {n}\"); {n}u64 }});", "ok"),
    ("let kept: u64 = {n};\nprintln!(\"{{}}\", kept + 1);", "ok"),
    ("async fn step(n: u64) -> u64 {{ task::sleep(Duration::from_millis(1)).await; n + {n} }}\nstep(kept).await", "ok"),
    ("std::mem::replace(&mut late, task::spawn(async {{ 0u64 }})).await", "ok"),
    ("let shown = display({n});\nshown.update({n} + 1);", "ok"),
    ("task::spawn(async {{ task::yield_now().await; println!(\"detached {n}\"); }});", "ok"),
    ("not_there + {n}", "error"),
    ("gather!(step(1), step({n}))", "ok"),
    (":tasks", "ok"),
    ("task::spawn_blocking(|| {n}u64).await", "ok"),
    ("let number: u64 = \"{n} apples\".parse()?;", "error"),
    ("tokio::spawn(async {{ {n}u64 }}).await?", "ok"),
    ("std::thread::spawn(|| println!(\"thread {n}\")).join().unwrap();", "ok"),
    ("panic!(\"on purpose, {n}\")", "error"),
    ("let lines: Vec<String> = (0..100).map(|line| format!(\"{{line}} of {n}\")).collect();\nlines.len()", "ok"),
)
PREPARATION = "use async_std::task;\nuse std::time::Duration;\nlet mut late = task::spawn(async { 0u64 });\nlet kept = 0u64;"


@dataclasses.dataclass
class Process:
    """What one process holds. Memory is in bytes and belongs to it alone."""

    descriptors: int
    threads: int
    memory: int


@dataclasses.dataclass
class Sample:
    """What a kernel holds behind a number of cells. `disk` is bytes in files, `held` in those that have no name any more."""

    cells: int
    kernel: Process
    child: Process
    processes: int
    directories: int
    files: int
    disk: int
    held: int

    def counts(self):
        """What must not grow, by name."""
        return {
            "descriptors of the kernel": self.kernel.descriptors,
            "descriptors of the child": self.child.descriptors,
            "threads of the kernel": self.kernel.threads,
            "threads of the child": self.child.threads,
            "processes": self.processes,
            "directories": self.directories,
            "files": self.files,
        }


@contextlib.contextmanager
def soaking_kernel(name, place):
    """A kernel for `soak`, with a directory for temporary files and a working directory of its own."""
    temporary, notebook = place / "tmp", place / "notebook"
    temporary.mkdir()
    notebook.mkdir()
    with running_kernel(name, notebook, {"TMPDIR": str(temporary), "LOOPBOOK_HISTORY": str(place / "h")}) as kernel:
        kernel.places = [temporary, notebook]
        yield kernel


def soak(kernel, cells, each, report=lambda taken: None):
    """Runs so many cells, and takes a sample behind each `each` of them. Gives the samples."""
    kernel.run(PREPARATION).ok()
    samples, printing = [], []
    for n in range(1, cells + 1):
        code, status = CELLS[n % len(CELLS)]
        result = kernel.run(code.format(n=n), background=True)
        assert result.status == status, f"cell {n}:\n{result.code}\n{result}"
        if "println" in code:
            printing.append(result)
        if n % each == 0:
            samples.append(take_sample(kernel, n))
            report(samples[-1])
    # Also of the tasks that went on when their cells had ended.
    kernel.until(lambda: all(result.stdout for result in printing), what="the output of some task is missing")
    return samples


def grown(samples, warm):
    """What is more in the later half of the samples than in the earlier one, among those behind `warm` cells: pairs (name,
    (before, after)). The least of each half is compared, since threads and descriptors come and go."""
    steady = [taken.counts() | {"bytes on disk": taken.disk} for taken in samples if taken.cells >= warm]
    halves = steady[: len(steady) // 2], steady[len(steady) // 2 :]
    least = {name: tuple(min(taken[name] for taken in half) for half in halves) for name in steady[0]}
    room = {"bytes on disk": 1 << 20}
    return {name: pair for name, pair in least.items() if pair[1] > pair[0] + room.get(name, 0)}


def per_cell(samples, value, warm):
    """By how much a value grows with each cell: the slope of the line through the samples."""
    steady = [taken for taken in samples if taken.cells >= warm]
    return statistics.linear_regression([s.cells for s in steady], [value(s) for s in steady]).slope


def take_sample(kernel, cells):
    """What the kernel holds now."""
    living = processes(kernel.mark)
    child = next(pid for pid, command in living if "loopbook-child" in command)
    roots = work_directories(kernel.pid) + kernel.places
    inside = [path for root in roots for path in root.rglob("*") if not path.is_symlink()]
    files = [path for path in inside if path.is_file()]
    return Sample(
        cells,
        process(kernel.pid),
        process(child),
        len(living),
        len(inside) - len(files),
        len(files),
        sum(path.stat().st_size for path in files),
        held(child),
    )


def process(pid):
    """What this process holds."""
    place = pathlib.Path(f"/proc/{pid}")
    private = re.findall(r"^Private_\w+: +(\d+) kB", (place / "smaps_rollup").read_text(), re.M)
    descriptors, threads = len(os.listdir(place / "fd")), len(os.listdir(place / "task"))
    return Process(descriptors, threads, 1024 * sum(map(int, private)))


def held(pid):
    """Bytes of files on disk that have no name any more and are there because a process has them in its memory."""
    mapped = {}
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[5].endswith(" (deleted)") and fields[5].startswith("/") and fields[3] != "00:01":
            start, end = (int(part, 16) for part in fields[0].split("-"))
            mapped[fields[4]] = max(mapped.get(fields[4], 0), int(fields[2], 16) + end - start)
    return sum(mapped.values())
