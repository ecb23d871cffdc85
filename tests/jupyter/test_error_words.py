"""What errors advise: imports that a cell can write, places in other cells, and what a notebook does otherwise."""

import pytest

# Cells with a name that is not in scope; the lines that are suggested for it, and where.
IMPORTS = [
    ("let m = HashMap::new();", ["1 + use std::collections::HashMap;"]),
    ("fn g(m: HashMap<u8, u8>) {}", ["1 + use std::collections::HashMap;"]),
    ("let r = Rc::new(1);", ["1 + use std::rc::Rc;"]),
    ('Html("x")', ["1 + use loopbook::Html;"]),
    (
        "let x = 1;\nlet m = Mutex::new(x);",
        ["1 + use std::sync::Mutex;", "1 + use async_std::sync::Mutex;", "1 + use futures::lock::Mutex;", "1 + use tokio::sync::Mutex;"],
    ),
    ('let e: Box<dyn Error> = "a".into();', ["1 + use std::error::Error;"]),
    ("let v: Vec<Box<dyn Error>> = vec![];", ["1 + use std::error::Error;"]),
    ("fn h<T: Hash>(t: T) {}", ["1 + use std::hash::Hash;"]),
    ("let mut s = String::new();\nstd::io::stdin().read_to_string(&mut s);", ["1 + use std::io::Read;"]),
    ("futures::stream::iter(vec![1]).next().await", ["1 + use async_std::prelude::StreamExt;", "1 + use futures::StreamExt;"]),
    (
        "let t: JoinHandle<u8> = task::spawn(async { 1 });",
        ["1 + use async_std::task::JoinHandle;", "1 + use std::thread::JoinHandle;", "1 + use tokio::task::JoinHandle;"],
    ),
    ("channel::bounded::<u8>(1)", ["1 + use async_std::channel;"]),
    ("Cart(1)", ["1 + use crate::shop::Cart;"]),
    ("// Below a command.\n:vars\nlet m = BTreeMap::new();", ["3 + use std::collections::BTreeMap;"]),
    ("#![allow(unused)]\nlet m = BTreeMap::new();", ["2 + use std::collections::BTreeMap;"]),
    ("mod inner {\n    fn f() { Rc::new(1); }\n}", ["2 +     use std::rc::Rc;"]),
]


def suggested(report):
    return [line for line in report.splitlines() if " + " in line[:6] and "use " in line]


@pytest.mark.parametrize(("code", "lines"), IMPORTS)
def test_imports_are_suggested_as_lines_of_the_cell(kernel, code, lines):
    kernel.run("mod shop { pub struct Cart(pub u8); }").ok()
    result = kernel.run(code)
    number = result.reply["execution_count"]
    assert result.reply["ename"] == "CompileError" and f"(In[{number}], line " in result.reply["evalue"], result
    assert [line.rstrip() for line in suggested(result.report)] == lines, result.report
    # What is suggested can be written.
    if code.startswith(("Html", "futures::stream", "channel::", "Cart")):
        kernel.run(f"{lines[-1].split(' + ')[1]}\n{code};").ok()


def test_many_imports_are_counted(kernel):
    report = kernel.run("let c = channel(1);").report
    lines = suggested(report)
    assert 1 < len(lines) <= 5 and not any("oneshot::channel" in line and "std::" in line for line in lines), report
    assert "futures_lite" not in report and "facade" not in report, report


def test_alternatives_are_shown_one_by_one(kernel):
    kernel.run("enum Either { Left(u8), Right(u8) }").ok()
    report = kernel.run("Either(1)").report
    assert "Either::Left(1)" in report and "Either::Right(1)" in report and "Left::" not in report, report


def test_a_derive_is_suggested_where_the_type_is(kernel):
    made = kernel.run("struct Plain { x: i32 }").ok().reply["execution_count"]
    report = kernel.run('format!("{:?}", Plain { x: 1 })').report
    assert f"`#[derive(Debug)]`, in In[{made}]; then run that cell again" in report and "1 + #[derive(Debug)]" in report, report


HINTS = [
    ('return Err("no".into());', '`Err("no")?` ends the cell'),
    ("return Ok::<(), ()>(());", "a plain `return;` ends the cell"),
    ("let fs = vec![async { 1 }]; gather!(fs)", "`gather_all(…).await`"),
    ("gather!(vec![async { 1 }, async { 2 }])", "`loopbook::keep(a)`"),
    ("fetch().awiat", "`.await` waits for a future"),
    ("fetch().wait()", "`.await` waits for a future"),
    ("let x = await fetch();", "`.await` stands behind the future"),
    ("fetch().await()", "remove the parentheses"),
    ("let h = fetch();\nh.await;\nh.await", "keep what it gives"),
]


@pytest.mark.parametrize(("code", "hint"), HINTS)
def test_what_a_notebook_does_otherwise_is_said(kernel, code, hint):
    kernel.run("async fn fetch() -> u8 { 1 }").ok()
    result = kernel.run(code)
    assert result.reply["ename"] == "CompileError" and hint in result.report, result.report


def test_what_is_advised_works(kernel):
    kernel.run("async fn fetch() -> u8 { 1 }").ok()
    assert kernel.run('Err("no")?').reply["evalue"].startswith("no (")
    assert kernel.run("gather_all(vec![fetch(), fetch()]).await").ok().text == "[1, 1]"
    kernel.run("let kept = (loopbook::keep(fetch()), 2);").ok()
    assert kernel.run("kept.0.await").ok().text == "1"
    kernel.run("let lost = (async { 1 }, 2); lost.1").ok()
    report = kernel.run("lost.1").report
    assert "`loopbook::keep(f)`" in report and "dyn Fn" not in report, report


def test_only_codes_are_explained(kernel):
    kernel.run("let x: u8 = false;")
    assert "type did not match" in kernel.shown(":explain")
    kernel.run("let x: u8 = 300;")
    for command in [":explain", ":explain overflowing_literals"]:
        reply = kernel.run(command).reply
        assert reply["ename"] == "CommandError" and "E0308" not in reply["evalue"], reply
