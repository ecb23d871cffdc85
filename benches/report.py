"""What `measure.py` has measured, as tables, as a figure, and as a part of the README."""

import datetime
import html
import os
import pathlib
import re
import statistics
import subprocess
import textwrap

ROWS = {
    "warm": "Warm cell, median over the corpus",
    "warm_p95": "… the 95th percentile",
    "ready": "Ready (kernel_info answered)",
    "first": "Launch to first awaited `let`",
    "again": "Ten cells, run again in a new kernel, with its launch",
    "again_runs": "… calls of rustc in it",
    "dep": "`:dep` that an earlier kernel has built",
    "lines": "100,000 printed lines",
    "complete": "Completion, warm",
    "complete_busy": "… while a cell is compiled",
    "memory_start": "Memory after the first cell, MB",
    "memory_20": "… after 20 cells",
    "memory_200": "… after 200 cells",
}
COUNTS = ("again_runs", "memory_start", "memory_20", "memory_200")
OURS, THEIRS = "loopbook", "evcxr_jupyter"
BEGIN, END = "<!-- figures: written by benches/measure.py -->", "<!-- figures end -->"
FIGURE = "benches/figure.svg"

WIDTH, LEFT, RIGHT, TOP, ROW = 760, 190, 60, 64, 19
# Shape and colour both tell the kernels apart: (light ground, dark ground).
MARKS = {"loopbook": ("circle", "#0b62b8", "#6cb6ff"), "evcxr_jupyter": ("square", "#b3420a", "#f0964b"), "ipykernel": ("triangle", "#3d7a1f", "#8ccf6a")}


def machine():
    """On what was measured, and when."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    models = re.findall(r"model name\s*:\s*(.*)", cpuinfo.read_text()) if cpuinfo.exists() else []
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=False).stdout.split()
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    cores = f"{os.cpu_count()} cores" + (f" of {models[0].strip()}" if models else "")
    version = f", rustc {rustc[1]}" if len(rustc) > 1 else ""
    return f"{cores}, {gigabytes:.0f} GB{version}, {datetime.date.today().isoformat()}"


def text(measured):
    """All tables."""
    return f"{measured['machine']}\n\n{summary(measured)}\n\n{by_kind(measured)}"


def summary(measured):
    """A row per question, a column per kernel, and how we compare to evcxr_jupyter."""
    figures = {name: {**figures, **overall(measured["cells"], name)} for name, figures in measured["figures"].items()}
    is_compared = THEIRS in figures
    head = ["", *figures, *(["ratio"] if is_compared else [])]
    table = [head, ["---", *["---:"] * (len(head) - 1)]]
    for key, title in ROWS.items():
        values = {name: its.get(key) for name, its in figures.items()}
        if values[OURS] is None:
            continue
        row = [title, *(number(key, value) for value in values.values())]
        if is_compared:
            row.append(ratio(values[OURS], values[THEIRS]) if key != "warm" else f"{median_ratio(measured['cells']):.2f}")
        table.append(row)
    return markdown(table)


def by_kind(measured):
    """A row per kind of cell: medians, and how we compare to evcxr_jupyter."""
    names = list(measured["figures"])
    is_compared = THEIRS in names
    head = ["cell", *names, *(["ratio"] if is_compared else [])]
    table = [head, ["---", *["---:"] * (len(head) - 1)]]
    for kind, seconds in measured["cells"].items():
        medians = {name: statistics.median(seconds[name]) for name in names}
        row = [kind, *(f"{value:.3f}" for value in medians.values())]
        table.append(row + ([ratio(medians[OURS], medians[THEIRS])] if is_compared else []))
    return markdown(table)


def overall(cells, name):
    medians = [statistics.median(seconds[name]) for seconds in cells.values()]
    samples = sorted(one for seconds in cells.values() for one in seconds[name])
    return {"warm": statistics.median(medians), "warm_p95": samples[min(len(samples) - 1, int(len(samples) * 0.95))]}


def median_ratio(cells):
    """The median over the kinds, of how our median compares to evcxr_jupyter's."""
    pairs = [(statistics.median(seconds[OURS]), statistics.median(seconds[THEIRS])) for seconds in cells.values()]
    return statistics.median(ours / theirs for ours, theirs in pairs)


def ratio(ours, theirs):
    return f"{ours / theirs:.2f}" if theirs else "–"


def number(key, value):
    if value is None:
        return "–"
    return f"{value:.0f}" if key in COUNTS else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def markdown(table):
    return "\n".join("| " + " | ".join(row) + " |" for row in table)


def figure(measured):
    """Medians of every kind of cell as an SVG with a ground of its own, light or dark as the reader has it."""
    cells, names = measured["cells"], list(measured["figures"])
    medians = {kind: {name: statistics.median(seconds[name]) for name in names} for kind, seconds in cells.items()}
    rows = sorted(medians.items(), key=lambda row: row[1][OURS])
    longest = max(value for row in medians.values() for value in row.values())
    step = next(step for step in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if longest / step <= 8)
    end = step * (int(longest / step) + 1)
    height = TOP + ROW * len(rows) + 40

    def x(seconds):
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / end

    parts = [text_at(16, 24, "Seconds from Shift-Enter to idle, median per kind of cell", "title")]
    for place, name in enumerate(names):
        parts += [mark(name, 24 + 150 * place, 44), text_at(36 + 150 * place, 48, name)]
    for tick in range(round(end / step) + 1):
        at, bottom = x(tick * step), TOP + ROW * len(rows)
        parts.append(f'<line class="grid" x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{bottom}"/>')
        parts.append(text_at(at, bottom + 18, f"{tick * step:g}", "tick"))
    for place, (kind, row) in enumerate(rows):
        y = TOP + ROW * place + ROW / 2
        parts.append(text_at(LEFT - 12, y + 4, kind.replace("`", ""), "kind"))
        parts += [mark(name, x(row[name]), y) for name in reversed(names)]
    described = "; ".join(f"{name}: {overall(cells, name)['warm']:.2f} s over all" for name in names)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{html.escape(described)}">'
    ground = f'<rect class="ground" width="{WIDTH}" height="{height}" rx="6"/>'
    return "\n".join([head, f"<style>{style()}</style>", ground, *parts, "</svg>"]) + "\n"


def mark(name, x, y):
    shape = MARKS[name][0]
    if shape == "circle":
        return f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
    if shape == "square":
        return f'<rect class="{name}" x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"/>'
    return f'<path class="{name}" d="M{x:.1f} {y - 5:.1f}l5 9h-10z"/>'


def text_at(x, y, text, its_class="label"):
    return f'<text class="{its_class}" x="{x:.1f}" y="{y:.1f}">{html.escape(text)}</text>'


def style():
    base = "text{font:12px system-ui,sans-serif}.title{font-weight:600}.kind{text-anchor:end}.tick{text-anchor:middle}"
    light = ground("#ffffff", "#1f2328", "#d0d7de") + "".join(f".{name}{{fill:{colour}}}" for name, (_, colour, _) in MARKS.items())
    dark = ground("#0d1117", "#e6edf3", "#30363d") + "".join(f".{name}{{fill:{colour}}}" for name, (_, _, colour) in MARKS.items())
    return f"{base}{light}@media (prefers-color-scheme: dark){{{dark}}}"


def ground(colour, ink, grid):
    return f".ground{{fill:{colour}}}text{{fill:{ink}}}.grid{{stroke:{grid}}}"


def write(measured, root):
    """Puts the summary and the figure into the README, in the place of what an earlier run has put there."""
    (root / FIGURE).write_text(figure(measured))
    readme = root / "README.md"
    readme.write_text(with_section(readme.read_text(), section(measured)))


def section(measured):
    others = [name for name in measured["figures"] if name != OURS]
    beside = " and ".join(others)
    note = f"Seconds, medians{f', beside {beside} in the same run' if others else ''}; {len(measured['cells'])} kinds of cells; {measured['machine']}."
    ratios = " The ratio is to evcxr_jupyter." if THEIRS in others else ""
    picture = f"![Seconds per kind of cell, {', '.join(measured['figures'])}]({FIGURE})"
    words = textwrap.fill(note + ratios, 130)
    return f"{BEGIN}\n## How fast\n\n{words}\n\n{summary(measured)}\n\n{picture}\n{END}\n"


def with_section(readme, written):
    """The README with the section: where it was, or else before `Developing`."""
    if BEGIN in readme:
        before, rest = readme.split(BEGIN, 1)
        return before + written + rest.split(END + "\n", 1)[1]
    before, rest = readme.split("## Developing\n", 1)
    return f"{before}{written}\n## Developing\n{rest}"
