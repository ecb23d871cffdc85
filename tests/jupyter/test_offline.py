"""Once installed, nothing needs the network, and nothing of the runtime is compiled again."""

import pathlib
import subprocess

import pytest

from conftest import WARM_DEADLINE, installed_program
from offline import without_network, wrapped_kernel
from starting import compiled_crates, running_kernel

CELLS = [
    "use async_std::task;\nuse std::time::Duration;",
    "async fn late(n: u32) -> u32 { task::sleep(Duration::from_millis(10)).await; n }",
    "let a = late(1).await;",
    "let (b, c) = gather!(late(2), late(3));",
    "let text = loopbook::json(&vec![a, b, c]);",
    "tokio::time::sleep(Duration::from_millis(10)).await;",
    "futures::future::ready(4).await",
    "text",
]

# A release that the runtime depends on, and one before it.
BEHIND = ("memchr", "2.7.4")


def test_all_but_a_new_dependency_works_without_a_network(kernel_name, tmp_path, monkeypatch):
    command = without_network()
    if not command:
        pytest.skip("this machine does not let us make a network namespace (unshare -n)")
    name, path = wrapped_kernel(kernel_name, command, tmp_path)
    monkeypatch.setenv("JUPYTER_PATH", path)
    with running_kernel(name, tmp_path, transport="ipc", ip=str(tmp_path / "ipc")) as kernel:
        assert run_all(kernel) == '"[1,2,3]"'
        assert set(compiled_crates(kernel.pid)) <= {"ctx"}
        refused = kernel.run(':dep a-crate-that-is-not-there = "1"')
        assert refused.status == "error"
        assert kernel.run("(a, b, c)").ok().text == "(1, 2, 3)", "a dependency that cannot be had costs nothing"
        assert set(compiled_crates(kernel.pid)) <= {"ctx"}
        kernel.check_leftovers()


def test_no_crate_of_the_runtime_is_compiled_again(fresh_kernel):
    assert run_all(fresh_kernel) == '"[1,2,3]"'
    assert set(compiled_crates(fresh_kernel.pid)) <= {"ctx"}


def test_the_runtime_knows_where_std_is_wherever_the_cache_lies(fresh_kernel):
    # A path from the cache to the toolchain would depend on what of it both have in common.
    code = 'std::fs::read_to_string("/proc/self/maps").unwrap().lines().filter_map(|l| l.split(" /").nth(1)).map(|f| format!("/{f}")).find(|f| f.ends_with("libloopbook.so")).unwrap()'
    runtime = fresh_kernel.run(code).ok().text.strip('"')
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True).stdout.strip()
    [libraries] = pathlib.Path(sysroot, "lib", "rustlib").glob("*-linux-*/lib")
    assert str(libraries).encode() in pathlib.Path(runtime).read_bytes()


def test_a_template_behind_the_registry_is_used_as_it_is(prefix, tmp_path_factory, tmp_path, monkeypatch):
    if prefix is None:
        pytest.skip("LOOPBOOK_KERNEL_NAME names a kernel that is not ours to rebuild")
    behind = tmp_path_factory.mktemp("behind")
    subprocess.run([str(installed_program(prefix)), "install", "--prefix", str(behind)], check=True)
    lock_one_release_behind(behind / "share" / "loopbook" / "crates")
    monkeypatch.setenv("LOOPBOOK_CACHE", str(behind / "cache"))
    monkeypatch.setenv("JUPYTER_PATH", str(behind / "share" / "jupyter"))
    subprocess.run([str(installed_program(behind)), "warm"], check=True, timeout=WARM_DEADLINE)
    with running_kernel("loopbook", tmp_path) as kernel:
        assert run_all(kernel) == '"[1,2,3]"'
        assert set(compiled_crates(kernel.pid)) <= {"ctx"}
        kernel.check_leftovers()


def lock_one_release_behind(crates):
    package, version = BEHIND
    command = ["cargo", "update", "-p", package, "--precise", version]
    done = subprocess.run(command, cwd=crates, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"cannot look up an older release of {package} (no network?): {done.stderr.strip()}")
    subprocess.run(["cargo", "fetch", "--locked"], cwd=crates, check=True)


def run_all(kernel):
    """Runs the cells and returns what the last one shows."""
    return [kernel.run(cell).ok() for cell in CELLS][-1].text
