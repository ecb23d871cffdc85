"""Early returns, redefinitions, statics, and cells that are run again."""

import pytest

MARKERS = [
    "EVCXR_EXECUTION_COMPLETE",
    "EVCXR_PANIC_NOTIFICATION",
    "EVCXR_VARIABLE_CHANGED_TYPE:kept",
    "EVCXR_BEGIN_CONTENT text/plain",
]

OLD = "#[derive(Debug, Clone, Default)]\nstruct Point { x: i32 }"

CHANGES = {
    "a field more": "#[derive(Debug, Clone, Default)]\nstruct Point { y: i64, x: i32 }",
    "another type": "#[derive(Debug, Clone, Default)]\nstruct Point { x: String }",
    "an enum": "#[derive(Debug, Clone, Default)]\nenum Point { #[default] Nowhere, Here(i32) }",
}

# How a variable can hold an old value.
HOLDERS = {
    "itself": "let holder = Point::default();",
    "nested": "let holder = vec![Some(Box::new(Point::default()))];",
    "a channel": "let holder = async_std::channel::unbounded::<Point>();",
    "a task": "let holder = async_std::task::spawn(async { Point::default() });",
    "an Arc": "let holder = std::sync::Arc::new(std::sync::Mutex::new(Point::default()));",
}


def test_an_early_return_loses_nothing(kernel):
    kernel.run("let kept = 7;").ok()
    assert kernel.run("let k = 1; return;").ok().text is None
    assert kernel.run('let x = kept == 7;\nif x { return; }\nprintln!("not reached");').ok().stdout == ""
    assert kernel.run("for n in 0..9 { if n == kept { return; } }").ok().outputs == []
    assert kernel.run("kept").ok().text == "7"


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_behind_a_let_is_text(kernel, marker):
    kernel.run("let kept = 7;").ok()
    assert kernel.run(f'let new = kept + 1; println!("{marker}"); eprintln!("{marker}");').ok().stdout == f"{marker}\n"
    assert kernel.run("kept + new").ok().text == "15"


def test_a_macro_of_the_user_named_println_breaks_nothing(fresh_kernel):
    fresh_kernel.run("let kept = 7;").ok()
    code = "mod loud { macro_rules! shout { ($($t:tt)*) => { 0 } } pub(crate) use shout; }\nuse loud::shout as println;"
    # Refused or not, nothing behind it may suffer.
    fresh_kernel.run(code)
    assert fresh_kernel.run("kept").ok().text == "7"
    fresh_kernel.run("let more = kept + 1;").ok()
    assert fresh_kernel.run("more").ok().text == "8"


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("holder", HOLDERS)
def test_a_changed_type_drops_its_variables_and_names_them(kernel, change, holder):
    kernel.run(OLD).ok()
    kernel.run("let bystander = 5;").ok()
    kernel.run(HOLDERS[holder]).ok()
    changed = kernel.run(CHANGES[change]).ok()
    assert "holder" in said_of(changed) and "bystander" not in said_of(changed)
    assert kernel.run("holder").reply["ename"] == "CompileError", "an old value is never shown as a new one"
    assert kernel.run("let fresh = Point::default(); bystander").ok().text == "5"
    kernel.run(OLD).ok()


def test_an_unchanged_type_drops_nothing(kernel):
    kernel.run(OLD).ok()
    kernel.run("let point = Point { x: 3 };").ok()
    again = kernel.run(OLD + "\n// the same").ok()
    assert "point" not in said_of(again)
    assert kernel.run("point.x").ok().text == "3"


def test_a_changed_type_reaches_variables_through_another_type_and_an_alias(kernel):
    kernel.run("#[derive(Debug)] struct Inner { a: u8 }\n#[derive(Debug)] struct Outer { inner: Inner }").ok()
    kernel.run("type Number = u32;").ok()
    kernel.run("let outer = Outer { inner: Inner { a: 1 } };\nlet number: Number = 1;").ok()
    changed = kernel.run("#[derive(Debug)] struct Inner { b: String, a: u8 }").ok()
    assert "outer" in said_of(changed)
    assert kernel.run("type Number = String;").ok()
    assert kernel.run("outer").status == "error"
    result = kernel.run("number")
    assert result.status == "error" or result.text == "1", "never a wrong value"


def test_a_static_is_one_for_all_cells(kernel):
    kernel.run("use std::sync::{OnceLock, atomic::{AtomicU32, Ordering}};\nstatic COUNT: AtomicU32 = AtomicU32::new(0);").ok()
    kernel.run("static ONCE: OnceLock<String> = OnceLock::new();").ok()
    kernel.run("async_std::task::spawn(async { COUNT.fetch_add(40, Ordering::SeqCst); }).await;").ok()
    kernel.run('ONCE.set("set once".to_string()).unwrap(); COUNT.fetch_add(2, Ordering::SeqCst);').ok()
    assert kernel.run("COUNT.load(Ordering::SeqCst)").ok().text == "42"
    assert kernel.run("ONCE.get().unwrap().clone()").ok().text == '"set once"'


def test_a_thread_local_is_one_for_all_cells(kernel):
    kernel.run("thread_local! { static HERE: std::cell::Cell<u32> = const { std::cell::Cell::new(1) }; }").ok()
    kernel.run("HERE.with(|here| here.set(here.get() + 1));").ok()
    assert kernel.run("HERE.with(|here| here.get())").ok().text == "2"


def test_static_mut_is_refused_with_a_hint(kernel):
    result = kernel.run("static mut COUNT: u32 = 0;")
    assert result.status == "error" and ("Atomic" in result.report or "Mutex" in result.report)


def test_a_variable_can_be_called_mutex(kernel):
    kernel.run("let mutex = async_std::sync::Arc::new(async_std::sync::Mutex::new(1));").ok()
    kernel.run("*mutex.lock().await += 1;").ok()
    assert kernel.run("let value = *mutex.lock().await; value").ok().text == "2"
    assert kernel.run('let mutex = 3; format!("{mutex}")').ok().text == '"3"'


def test_ten_macros_of_ten_cells_can_be_used_in_later_ones(kernel):
    for n in range(10):
        kernel.run(f"macro_rules! add{n} {{ ($e:expr) => {{ $e + {n} }} }}").ok()
        assert kernel.run(f"fn by_macro{n}(x: i32) -> i32 {{ add{n}!(x) }}\nby_macro{n}(1)").ok().text == str(n + 1)


def test_a_task_that_never_ends_can_be_kept(kernel):
    code = "async_std::task::spawn(async { loop { async_std::task::sleep(std::time::Duration::from_secs(60)).await } })"
    kernel.run(f"let endless = {code};").ok()
    assert kernel.run("endless.cancel().await.is_none()").ok().text == "true"


def test_a_cell_with_an_impl_can_be_run_three_times(kernel):
    kernel.run("struct Guard(u8);").ok()
    for n in range(3):
        kernel.run(f'impl Drop for Guard {{ fn drop(&mut self) {{ println!("dropped {n}"); }} }}').ok()
    for n in range(3):
        kernel.run(f"impl Guard {{ fn number(&self) -> u32 {{ {n} }} }}").ok()
    assert kernel.run("let guard = Guard(1); guard.number()").ok().text == "2"
    assert kernel.run("drop(guard);").ok().stdout == "dropped 2\n"


@pytest.mark.parametrize(
    "code",
    [
        '{ println!("in a block"); }',
        "for n in 0..2 { println!(\"{n}\"); }",
        "async fn main() { println!(\"main\"); }\nasync_std::task::block_on(main())",
        "println!(\"last\")",
        "if true { println!(\"yes\") }",
    ],
)
def test_the_unit_value_is_not_shown(kernel, code):
    assert [kind for kind, _ in kernel.run(code).ok().outputs] == ["stdout"]


def said_of(result):
    return result.stderr + "".join(str(bundle.get("text/plain", "")) for bundle in result.displays)
