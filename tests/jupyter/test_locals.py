"""What only its own cell needs may be anything: it runs, ends with the cell, and later cells are told."""

import re

import pytest

NOTEBOOK = """
#[derive(Debug, Clone, PartialEq)]
struct Point { x: i32, name: String }
struct Noisy(&'static str);
impl Drop for Noisy { fn drop(&mut self) { println!("drop {}", self.0); } }
fn adder(n: i32) -> impl Fn(i32) -> i32 { move |x| x + n }
async fn fetch(n: u32) -> u32 { task::sleep(Duration::from_millis(1)).await; n }
async fn length(text: &str) -> usize { text.len() }
fn point(x: i32) -> Point { Point { x, name: "p".to_owned() } }
let v = vec![3, 1, 2];
let m = std::sync::Mutex::new(5);
let words: std::collections::HashMap<&str, u32> = [("a", 1)].into();
let p = point(7);
"""

# Code, its value, and what is not kept.
FINE = {
    "a closure": ("let f = |x: i32| x + 1; f(2)", "3", ["f"]),
    "an async closure": ("let f = async |x: u32| fetch(x).await + 1; f(2).await", "3", ["f"]),
    "a boxed closure": ("let f = Box::new(|x: i32| x + 1); f(2)", "3", ["f"]),
    "closures in a vector": ("let k = 4; let fs = vec![move |x: i32| x * k]; fs[0](2)", "8", ["fs"]),
    "a closure of a function": ("let f = adder(2); f(3)", "5", ["f"]),
    "a closure from a block": ("let f = { let k = 4; move |x: i32| x + k }; f(1)", "5", ["f"]),
    "a reference": ("let r = &v; r.len()", "3", ["r"]),
    "a reference to a new variable": ("let new = vec![1, 2]; let r = &new; r.len()", "2", ["r"]),
    "a reference to a field": ("let r = &p.name; r.len()", "1", ["r"]),
    "references in a vector": ("let big: Vec<_> = v.iter().filter(|n| **n > 1).collect(); big.len()", "2", ["big"]),
    "a map of references": (
        'let text = String::from("a b a");\nlet mut n = std::collections::HashMap::new();\n'
        "for word in text.split(' ') { *n.entry(word).or_insert(0) += 1; }\nn[\"a\"]",
        "2",
        ["n"],
    ),
    "an iterator": ("let it = v.iter().map(|n| n * 2); it.sum::<i32>()", "12", ["it"]),
    "an iterator of a function": ("let it = (0..3).map(adder(1)); it.sum::<i32>()", "6", ["it"]),
    "a guard": ("let g = m.lock().unwrap(); *g", "5", ["g"]),
    "a guard of a new lock": ("let k = std::sync::Mutex::new(6); let g = k.lock().unwrap(); *g", "6", ["g"]),
    "a guard that may be dropped early": (
        "let k = std::sync::Mutex::new(6); let g = k.lock().unwrap(); let n = *g; if n > 9 { drop(g); } n",
        "6",
        ["g", "k"],
    ),
    "a guard across an await": (
        "let k = async_std::sync::Mutex::new(1); let mut g = k.lock().await; *g += fetch(1).await; *g",
        "2",
        ["g"],
    ),
    "a stream": (
        'use async_std::prelude::*; use async_std::stream;\nlet slow = stream::interval(Duration::from_millis(1)).take(2)'
        '.map(|_| "tick");\nslow.collect::<Vec<_>>().await.len()',
        "2",
        ["slow"],
    ),
    "a future that borrows": ('let text = String::from("abc"); let l = length(&text); task::block_on(l)', "3", ["l"]),
    "a let else": ("let Some(head) = v.first() else { return }; *head", "3", ["head"]),
    "a part of a tuple": ("let (n, r) = (v.len(), &v); r.len() + n", "6", ["r"]),
    "a question mark": ('let r = &v; let n: usize = "1".parse()?; r.len() + n', "4", ["r"]),
    "the value itself": ("let r = &v; r", "[3, 1, 2]", ["r"]),
    "many": ("let f = |x: i32| x + 1; let g = |x: i32| f(x) * 2; let mut it = v.iter(); it.next(); g(1)", "4", ["f", "g", "it"]),
}


@pytest.fixture
def notebook(kernel):
    if kernel.run("adder(v.len() as i32 - 3)(p.x)").status != "ok":
        kernel.run(NOTEBOOK).ok()
    return kernel


def said(result):
    return [data["text/plain"] for data in result.displays]


@pytest.mark.parametrize("what", FINE)
def test_what_only_its_own_cell_needs_may_be_anything(notebook, what):
    code, value, plain_names = FINE[what]
    # Names of their own, since a note is written once.
    suffix = f"_{list(FINE).index(what)}"
    names = [name + suffix for name in plain_names]
    for name in plain_names:
        code = re.sub(rf"\b{name}\b", name + suffix, code)
    result = notebook.run(code).ok()
    assert result.text == value
    [note] = said(result)
    for name in names:
        assert f"`{name}` (line " in note and "is not kept for later cells" in note, note
    assert notebook.run("(v.len(), *m.lock().unwrap(), words.len(), p.x)").ok().text == "(3, 5, 1, 7)"
    number = result.reply["execution_count"]
    for name in names:
        later = notebook.run(f"{name};")
        assert f"`{name}` of In[{number}], line " in later.reply["evalue"], later.reply["evalue"]
        assert "was not kept" in later.report and "to keep " in later.report, later.report


def test_what_can_be_kept_beside_it_is(notebook):
    notebook.run("let new = vec![1]; let r = &new; let (a, mut b, c) = (r.len(), 2, &new); b += c.len();").ok()
    assert notebook.run("(new, a, b)").ok().text == "([1], 1, 3)"
    notebook.run("let k = std::sync::Mutex::new(6); let mut g = k.lock().unwrap(); *g += 1;").ok()
    assert notebook.run("*k.lock().unwrap()").ok().text == "7"
    notebook.run("let f = fetch(4);").ok()
    assert notebook.run("f.await").ok().text == "4"
    notebook.run("let f = |x: i32| x; let f = f(2);").ok()
    assert notebook.run("f").ok().text == "2"


def test_a_note_is_written_once(notebook):
    cell = "let once = |x: i32| x + 1; once(2)"
    assert len(said(notebook.run(cell).ok())) == 1
    again = notebook.run(cell).ok()
    assert said(again) == [] and again.text == "3"
    assert said(notebook.run("let once = v.iter(); once.count()").ok()) != []


def test_it_is_dropped_at_the_end_of_its_cell_in_order(notebook):
    code = """
    let a = Noisy("a"); let b = Noisy("b");
    let f = move || { let a = &a; a.0.len() }; let g = move || { let b = &b; b.0.len() };
    println!("{}", f() + g());
    """
    assert notebook.run(code).ok().stdout == "2\ndrop b\ndrop a\n"
    assert notebook.run('println!("next");').ok().stdout == "next\n"
    panics = 'let n = Noisy("n"); let f = move || n.0.len(); f(); panic!("here")'
    result = notebook.run(panics)
    assert result.reply["ename"] == "Panic" and result.stdout == "drop n\n"


def test_a_stored_variable_of_that_name_does_not_come_back(notebook):
    notebook.run('let f = vec![1, 2];').ok()
    assert notebook.run("let g = f.len(); let f = |x: usize| x + g; f(1)").ok().text == "3"
    assert "was not kept" in notebook.run("f").reply["evalue"]
    notebook.run("let f = vec![1, 2];").ok()
    assert notebook.run("let f = f.iter(); f.count()").ok().text == "2"
    assert notebook.run("f").ok().text == "[1, 2]"
    failed = notebook.run('let f = |x: i32| x + 1; f(1); panic!("no")')
    assert failed.reply["ename"] == "Panic"
    assert notebook.run("f").ok().text == "[1, 2]"


def test_an_interrupt_costs_nothing(notebook):
    cell = notebook.start('let r = &v; let g = m.lock().unwrap(); println!("on"); task::sleep(Duration::from_secs(60)).await; r.len()')
    notebook.until(lambda: cell.stdout)
    notebook.interrupt()
    assert notebook.wait(cell).reply["ename"] == "Interrupted"
    assert notebook.run("(v.len(), m.try_lock().is_err_and(|e| e.to_string().contains(\"block\")))").ok().text == "(3, false)"


def test_what_is_wrong_is_still_said_as_rustc_says_it(notebook):
    for code, error, place in [
        ("let f = |x: i32| x + 1;\nf(\"a\")", "E0308", "2:3"),
        ("let f = |x: i32| missing;", "E0425", "1:18"),
        ("let r = &v; drop(v); r.len()", "E0505", ""),
        ("let x = Default::default();", "E0790", ""),
        ("let f = |x| x; let y = f;", "E0282", ""),
    ]:
        result = notebook.run(code)
        assert result.reply["ename"] == "CompileError" and error in result.report and place in result.report, result.report
    assert notebook.run("v").ok().text == "[3, 1, 2]"
