"""Plays evcxr and the kernel to the program that runs cells, without either of them.

A cell is wrapped as the kernel has rustc read it, compiled by cargo against the crates of `kernel/`, and loaded by the
real `loopbook-child`.
"""

import itertools
import json
import os
import queue
import shutil
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

MANIFEST = """
[package]
name = "ctx"
version = "1.0.0"
edition = "2024"
[lib]
crate-type = ["cdylib"]
[profile.dev]
opt-level = 0
debug = false
rpath = true
[dependencies]
async-std = {{ package = "loopbook-async-std", path = "{crates}/async-std" }}
futures = "0.3"
libc = "0.2"
loopbook = {{ path = "{crates}/runtime" }}
tokio = {{ package = "loopbook-tokio", path = "{crates}/tokio" }}
"""

LIBRARY = """
#![allow(unused)]
use async_std::task;
use std::time::Duration;
use ::loopbook::__private::variables as evcxr_internal_runtime;
{items}
#[unsafe(no_mangle)]
pub extern "C" fn run_user_code_{number}(mut evcxr_variable_store: *mut evcxr_internal_runtime::VariableStore)
  -> *mut evcxr_internal_runtime::VariableStore {{
if evcxr_variable_store.is_null() {{
  evcxr_variable_store = evcxr_internal_runtime::create_variable_store();
}}
let evcxr_variable_store = unsafe {{&mut *evcxr_variable_store}};
let mut vars_ok = true;
{checks}
if !vars_ok {{ return evcxr_variable_store; }}
{takes}
::loopbook::__private::run_cell(::std::boxed::Box::pin(async {{
{code}
{puts}
}}));
evcxr_variable_store
}}
"""


class Project:
    """The crate that every cell is compiled as, with its target directory."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.numbers = itertools.count(1)
        self.target = Path(os.environ.get("LOOPBOOK_TEST_TARGET", self.directory / "target"))
        (self.directory / "src").mkdir(parents=True, exist_ok=True)
        (self.directory / "Cargo.toml").write_text(MANIFEST.format(crates=ROOT / "kernel"))
        shutil.copy(ROOT / "kernel" / "Cargo.lock", self.directory / "Cargo.lock")
        self.child = Path(os.environ.get("LOOPBOOK_CHILD") or self._build_child())

    def compile(self, source):
        """Gives a shared object that stands where cargo made it: its rpath is relative."""
        (self.directory / "src" / "lib.rs").write_text(source)
        self._cargo(["build", "--quiet"], self.directory, {"RUSTFLAGS": "-Cprefer-dynamic"})
        library = self.target / "debug" / "deps" / f"code_{next(self.numbers)}_{os.getpid()}.so"
        shutil.copy(self.target / "debug" / "libctx.so", library)
        return library

    @property
    def source(self):
        return self.directory / "src" / "lib.rs"

    def _build_child(self):
        target = self.target / "child"
        self._cargo(["build", "--quiet", "--no-default-features", "--bin", "loopbook-child"], ROOT, {}, target)
        return target / "debug" / "loopbook-child"

    def _cargo(self, arguments, directory, extra, target=None):
        environment = {**os.environ, "CARGO_TARGET_DIR": str(target or self.target), **extra}
        done = subprocess.run(["cargo", *arguments], cwd=directory, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"cargo {' '.join(arguments)} failed:\n{done.stderr}"


class Child:
    """One child process, and both of its partners."""

    def __init__(self, project, directory, environment):
        self.project = project
        self.directory = Path(directory)
        self.number = 0
        self.cells = 0
        self.refuse = False
        self.frames = queue.Queue()
        self.answers = queue.Queue()
        self.kept = []
        path = self.directory / "kernel.sock"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.process = subprocess.Popen(
            [str(project.child)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                **os.environ,
                "EVCXR_IS_RUNTIME": "1",
                "RUST_BACKTRACE": "1",
                "LOOPBOOK_CHANNEL": str(path),
                "LOOPBOOK_SOURCE": str(project.source),
                **environment,
            },
        )
        self.connection = None
        threading.Thread(target=self._read_socket, daemon=True).start()
        threading.Thread(target=self._read_answers, daemon=True).start()

    # evcxr's side

    def start(self, code, items="", takes=None, puts=()):
        """Compiles a cell, with a line mark on each line, and has it loaded. Gives its id."""
        self.number += 1
        takes = takes or {}
        marked = "\n".join(f"/*lb:{self.number}:{line}*/{text}" for line, text in enumerate(code.split("\n"), 1))
        source = LIBRARY.format(
            items=items,
            number=self.number,
            code=marked,
            checks="\n".join(
                f'vars_ok &= evcxr_variable_store.check_variable::<{type_}>("{name}");' for name, type_ in takes.items()
            ),
            takes="\n".join(
                f'let mut {name} = evcxr_variable_store.take_variable::<{type_}>("{name}");'
                for name, type_ in takes.items()
            ),
            puts="\n".join(f'evcxr_variable_store.put_variable("{name}", {name});' for name in puts),
        )
        library = self.library = self.project.compile(source)
        self.process.stdin.write(f"LOAD_AND_RUN {library} run_user_code_{self.number}\n".encode())
        self.process.stdin.flush()
        return 100 + self.number

    def run(self, code, **options):
        """Runs a cell to its end. Gives a `Result`."""
        return self.finish(self.start(code, **options))

    def finish(self, cell, timeout=20):
        frames = self.until(lambda kind, body: kind == "message" and body.get("cell") == cell
                            and body["type"] == "cell_done", timeout)
        return Result(cell, frames, self.until_complete())

    def until_complete(self, timeout=5):
        lines = []
        while True:
            line = self.answers.get(timeout=timeout)
            if line == "EVCXR_EXECUTION_COMPLETE":
                return lines
            assert line is not None, f"the child is gone: {self.process.wait()}\n{self.process.stderr.read().decode()}"
            lines.append(line)

    # the kernel's side

    def until(self, is_wanted, timeout=20):
        """All frames up to the one that is wanted."""
        frames, deadline = [], time.monotonic() + timeout
        while True:
            try:
                frame = self.frames.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"nothing came within {timeout} s; so far: {frames[-20:]}") from None
            if frame is None:
                errors = self.process.stderr.read().decode()
                raise AssertionError(f"the child hung up: {errors or 'without a word'}; so far: {frames[-20:]}")
            frames.append(frame)
            if is_wanted(*frame):
                return frames

    def rest(self):
        """All frames up to the end of the connection."""
        frames = []
        while (frame := self.frames.get(timeout=20)) is not None:
            frames.append(frame)
        return frames

    def send(self, **message):
        body = b"\0" + json.dumps(message).encode()
        self.connection.sendall(struct.pack("<I", len(body)) + body)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.listener.close()

    def _read_answers(self):
        for line in self.process.stdout:
            self.answers.put(line.decode().removesuffix("\n"))
        self.answers.put(None)
        if self.connection is None:
            self.frames.put(None)

    def _read_socket(self):
        try:
            self.connection, _ = self.listener.accept()
            stream = self.connection.makefile("rb")
            while header := stream.read(4):
                body = stream.read(struct.unpack("<I", header)[0])
                self._take(body[0], body[1:])
        except OSError:
            pass
        self.frames.put(None)

    def _take(self, kind, body):
        if kind:
            cell = struct.unpack("<Q", body[:8])[0]
            self.frames.put(("stdout" if kind == 1 else "stderr", {"cell": cell, "bytes": body[8:]}))
            return
        message = json.loads(body)
        if message["type"] == "may_begin":
            self.send(type="begin", cell=100 + self.number, number=self.number, run=not self.refuse, forget=[], renew=[])
        self.frames.put(("message", message))


class Result:
    """What a cell did."""

    def __init__(self, cell, frames, markers):
        self.cell = cell
        self.frames = frames
        self.markers = markers
        self.outcome = frames[-1][1]["outcome"]

    @property
    def failure(self):
        return self.outcome.get("failure")

    def text(self, *kinds, cell=None):
        """What was printed, in order."""
        return b"".join(
            body["bytes"] for kind, body in self.frames
            if kind in (kinds or ("stdout", "stderr")) and (cell is None or body["cell"] == cell)
        ).decode(errors="surrogateescape")
