"""At which `.await`s of code in cells tasks stand: in trees, in data, in the task table."""

import json

TASKS = 'println!("{}", loopbook::json(&loopbook::all_tasks()))'

LEAVES = """
async fn leaf(n: u64) -> u64 {
    task::sleep(Duration::from_secs(n + 99)).await;
    n
}
"""

BRANCHES = """
async fn branch(n: u64) -> u64 {
    let first = leaf(n)
        .await;
    first + 1
}
async fn trunk() -> u64 {
    let (a, b) = gather!(branch(1), branch(2));
    a + b
}
"""

ROOT = """
let root = task::Builder::new().name("root".into()).spawn(async {
    trunk().await + 1
}).unwrap();
task::sleep(Duration::from_millis(100)).await;
"""


def test_awaits_of_a_tree_three_deep_are_shown_with_their_lines(kernel):
    for code in (LEAVES, BRANCHES, ROOT):
        kernel.run(code).ok()
    tasks = json.loads(kernel.run(TASKS).ok().stdout)
    [root] = [task for task in tasks if task["name"] == "root"]
    branches = [task for task in tasks if task["kind"] == "branch"]
    assert sites(root) == [(0, 3, 3, 5, "trunk()")]
    for branch in branches:
        assert branch["parent"] == root["id"]
        assert sites(branch) == [(0, 2, 3, 17, "leaf(n)"), (1, 1, 3, 5, "task::sleep(Duration::from_secs(n + 99))")]
        outer, inner = branch["awaits"]
        assert outer["since"] >= inner["since"] > 0
    lines = text(kernel, f":pstree {root['id']}").splitlines()
    found = [(len(line) - len(line.lstrip("│ ├└─")), line.lstrip("│ ├└─").split(",")[0]) for line in lines]
    assert found[1] == (4, "In[3]:3 trunk()")
    assert [depth for depth, _ in found[2:]] == [8, 12, 16, 20] * 2, lines
    assert all("branch(" in found[at][1] for at in (2, 6)), lines
    assert all(found[at][1] == "In[2]:3 leaf(n)" for at in (3, 7)), lines
    assert all(found[at][1].startswith("In[1]:3 task::sleep(") for at in (4, 8)), lines
    assert all(found[at][1].startswith("sleep") for at in (5, 9)), lines
    about = text(kernel, f":task {branches[0]['id']}")
    assert "In[2]:3 leaf(n) › In[1]:3 task::sleep" in about, about
    # What is known better is said in the table, and the line else.
    table = text(kernel, ":tasks")
    assert "In[3]:3 trunk()" in table and "sleep, " in table, table
    # An item that is compiled again with a later cell keeps its place, and one that is run again gets a new one.
    kernel.run(LEAVES + "\ntask::Builder::new().name(\"again\".into()).spawn(leaf(9)).unwrap();\ntask::sleep(Duration::from_millis(100)).await;").ok()
    again = sites(task_of(kernel, "again"))
    assert [(place[1:3], place[4]) for place in again] == [((9, 3), "task::sleep(Duration::from_secs(n + 99))")]
    assert kernel.run("root.cancel().await").ok().text == "None"
    left = json.loads(kernel.run('println!("{}", loopbook::json(&loopbook::finished_tasks()))').ok().stdout)
    ended = {branch["id"] for branch in branches} | {root["id"]}
    assert ended <= {task["id"] for task in left} and not any("awaits" in task for task in left)


def test_awaits_change_no_types_and_no_behaviour(kernel):
    kernel.run('async fn f(n: u32) -> String { task::yield_now().await; format!("{n}") }').ok()
    kernel.run("let x = f(1).await; let y = vec![f(2).await.len(); 2]; let h = task::spawn(f(3));").ok()
    kernel.run("use futures::future::join_all; let (s, r) = async_std::channel::bounded(1); s.send(5u8).await?; let all = join_all((0..2).map(f)).await;").ok()
    kernel.run("let z = r.recv().await?; let t = async_std::future::timeout(Duration::from_secs(5), h).await?; let g = gather!(f(7), async { f(8).await });").ok()
    shown = text(kernel, ":vars").splitlines()
    assert "x: String" in shown and "y: Vec<usize>" in shown and "z: u8" in shown, shown
    assert "t: String" in shown and "all: Vec<String>" in shown and "g: (String, String)" in shown, shown
    assert kernel.run("format!(\"{x} {y:?} {z} {t} {all:?} {g:?}\")").ok().text == r'''"1 [1, 1] 5 3 [\"0\", \"1\"] (\"7\", \"8\")"'''


def test_awaits_leave_errors_as_rustc_says_them(kernel):
    said = {
        "let n = 5u32;\nn.await": ("`u32` is not a future", "remove the `.await`"),
        "let h = task::spawn(async { 1 });\nh.await;\nh.await": ("use of moved value: `h`", "due to this await"),
        "fn g() -> u8 {\n async { 1 }.await\n}": ("`await` is only allowed", "this is not `async`"),
    }
    for code, words in said.items():
        failed = kernel.run(code)
        assert failed.reply["ename"] == "CompileError", failed
        assert all(word in failed.report for word in words) and "__private" not in failed.report, failed.report
    # A cell that only the wrapping would break is run without: here a macro wants to see the very word.
    kernel.run("macro_rules! json { ($f:ident ( ) . await) => { $f().await * 2 } }\nasync fn one() -> u32 { 1 }").ok()
    assert kernel.run("json!(one().await)").ok().text == "2"


def task_of(kernel, name):
    [found] = [task for task in json.loads(kernel.run(TASKS).ok().stdout) if task["name"] == name]
    return found


def sites(task):
    return [(site["depth"], site["cell"], site["line"], site["column"], site["text"]) for site in task["awaits"]]


def text(kernel, command):
    [display] = kernel.run(command).ok().displays
    return display["text/plain"]
