"""A Jupyter client for tests: run a cell, look at every message that came of it.

`Kernel.run` sends one `execute_request` and returns a `Result` with all that the kernel published for it, in order. A
thread of its own reads iopub all the time and stamps each message, so that output between cells is seen when it comes.

Two rules are checked without being asked for: the messages of a request stand between `busy` and `idle`, and nothing is
left over (`Kernel.check_leftovers`: output after `idle` only for cells that were run with `background=True`).
"""

import collections
import os
import queue
import threading
import time

from results import Message, Result, short
from schema import check_schema

# Deadlines are generous; a machine that is slower still multiplies them.
SLACK = float(os.environ.get("LOOPBOOK_TEST_SLACK", "4"))
# A first cell waits for the evaluator: rust-analyzer loads the standard library.
CELL_DEADLINE = 30 * SLACK


class Kernel:
    """A running kernel and the client that talks to it."""

    def __init__(self, manager, client):
        self.manager, self.client = manager, client
        self.results = {}
        self._published = collections.defaultdict(list)
        self._idle_at = {}
        self._problems = []
        self._arrived = threading.Condition()
        self._reader = None
        self._ended = threading.Event()
        self.listen()

    @property
    def pid(self):
        return self.manager.provisioner.pid

    def listen(self):
        """Starts to read iopub. Until `stop_listening`, nothing else may read it."""
        self._ended.clear()
        self._reader = threading.Thread(target=self._read_iopub, daemon=True)
        self._reader.start()

    def stop_listening(self):
        self._ended.set()
        self._reader.join()

    def reconnect(self, client):
        """Goes on with another client, as after a restart of the kernel."""
        self.close()
        self.client = client
        with self._arrived:
            # A new client counts its message ids from the start again.
            self._published.clear()
            self._idle_at.clear()
        self.listen()

    def close(self):
        self.stop_listening()
        self.client.stop_channels()

    def run(self, code, timeout=CELL_DEADLINE, answers=None, background=False, **options):
        """Executes a cell and waits for its reply and its `idle`. `answers` are typed into its input boxes, in order."""
        return self.wait(self.start(code, answers, background, **options), timeout, answers)

    def shown(self, command):
        """Executes a cell that shows one thing, and gives its text."""
        [display] = self.run(command).ok().displays
        return display["text/plain"]

    def start(self, code, answers=None, background=False, **options):
        """Sends a cell and returns at once."""
        request = self.client.execute(code, allow_stdin=answers is not None, **options)
        self.results[request] = Result(self, request, code, background)
        return self.results[request]

    def wait(self, result, timeout=CELL_DEADLINE, answers=None):
        """Waits for the reply and the `idle` of a started cell."""
        deadline = time.monotonic() + timeout
        answers = list(answers or [])
        while result.reply is None:
            assert time.monotonic() < deadline, f"no reply after {timeout:.0f} s to:\n{result.code}\n{result}"
            self.look_for_reply()
            self._answer_question(result, answers)
        self.until(lambda: result.id in self._idle_at, deadline, f"no idle after the reply to:\n{result.code}")
        self._check_window(result)
        assert not answers, f"not asked for: {answers}"
        return result

    def look_for_reply(self):
        """Takes one reply, if there is one."""
        try:
            reply = self.client.get_shell_msg(timeout=0.02)
        except queue.Empty:
            return
        check_schema(reply)
        result = self.results.get(reply["parent_header"].get("msg_id"))
        if result and reply["msg_type"] == "execute_reply":
            assert result.reply is None, f"two replies to:\n{result.code}"
            result.reply = reply["content"]

    def interrupt(self):
        """Interrupts as a front end does, waits for the reply, and returns the time at which it was sent."""
        at = time.time()
        self.client.control_channel.send(self.client.session.msg("interrupt_request", {}))
        check_schema(self.client.get_control_msg(timeout=CELL_DEADLINE))
        return at

    def seconds_to_idle(self, result, since):
        """Seconds from `since` to the `idle` of a cell that has ended."""
        with self._arrived:
            return self._published[result.id][self._idle_at[result.id]].at - since

    def until(self, condition, deadline=None, what="the condition did not become true"):
        """Waits until `condition()` holds; looked at again whenever a message arrives."""
        deadline = time.monotonic() + CELL_DEADLINE if deadline is None else deadline
        with self._arrived:
            while not condition():
                assert self._arrived.wait(0.05) or time.monotonic() < deadline, what

    def published(self, request):
        """Published messages of a request so far."""
        with self._arrived:
            return list(self._published[request])

    def check_leftovers(self):
        """Asserts that all that came was looked for and well-formed, and forgets it."""
        with self._arrived:
            left = self._problems + [m for request in self._published for m in self._left_of(request)]
            results, self.results = self.results, {}
            self._published.clear()
            self._idle_at.clear()
            self._problems = []
        left += [f"no reply to {r.code!r}" for r in results.values() if r.reply is None]
        assert not left, "left over:\n" + "\n".join(f"  {short(one)}" for one in left)

    def _answer_question(self, result, answers):
        try:
            question = self.client.get_stdin_msg(timeout=0)
        except queue.Empty:
            return
        check_schema(question)
        result.questions.append(question["content"])
        assert answers, f"asked without an answer to give: {question['content']}"
        self.client.input(answers.pop(0))

    def _read_iopub(self):
        while not self._ended.is_set():
            try:
                raw = self.client.get_iopub_msg(timeout=0.1)
            except queue.Empty:
                continue
            message = Message(raw["msg_type"], raw["content"], raw["parent_header"].get("msg_id", ""), time.time())
            with self._arrived:
                self._keep(message, raw)
                self._arrived.notify_all()

    def _keep(self, message, raw):
        try:
            check_schema(raw)
        except AssertionError as problem:
            self._problems.append(problem)
        of_request = self._published[message.parent]
        if message.content.get("execution_state") == "idle":
            self._idle_at.setdefault(message.parent, len(of_request))
        of_request.append(message)

    def _left_of(self, request):
        result = self.results.get(request)
        if result is None:
            return [m for m in self._published[request] if not _harmless(m)]
        after_idle = self._published[request][self._idle_at.get(request, 0) + 1 :]
        return after_idle if not result.background else [m for m in after_idle if m.type == "status"]

    def _check_window(self, result):
        first = self.published(result.id)[0]
        assert first.content.get("execution_state") == "busy", f"the first message is not busy but {first}"


def _harmless(message):
    """Status of requests that clients send by themselves, and the welcome."""
    return message.type in ("status", "iopub_welcome", "shutdown_reply")
