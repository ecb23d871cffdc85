"""What is shown can be read: long values by their ends and their number, text as text, one result per cell, and no escape codes."""

import pytest

NOTE = "`loopbook::whole(&value)` shows all of it"
PICTURE = r"""
struct Picture(&'static str);
impl Picture {
    fn evcxr_display(&self) {
        println!("EVCXR_BEGIN_CONTENT text/html\n<b>{}</b>\nEVCXR_END_CONTENT", self.0);
        println!("EVCXR_BEGIN_CONTENT text/plain\n{}\nEVCXR_END_CONTENT", self.0);
    }
}
"""


@pytest.mark.parametrize(
    ("value", "begins", "between", "items"),
    [
        ("vec![0u8; 1_000_000]", "[0, 0, 0, ", ", … 999,970 more …, 0, ", "1,000,000 items"),
        ("&[1.5; 100_000]", "[1.5, 1.5, ", ", … 99,970 more …, ", "100,000 items"),
        ("(0..100_000).map(|n| (n, n)).collect::<std::collections::BTreeMap<_, _>>()", "{0: 0, 1: 1, ", "more", "100,000 items"),
        ("(0..100_000).collect::<std::collections::HashSet<_>>()", "{", "… 99,980 more …}", "100,000 items"),
        ("vec![vec![1; 10_000]; 10_000]", "[[1, 1, 1, ", ", … 9,970 more …, 1, ", "10,000 items"),
        ('"x".repeat(1_000_000)', '"xxx', "xxx… 995,000 characters …xxx", "1,000,000 characters"),
        ("Some(vec![7; 100_000])", "Some([7, 7, ", ", … 99,970 more …, ", "300,006 characters"),
        ("std::rc::Rc::new(vec![Some(7); 100_000])", "[Some(7), Some(7), ", ", … 99,970 more …, ", "100,000 items"),
    ],
)
def test_a_long_value_shows_its_ends_and_its_length(kernel, value, begins, between, items):
    text = kernel.run(value).ok().text
    assert text.startswith(begins) and between in text and text.endswith(f"\n{items} in all; {NOTE}"), text
    assert len(text) < 6_000


def test_so_does_a_type_of_the_users_own(kernel):
    kernel.run("#[derive(Debug, Clone)] struct Series { name: String, values: Vec<f64>, next: Option<Box<Series>> }").ok()
    kernel.run('let series = Series { name: "x".into(), values: vec![0.5; 200_000], next: None };').ok()
    kernel.run("let nested = Series { next: Some(Box::new(series.clone())), ..series.clone() };").ok()
    text = kernel.run("nested").ok().text
    assert text.startswith('Series { name: "x", values: [0.5, 0.5, ') and text.count("… 199,970 more …") == 2, text
    assert "next: Some(Series { name:" in text and "next: None }) }\n" in text
    shown = kernel.run("loopbook::display(vec![series.clone(); 3]);").ok().displays[0]["text/plain"]
    assert shown.count("… 199,970 more …") == 3 and len(shown) < 6_000
    text = kernel.run("vec![&series; 100]").ok().text
    assert text.endswith(f"100 items in all; {NOTE}") and "nested" not in text


def test_a_display_at_the_end_of_a_cell_shows_once(kernel):
    for code in ('loopbook::display("once")', 'let shown = loopbook::display("once");\nshown'):
        result = kernel.run(code).ok()
        assert result.outputs == [("display", {"text/plain": "once"})], str(result)
    kernel.run('shown.update("twice")', background=True).ok()


def test_a_handle_at_the_end_of_a_cell_says_what_it_is_and_what_to_do(kernel):
    code = 'let handle = task::Builder::new().name("poller".into()).spawn(task::sleep(Duration::from_secs(60))).unwrap();\n&handle'
    result = kernel.run(code).ok()
    cell = result.reply["execution_count"]
    assert result.text.startswith("JoinHandle of task ") and f'"poller" (In[{cell}], line 1), ' in result.text, result.text
    assert result.text.endswith(": write `.await` behind it for its value")
    assert kernel.run("vec![(1, &handle)]").ok().text.startswith("[(1, JoinHandle { task: ")
    kernel.run("handle.cancel().await").ok()
    assert "write `.await`" in kernel.run("task::spawn(async { 1 })").ok().text
    assert "`.join()`" in kernel.run("std::thread::spawn(|| 1)").ok().text
    assert "tokio's task" in kernel.run("tokio::spawn(async { 1 })").ok().text
    assert kernel.run("task::current()").ok().text.startswith('the task "In[')


def test_all_of_it_is_there_on_request(kernel):
    kernel.run("let numbers: Vec<u32> = (0..50_000).collect();").ok()
    assert kernel.run("loopbook::whole(&numbers)").ok().text == str(list(range(50_000)))
    assert kernel.run("numbers[..900].to_vec()").ok().text == str(list(range(900))), "not so long"


def test_a_display_that_is_too_large_is_refused_and_nothing_is_lost(fresh_kernel):
    fresh_kernel.run("let kept = 7;").ok()
    result = fresh_kernel.run('loopbook::display_as("text/plain", "x".repeat(70_000_000));').ok()
    assert "too large to be shown" in result.displays[0]["text/plain"]
    assert fresh_kernel.run("kept").ok().text == "7"


@pytest.mark.parametrize(
    "code",
    [
        'Err::<(), _>("x".repeat(1_000_000))?;',
        'panic!("{}", "x".repeat(1_000_000));',
        "Err::<(), _>(vec![1_u8; 1_000_000]).unwrap();",
        "#[derive(Debug)] struct Wrong(Vec<u8>);\nErr::<(), _>(Wrong(vec![1; 1_000_000]))?;",
    ],
)
def test_an_error_with_a_long_value_is_short(kernel, code):
    result = kernel.run(code)
    assert result.status == "error" and len(result.report) < 50_000 and "…" in result.reply["evalue"], result.report[:300]


def test_text_is_text(kernel):
    kernel.run('let owned = String::from("two\\nlines");').ok()
    for shown in ['"two\\nlines"', "&owned", "owned.clone()", 'format!("two\\nlines")', "owned.as_str()"]:
        assert kernel.run(f"loopbook::display({shown});").ok().displays == [{"text/plain": "two\nlines"}], shown
    assert kernel.run("&owned").ok().text == '"two\\nlines"', "the value of a cell is shown as code"


def test_content_is_made_of_any_text(kernel):
    for name, mime in (("Html", "text/html"), ("Markdown", "text/markdown"), ("Svg", "image/svg+xml")):
        for text in ['"<b>1</b>"', 'String::from("<b>1</b>")', 'format!("<b>{}</b>", 1)', '&String::from("<b>1</b>")']:
            result = kernel.run(f"let kept = loopbook::{name}({text}); kept").ok()
            assert result.of("result")[0][mime] == "<b>1</b>", (name, text)


def test_a_value_that_shows_itself_is_the_result_of_its_cell(kernel):
    kernel.run(PICTURE).ok()
    result = kernel.run('println!("before"); Picture("a").evcxr_display(); Picture("b")').ok()
    assert [kind for kind, _ in result.outputs] == ["stdout", "display", "result"]
    assert result.of("result") == [{"text/html": "<b>b</b>", "text/plain": "b"}]
    message = next(m for m in result.messages if m.type == "execute_result")
    assert message.content["execution_count"] == result.reply["execution_count"]
    kernel.run('let picture = Picture("kept");').ok()
    assert kernel.run("&picture").ok().of("result")[0]["text/plain"] == "kept"
    assert kernel.run("picture.evcxr_display();").ok().of("result") == [], "a statement has no value"
    assert kernel.run("vec![1]").ok().text == "[1]"


def test_what_is_shown_beside_cells_has_no_escape_codes(kernel):
    result = kernel.run('fn f() { let unused = 1; }\ndrop(async_std::task::spawn(async { panic!("on purpose") }));', background=True)
    kernel.until(lambda: len(result.displays) > 1 or result.status != "ok")
    for shown in result.ok().displays:
        assert "\x1b" not in "".join(map(str, shown.values())), shown


def test_one_task_is_counted_as_one(kernel):
    kernel.run("let (_, one) = loopbook::trace(async_std::task::sleep(std::time::Duration::from_millis(5))).await;").ok()
    shown = kernel.run("one").ok().of("result")[0]
    assert "1 task;" in shown["text/plain"] and "1 task in " in shown["text/html"], shown["text/plain"]
