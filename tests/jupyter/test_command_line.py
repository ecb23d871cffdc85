"""What `loopbook` does from a terminal: it installs, is found, checks, and takes everything back."""

import json
import os
import pathlib
import subprocess

import pytest

from conftest import ROOT, installed_program
from starting import running_kernel


class Person:
    """Somebody with a home of their own, in whose path are a space and an umlaut."""

    def __init__(self, home):
        self.home = home
        home.mkdir()
        self.path = os.pathsep.join([str(home / ".local/bin"), os.environ["PATH"]])

    def run(self, program, *words):
        """What the program prints. Rust is found where it is, everything else in the home."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("LOOPBOOK_", "JUPYTER_", "XDG_"))}
        rust = {name: own.get(name, str(pathlib.Path.home() / folder)) for name, folder in (("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup"))}
        environment = {**own, **rust, "HOME": str(self.home), "PATH": self.path}
        done = subprocess.run([program, *words], capture_output=True, text=True, env=environment)
        return Said(done.returncode, done.stdout, done.stderr)

    def files(self):
        """What is in the home, but for what Jupyter makes when it is asked for its kernels."""
        found = {str(path.relative_to(self.home)) for path in self.home.rglob("*")}
        return {path for path in found if not path.startswith((".jupyter", ".ipython", ".cache/pip", ".config"))}


class Said:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def ok(self):
        assert self.status == 0, (self.out, self.err)
        return self.out

    def line(self, name):
        """The line of `doctor` about one thing."""
        return next(line for line in self.out.splitlines() if line.split()[1] == name)


@pytest.fixture
def person(tmp_path):
    return Person(tmp_path / "Ada Lövelace")


@pytest.fixture
def built(prefix):
    """The program as it was built, before it is installed."""
    if prefix is None:
        pytest.skip("nothing is installed")
    return os.environ.get("LOOPBOOK_PROGRAM", str(ROOT / "target" / "release" / "loopbook"))


def test_an_installed_program_is_found_by_its_name_and_removes_itself(person, built):
    link = person.home / ".local/bin/loopbook"
    assert f"link        {link}\n" in person.run(built, "install").ok()
    assert link.readlink() == person.home / ".local/share/loopbook/bin/loopbook"
    told = person.run(str(link), "doctor")
    assert {told.line(name).split()[0] for name in ("kernelspec", "program", "link")} == {"ok"}, told.out
    # What install.sh and kernels add.
    (person.home / ".local/share/loopbook/tour").mkdir()
    (person.home / ".cache/loopbook/template/key").mkdir(parents=True)
    told = person.run(str(link), "uninstall").ok()
    for gone in (".local/bin/loopbook", ".local/share/loopbook", ".cache/loopbook", ".local/share/jupyter/kernels/loopbook"):
        assert f"removed {person.home / gone}\n" in told
    assert not [path for path in person.files() if "loopbook" in path]
    assert person.run(built, "uninstall").status == 1, "nothing is left to remove"


def test_uninstall_keeps_and_names_what_was_executed(person, built):
    person.run(built, "install").ok()
    history = person.home / ".local/state/loopbook/history.sqlite"
    history.parent.mkdir(parents=True)
    history.write_text("")
    assert f"kept {history}" in person.run(built, "uninstall").ok()
    assert history.exists()


@pytest.mark.parametrize("name", ["loopbook", "my-rust"])
def test_an_installation_below_a_prefix_finds_itself(person, built, tmp_path, name):
    place = tmp_path / "prefix of mine"
    person.run(built, "install", "--prefix", str(place), "--name", name).ok()
    link = str(place / "bin/loopbook")
    told = person.run(link, "doctor")
    assert "MISSING" not in told.out, told.out
    assert str(place / "share/jupyter/kernels" / name) in told.line("kernelspec")
    assert "JUPYTER_PATH=" in told.line("kernelspec"), "Jupyter does not look there by itself"
    person.run(link, "uninstall").ok()
    assert not [path for path in place.rglob("*") if path.is_file() or path.is_symlink()]


def test_a_file_that_somebody_else_has_there_is_left_alone(person, built):
    theirs = person.home / ".local/bin/loopbook"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    assert "not ours" in person.run(built, "install").ok()
    person.run(built, "uninstall").ok()
    assert theirs.read_text() == "theirs"


def test_one_of_two_kernels_is_removed_alone(person, built):
    for name in ("one", "two"):
        person.run(built, "install", "--name", name).ok()
    assert "`two` uses it" in person.run(built, "uninstall", "--name", "one").ok()
    assert person.run("loopbook", "doctor").line("kernelspec").startswith("ok")
    person.run("loopbook", "uninstall").ok()
    assert not [path for path in person.files() if "loopbook" in path or "two" in path]


def test_options_of_inspect_may_stand_before_and_behind_the_question(kernel_name, prefix, tmp_path):
    # What the terminal is told is nobody's leftover.
    with running_kernel(kernel_name, tmp_path) as kernel:
        # The loop has to be there before it can be looked at.
        kernel.run("1 + 1").ok()
        ask_with_options_everywhere(str(installed_program(prefix)), kernel.manager.connection_file)


def ask_with_options_everywhere(program, file):
    for words in (["--kernel", file, "--json", "tasks"], ["tasks", "--kernel", file, "--json"], ["tasks", f"--kernel={file}", "--all", "--json"]):
        told = subprocess.run([program, "inspect", *words], capture_output=True, text=True)
        assert told.returncode == 0 and isinstance(json.loads(told.stdout), list), told
