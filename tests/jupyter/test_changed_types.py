"""Definitions that change in every way that decides a layout. Never a crash, never a wrong
value; what has to go is named, and nothing else goes."""

import pytest

# What is defined first, a variable `x` made of it, and the change.
CHANGES = {
    "fields swapped": ("struct A1 { b: u8, a: u8 }", "A1 { b: 1, a: 2 }", "struct A1 { a: u8, b: u8 }"),
    "an alias of an alias": ("type A2 = u32; type B2 = Vec<A2>; struct C2(B2);", "C2(vec![1])", "type A2 = [u8; 3];"),
    "a module": ("mod m3 { pub struct P(pub u8); }", "m3::P(1)", "mod m3 { pub struct P(pub String); }"),
    "the length of an array": ("const N4: usize = 2; struct A4([u8; N4]);", "A4([1; N4])", "const N4: usize = 40;"),
    "a function that gives a length": (
        "const fn n5() -> usize { 2 }\nstruct A5([u8; n5()]);",
        "A5([1; 2])",
        "const fn n5() -> usize { 9 }",
    ),
    "an associated type": (
        "trait T6 { type Out; }\nstruct A6;\nimpl T6 for A6 { type Out = u8; }\nstruct W6(<A6 as T6>::Out);",
        "W6(1)",
        "impl T6 for A6 { type Out = String; }",
    ),
    "a parameter more": ("struct A7 { a: u8 }", "A7 { a: 1 }", "struct A7<T> { a: T }"),
    "another import": (
        "mod a8 { pub struct P8(pub u8); }\nmod b8 { pub struct P8(pub String); }\nuse a8::P8;",
        "P8(1)",
        "use b8::P8;",
    ),
    "behind `dyn Any`": (
        "use std::any::Any;\nstruct A9 { b: u8, a: u8 }",
        "Box::new(A9 { b: 1, a: 2 }) as Box<dyn std::any::Any + Send>",
        "struct A9 { a: u8, b: u8 }",
    ),
    "a trait behind `dyn`": (
        "trait T10 { fn a(&self) -> u8 { 1 } }\nstruct A10;\nimpl T10 for A10 {}",
        "Box::new(A10) as Box<dyn T10>",
        "trait T10 { fn z(&self) -> u8 { 9 } fn a(&self) -> u8 { 1 } }\nimpl T10 for A10 {}",
    ),
}

UNCHANGED = {
    "blanks and comments": ("struct B1 { a: u8 }", "B1 { a: 7 }", "// new\nstruct B1 {\n    a: /* here */ u8\n}"),
    "a derive": ("struct B2 { a: u8 }", "B2 { a: 7 }", "#[derive(Debug, Clone)]\nstruct B2 { a: u8 }"),
    "an import more": ("mod m3b { pub struct P3(pub u8); pub struct Q3; }\nuse m3b::P3;", "P3(7)", "use m3b::{P3, Q3};"),
    "a method's body": (
        "struct B4 { a: u8 }\nimpl Iterator for B4 { type Item = u8; fn next(&mut self) -> Option<u8> { None } }",
        "B4 { a: 7 }",
        "impl Iterator for B4 { type Item = u8; fn next(&mut self) -> Option<u8> { Some(1) } }",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_change_reaches_is_dropped_and_named(kernel, what):
    before, value, after = CHANGES[what]
    kernel.run(before).ok()
    kernel.run(f"let x = {value};\nlet bystander = 5;").ok()
    changed = kernel.run(after).ok()
    assert "`x`" in said_of(changed) and "bystander" not in said_of(changed), str(changed)
    assert kernel.run("let _ = &x;").reply["ename"] == "CompileError"
    assert kernel.run("bystander").ok().text == "5"


@pytest.mark.parametrize("what", UNCHANGED)
def test_what_changes_no_layout_drops_nothing(kernel, what):
    before, value, after = UNCHANGED[what]
    kernel.run(before).ok()
    kernel.run(f"let x = {value};").ok()
    assert "Dropped" not in said_of(kernel.run(after).ok())
    assert kernel.run("let _ = &x;").ok()


def test_a_change_that_does_not_compile_drops_nothing(kernel):
    kernel.run("struct C1 { a: u8 }\nlet kept = C1 { a: 7 };").ok()
    failed = kernel.run("struct C1 { a: u8, b: u8 }\nkept.a")
    assert "`kept` cannot be used in a cell that changes the definition of `C1`" in failed.report
    assert not failed.displays, "nothing was dropped"
    assert kernel.run("kept.a").ok().text == "7"


def test_a_static_of_a_changed_type_begins_anew(kernel):
    kernel.run("use std::sync::Mutex;\n#[derive(Debug)] struct Old { a: u8, b: u8 }").ok()
    kernel.run("static LIST: Mutex<Vec<Old>> = Mutex::new(Vec::new());\nfn push(a: u8) { LIST.lock().unwrap().push(Old { a, b: 0 }) }").ok()
    kernel.run("push(3);").ok()
    assert kernel.run("LIST.lock().unwrap()[0].a").ok().text == "3"
    changed = kernel.run("#[derive(Debug)] struct Old { b: u8, a: u8 }").ok()
    assert "LIST" in said_of(changed)
    assert kernel.run("LIST.lock().unwrap().len()").ok().text == "0"
    kernel.run("push(4);").ok()
    assert "LIST" not in said_of(kernel.run("#[derive(Debug)] struct Old { b: u8, a: u8 } // the same").ok())
    assert kernel.run("LIST.lock().unwrap()[0].a").ok().text == "4"


def test_a_static_and_its_type_can_change_in_one_cell(kernel):
    cell = "use std::cell::RefCell;\nstruct Both {{ {} }}\nthread_local! {{ static BOTH: RefCell<Vec<Both>> = const {{ RefCell::new(Vec::new()) }}; }}"
    kernel.run(cell.format("a: u8, b: u8")).ok()
    kernel.run("BOTH.with_borrow_mut(|both| both.push(Both { a: 1, b: 2 }));").ok()
    kernel.run(cell.format("a: u8, b: u8")).ok()
    assert kernel.run("BOTH.with_borrow(|both| both[0].a)").ok().text == "1"
    kernel.run(cell.format("b: u8, a: u8")).ok()
    assert kernel.run("BOTH.with_borrow(|both| both.len())").ok().text == "0"


def test_a_task_goes_on_with_the_old_value_of_a_static(kernel):
    kernel.run("use std::sync::{LazyLock, atomic::{AtomicU64, Ordering::SeqCst}};\nstruct Beat { n: AtomicU64, other: AtomicU64 }").ok()
    kernel.run("static BEAT: LazyLock<Beat> = LazyLock::new(|| Beat { n: 1.into(), other: 2.into() });").ok()
    task = "async fn beat(go: async_std::channel::Receiver<()>) -> u64 { let _ = go.recv().await; BEAT.n.fetch_add(40, SeqCst) }"
    kernel.run(f"{task}\nlet (go, gone) = async_std::channel::unbounded();\nlet beating = async_std::task::spawn(beat(gone));").ok()
    kernel.run("struct Beat { other: AtomicU64, n: AtomicU64 }").ok()
    assert kernel.run("drop(go); beating.await").ok().text == "1"
    assert kernel.run("(BEAT.n.load(SeqCst), BEAT.other.load(SeqCst))").ok().text == "(1, 2)"


def said_of(result):
    return result.stderr + "".join(str(bundle.get("text/plain", "")) for bundle in result.displays)
