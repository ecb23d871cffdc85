"""What must be true of a notebook as it is committed. Each check gives its complaints as sentences; none if all is well."""

import asyncio
import builtins
import concurrent.futures
import re
import threading
import time

import nbformat

import api_names
from inventory import INVENTORY, in_order
from notebook_texts import (
    FENCE, HOST, fences, headings, is_rounded, links, markdown, measures, output_texts, prose, spans, values, values_of_code,
)
from notebooks import CELL_METADATA, DIRECTORY, KERNELSPEC, MUST_FAIL, code_cells, errors, must_fail, printed, read, rows

DOCUMENTATION = {"docs.rs", "doc.rust-lang.org", "docs.python.org"}
# Lessons talk to themselves. The other names lead nowhere; they are reserved for examples and stand for XML.
NOBODY = {"127.0.0.1", "localhost", "example.com", "www.example.com", "www.w3.org"}
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:root|home|Users|work|tmp|var|opt|usr|mnt|nix)/[\w.-][^\s\"'`]*")
# Names in sentences that no lesson runs and that are not ours: of Python, of Rust's std, of other crates.
PYTHON = {name for module in (builtins, asyncio, concurrent.futures, threading, time) for name in dir(module)}
ELSEWHERE = {"read_line", "LocalExecutor"}
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
# A word that nobody writes by accident: `max_in_flight`, `TaskState`. Shorter ones may stand for anything (`f`, `receive()`).
COMPOUND = re.compile(r"\b(?:[a-z0-9]+(?:_[a-z0-9]+)+|(?:[A-Z][a-z0-9]+){2,})\b")


def form(notebook):
    """Of a file: that it is what a front end saves after a run from top to bottom, and nothing that differs each time."""
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        yield f"it is no notebook: {error}"
    if notebook.metadata.get("kernelspec") != KERNELSPEC:
        yield f"its kernelspec is {notebook.metadata.get('kernelspec')}, not {KERNELSPEC}"
    language = notebook.metadata.get("language_info", {})
    if (language.get("name"), language.get("file_extension"), language.get("pygments_lexer")) != ("rust", ".rs", "rust"):
        yield f"its language is {language}"
    for key in set(notebook.metadata) - {"kernelspec", "language_info"}:
        yield f"its metadata has `{key}`, which says something of the machine it was made on"
    for cell in notebook.cells:
        for key in set(cell.metadata) - CELL_METADATA:
            yield f"the metadata of {name(cell)} has `{key}`, which differs each time"
    numbers = [cell.execution_count for cell in code_cells(notebook)]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"it was not run from top to bottom in a new kernel: its cells have the numbers {numbers}"


def ids(notebook):
    """Of code cells: that each says which rows of the inventory it mirrors."""
    for cell in code_cells(notebook):
        if not rows(cell):
            yield f"{name(cell)} has no ids in metadata.loopbook.rows"
        if strange := set(rows(cell)) - INVENTORY:
            yield f"{name(cell)} has ids that the inventory does not have: {' '.join(sorted(strange))}"


def missing_ids(notebook, wanted):
    """The ids that no code cell has."""
    return in_order(set(wanted) - {row for cell in code_cells(notebook) for row in rows(cell)})


def failures(notebook):
    """Of code cells: that those which must fail have done so, and no others."""
    for cell in code_cells(notebook):
        if must_fail(cell) and not errors(cell):
            yield f"{name(cell)} is tagged {MUST_FAIL} and has not failed"
        if errors(cell) and not must_fail(cell):
            yield f"{name(cell)} has failed: {errors(cell)[0].ename}: {errors(cell)[0].evalue}"


def differences(run, committed):
    """Of a run: that what its cells printed, and the errors that they meant to end with, are those of the committed notebook."""
    now, before = printed(run), printed(committed)
    for number, (cell, other) in enumerate(zip(code_cells(run), code_cells(committed), strict=True), start=1):
        kinds = [[error.ename for error in errors(one)] for one in (cell, other)]
        if kinds[0] != kinds[1]:
            yield f"{name(cell)} ended with {kinds[0]}, and {kinds[1]} is committed"
        if now[number] != before[number]:
            yield f"{name(cell)} prints\n{now[number]!r}\nand this is committed:\n{before[number]!r}"


def whereabouts(notebook):
    """Of everything that can be read: that no path of somebody's machine stands there, and no host but the documentation's.

    Except in blocks of code in Markdown: programs of others ask whom they like, and nobody runs them here.
    """
    texts = [(name(cell), cell.source) for cell in notebook.cells]
    texts += [("an output", text) for text in output_texts(notebook)]
    for where, text in texts:
        for path in MACHINE_PATH.findall(text):
            yield f"{where} has a path of the machine that it was made on: {path}"
        for host in set(HOST.findall(FENCE.sub("", text))) - DOCUMENTATION - NOBODY:
            yield f"{where} names the host {host}; only {', '.join(sorted(DOCUMENTATION))} may be linked to"


def names(notebook):
    """Of Markdown: that the commands and the names of the crate are spelt as they are."""
    code = "\n".join(cell.source for cell in code_cells(notebook))
    blocks = "\n".join(block for text in markdown(notebook) for block in fences(text))
    known = set(IDENTIFIER.findall(f"{code}\n{blocks}")) | api_names.identifiers() | PYTHON | ELSEWHERE
    for text in markdown(notebook):
        for piece in [*spans(text), *fences(text, "rust")]:
            for wrong in api_names.unknown(piece):
                yield f"there is no `{wrong}` (in `{piece}`)"
        for span in spans(text):
            command = re.match(r":[a-z][a-z-]*", span)
            if command and command[0] not in api_names.commands():
                yield f"there is no command `{command[0]}`"
            for word in COMPOUND.findall(re.sub(r"\"[^\"]*\"", "", span)):
                if word not in known:
                    yield f"nothing here is called `{word}` (in `{span}`)"


def dead_links(notebook):
    """Of links, also of those that cells show: that there is something behind each."""
    displays = [output.get("data", {}) for cell in code_cells(notebook) for output in cell.outputs]
    for text in [*markdown(notebook), *(data["text/markdown"] for data in displays if "text/markdown" in data)]:
        for link in links(text):
            if re.match(r"[a-z]+://", link):
                continue
            file, _, anchor = link.partition("#")
            target = (DIRECTORY / file) if file else None
            if target and not target.exists():
                yield f"there is no {link}"
            elif anchor and (not target or target.suffix == ".ipynb"):
                there = read(target) if target else notebook
                if anchor not in headings(there) and anchor not in {cell.get("id") for cell in there.cells}:
                    yield f"there is no heading for {link}"


def stale_numbers(notebook):
    """Of times, amounts of memory and factors in sentences: that the notebook's code or its outputs say so, too.

    What was measured is different on each machine and after each run. It may stand in a sentence if it is in the code, or if it
    is what an output shows, rounded. Headings do not count, nor do quotations (lines that begin with `>`), and nor do
    questions: they may suppose what they like. A number that is spelt out is a guess.
    """
    known = [value for cell in code_cells(notebook) for value in values_of_code(cell.source)]
    known += [value for text in output_texts(notebook) for value in values(text)]
    for words, number, kind, size in measures(prose(notebook)):
        if not any(kind == other and is_rounded(number, size, value) for other, value in known):
            yield f"no cell and no output says “{words}”: say it in words (about twice as long, one UNIT), or show it"


def lesson(notebook):
    """Of a lesson: that it has the parts that each of them has."""
    text = "\n".join(markdown(notebook))
    code = "\n".join(cell.source for cell in code_cells(notebook))
    summaries = re.findall(r"<summary>(.*?)</summary>", text, re.S)
    originals = [summary for summary in summaries if "original" in summary]
    if "After this" not in text:
        yield "it has no goals (After this you can …)"
    if "predict!" not in code and "Predict" not in text:
        yield "it lets nobody predict anything"
    if "Rust differs" not in text:
        yield "it does not say where Rust differs"
    if len(summaries) - len(originals) < 3:
        yield "it has fewer than three questions with folded answers"
    if "Exercise" not in text:
        yield "it names no exercise"
    if text.count("<details") != text.count("</details>"):
        yield "something that is folded has no end (</details>)"


def name(cell):
    """How a complaint calls a cell."""
    return f"the {cell.cell_type} cell `{cell.get('id', '?')}`"
