"""The names that cells can use, read from the source of the crate `loopbook`; and the kernel's commands."""

import functools
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
RUNTIME = ROOT / "kernel" / "runtime" / "src"
CHANNEL = ROOT / "kernel" / "channel" / "src"
COMMANDS = ROOT / "src" / "evaluator" / "commands" / "list.rs"


@functools.cache
def commands():
    """The commands, with their colons."""
    found = set(re.findall(r'\bname: "(:[a-z-]+)"', COMMANDS.read_text()))
    assert {":help", ":tasks"} <= found, f"{COMMANDS.name} is not written as this test reads it"
    return found


@functools.cache
def exported(module=""):
    """The names in `loopbook::`, or in one of its public modules."""
    # Wherever in the source the module lies: the crate re-exports it.
    path = next(RUNTIME.rglob(f"{module}/mod.rs")) if module else RUNTIME / "lib.rs"
    text = re.sub(r"//[^\n]*", "", path.read_text()).split("pub mod __private")[0]
    found = set(re.findall(r"^pub mod (\w+)", text, re.M))
    for names in re.findall(r"^pub use [\w:]*?(\{[^}]*\}|\w+);", text, re.M):
        found.update(name.split(" as ")[-1].strip() for name in names.strip("{}").split(","))
    if not module:
        found |= macros()
    found.discard("")
    assert len(found) > 5, f"{path.name} is not written as this test reads it"
    return found


@functools.cache
def macros():
    """The macros of the crate."""
    return {name for text in sources() for name in re.findall(r"#\[macro_export\]\s*macro_rules! ([a-z]\w*)", text)}


@functools.cache
def members(type_name):
    """The functions and variants of a type of the crate: of all types, roughly, that are written in the same files."""
    own = re.compile(rf"\b(?:impl\b[^{{;]*|struct |enum |type |trait ){type_name}\b")
    texts = [text for text in sources() if own.search(text)]
    return {name for text in texts for name in re.findall(r"\bfn (\w+)|^\s+([A-Z]\w*)(?: ?[,({]|$)", text, re.M) for name in name if name}


@functools.cache
def identifiers():
    """Every word of the crate's source."""
    return {word for text in sources() for word in re.findall(r"[A-Za-z_]\w*", text)}


@functools.cache
def sources():
    return tuple(path.read_text() for root in (RUNTIME, CHANNEL) for path in sorted(root.rglob("*.rs")))


def unknown(code):
    """The names of `loopbook` in a piece of code that do not exist."""
    wrong = []
    for first, second in re.findall(r"\bloopbook::(\w+)(?:::(\w+))?", code):
        if first not in exported():
            wrong.append(f"loopbook::{first}")
        elif first == "lab" and second and second not in exported("lab"):
            wrong.append(f"loopbook::lab::{second}")
    wrong += [f"lab::{name}" for name in re.findall(r"(?<![:\w])lab::(\w+)", code) if name not in exported("lab")]
    types = "|".join(sorted(name for name in exported() | exported("lab") if name[0].isupper()))
    for type_name, member in re.findall(rf"\b({types})(?:::<[^>]*>)?::(\w+)", code):
        if member not in members(type_name) | {"default", "from"}:
            wrong.append(f"{type_name}::{member}")
    if re.search(r"\baio::", code):
        wrong.append("aio::")
    return wrong
