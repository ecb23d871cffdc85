"""The loop as the inspector sees it: by command, from cells, beside a cell that blocks everything."""

import json
import os
import signal
import subprocess

from client import SLACK
from conftest import installed_program
from starting import eventually, processes, running_kernel

SLEEPERS = """
use async_std::task;
async fn inner() { task::sleep(Duration::from_secs(300)).await }
let outer = task::Builder::new().name("outer".into()).spawn(async {
    let inner = task::Builder::new().name("inner".into()).spawn(inner()).unwrap();
    inner.await
}).unwrap();
task::sleep(Duration::from_millis(50)).await;
"""


BLOCKS = """
println!("blocks");
for _ in 0..64 { task::spawn(async { std::thread::sleep(Duration::from_secs(3)) }); }
std::thread::sleep(Duration::from_secs(3));
"""


def test_inspect_one_task_the_tree_the_loop_and_its_resources(kernel):
    kernel.run(SLEEPERS).ok()
    tasks = json.loads(kernel.run('println!("{}", loopbook::json(&loopbook::all_tasks()))').ok().stdout)
    [inner] = [task for task in tasks if task["name"] == "inner"]
    [outer] = [task for task in tasks if task["name"] == "outer"]
    assert inner["awaited_by"] == [outer["id"]] and inner["parent"] == outer["id"]
    about = kernel.shown(f":task {inner['id']}")
    assert "inner" in about and "sleep" in about and "In[1]" in about, about
    tree = kernel.shown(":pstree")
    assert tree.index("outer") < tree.index("inner"), tree
    assert "timer" in kernel.shown(":resources")
    assert "thread" in kernel.shown(":loop")
    assert "no task" in kernel.shown(":task 999999")
    kernel.run(f":cancel {outer['id']}").ok()


def test_inspect_a_blocking_closure_cannot_be_cancelled_and_the_answer_says_what_to_do(kernel):
    code = "let blocking = task::spawn_blocking(|| std::thread::sleep(Duration::from_secs(2))); task::yield_now().await;"
    kernel.run(code).ok()
    [row] = [line for line in kernel.shown(":tasks").splitlines() if "blocking" in line]
    number = row.split()[0]
    told = kernel.shown(f":cancel {number}")
    assert ", line 1): cannot be cancelled: a closure of `spawn_blocking`" in told and "AtomicBool" in told, told
    assert kernel.run(f"loopbook::cancel({number})").ok().text.startswith("NotCancellable: a closure of")
    kernel.run("blocking.await").ok()


def test_inspect_commands_name_what_they_want(kernel):
    for code in (":task", ":task x", ":pstree x", ":loop 1", ":resources all"):
        assert kernel.run(code).reply["ename"] == "CommandError", code


def test_inspect_from_a_terminal_while_every_thread_blocks(kernel_name, prefix, tmp_path):
    # What the terminal is told, and the lints, are nobody's leftovers.
    with running_kernel(kernel_name, tmp_path) as kernel:
        blocking = kernel.start(BLOCKS)
        kernel.until(lambda: blocking.stdout)
        program, file = str(installed_program(prefix)), kernel.manager.connection_file
        ask = lambda *words: subprocess.run([program, "inspect", *words], capture_output=True, text=True)
        told = ask("--kernel", file)
        assert told.returncode == 0 and "running" in told.stdout, told
        tasks = json.loads(ask("--json", "--kernel", file, "tasks").stdout)
        assert "cell" in {task["kind"] for task in tasks}
        assert "thread" in ask("--kernel", file, "loop").stdout
        wrong = ask("--kernel", file, "nonsense")
        assert wrong.returncode == 1 and "no command" in wrong.stderr
        kernel.wait(blocking).ok()


def test_inspect_whoever_asks_a_stopped_process_is_told_so(kernel_name, prefix, tmp_path):
    # What the terminal is told is nobody's leftovers.
    with running_kernel(kernel_name, tmp_path) as kernel:
        kernel.run("let here = 1;").ok()
        child = next(pid for pid, command in processes(kernel.mark) if "loopbook-child" in command)
        os.kill(child, signal.SIGSTOP)
        for command in (":tasks", ":loop", ":resources", ":pstree", ":timeline", ":tasks --live", ":cancel 1"):
            result = kernel.run(command, timeout=5 * SLACK)
            said = result.reply.get("evalue", "")
            assert "stopped (state T)" in said and f"kill -CONT {child}" in said, str(result)
        told = subprocess.run(
            [str(installed_program(prefix)), "inspect", "--kernel", kernel.manager.connection_file, "tasks"],
            capture_output=True,
            text=True,
            timeout=5 * SLACK,
        )
        assert told.returncode == 1 and f"kill -CONT {child}" in told.stderr, told
        assert "here: i32" in kernel.run(":vars", timeout=5 * SLACK).ok().displays[0]["text/plain"]
        reply = kernel.client.complete("her", reply=True, timeout=5 * SLACK)
        assert "here" in reply["content"]["matches"]
        os.kill(child, signal.SIGCONT)
        eventually(lambda: "thread" in str(kernel.run(":loop").displays), 5, "it goes on")


def test_inspect_live_tasks_are_followed_until_they_end(kernel):
    # Tasks that block for a second are what lints are about, or nearly.
    kernel.run("loopbook::show_lints(false);").ok()
    kernel.run('let sleeper = task::Builder::new().name("sleeper".into()).spawn(task::sleep(Duration::from_secs(2))).unwrap();').ok()
    live = kernel.run(":tasks --live", background=True).ok()
    assert "sleeper" in live.displays[0]["text/plain"]
    # No thread is free, and the display goes on.
    kernel.run("for _ in 0..64 { task::spawn(async { std::thread::sleep(Duration::from_secs(1)) }); } std::thread::sleep(Duration::from_secs(1));").ok()
    kernel.until(lambda: live.of("update") and "sleeper" not in live.of("update")[-1]["text/plain"])
    kernel.run("sleeper.await").ok()
    times = [message.at for message in live.messages if message.type in ("display_data", "update_display_data")]
    assert 3 <= len(times) <= 3 + (times[-1] - times[0]) / 0.25, times
    kernel.run("loopbook::show_lints(true);").ok()
