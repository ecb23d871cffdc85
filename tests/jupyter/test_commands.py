"""Commands are ours or refused with a reason, and Tab runs none."""

import queue

import pytest

from starting import running_kernel, work_directories

REFUSED = [
    ":toolchain nightly",
    ":load_config",
    ":quit",
    ":sccache 1",
    ":cache 500",
    ":allow_static_linking 1",
    ":linker lld",
    ":no-such-command",
    "!ls",
]

LISTED = [":help", ":vars", ":tasks", ":lints", ":version", ":deps", ":help lints", ":help types"]


@pytest.fixture(scope="module")
def with_a_variable(module_kernel):
    module_kernel.run("let kept = 7;").ok()


@pytest.fixture
def kept(with_a_variable, kernel):
    """A kernel with a variable, which must be there in the end."""
    yield kernel
    assert kernel.run("kept").ok().text == "7"


@pytest.mark.parametrize("command", REFUSED)
def test_a_command_that_would_cost_something_is_refused_with_a_reason(kept, command):
    result = kept.run(command)
    assert result.status == "error" and result.reply["ename"] == "CommandError", str(result)
    assert len(result.reply["evalue"]) > len(command) + 10, "a reason is given"


@pytest.mark.parametrize("command", LISTED)
def test_commands_that_only_look_show_something(kept, command):
    assert kept.run(command).ok().outputs


def test_commands_and_code_can_stand_in_one_cell(kept):
    result = kept.run(":vars\nkept + 1").ok()
    assert result.text == "8" and any("kept" in str(bundle) for bundle in result.displays)


@pytest.mark.parametrize("command", [":restart", ":clear", ":quit", ':dep itoa = "1"', ":toolchain nightly", "!touch tabbed"])
def test_tab_behind_a_command_runs_nothing(kept, tmp_path, command):
    code = f"{command}\nke"
    reply = complete(kept, code, len(code))
    assert reply["status"] == "ok"
    complete(kept, command, len(command))
    assert kept.run("std::path::Path::new(\"tabbed\").exists()").ok().text == "false"


def test_restart_loses_variables_and_keeps_the_crates(fresh_kernel):
    fresh_kernel.run("fn twice(n: i32) -> i32 { 2 * n }").ok()
    fresh_kernel.run("let gone = 1;").ok()
    fresh_kernel.run(":restart").ok()
    assert fresh_kernel.run("gone").reply["ename"] == "CompileError"
    assert fresh_kernel.run("async_std::task::spawn(async { twice(21) }).await").ok().text == "42"


def test_clear_loses_everything_but_the_crates(fresh_kernel):
    fresh_kernel.run("fn twice(n: i32) -> i32 { 2 * n }\nlet gone = 1;").ok()
    fresh_kernel.run(":clear").ok()
    assert fresh_kernel.run("twice(1)").reply["ename"] == "CompileError"
    assert fresh_kernel.run("gone").reply["ename"] == "CompileError"
    assert fresh_kernel.run("async_std::task::spawn(async { gather!(async { 1 }, async { 2 }) }).await").ok().text == "(1, 2)"


def test_optimisation_can_be_chosen(fresh_kernel):
    fresh_kernel.run("let kept = 7;").ok()
    fresh_kernel.run(":opt 3").ok()
    assert fresh_kernel.run("kept + 1").ok().text == "8"


def test_an_evcxr_toml_beside_the_notebook_is_not_read(kernel_name, tmp_path):
    (tmp_path / "evcxr.toml").write_text(f'[evcxr]\ntmpdir = "{tmp_path / "taken"}"\nopt_level = "3"\n')
    with running_kernel(kernel_name, tmp_path) as kernel:
        assert kernel.run("1 + 1").ok().text == "2"
        assert not (tmp_path / "taken").exists() and work_directories(kernel.pid)
        assert kernel.run('std::path::Path::new("evcxr.toml").exists()').ok().text == "true", "the cell runs where the notebook is"


def test_types_are_shown_while_they_are_wanted(kernel):
    kernel.run(":types").ok()
    shown = kernel.run("vec![1]").ok()
    assert shown.text == "[1]" and "Vec<i32>" in str(shown.displays)
    assert kernel.run("()").ok().outputs == []
    kernel.run(":types").ok()
    assert kernel.run("vec![1]").ok().displays == []


def test_an_environment_variable_is_set_for_the_cells(kept):
    assert kept.run(':env LOOPBOOK_SAMPLE=a b\nstd::env::var("LOOPBOOK_SAMPLE")?').ok().text == '"a b"'
    assert kept.run(":env nothing").reply["ename"] == "CommandError"


def test_an_error_code_is_explained(kept):
    assert kept.run('let wrong: u8 = "text";').reply["ename"] == "CompileError"
    for command in [":explain", ":explain E0308"]:
        assert "did not match" in str(kept.run(command).ok().displays[0]).lower()
    assert kept.run(":explain E9999").reply["ename"] == "CommandError"


def complete(kernel, code, cursor):
    request = kernel.client.complete(code, cursor)
    while True:
        try:
            reply = kernel.client.get_shell_msg(timeout=60)
        except queue.Empty:
            raise AssertionError(f"no completions of {code!r}") from None
        if reply["parent_header"]["msg_id"] == request:
            return reply["content"]
