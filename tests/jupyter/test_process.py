"""The process that runs the cells has room for large values, loads cells without free descriptors, and says how it ended."""

import pathlib
import re
import resource

import pytest

from starting import connect_apart, eventually
from test_protocol import ask

LARGE = "async fn large() -> usize { let b = [1u8; 2_000_000]; async_std::task::yield_now().await; b.len() }"
RECURSION = "fn deep(n: u64) -> u64 { let page = std::hint::black_box([n; 64]); page[7] + deep(n + 1) }"

# Where 2 MB or more stand on the stack.
PLACES = {
    "cell": "let b = [7u8; 4_000_000]; let c = std::hint::black_box(b); c.len() / 2",
    "awaited": "large().await",
    "task": "async_std::task::spawn(large()).await",
    "kept handle": "let h = async_std::task::spawn(large());\nh.await",
    "gather": "gather!(large(), large()).0",
    "blocking": "async_std::task::spawn_blocking(|| std::hint::black_box([1u8; 4_000_000]).len() / 2).await",
    "nested block_on": "async_std::task::block_on(large())",
    "tokio": "tokio::spawn(large()).await.unwrap()",
    "tokio blocking": "tokio::task::spawn_blocking(|| std::hint::black_box([1u8; 4_000_000]).len() / 2).await.unwrap()",
    "tokio runtime": "std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap().handle().clone()).join().map(|_| 2_000_000).unwrap()",
}


@pytest.mark.parametrize("place", PLACES)
def test_large_values_fit_on_every_stack_that_code_of_cells_has(module_kernel, place):
    module_kernel.run(LARGE).ok()
    assert module_kernel.run(PLACES[place]).ok().text == "2000000"


def test_a_large_variable_is_kept_moved_and_shown(module_kernel):
    module_kernel.run("let big = [7u8; 4_000_000];").ok()
    assert module_kernel.run("big.iter().map(|b| *b as u64).sum::<u64>()").ok().text == "28000000"
    module_kernel.run("let moved = big;").ok()
    assert module_kernel.run("moved").ok().text.startswith("[7, 7,")
    assert module_kernel.run("moved.len()").ok().text == "4000000"


def test_a_subshell_has_as_much_stack(fresh_kernel):
    fresh_kernel.run("1").ok()
    client = connect_apart(fresh_kernel.manager)
    subshell = ask(client, "create_subshell_request")["content"]["subshell_id"]
    cell = {"code": "assert_eq!(std::hint::black_box([1u8; 9_000_000]).len(), 9_000_000)", "silent": True}
    reply = ask(client, "execute_request", cell, "shell", subshell)["content"]
    client.stop_channels()
    assert reply["status"] == "ok", reply


def test_threads_of_the_user_and_programs_have_what_they_have_elsewhere(module_kernel):
    code = """
    let stack = |name: &str| std::fs::read_to_string("/proc/self/limits").unwrap()
        .lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().nth(3).unwrap().to_owned();
    println!("{}", stack("Max stack size"));
    println!("{}", std::env::vars().filter(|(name, _)| name.contains("STACK")).count());
    """
    soft = resource.getrlimit(resource.RLIMIT_STACK)[0]
    expected = "unlimited" if soft == resource.RLIM_INFINITY else str(soft)
    assert module_kernel.run(f"{{ {code} }}").ok().stdout.split() == [expected, "0"]


def test_an_overflow_keeps_the_items_of_its_cell_and_is_told(kernel):
    result = kernel.run(f"use std::collections::BTreeMap;\n{RECURSION}\nstruct S; impl S {{ fn n(&self) -> u8 {{ 4 }} }}\ndeep(1)")
    assert result.reply["ename"] == "ChildDied"
    number = result.reply["execution_count"]
    assert f"stack overflow: In[{number}] has overflowed its stack of" in result.reply["evalue"], result.reply["evalue"]
    check = "let kept: fn(u64) -> u64 = deep; let m: BTreeMap<u8, u8> = BTreeMap::new(); S.n() as usize + m.len()"
    assert kernel.run(check).ok().text == "4"


# How a cell ends its process, and what is said of it.
WORDS = {
    "task": (
        'async_std::task::Builder::new().name("digger".to_string()).spawn(async { deep(1) }).unwrap().await',
        ["stack overflow", '"digger" (In[2], line 1)', "has overflowed its stack of"],
    ),
    "blocking": ("async_std::task::spawn_blocking(|| deep(1)).await", ["stack overflow", "(In[2]"]),
    "thread": (
        'std::thread::Builder::new().name("mine".into()).spawn(|| deep(1)).unwrap().join().unwrap()',
        ["stack overflow", 'the thread "mine" has overflowed its stack of 2 MiB'],
    ),
    "null": ("unsafe { std::ptr::null_mut::<u64>().write_volatile(1) }", ["null pointer, by In[2], signal 11 (SIGSEGV)"]),
    "wild": ("unsafe { (0x10_0000_0000 as *mut u8).write_volatile(1) }", ["at 0x1000000000, by In[2], signal 11 (SIGSEGV)"]),
    "illegal": ('unsafe { std::arch::asm!("ud2") }', ["instruction", "(SIGILL)"]),
    "abort": ("std::process::abort()", ["an abort, by In[2], signal 6 (SIGABRT)"]),
    "two panics": (
        '{ struct D; impl Drop for D { fn drop(&mut self) { panic!("second") } }\nlet _d = D;\npanic!("first") }',
        ["(SIGABRT)", 'a destructor panicked while another panic was under way: "second", at In[2]:1'],
    ),
    "panic in C": ('extern "C" fn no() { panic!("cannot") }\nno()', ['"cannot", at In[2]:1']),
    "exit": ("std::process::exit(0)", ["exit status 0"]),
    "kill": ('std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status()?; loop {}', ["killed from outside", "(SIGKILL)"]),
}


@pytest.mark.parametrize("ending", WORDS)
def test_the_error_says_how_the_process_ended_and_items_are_kept(kernel, ending):
    code, words = WORDS[ending]
    kernel.run(RECURSION).ok()
    result = kernel.run(f"{code}\n;\nfn of_this_cell() -> u8 {{ 9 }}\nstatic COUNT: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(3);")
    assert result.reply["ename"] == "ChildDied", str(result)
    for word in words:
        word = word.replace("In[2]", f"In[{result.reply['execution_count']}]")
        assert word in result.reply["evalue"], result.reply["evalue"]
    assert kernel.run("of_this_cell() + COUNT.load(std::sync::atomic::Ordering::SeqCst)").ok().text == "12"


def test_a_second_interrupt_keeps_the_items_of_its_cell(kernel):
    code = 'fn of_this_cell() -> u8 { 9 }\nprintln!("runs"); loop { std::thread::yield_now(); std::hint::spin_loop(); if false { break; } }'
    result = kernel.start(code)
    kernel.until(lambda: result.stdout)
    while result.reply is None:
        kernel.interrupt()
        kernel.look_for_reply()
    kernel.wait(result)
    assert kernel.run("of_this_cell()").ok().text == "9"


def test_the_end_between_cells_is_told_with_its_cause(kernel):
    kernel.run(RECURSION).ok()
    child = pathlib.Path("/proc", kernel.run("let precious = 1; std::process::id()").ok().text)
    kernel.run("std::thread::spawn(|| { std::thread::sleep(std::time::Duration::from_millis(300)); deep(1) }); 1").ok()
    eventually(lambda: not child.exists() or "Z (zombie)" in (child / "status").read_text(), 10, "the process has ended")
    told = kernel.run("2 + 2")
    said = str(told) + told.report
    assert "stack overflow" in said and "precious" in said, said


USE_UP = 'let mut held = Vec::new(); while let Ok(file) = std::fs::File::open("/dev/null") { held.push(file); }\nheld.len() > 100'


def test_a_cell_is_loaded_when_all_descriptors_are_used_up(kernel):
    kernel.run("let keep = vec![1, 2, 3];").ok()
    assert kernel.run(USE_UP).ok().text == "true"
    assert kernel.run("keep.len()").ok().text == "3"
    # Nothing of what is kept back is the user's.
    assert kernel.run('std::fs::File::open("/dev/null").is_err()').ok().text == "true"
    kernel.run("drop(held); fn later() -> u8 { 5 }").ok()
    assert kernel.run('std::fs::File::open("/dev/null").is_ok() && later() == 5').ok().text == "true"


def test_a_cell_that_cannot_be_loaded_costs_nothing(fresh_kernel):
    kernel = fresh_kernel
    child = int(kernel.run("let keep = vec![1, 2, 3]; std::process::id()").ok().text)
    # The limit that is raised while a cell is loaded cannot be: no more are kept back.
    resource.prlimit(child, resource.RLIMIT_NOFILE, (300, 300))
    holder = f"{USE_UP.rpartition(chr(10))[0]} task::sleep(Duration::from_secs(3600)).await; drop(held);"
    kernel.run(f'task::Builder::new().name("holder".to_string()).spawn(async {{ {holder} }}).unwrap();').ok()
    eventually(lambda: full(child), 10, "all descriptors are used up")
    for code in ("drop(keep);", "let keep = 3;", "struct Q; let other = Q;", "keep.len()"):
        result = kernel.run(code)
        assert result.reply["ename"] == "CompileError", str(result)
        assert "files and sockets" in result.reply["evalue"] and "`:cancel ID`" in result.report
    table = kernel.shown(":tasks")
    task = re.search(r"(\d+)[^\n]*holder", table)[1]
    kernel.run(f":cancel {task}").ok()
    eventually(lambda: not full(child), 10, "the descriptors are free again")
    assert kernel.run("keep.len()").ok().text == "3"


def test_a_cell_without_memory_to_be_loaded_costs_nothing(kernel):
    child = int(kernel.run("let keep = vec![1, 2, 3]; std::process::id()").ok().text)
    status = pathlib.Path(f"/proc/{child}/status").read_text()
    size = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmSize"))) * 1024
    soft, hard = resource.prlimit(child, resource.RLIMIT_AS)
    resource.prlimit(child, resource.RLIMIT_AS, (size + 8192, hard))
    result = kernel.run("drop(keep);")
    resource.prlimit(child, resource.RLIMIT_AS, (soft, hard))
    assert result.reply["ename"] == "CompileError" and "memory" in result.reply["evalue"], str(result)
    assert kernel.run("keep.len()").ok().text == "3"


def full(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir())) >= 295
