"""What notebooks say in words, taken apart: their prose without code, their code spans, links, and what they say that was measured."""

import re

from notebooks import code_cells

FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(\w*)[^\n]*\n(.*?)^ {0,3}\1`*[ \t]*$", re.S | re.M)
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.S)
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?[^)]*\)|<(https?://[^>\s]+)>|\bhref=[\"']([^\"']+)")
HOST = re.compile(r"\bhttps?://([^/\s\"'`<>)\]:\\{]+)")
# A section of questions, which suppose what they like.
QUESTIONS = re.compile(r"^(#{1,6}) [^\n]*\bquestions?[ \t]*$.*?(?=^#{1,6} |\Z)", re.S | re.M | re.I)
HEADING = re.compile(r"^#{1,6} +(.*?)\s*$", re.M)
QUOTE = re.compile(r"^ {0,3}>.*$", re.M)
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

# Units of time in seconds, of memory in bytes, and how often.
UNITS = {
    "time": {
        1e-9: "ns nanosecond nanoseconds",
        1e-6: "µs us microsecond microseconds",
        1e-3: "ms millisecond milliseconds",
        1: "s sec secs second seconds",
        60: "min minute minutes",
        3600: "h hour hours",
    },
    "memory": {1: "B byte bytes", 1e3: "kB", 1e6: "MB", 1e9: "GB", 2**10: "KiB", 2**20: "MiB", 2**30: "GiB"},
    "factor": {1: "times × x", 0.01: "%"},
}
UNIT = {
    name.lower(): (kind, size) for kind, sizes in UNITS.items() for size, names in sizes.items() for name in names.split()
}
MEASURE = re.compile(
    rf"(?<![\w.,])(\d[\d,]*(?:\.\d+)?)[*_]*[ \u00a0\u202f-]?({'|'.join(sorted(UNIT, key=len, reverse=True))})(?![\w(])", re.I
)
# How code says it: `Duration::from_millis(200)`, `"/delay/300"` of a lesson's server, `sleep 0.3` of a shell, `[0u8; 4_000]`.
IN_CODE = (
    ("time", 1e-9, r"\bfrom_nanos\(\s*([\d_]+)"),
    ("time", 1e-6, r"\bfrom_micros\(\s*([\d_]+)"),
    ("time", 1e-3, r"\bfrom_millis\(\s*([\d_]+)|/(?:delay|slow)/(\d+)"),
    ("time", 1, r"\bfrom_secs(?:_f32|_f64)?\(\s*([\d_]+(?:\.\d+)?)|\bsleep (\d+(?:\.\d+)?)"),
    ("memory", 1, r"u8; *([\d_]+)\]"),
)


def markdown(notebook):
    """The texts of the Markdown cells."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def fences(text, *languages):
    """The blocks of code in a text: all, or those of these languages."""
    return [block[3] for block in FENCE.finditer(text) if not languages or block[2] in languages]


def prose(notebook):
    """The sentences of a notebook: not its headings and blocks of code, not what it quotes, whose numbers are somebody else's,
    and not what it asks at the end."""
    text = QUESTIONS.sub("", FENCE.sub("", "\n\n".join(markdown(notebook))))
    return HEADING.sub("", QUOTE.sub("", text))


def spans(text):
    """The pieces of code within the sentences of a text."""
    return [span[2].strip() for span in SPAN.finditer(FENCE.sub("", text))]


def links(text):
    """Where a text's links go."""
    return [next(filter(None, link.groups())) for link in LINK.finditer(SPAN.sub("", FENCE.sub("", text)))]


def headings(notebook):
    """The headings of a notebook, as the ends of links name them."""
    found = [heading for text in markdown(notebook) for heading in HEADING.findall(FENCE.sub("", text))]
    return {re.sub(r"[`*]", "", heading).replace(" ", "-") for heading in found}


def output_texts(notebook):
    """All that a person can read below the cells, without colours: printed text, values, errors. Pictures have a text, too."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "stream":
                yield ANSI.sub("", output.text)
            elif output.output_type == "error":
                yield ANSI.sub("", "\n".join([output.ename, output.evalue, *output.traceback]))
            else:
                yield from (ANSI.sub("", text) for kind, text in output.data.items() if kind.startswith("text/"))


def measures(text):
    """The times, amounts of memory and factors that a text names, as it writes them (`0.60` says more than `0.6`): text, number,
    kind of unit, and the unit's size."""
    return [(match[0], match[1].replace(",", ""), *UNIT[match[2].lower()]) for match in MEASURE.finditer(text)]


def values(text):
    """What a text names, as pairs of a kind of unit and how much of it."""
    return [(kind, float(number) * size) for _, number, kind, size in measures(text)]


def values_of_code(text):
    """The same of a piece of Rust, whose durations and comments count."""
    found = values(text)
    for kind, size, pattern in IN_CODE:
        for match in re.finditer(pattern, text):
            found.append((kind, float(next(filter(None, match.groups())).replace("_", "")) * size))
    return found


def is_rounded(number, size, value):
    """Whether a number of a unit of this size is what a value is when it is rounded as the number is."""
    places = len(number.partition(".")[2])
    return abs(value / size - float(number)) <= 0.5000001 * 10**-places
