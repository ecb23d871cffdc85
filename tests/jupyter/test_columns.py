"""Line and column of whatever tells a place are those in the cell, wherever in a line it stands. `§` stands before the place."""

import re

import pytest

from results import without_colour

# Cells that fail at the place.
FAILING = {
    "second statement": 'println!("hi"); §panic!("x")',
    "third statement": 'let a = 1; let b = 2; §panic!("{a} {b}");',
    "the same statement twice": "let mut n = vec![1]; n.pop(); n.truncate(0); n.§remove(0); n.remove(0);",
    "behind a letter of two bytes": 'let ä = 1; §panic!("{ä}")',
    "behind wide letters": 'let 日本 = "日本🦀"; §panic!("{日本}")',
    "behind tabulators": '\tlet a = 1;\t§panic!("{a}")',
    "behind blocks": '{ let _a = 1; } { let _b = 2; } §panic!("x")',
    "behind comments": '/* ä */ let a = 1; /* b */ §panic!("{a}"); // 日本',
    "behind a multi-line text": 'let s = "ab\nä"; §panic!("{s}")',
    "behind a multi-line list": "let v = vec![\n    1,\n]; v§[9];",
    "behind a multi-line function": 'fn one() -> u8 {\n    1\n} fn two() { let _x = one(); §panic!("x") } two();',
    "in a function": 'fn f() { let x = 1; §panic!("{x}") } println!("a"); f();',
    "in a function of a module": 'mod m { pub fn g() { let _a = 1; §panic!("g") } } m::g();',
    "in a method": 'struct A; impl A { fn f(&self) { println!("a"); §panic!("f") } } A.f();',
    "in a destructor": 'struct A; impl Drop for A { fn drop(&mut self) { let _a = 1; §panic!("d") } } drop(A);',
    "in a closure": 'let c = |n: u8| { let x = n; §panic!("{x}") }; c(1);',
    "in a closure without braces": "let list = vec![1]; let c = |n: usize| list§[n]; c(7);",
    "in an async block": 'println!("a"); async { task::yield_now().await; §panic!("b") }.await',
    "in an async function": 'async fn g() { task::yield_now().await; §panic!("g") } println!("a"); g().await;',
    "in an awaited expression": 'async fn h(n: u8) -> u8 { n } let v = vec![1u8]; h(v§[3]).await;',
    "behind an await": "let v = vec![1]; task::yield_now().await; task::yield_now().await; v§[3];",
    "in a task": 'println!("a"); let _h = 1; task::spawn(async { task::yield_now().await; §panic!("t") }).await;',
    "in a branch": 'println!("g"); gather!(async { 1 }, async { §panic!("b") });',
    "in a loop": "let v = vec![1]; loop { let i = v.len(); for _ in 0..2 { v§[i]; } }",
    "in a branch of an if": 'let x = 5; let _y = if x > 3 { §panic!("y") } else { 1 };',
    "in an argument of a macro": 'let x = 5; println!("{x} {}", None::<u8>.§expect("none"));',
    "a macro of the cell": 'macro_rules! m { () => { panic!("in m") } } println!("a"); §m!();',
    "a macro of the cell with an argument": 'macro_rules! m { ($e:expr) => { $e } } println!("a"); m!({ §panic!("in m") });',
    "a method": "let o: Option<u8> = None; let p = o; p.§unwrap();",
    "a caller": '#[track_caller] fn f() { panic!("f") } println!("a"); §f();',
    "an assertion": "let a = 1; §assert_eq!(a, 2);",
    "an attribute": 'let a = 1; #[allow(unused)] { §panic!("{a}") }',
    "an index at the end": "let v = vec![1]; let i = 5; v§[i]",
    "an operation": "let v: Vec<u8> = Vec::new(); let n = v.len() as u8; let m = §7 / n; m",
    "in a lazy static": 'use std::sync::LazyLock; static L: LazyLock<u8> = LazyLock::new(|| §panic!("s")); *L',
    "in a thread-local": 'thread_local! { static T: u8 = §panic!("tl") } T.with(|t| *t);',
    "a question mark": 'let a = 1; let e: std::result::Result<u8, String> = Err("x".into()); let b = a + §e?; b',
    "a question mark behind an await": 'async fn q() -> std::result::Result<u8, String> { Err("x".into()) } println!("日"); §q().await?;',
    "a question mark of a method": 'println!("x"); let n: u32 = §"x".parse()?;',
    "a variable that is not kept": "let v = vec![1]; let r = &v; let s = r.as_slice(); §s[4];",
    "several lines": "let v = vec![1];\nlet w = v;  w\n    §[3];",
}


def place(code):
    """The cell without its `§`, and the line and column where that stood."""
    before, after = code.split("§")
    return before + after, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


@pytest.mark.parametrize("what", FAILING)
def test_a_failure_is_shown_where_it_stands(kernel, what):
    code, line, column = place(FAILING[what])
    result = kernel.run(code)
    number = result.reply["execution_count"]
    assert result.status == "error" and result.reply["ename"] in ("Panic", "Error"), result
    assert f"In[{number}]:{line}:{column}\n" in result.report, result.report
    assert f"(In[{number}], line {line})" in result.reply["evalue"]
    # The mark stands under the place: annotate-snippets shows a tabulator as four blanks.
    caret = next(text for text in result.report.splitlines() if "^" in text)
    quoted = result.report.splitlines()[result.report.splitlines().index(caret) - 1]
    shown = code.splitlines()[line - 1][: column - 1].replace("\t", "    ")
    assert quoted.split("|", 1)[1].startswith(f" {shown}"), result.report
    assert width(caret.split("|", 1)[1].split("^")[0]) == width(f" {shown}"), result.report


def width(text):
    return sum(2 if re.match(r"[\u3000-\u9fff\U0001f000-\U0001ffff]", c) else 1 for c in text)


@pytest.mark.parametrize(
    "code",
    [
        'println!("a"); §dbg!(1);',
        "let ä = 1; §dbg!(ä);",
        "\tlet 日 = 1;\t§dbg!(日);",
        'let s = "a\nb"; §dbg!(s);',
        "fn d() { let a = 1; §dbg!(a); } d();",
        "let c = || { let a = 1; §dbg!(a) }; c();",
        "task::yield_now().await; async { §dbg!(1) }.await;",
        'println!("x"); eprintln!("[{}:{}:{}] 1 = 1", file!(), line!(), §column!());',
    ],
)
def test_dbg_and_its_kin_tell_where_they_stand(kernel, code):
    code, line, column = place(code)
    result = kernel.run(code).ok()
    assert result.stderr.startswith(f"[In[{result.reply['execution_count']}]:{line}:{column}] "), result.stderr


def test_dbg_in_a_macro_tells_where_the_macro_is_used(kernel):
    kernel.run("macro_rules! show { ($e:expr) => { (dbg!($e), dbg!(1, 2)) } }").ok()
    code, line, column = place('let ä = 7; §show!(ä); // behind it')
    result = kernel.run(code).ok()
    at = f"[In[{result.reply['execution_count']}]:{line}:{column}]"
    assert result.stderr == f"{at} ä = 7\n{at} 1 = 1\n{at} 2 = 2\n"
    code, line, column = place("fn used() { let a = 1; §show!(a); }")
    number = kernel.run(code).ok().reply["execution_count"]
    assert kernel.run("used();").ok().stderr.startswith(f"[In[{number}]:{line}:{column}] a = 1\n")


def test_a_function_of_an_earlier_cell_keeps_its_columns(kernel):
    code, line, column = place('fn early() {} fn first(n: usize) -> u8 { let v = vec![0u8]; v§[n] } fn late() {}')
    defined = kernel.run(code).ok().reply["execution_count"]
    report = kernel.run("let a = 1; first(a);").report
    assert f"In[{defined}]:{line}:{column}\n" in report, report


def test_a_task_is_spawned_where_its_spawn_stands(kernel):
    code, line, column = place('println!("日"); let resting = §task::spawn(task::sleep(Duration::from_secs(60)));')
    number = kernel.run("use std::time::Duration;\n" + code).ok().reply["execution_count"]
    task = re.search(r"\n *(\d+) .* In\[%d\]" % number, kernel.shown(":tasks"))[1]
    assert f"In[{number}], line {line + 1}, column {column}" in kernel.shown(f":task {task}")
    kernel.run("resting.cancel().await;").ok()


def test_items_keep_their_columns_when_the_process_has_ended(fresh_kernel):
    kernel = fresh_kernel
    code, line, column = place("fn zero() {} fn first(n: usize) -> u8 { let v = vec![0u8]; v§[n] }")
    defined = kernel.run(code).ok().reply["execution_count"]
    dying, dying_line, dying_column = place("let a = 1; fn second(n: usize) -> u8 { let v = vec![0u8]; v§[n] } std::process::abort();")
    died = kernel.run(dying)
    assert died.reply["ename"] == "ChildDied"
    assert f"In[{defined}]:{line}:{column}\n" in kernel.run("first(5);").report
    assert f"In[{died.reply['execution_count']}]:{dying_line}:{dying_column}\n" in kernel.run("second(5);").report


def test_a_background_task_tells_its_place(kernel):
    code, line, column = place('println!("a"); task::spawn(async { §panic!("alone") });')
    result = kernel.run(code, background=True).ok()
    kernel.until(lambda: result.displays)
    text = without_colour(result.displays[0]["text/plain"])
    assert f"In[{result.reply['execution_count']}]:{line}:{column}\n" in text, text
