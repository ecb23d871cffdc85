"""Panics, failed `?`, compile errors, and variables whose cell fails."""

import re

import pytest

FAILURES = {
    "panic": ('panic!("boom")', "Panic", "boom"),
    "assert": ("assert!(1 > 2);", "Panic", "1 > 2"),
    "assert_eq": ('assert_eq!(1, 2, "not equal");', "Panic", "not equal"),
    "unwrap": ("None::<u8>.unwrap();", "Panic", "None"),
    "index": ("vec![1, 2, 3][kept.len() + 7];", "Panic", "out of bounds"),
    "question mark": ('"x".parse::<i32>()?;', "Error", "invalid digit"),
    "question mark on None": ("None::<u8>?;", "Error", "None"),
    "debug-only error": ("Err::<(), OnlyDebug>(OnlyDebug { code: 7 })?;", "Error", "7"),
    "in a function": ("fails(1);", "Panic", "in a function"),
    "in an async function": ("fails_later().await;", "Panic", "much later"),
}

ITEMS = """
#[derive(Debug)] struct OnlyDebug { code: u8 }
fn fails(n: u8) { if n == 1 { panic!("in a function") } }
async fn fails_later() { async_std::task::yield_now().await; panic!("much later") }
"""

# What stands in the cell, and what the error must say.
HINTS = {
    "gather awaited": ("gather!(async { 1 }, async { 2 }).await", "gather!"),
    "gather nested": ("gather!(gather!(async { 1 }, async { 2 }), async { 3 })", "gather!"),
}

BROKEN = ["let = ;", "use std::", "}", "fn f( {", 'let s = "abc;', "let x = 1 +;", "/* never closed"]


@pytest.fixture(scope="module")
def with_a_variable(module_kernel):
    module_kernel.run("let kept = vec![1, 2, 3];").ok()
    module_kernel.run(ITEMS).ok()


@pytest.fixture
def kept(with_a_variable, kernel):
    """A kernel with a variable and items; the variable must be there in the end."""
    yield kernel
    assert kernel.run("kept.len()").ok().text == "3"


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_one_error_with_the_line(kept, failure):
    code, ename, text = FAILURES[failure]
    result = kept.run(f"// the failure is in line 2\n{code}")
    assert (result.status, result.reply["ename"]) == ("error", ename)
    assert text in result.reply["evalue"] + result.report
    assert [kind for kind, _ in result.outputs] == ["error"], str(result)
    assert code.rstrip(";") in result.report or "in a function" in failure or "async" in failure
    assert "stack backtrace" not in result.report and "\x1b[" in "".join(result.reply["traceback"])


def test_a_failed_question_mark_shows_its_sources(kept):
    code = """
    #[derive(Debug)] struct Outer(std::num::ParseIntError);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "the outer error") }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> { Some(&self.0) }
    }
    """
    kept.run(code).ok()
    result = kept.run('"x".parse::<i32>().map_err(Outer)?;')
    assert "the outer error" in result.reply["evalue"]
    assert "invalid digit" in result.report


def test_run_all_stops_at_a_failure(kept):
    cells = [kept.start(code) for code in ('panic!("first")', "1", "2")]
    assert [kept.wait(cell).status for cell in cells] == ["error", "aborted", "aborted"]


def test_hooks_and_catches_of_the_user_confuse_nothing(kept):
    caught = kept.run('std::panic::catch_unwind(|| panic!("caught")).is_err()').ok()
    assert caught.text == "true" and caught.error is None
    kept.run('std::panic::set_hook(Box::new(|_| println!("my hook")));').ok()
    result = kept.run('panic!("behind my hook")')
    assert result.reply["ename"] == "Panic" and "behind my hook" in result.reply["evalue"]


def test_a_panic_of_a_detached_task_is_shown_under_its_cell(kept):
    code = """
    async_std::task::spawn(async {
        async_std::task::sleep(std::time::Duration::from_millis(300)).await;
        panic!("nobody awaits me");
    });
    """
    result = kept.run(code, background=True).ok()
    kept.until(lambda: result.displays)
    assert "nobody awaits me" in str(result.displays[0])
    assert kept.run("1").ok().outputs == [("result", {"text/plain": "1"})]


def test_a_panic_of_an_awaited_task_fails_the_cell_that_awaits(kept):
    kept.run('let doomed = async_std::task::spawn(async { if true { panic!("in the task") } });', background=True).ok()
    result = kept.run("doomed.await")
    assert result.reply["ename"] == "Panic" and "in the task" in result.reply["evalue"] + result.report


def test_a_compile_error_names_code_line_and_span(kept):
    result = kept.run('let fine = 1;\n\nlet wrong: u32 = "text";\nlet fine_too = 2;')
    assert result.reply["ename"] == "CompileError"
    assert "E0308" in result.report and re.search(r"\D3:18\b", result.report), result.report
    assert 'let wrong: u32 = "text";' in result.report and "^^^^^^" in result.report
    assert "\x1b[" in "".join(result.reply["traceback"])
    assert [kind for kind, _ in result.outputs] == ["error"]


def test_an_error_in_an_async_function_names_its_line(kept):
    result = kept.run("async fn f() -> u32 {\n    async_std::task::yield_now().await;\n    missing_name\n}")
    assert "E0425" in result.report and re.search(r"\D3:5\b", result.report), result.report


@pytest.mark.parametrize("what", HINTS)
def test_misuse_of_async_has_a_hint(kept, what):
    code, hint = HINTS[what]
    result = kept.run(code)
    assert result.reply["ename"] == "CompileError" and hint in result.report, result.report


@pytest.mark.parametrize(
    "code, then, value",
    [
        ("let (a, b) = futures::join!(async { 1 }, async { 2 }); assert_eq!((a, b), (1, 2));", "a + b", "3"),
        ("let x = tokio::select! { a = async { 1 } => a, b = async { 1 } => b };", "x", "1"),
        ("let (mut c, d) = tokio::join!(async { vec![1] }, async { 2.5 });", "c.push(2); (&c, d)", "([1, 2], 2.5)"),
    ],
)
def test_what_macros_of_others_give_is_kept(kept, code, then, value):
    """evcxr names the first variable that it cannot keep, and looks at them in no order."""
    for _ in range(3):
        assert not kept.run(code).ok().displays
        assert kept.run(then).ok().text == value


@pytest.mark.parametrize("code", BROKEN)
def test_broken_code_is_an_error(kept, code):
    result = kept.run(code)
    assert result.reply["ename"] == "CompileError", str(result)


def test_warnings_are_shown_once(kept):
    code = "fn unused(argument: u8) -> u8 { let forgotten = 1; 2 }"
    first = kept.run(code).ok()
    shown = "".join(bundle["text/plain"] for bundle in first.displays)
    assert "forgotten" in shown and "unused variable" in shown
    assert kept.run("unused(1)").ok().displays == []


@pytest.mark.parametrize(
    "how",
    ['panic!("no")', '"x".parse::<i32>()?', "loop { task::sleep(Duration::from_secs(3600)).await }"],
    ids=["panics", "fails", "is interrupted"],
)
def test_a_definition_that_fails_keeps_the_old_value_or_says_so(kernel, how):
    kernel.run("use async_std::task;\nuse std::time::Duration;").ok()
    kernel.run("let name = vec![1, 2, 3];").ok()
    redefinition = kernel.start(f'println!("begun");\nlet name: Vec<i32> = {{ {how}; vec![] }};')
    kernel.until(lambda: "begun" in redefinition.stdout)
    if "sleep" in how:
        kernel.interrupt()
    kernel.wait(redefinition)
    assert redefinition.status == "error"
    later = kernel.run("name.len()")
    if later.status == "error":
        assert "name" in redefinition.report, "what went is named"
    else:
        assert later.text == "3"


# A value, how it is defined anew in a cell that fails, and what evaluates to it.
KEPT = {
    "not used": ("vec![1, 2]", "let old = { panic!(); };", "old.len()", "2"),
    "in another pattern": ("vec![1, 2]", "let (old, more) = (vec![1], 2); panic!();", "old.len()", "2"),
    "a count": ("5", "let old = old + 1; panic!();", "old", "5"),
    "text": ('String::from("old")', 'let old = format!("{old} and new"); panic!();', "old", '"old"'),
    "moved text": ('String::from("old")', 'let old = old + "new"; panic!();', "old", '"old"'),
    "returned before": ("7", "let old = 8; if old == 8 { return; }", "old", "7"),
}


@pytest.mark.parametrize("what", KEPT)
def test_the_old_value_is_kept_if_it_can_be_had(kernel, what):
    value, code, look, text = KEPT[what]
    kernel.run(f"let old = {value};").ok()
    failed = kernel.run(code)
    assert "Lost" not in failed.report
    assert kernel.run(look).ok().text == text
    kernel.run("let old = 9;").ok()
    assert kernel.run("old").ok().text == "9"


def test_an_old_value_is_dropped_when_it_has_been_replaced(kernel):
    kernel.run('struct Loud(u8);\nimpl Drop for Loud { fn drop(&mut self) { println!("dropped {}", self.0); } }').ok()
    kernel.run("let loud = Loud(1);").ok()
    assert kernel.run("let loud = Loud(2);").ok().stdout == "dropped 1\n"
    failed = kernel.run("let loud = Loud(3); panic!();")
    assert (failed.reply["ename"], failed.stdout) == ("Panic", "dropped 3\n")
    assert kernel.run("drop(loud);").ok().stdout == "dropped 2\n"


def test_a_value_that_the_cell_has_used_up_is_named(kernel):
    kernel.run("let used = std::sync::Arc::new(1);").ok()
    failed = kernel.run("drop(used); let used = 2; panic!();")
    assert failed.reply["ename"] == "Panic" and "`used`" in failed.report


def test_warnings_of_earlier_cells_are_not_taken_for_errors(fresh_kernel):
    fresh_kernel.run("fn g(n: u32) -> u32 { let unused = 3; 5 }").ok()
    [note] = [display["text/plain"] for display in fresh_kernel.run("let k = |m: u32| m + g(1); k(1);").ok().displays]
    assert "it is a closure" in note and "unused" not in note


def test_closures_in_errors_have_no_places_of_ours(kernel):
    failed = kernel.run(
        "use std::rc::Rc; let list = Rc::new(vec![1]);\n"
        "let reader = std::thread::spawn({ let list = Rc::clone(&list); move || list.len() });"
    )
    assert "E0277" in failed.report and "{closure" in failed.report and "lib.rs" not in failed.report, failed.report
