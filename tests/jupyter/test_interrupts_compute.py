"""An interrupt of a computing cell loses nothing: one interrupt, an answer at once, every variable and task kept."""

import os
import signal

import pytest

from client import SLACK
from starting import eventually, processes

ITEMS = """
use std::sync::{Arc, Mutex, atomic::{AtomicBool, AtomicU64, Ordering}};
#[derive(Debug)] struct Point { x: f64 }
fn deep(n: u64) -> u64 { if n == 0 { 0 } else { 1 + deep(n - 1) } }
fn fib(n: u64) -> u64 { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }
fn is_prime(n: u64) -> bool { n > 1 && (2..n).all(|d| n % d != 0) }
struct Endless(u64);
impl Iterator for Endless { type Item = u64; fn next(&mut self) -> Option<u64> { self.0 ^= 1; Some(self.0) } }
struct Bye(Arc<AtomicU64>);
impl Drop for Bye { fn drop(&mut self) { for _ in 0..3 { self.0.fetch_add(1, Ordering::Relaxed); } } }
"""

KEPT = """
let kept = vec![1, 2, 3];
let point = Point { x: 1.5 };
let count = Arc::new(AtomicU64::new(0));
let counter = count.clone();
let ticker = task::spawn(async move {
    while Arc::strong_count(&counter) > 0 {
        counter.fetch_add(1, Ordering::Relaxed);
        task::sleep(Duration::from_millis(20)).await;
    }
});
let byes = Arc::new(AtomicU64::new(0));
"""

COMPUTING = {
    "loop": "loop {}",
    "while": "let mut n = 0_u64; while n < u64::MAX { n = n.wrapping_mul(3); }",
    "for": "let mut s = 0_u64; for n in 0..u64::MAX { s ^= n; } s",
    "nested for": "let mut s = 0_u64; for a in 0..1_000_000_u64 { for b in 0..1_000_000_u64 { s ^= a ^ b; } }",
    "while let": "let mut all = vec![1]; while let Some(n) = all.pop() { all.push(n); }",
    "labels": "'outer: loop { let mut n = 0_u64; loop { n += 1; if n > 100 { continue 'outer; } } }",
    "let else": "let mut n = 0_u64; loop { let Some(m) = Some(n) else { break }; n = m.wrapping_add(1); }",
    "recursion": "for _ in 0..2 { fib(80); }",
    "deep recursion": "loop { deep(1_000); }",
    "an iterator": "(0..u64::MAX).map(|n| n * n % 7).filter(|n| n % 2 == 0).count()",
    "an iterator of one's own": "Endless(1).fold(0, |a, b| a ^ b)",
    "a function": "is_prime(18_446_744_073_709_551_557)",
    "a closure": "{ let spin = |n: u64| { let mut n = n; loop { n = n.wrapping_add(1); } }; spin(1); }",
    "a sort": "let mut v: Vec<u64> = (0..3_000_000).rev().collect(); loop { v.sort_by(|a, b| b.cmp(a)); v.reverse(); }",
    "an async function": "async fn spin() { loop { std::future::ready(()).await } } spin().await;",
    "block_on": "task::block_on(async { loop {} })",
    "nested block_on": "task::block_on(async { task::block_on(async { loop {} }) })",
    "gather": "gather!(async { loop {} }, task::sleep(Duration::from_secs(3600)));",
    "a task": "task::spawn_local(async { loop {} }).await",
    "a Loop": 'let lab = loopbook::Loop::new("lab"); lab.create_task("spin", async { loop {} }); lab.run_forever();',
    "a main of a Loop": 'loopbook::Loop::new("lab").run_until_complete(async { loop {} });',
    "a callback of a Loop": 'let lab = loopbook::Loop::new("lab"); lab.call_soon(|| loop {}); lab.run_forever();',
    "catch_unwind": "loop { let _ = std::panic::catch_unwind(|| loop {}); }",
    "a lock that is held": "{ let m = Mutex::new(1); let mut guard = m.lock().unwrap(); loop { *guard ^= 1; } }",
    "a thread": "std::thread::spawn(|| loop {}).join().unwrap();",
    "scoped threads": "std::thread::scope(|s| { for _ in 0..3 { s.spawn(|| loop { std::hint::spin_loop() }); } });",
    "println": 'loop { std::hint::black_box(format!("{}", 1)); }',
    "a module": "mod inner { pub fn spin() -> ! { loop {} } } inner::spin();",
    "a trait": "trait Spin { fn spin(&self) { loop {} } } impl Spin for u8 {} 1_u8.spin();",
    "generics": "fn spin<T: Copy>(t: T) -> T { let mut u = t; loop { u = t; if false { return u } } } spin(1_u8);",
}


@pytest.fixture(scope="module")
def computing(module_kernel):
    module_kernel.run("use async_std::task;\nuse std::time::Duration;").ok()
    module_kernel.run(ITEMS).ok()
    module_kernel.run(KEPT).ok()
    return module_kernel


@pytest.fixture
def keeps(computing):
    """A kernel with variables and a background task, which must all be there in the end."""
    yield computing
    look = (
        "let before = count.load(Ordering::Relaxed); task::sleep(Duration::from_millis(100)).await;"
        " (count.load(Ordering::Relaxed) > before, kept[2] as f64 + point.x)"
    )
    assert computing.run(look).ok().text == "(true, 4.5)", "the variables are there, and the background task runs on"
    computing.check_leftovers()


@pytest.mark.parametrize("what", COMPUTING)
def test_one_interrupt_ends_what_computes(keeps, what):
    result = keeps.start(f'println!("begun");\n{COMPUTING[what]}')
    keeps.until(lambda: "begun" in result.stdout)
    assert_interrupted(keeps, result)
    assert "panicked" not in result.stderr + str(result.displays), str(result)


def test_destructors_run_to_their_end(keeps):
    result = keeps.start('println!("begun"); let _bye = Bye(byes.clone()); loop {}')
    keeps.until(lambda: "begun" in result.stdout)
    assert_interrupted(keeps, result)
    assert keeps.run("byes.swap(0, Ordering::Relaxed)").ok().text == "3"


def test_a_destructor_is_never_cut_short(keeps):
    keeps.run(
        """
        fn work(n: u64) -> u64 { let mut s = 0; for a in 0..n { s ^= a; } s }
        struct Slow(Arc<AtomicU64>);
        impl Drop for Slow {
            fn drop(&mut self) { for _ in 0..20 { std::hint::black_box(work(1_000_000)); } self.0.fetch_add(1, Ordering::Relaxed); }
        }
        extern "C" fn called_by_c(n: u64) -> u64 { for _ in 0..20 { std::hint::black_box(work(n)); } n }
        """
    ).ok()
    for code in ("drop(Slow(byes.clone()));", "called_by_c(1_000_000); byes.fetch_add(1, Ordering::Relaxed);"):
        result = keeps.start(f'println!("begun"); {code} println!("through"); loop {{}}')
        keeps.until(lambda: "begun" in result.stdout)
        assert_interrupted(keeps, result, 2)
        assert keeps.run("byes.swap(0, Ordering::Relaxed)").ok().text == "1", code


def test_loops_of_others_go_on(keeps):
    keeps.run(
        """
        let (rounds, go_on) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(true)));
        let (r, g) = (rounds.clone(), go_on.clone());
        let spinner = task::spawn(async move { while g.load(Ordering::Relaxed) { r.fetch_add(1, Ordering::Relaxed); } 7 });
        let (r, g) = (rounds.clone(), go_on.clone());
        let thread = std::thread::spawn(move || { while g.load(Ordering::Relaxed) { r.fetch_add(1, Ordering::Relaxed); } 8 });
        """,
        background=True,
    ).ok()
    for code in ("loop {}", "task::sleep(Duration::from_secs(3600)).await", "std::thread::spawn(|| loop {}).join().unwrap();"):
        result = keeps.start(f'println!("begun"); {code}')
        keeps.until(lambda: "begun" in result.stdout)
        assert_interrupted(keeps, result)
        before = int(keeps.run("rounds.load(Ordering::Relaxed)").ok().text)
        assert int(keeps.run("rounds.load(Ordering::Relaxed)").ok().text) > before
    last = "go_on.store(false, Ordering::Relaxed); (spinner.await, thread.join().unwrap())"
    assert keeps.run(last).ok().text == "(7, 8)"


def test_a_task_that_computes_goes_on_until_it_is_cancelled(keeps):
    # A lint says meanwhile that it keeps its thread.
    result = keeps.start('println!("begun"); task::spawn(async { loop {} }).await;', background=True)
    keeps.until(lambda: "begun" in result.stdout)
    assert_interrupted(keeps, result)
    spinning = (
        "loopbook::all_tasks().into_iter().filter(|t| t.state == loopbook::TaskState::Running"
        " && t.kind == loopbook::TaskKind::Task).map(|t| t.id).collect::<Vec<_>>()"
    )
    number = keeps.run(spinning).ok().text.strip("[]")
    assert "running" in str(keeps.run(f":cancel {number}").ok().displays)
    assert keeps.run(f"loopbook::cancel({number}).await; loopbook::task({number}).unwrap().state").ok().text == "Cancelled"


def test_handles_and_cells_cancel_what_computes(keeps):
    keeps.run("let spinner = task::spawn(async { loop {} }); let closure = task::spawn_blocking(|| loop {});", background=True).ok()
    code = "task::sleep(Duration::from_millis(50)).await; (spinner.cancel().await, closure.cancel().await)"
    assert keeps.run(code).ok().text == "(None, None)"
    caught = "async { loop { let _ = std::panic::catch_unwind(|| loop {}); } }"
    code = f"let _spinner = task::spawn({caught}); task::sleep(Duration::from_millis(50)).await;"
    result = keeps.run(code, background=True).ok()
    code = f"loopbook::cancel_cell({result.reply['execution_count']}).await;"
    assert keeps.run(code).ok()


def test_at_level_2_the_message_says_what_a_second_interrupt_costs(fresh_kernel):
    kernel = fresh_kernel
    kernel.run("fn spin() { let mut n = 1_u64; while n != 0 { n = std::hint::black_box(n); } }").ok()
    assert "second" in str(kernel.run(":opt 2").ok().displays)
    result = kernel.start('println!("begun"); spin();')
    kernel.until(lambda: "begun" in result.stdout)
    kernel.interrupt()
    kernel.until(lambda: "second" in result.stderr)
    assert result.reply is None and "variables" in result.stderr
    kernel.interrupt()
    assert kernel.wait(result).reply["ename"] == "Interrupted"


@pytest.mark.parametrize("code", ["task::sleep(Duration::from_secs(3600)).await", "loop {}"])
def test_a_stopped_process_is_told_and_goes_on(keeps, code):
    result = keeps.start(f'println!("begun"); {code}')
    keeps.until(lambda: "begun" in result.stdout)
    child = child_of(keeps)
    os.kill(child, signal.SIGSTOP)
    eventually(lambda: state_of(child) == "T", 5, "it is stopped")
    assert_interrupted(keeps, result, 2)
    assert "stopped" in result.stderr, str(result)


def test_a_cell_for_a_stopped_process_is_interrupted(keeps):
    child = child_of(keeps)
    os.kill(child, signal.SIGSTOP)
    eventually(lambda: state_of(child) == "T", 5, "it is stopped")
    result = keeps.start("1 + 1")
    keeps.until(lambda: any(m.type == "execute_input" for m in keeps.published(result.id)))
    assert_interrupted(keeps, result, 5)
    assert keeps.run("1 + 1").ok().text == "2"


def test_a_second_interrupt_ends_a_process_that_was_stopped_again(fresh_kernel):
    kernel = fresh_kernel
    result = kernel.start('println!("begun"); std::thread::sleep(std::time::Duration::from_secs(3600));')
    kernel.until(lambda: "begun" in result.stdout)
    kernel.interrupt()
    kernel.until(lambda: "second" in result.stderr)
    os.kill(child_of(kernel), signal.SIGSTOP)
    kernel.interrupt()
    assert kernel.wait(result).reply["ename"] == "Interrupted"
    assert kernel.run("1 + 1").ok().text == "2"


def assert_interrupted(kernel, result, seconds=0.5):
    since = kernel.interrupt()
    kernel.wait(result)
    assert result.status == "error" and result.reply["ename"] == "Interrupted", str(result)
    assert kernel.seconds_to_idle(result, since) < seconds * SLACK
    assert "second" not in result.stderr, result.stderr


def child_of(kernel):
    return next(pid for pid, command in processes(kernel.mark) if "loopbook-child" in command)


def state_of(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]
