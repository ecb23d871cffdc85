"""What tasks wait for that is not a task: locks, channels, timeouts, from cells and by command."""

import json
import subprocess

from conftest import installed_program
from starting import running_kernel

HELD = """
use async_std::sync::{Arc, Mutex};
let m = Arc::new(Mutex::new(0));
let (one, two) = (m.clone(), m.clone());
let holder = task::Builder::new().name("holder".into()).spawn(async move {
    let _guard = one.lock().await;
    task::sleep(Duration::from_secs(300)).await;
}).unwrap();
task::sleep(Duration::from_millis(50)).await;
let waiter = task::Builder::new().name("waiter".into()).spawn(async move { *two.lock().await += 1; }).unwrap();
task::sleep(Duration::from_millis(50)).await;
"""

DEADLOCK = """
use async_std::sync::{Arc, Mutex};
let (a, b) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2)));
async fn both(first: Arc<Mutex<i32>>, second: Arc<Mutex<i32>>) {
    let _first = first.lock().await;
    task::sleep(Duration::from_millis(50)).await;
    let _second = second.lock().await;
}
let left = task::Builder::new().name("left".into()).spawn(both(a.clone(), b.clone())).unwrap();
let right = task::Builder::new().name("right".into()).spawn(both(b.clone(), a.clone())).unwrap();
"""


def test_waits_for_a_lock_name_who_holds_it(kernel):
    cell = f"In[{kernel.run(HELD).ok().reply['execution_count']}]"
    listed = json.loads(kernel.run('println!("{}", loopbook::json(&loopbook::all_tasks()))').ok().stdout)
    tasks = {task["name"]: task for task in listed}
    owner = tasks["holder"]["id"]
    [wait] = tasks["waiter"]["waiting_on"]
    assert (wait["on"], wait["kind"], wait["owner"]) == ("lock", "mutex", owner)
    words = f"lock #{wait['id']}, held by task {owner}"
    assert words in kernel.shown(":tasks")
    assert words in kernel.shown(f":task {tasks['waiter']['id']}")
    tree = kernel.shown(":pstree")
    assert tree.index("waiter") < tree.index(words) < tree.index("holder"), tree
    assert f"#{wait['id']}, locked by task {owner}, made at {cell}, line 3" in kernel.shown(":resources")
    # The variable is there in later cells, and its lock works.
    kernel.run("holder.cancel().await; waiter.await;").ok()
    assert kernel.run("let now = *m.lock().await; now").ok().text == "1"


def test_waits_are_told_by_comm(kernel_name, prefix, tmp_path):
    # What the terminal is told is nobody's leftover.
    with running_kernel(kernel_name, tmp_path) as kernel:
        kernel.run(HELD).ok()
        asked = [str(installed_program(prefix)), "inspect", "--json", "--kernel", kernel.manager.connection_file, "tasks"]
        told = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
        [holder] = [task["id"] for task in told if task["name"] == "holder"]
        [wait] = [wait for task in told if task["name"] == "waiter" for wait in task["waiting_on"]]
        assert (wait["on"], wait["owner"], wait["owners"], wait["held"]) == ("lock", holder, [holder], True), wait


def test_waits_for_each_others_locks_are_told_under_the_cell(kernel):
    cell = kernel.run(DEADLOCK, background=True).ok()
    kernel.until(lambda: cell.displays)
    [lint] = [display["text/plain"] for display in cell.displays]
    here = f"In[{cell.reply['execution_count']}]"
    assert "deadlock" in lint and f'"left" ({here}, line 9)' in lint and f'"right" ({here}, line 10)' in lint, lint
    assert lint.count(f"made at {here}, line 3") == 2 and "in the same order" in lint, lint
    kernel.run("left.cancel().await; right.await;").ok()


def test_waits_keep_variables_of_their_types_across_cells(kernel):
    kernel.run("let (s, r) = async_std::channel::bounded::<i32>(1);").ok()
    kernel.run("let lock = std::sync::Arc::new(async_std::sync::RwLock::new(vec![1]));").ok()
    kernel.run("let (weak, all) = (s.downgrade(), async_std::channel::unbounded::<String>());").ok()
    kernel.run("let things = (async_std::sync::Barrier::new(1), async_std::sync::Condvar::new());").ok()
    kernel.run("let guard = lock.write_arc().await; let mut also = r.clone();").ok()
    kernel.run("s.send(4).await?; let sending = task::spawn(async move { s.send(5).await });").ok()
    assert "1 of 1 message," in kernel.shown(":resources")
    assert kernel.run("use async_std::prelude::*; let two = (r.recv().await?, also.next().await); two").ok().text == "(4, Some(5))"
    kernel.run("sending.await?; drop(guard); lock.write().await.push(2); things.0.wait().await;").ok()
    assert kernel.run("lock.read().await.len()").ok().text == "2"
    assert kernel.run("weak.upgrade().is_some()").ok().text == "false"
