"""What comes of running a cell."""

import dataclasses
import re
import time

STREAMS = ("stdout", "stderr")


@dataclasses.dataclass
class Message:
    """One message as it arrived; `at` is `time.time()` then."""

    type: str
    content: dict
    parent: str
    at: float


class Result:
    """What one request brought: the reply and, as far as they have come, the published messages."""

    def __init__(self, kernel, request, code, background):
        self.kernel, self.id, self.code, self.background = kernel, request, code, background
        self.reply = None
        self.sent = time.time()
        self.questions = []

    @property
    def messages(self):
        """Published messages of this request so far, without status and execute_input."""
        return [m for m in self.kernel.published(self.id) if m.type not in ("status", "execute_input")]

    @property
    def status(self):
        return self.reply["status"]

    @property
    def outputs(self):
        """Pairs (kind, content) in the order of arrival; neighbours of one stream are joined."""
        outputs = []
        for message in self.messages:
            kind, content = _output(message)
            if kind in STREAMS and outputs and outputs[-1][0] == kind:
                content = outputs.pop()[1] + content
            outputs.append((kind, content))
        return outputs

    def of(self, kind):
        """Contents of one kind of output: `stdout`, `result`, `display`, `update`, `clear`, `error` …"""
        return [content for its, content in self.outputs if its == kind]

    @property
    def stdout(self):
        return "".join(self.of("stdout"))

    @property
    def stderr(self):
        return "".join(self.of("stderr"))

    @property
    def displays(self):
        return self.of("display")

    @property
    def text(self):
        """The result as plain text; `None` without a result."""
        results = self.of("result")
        return results[0]["text/plain"] if results else None

    @property
    def error(self):
        errors = self.of("error")
        return errors[0] if errors else None

    @property
    def report(self):
        """The traceback of the reply, as text without colour."""
        return without_colour("\n".join(self.reply.get("traceback", [])))

    def printed_at(self):
        """Pairs (line of stdout, time of arrival of its message)."""
        streams = [m for m in self.messages if m.type == "stream" and m.content["name"] == "stdout"]
        return [(line, m.at) for m in streams for line in m.content["text"].splitlines()]

    def seconds_between_first_and_last_output(self):
        times = [at for _, at in self.printed_at()]
        return times[-1] - times[0]

    def ok(self):
        """Asserts success, with the kernel's own words if not. Returns itself."""
        assert self.reply is not None and self.status == "ok", f"this cell failed:\n{self.code}\n{self}"
        return self

    def __str__(self):
        reply = {k: v for k, v in (self.reply or {}).items() if k != "traceback"}
        lines = [f"  reply {reply}"] + [f"  {kind} {short(content)}" for kind, content in self.outputs]
        return "\n".join(lines)


def short(content, limit=400):
    """Content for a failure's text."""
    text = repr(content)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def without_colour(text):
    """Text without the escape sequences that colour it."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _output(message):
    content = message.content
    match message.type:
        case "stream":
            return content["name"], content["text"]
        case "execute_result":
            return "result", content["data"]
        case "display_data":
            return "display", content["data"]
        case "update_display_data":
            return "update", content["data"]
        case "clear_output":
            return "clear", content["wait"]
        case other:
            return other, content
