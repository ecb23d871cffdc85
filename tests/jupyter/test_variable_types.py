"""Types of variables come from the compiler, in the compilation that defines them."""

import time

import pytest

from starting import compiled_crates

ITEMS = """
use std::collections::HashMap;
#[derive(Debug, Clone, PartialEq)] struct P { x: u8, y: (u8, u8) }
mod shapes {
    #[derive(Debug)] pub struct Grid<const N: usize>(pub [u8; N]);
    mod inner { #[derive(Debug)] pub struct Hidden(pub u8); }
    pub fn hidden() -> inner::Hidden { inner::Hidden(3) }
    #[derive(Debug)] pub enum Vec { A }
}
trait Named { fn name(&self) -> String { "n".into() } }
impl Named for P {}
fn double(n: i32) -> i32 { n * 2 }
async fn answer() -> u32 { 42 }
macro_rules! pair { ($a:expr) => { ($a, $a) } }
"""

# A cell, what `:vars` says of its variables, and an expression of a later cell with its value.
KEPT = [
    ("let a = 5; let a = \"a\";", "a: &str", "a.len()", "1"),
    ("let m: HashMap<_, _> = [(1, \"x\")].into();", "m: std::collections::HashMap<i32, &str>", "m[&1]", "\"x\""),
    ("let (mut v, p) = (vec![1u8], P { x: 1, y: (2, 3) });", "v: Vec<u8>\np: P", "v.push(p.x); v.len()", "2"),
    ("let P { x: px, y: (_, py) } = p.clone();", "px: u8\npy: u8", "px + py", "4"),
    ("let [first, .., last] = [1, 2, 3, 4];", "first: i32\nlast: i32", "first + last", "5"),
    ("let Some(some) = Some(1.5) else { panic!() };", "some: f64", "some", "1.5"),
    ("let late; late = 7u64;", "late: u64", "late", "7"),
    ("let ref referred = 5; let whole @ (left, _) = (1, 2);", "whole: (i32, i32)\nleft: i32", "whole.0 + left", "2"),
    ("let grid = shapes::Grid([0; 1 + 2]);", "grid: shapes::Grid<3>", "grid.0.len()", "3"),
    ("let mine = shapes::Vec::A;", "mine: shapes::Vec", "mine", "A"),
    ("let twice = pair!(2u16);", "twice: (u16, u16)", "twice.0 + twice.1", "4"),
    ("let function = double;", "function: fn(i32) -> i32", "function(4)", "8"),
    ("let boxed = Box::new(P { x: 9, y: (0, 0) }) as Box<dyn Named + Send>;", "boxed: Box<dyn Named + Send>", "boxed.name()", "\"n\""),
    ("let result = \"5\".parse::<i32>();", "result: Result<i32, std::num::ParseIntError>", "result.clone().unwrap()", "5"),
    ("let task = task::spawn(answer());", "task: async_std::task::JoinHandle<u32>", "task.await", "42"),
    ("let future = answer();", None, "future.await", "42"),
    ("let r#try = 'x';", "r#try: char", "r#try", "'x'"),
    ("let mutex = std::sync::Mutex::new(1);", None, "*mutex.lock().unwrap()", "1"),
]


@pytest.fixture(scope="module")
def typed(module_kernel):
    module_kernel.run(ITEMS).ok()
    return module_kernel


@pytest.mark.parametrize("code, shown, use, value", KEPT, ids=[code[:30] for code, *_ in KEPT])
def test_a_variable_of_a_type_that_nobody_wrote_is_there_in_later_cells(typed, code, shown, use, value):
    typed.run(code).ok()
    lines = typed.shown(":vars").splitlines()
    assert [line for line in (shown or "").splitlines() if line not in lines] == [], lines
    assert typed.run(use).ok().text == value


def test_what_cannot_be_named_is_said_and_costs_nothing_else(typed):
    for code, why in [
        ("let n = 1; let add = (|| move |x: i32| x + n)();", "closure"),
        ("let n = 2; let secret = shapes::hidden();", "cannot be seen"),
        ("let n = 3; let mapped = [1].into_iter().map(double);", "cannot be written"),
        ("let n = 4; let inner = { struct Inner; Inner };", "cannot be seen"),
    ]:
        result = typed.run(code).ok()
        assert why in result.displays[0]["text/plain"], result.displays
        assert typed.run("n").ok().text == code[8]


def test_names_that_a_notebook_takes_from_the_standard_library_change_no_type(fresh_kernel):
    fresh_kernel.run("let before = vec![Some(String::from(\"a\"))];").ok()
    fresh_kernel.run("#[derive(Debug)] struct Vec; #[derive(Debug)] struct Option; #[derive(Debug)] struct String;").ok()
    assert fresh_kernel.run("before.len()").ok().text == "1"
    fresh_kernel.run("let after = Vec;").ok()
    assert fresh_kernel.run("after").ok().text == "Vec"


def test_a_cell_with_new_variables_is_compiled_once(fresh_kernel):
    fresh_kernel.run("1").ok()
    # Of this run alone: what was compiled before would come from the cache.
    cells = [f"const RUN: u128 = {time.time_ns()}; let a = 1; let (b, c) = (a, \"c\");", "let d = vec![b];", "let d = d.len();", "let h = std::thread::spawn(|| 1);"]
    before = compiled_crates(fresh_kernel.pid).count("ctx")
    for cell in cells:
        fresh_kernel.run(cell).ok()
    assert compiled_crates(fresh_kernel.pid).count("ctx") - before == len(cells)
    assert fresh_kernel.run("(a, b, c, d)").ok().text == "(1, 1, \"c\", 1)"


def test_a_failed_cell_changes_no_type(fresh_kernel):
    fresh_kernel.run("let a = vec![1];").ok()
    for failing in ["let a = \"x\"; panic!()", "let a = 'x'; nonsense", "let a = 1.5; Err::<(), _>(\"no\")?"]:
        assert fresh_kernel.run(failing).status == "error"
        assert "a: Vec<i32>" in fresh_kernel.shown(":vars").splitlines()
        assert fresh_kernel.run("a.len()").ok().text == "1"
    fresh_kernel.run("let a = 2u8;").ok()
    assert fresh_kernel.run("a").ok().text == "2"
    assert "a: u8" in fresh_kernel.shown(":vars").splitlines()


def test_a_moved_variable_is_gone_and_the_others_stay(fresh_kernel):
    fresh_kernel.run("let a = vec![1]; let b = vec![2]; let c = a;").ok()
    assert fresh_kernel.shown(":vars").splitlines() == ["b: Vec<i32>", "c: Vec<i32>"]
    fresh_kernel.run("let d = c;").ok()
    assert fresh_kernel.shown(":vars").splitlines() == ["b: Vec<i32>", "d: Vec<i32>"]


MANY_LINES = """let a = 1u8;
let table: std::collections::HashMap<
    String, // its name
    u32,
> = Default::default();
let z = 'z';
let other: Vec<
    u8,
> = vec![a];"""


def test_a_written_type_may_have_several_lines(fresh_kernel):
    """In which order evcxr writes variables is another one in each cell."""
    fresh_kernel.run(MANY_LINES).ok()
    for n in range(8):
        fresh_kernel.run(f"let extra{n} = {n};").ok()
        assert fresh_kernel.run("(a, table.len(), z, other.len())").ok().text == "(1, 0, 'z', 1)"


@pytest.mark.parametrize("name", ["x\u0302", "संख्या", "मूल्य", "größe", "r#type"])
def test_a_variable_and_a_type_may_have_any_name(kernel, name):
    kernel.run(f"let {name} = vec![7];").ok()
    assert kernel.run(f"{name}.len()").ok().text == "1"
    if not name.startswith("r#"):
        kernel.run(f"#[allow(non_camel_case_types)] #[derive(Debug, Clone)] struct T{name}(u8);\nlet value = vec![T{name}(3)];").ok()
        assert kernel.run("value[0].0").ok().text == "3"


def test_a_module_may_have_impl_in_its_name(kernel):
    kernel.run("mod shape_impl { #[derive(Debug)] pub struct S; }").ok()
    assert not kernel.run("let shape = shape_impl::S;").ok().displays
    assert kernel.run("shape").ok().text == "S"


def test_what_a_file_calls_finds_its_variable(kernel, tmp_path):
    (tmp_path / "called.rs").write_text("double(4)")
    kernel.run("let double: fn(i32) -> i32 = |n| n * 2;").ok()
    assert kernel.run(f'include!("{tmp_path}/called.rs")').ok().text == "8"
