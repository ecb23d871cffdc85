"""Tokio and futures beside the loop, and dependencies in the middle of a notebook."""

import functools
import re
import subprocess
import time

import pytest

from client import CELL_DEADLINE
from starting import compiled_crates, eventually

# Dependency, and a cell that uses it and shows `true`.
DEPENDENCIES = {
    'serde = { version = "1", features = ["derive"] }': "#[derive(serde::Serialize)] struct S { a: u8 }\ntrue",
    'serde_json = "1"': 'serde_json::json!([1]).to_string() == "[1]"',
    'anyhow = "1"': 'anyhow::anyhow!("x").to_string() == "x"',
    'thiserror = "2"': '#[derive(Debug, thiserror::Error)] #[error("e")] struct E;\nE.to_string() == "e"',
    'tokio = { version = "1", features = ["full"] }': "tokio::spawn(async { true }).await.unwrap()",
    'futures-util = "0.3"': "futures_util::future::ready(true).await",
    'async-channel = "2"': "async_channel::unbounded::<u8>().0.is_empty()",
    'async-lock = "3"': "*async_lock::Mutex::new(true).lock().await",
    'bytes = "1"': 'bytes::Bytes::from_static(b"x").len() == 1',
    'log = "0.4"': "log::max_level() <= log::LevelFilter::Trace",
    'tracing = "0.1"': 'tracing::info!("x"); true',
    'rand = "0.9"': "rand::random::<f64>() < 1.0",
    'regex = "1"': 'regex::Regex::new("a+").unwrap().is_match("baa")',
    'chrono = "0.4"': "chrono::Utc::now().timestamp() > 0",
    'itertools = "0.14"': "itertools::Itertools::all_equal(&mut [1, 1].iter())",
    'rayon = "1"': "rayon::join(|| true, || 1).0",
    'hyper = { version = "1", features = ["full"] }': "hyper::StatusCode::OK.is_success()",
    'smol = "2"': "smol::future::ready(true).await",
    'async-trait = "0.1"': "#[async_trait::async_trait] trait T { async fn f(&self); }\ntrue",
    'clap = { version = "4", features = ["derive"] }': "#[derive(clap::Parser)] struct Cli { a: u8 }\ntrue",
    'pin-project = "1"': "#[pin_project::pin_project] struct P { #[pin] a: u8 }\ntrue",
    'tokio-stream = "0.1"': "tokio_stream::StreamExt::next(&mut tokio_stream::iter([1])).await == Some(1)",
    'sqlx = { version = "0.8", features = ["sqlite", "runtime-tokio"] }': 'sqlx::sqlite::SqliteConnectOptions::new(); true',
}

LIVING = """
use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
use async_std::task;
use std::time::Duration;
let kept = vec![1, 2, 3];
let count = Arc::new(AtomicU64::new(0));
let counter = count.clone();
let (stop, stopped) = async_std::channel::bounded::<()>(1);
let ticker = task::spawn(async move {
    while stopped.is_empty() {
        counter.fetch_add(1, Ordering::Relaxed);
        task::sleep(Duration::from_millis(20)).await;
    }
    "resolved".to_string()
});
"""

TOKIO = {
    "tokio::spawn": "tokio::spawn(async { 42 }).await.unwrap()",
    "tokio::time": "tokio::time::sleep(std::time::Duration::from_millis(20)).await; 42",
    "tokio::time::timeout": "tokio::time::timeout(std::time::Duration::from_secs(9), async { 42 }).await.unwrap()",
    "tokio::sync": "let (tx, rx) = tokio::sync::oneshot::channel(); tx.send(42).unwrap(); rx.await.unwrap()",
    "tokio::select": "async fn first() -> i32 { tokio::select! { a = async { 42 } => a, _ = std::future::pending::<()>() => 0 } }\nfirst().await",
    "tokio::task::spawn_blocking": "tokio::task::spawn_blocking(|| 42).await.unwrap()",
    "a runtime of one's own": "tokio::runtime::Runtime::new().unwrap().spawn(async { 42 }).await.unwrap()",
    "Builder": "tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().handle().metrics().num_workers() as i32 + 41",
    "futures streams": "futures::StreamExt::fold(futures::stream::iter([40, 2]), 0, |a, b| async move { a + b }).await",
    "async_std::stream": "use async_std::prelude::*; async_std::stream::from_iter([40, 2]).fold(0, |a, b| a + b).await",
}

@functools.cache
def registry_is_reachable():
    return subprocess.run(["cargo", "info", "itoa"], capture_output=True, cwd="/").returncode == 0


@pytest.fixture
def living(fresh_kernel):
    """A kernel with a variable and a task, which must both be there in the end."""
    if not registry_is_reachable():
        pytest.skip("new dependencies need a network, and there is none")
    fresh_kernel.run(LIVING).ok()
    yield fresh_kernel
    before = int(fresh_kernel.run("count.load(Ordering::Relaxed)").ok().text)
    after = int(fresh_kernel.run("task::sleep(Duration::from_millis(100)).await; count.load(Ordering::Relaxed)").ok().text)
    assert after > before and fresh_kernel.run("kept.len()").ok().text == "3"
    fresh_kernel.run("stop.send(()).await.unwrap();").ok()
    assert fresh_kernel.run("ticker.await").ok().text == '"resolved"', "statics stayed one"


@pytest.mark.parametrize("what", TOKIO)
def test_tokio_and_futures_work_beside_the_loop(kernel, what):
    assert kernel.run(TOKIO[what]).ok().text == "42"


def test_tokio_talks_to_async_std_over_a_socket(kernel):
    code = """
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        stream.write_all(text.to_uppercase().as_bytes()).await.unwrap();
    });
    async fn ask(address: std::net::SocketAddr) -> String {
        use async_std::io::{ReadExt, WriteExt};
        let mut stream = async_std::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }
    let answer = async_std::task::spawn(ask(address)).await;
    server.await.unwrap();
    answer
    """
    assert kernel.run(code).ok().text == '"HELLO"'


# What is asked for, and a word of the answer.
BUILT_IN = {
    "tokio": "1.",
    'tokio = { version = "1", features = ["full"] }': "Nothing was added",
    'async-std = "1"': "1.",
    'async_std = { version = "1.12", features = ["attributes"] }': "Nothing was added",
    'futures = "0.3"': "Nothing was added",
    "loopbook": "Nothing was added",
    'tk = { package = "tokio", version = "1", default-features = false }': "use tokio as tk;",
}

NOT_BUILT_IN = {
    'tokio = "0.2"': "0.2",
    'futures = "1"': "0.3",
    'tokio = { version = "1", features = ["full", "tracing"] }': "tracing",
    'tokio = { git = "https://example.invalid/tokio" }': "elsewhere",
    'async-std = { package = "smol", version = "2" }': "another name",
}


@pytest.mark.parametrize("asked", BUILT_IN)
def test_built_in_crates_say_so(kernel, asked):
    kernel.run("let kept = 1;").ok()
    result = kernel.run(f":dep {asked}\nkept").ok()
    said = "".join(bundle["text/plain"] for bundle in result.displays)
    assert "built in" in said and BUILT_IN[asked] in said and result.text == "1"


@pytest.mark.parametrize("asked", NOT_BUILT_IN)
def test_what_is_not_built_in_that_way_is_refused(kernel, asked):
    kernel.run("let kept = 1;").ok()
    result = kernel.run(f":dep {asked}\nkept")
    assert result.reply["ename"] == "CommandError" and "built in" in result.reply["evalue"]
    assert NOT_BUILT_IN[asked] in result.reply["evalue"]
    assert kernel.run("kept").ok().text == "1"


def test_smols_crates_share_the_loops_reactor(living):
    living.run(':dep async-io = "2"\n:dep async-net = "2"\n:dep smol = "2"', timeout=10 * CELL_DEADLINE).ok()
    code = """
    fn threads_called(name: &str) -> usize {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        tasks.filter(|task| std::fs::read_to_string(task.as_ref().unwrap().path().join("comm")).unwrap().trim() == name).count()
    }
    use futures::{AsyncReadExt, AsyncWriteExt};
    let listener = async_std::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = task::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        async_io::Timer::after(Duration::from_millis(20)).await;
        stream.write_all(b"hello").await.unwrap();
    });
    let mut stream = async_net::TcpStream::connect(address).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    server.await;
    let spawned = smol::spawn(async { smol::Timer::after(Duration::from_millis(10)).await; 42 }).await;
    (text, spawned, threads_called("async-io"))
    """
    assert living.run(code, timeout=3 * CELL_DEADLINE).ok().text == '("hello", 42, 1)'


def test_the_usual_crates_cost_nothing(living):
    failed = {}
    for dependency, use in DEPENDENCIES.items():
        begun = time.monotonic()
        added = living.run(f":dep {dependency}", timeout=20 * CELL_DEADLINE)
        print(f"{time.monotonic() - begun:6.1f} s  :dep {dependency}")
        used = living.run(use, timeout=10 * CELL_DEADLINE)
        if added.status != "ok" or used.text != "true":
            failed[dependency] = f"{added}\n{used}"
        assert living.run("kept.len()").ok().text == "3", f"lost by {dependency}"
    assert not failed, "\n".join(f"{dependency}\n{said}" for dependency, said in failed.items())
    # The macros of some crates bring a tokio of their own, for the compiler; that of the cells is below `loopbook`.
    assert "loopbook" not in compiled_crates(living.pid), "nothing of the runtime"


# What cannot be added, and a word of the answer.
WRONG = {
    'this-crate-does-not-exist-anywhere = "1"': "no matching package named `this-crate-does-not-exist-anywhere`",
    'itoa = "99"': "itoa",
    'itoa = { version = "1", features = ["does-not-exist"] }': "does-not-exist",
    'itoa = "not a version"': "not a version",
    'itoa = { version = "1"': "not a line of a manifest",
    "itoa = 1": "names no version",
    "itoa 1": "takes a crate's name",
    'itoa = { path = "nowhere/at/all" }': "relative to the notebook's directory",
    "./nowhere/at/all": "relative to the notebook's directory",
    'async_trait = "0.1"': "async-trait",
    'ripgrep = "14"': "is a program",
}


def test_what_cannot_be_added_costs_nothing(living):
    for dependency, word in WRONG.items():
        result = living.run(f':dep {dependency}\nlet never = 1;', timeout=2 * CELL_DEADLINE)
        assert result.status == "error" and result.reply["ename"] == "CommandError", str(result)
        assert word in result.report, str(result)
        assert "ctx" not in result.report and "/work/" not in result.report and "Compiling" not in result.report
        assert len(result.report.splitlines()) < 10, str(result)
        assert living.run("kept.len()").ok().text == "3"


def crate(directory, name, code, build_script=None, more=""):
    (directory / name / "src").mkdir(parents=True)
    manifest = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n{more}'
    (directory / name / "Cargo.toml").write_text(manifest)
    (directory / name / "src" / "lib.rs").write_text(code)
    if build_script:
        (directory / name / "build.rs").write_text(build_script)
    return directory / name


def test_a_crate_that_does_not_compile_is_an_error_and_costs_nothing(living, tmp_path):
    broken = crate(tmp_path, "broken", "pub fn f() -> u8 { missing }\n")
    result = living.run(f':dep broken = {{ path = "{broken}" }}', timeout=2 * CELL_DEADLINE)
    assert result.reply["ename"] == "CommandError" and "`broken`" in result.report, str(result)
    assert "E0425" in result.report and "src/lib.rs:1:20" in result.report and "Compiling" not in result.report
    assert living.run("1 + 1").ok().text == "2"
    (broken / "src" / "lib.rs").write_text("pub fn f() -> u8 { 7 }\n")
    living.run(f':dep broken = {{ path = "{broken}" }}', timeout=2 * CELL_DEADLINE).ok()
    assert living.run("broken::f()").ok().text == "7"


def test_a_build_script_that_fails_is_an_error_and_costs_nothing(living, tmp_path):
    broken = crate(tmp_path, "needs-c", "", 'fn main() { panic!("there is no such C library") }')
    result = living.run(f':dep needs-c = {{ path = "{broken}" }}', timeout=2 * CELL_DEADLINE)
    assert result.reply["ename"] == "CommandError" and "there is no such C library" in result.report, str(result)
    assert "process didn't exit" not in result.report


def test_of_several_in_one_cell_all_are_added_or_none(living, tmp_path):
    crate(tmp_path, "one", "pub fn f() -> u8 { 1 }\n")
    crate(tmp_path, "two", "pub fn f() -> u8 { 2 }\n")
    crate(tmp_path, "bad", "pub fn f() -> u8 { missing }\n")
    both = ':dep one = { path = "one" }\n:dep ./two\n'
    assert living.run(f'{both}:dep bad = {{ path = "bad" }}', timeout=2 * CELL_DEADLINE).status == "error"
    assert living.run("one::f()").status == "error", "none of them was added"
    assert living.run(f"{both}one::f() + two::f()", timeout=2 * CELL_DEADLINE).ok().text == "3"


def test_an_interrupt_leaves_everything_as_it_was(living, tmp_path):
    sleeps = 'fn main() { std::fs::write("begun", "").unwrap(); std::thread::sleep(std::time::Duration::from_secs(600)) }'
    slow = crate(tmp_path, "slow", "pub fn f() -> u8 { 1 }\n", sleeps)
    result = living.start(f':dep slow = {{ path = "{slow}" }}')
    eventually(lambda: (slow / "begun").exists(), CELL_DEADLINE, "the build script runs")
    living.interrupt()
    living.wait(result)
    assert result.reply["ename"] == "Interrupted"
    assert living.run("kept.len()").ok().text == "3"
    assert living.run("slow::f()").status == "error"


def test_progress_says_how_far_it_is(living, tmp_path):
    # Enough that it can be watched.
    long = "\n".join(f'pub fn f{n}(x: u64) -> String {{ format!("{{x}} {n}") }}' for n in range(1500))
    for n in range(4):
        crate(tmp_path, f"part{n}", long)
    parts = "".join(f'part{n} = {{ path = "../part{n}" }}\n' for n in range(4))
    whole = crate(tmp_path, "whole", "pub fn f() {}\n", more=f"[dependencies]\n{parts}")
    result = living.run(f':dep whole = {{ path = "{whole}" }}', timeout=2 * CELL_DEADLINE).ok()
    shown = [bundle["text/plain"] for bundle in result.displays + result.of("update")]
    steps = [re.search(r"(\d+) of (\d+)", text) for text in shown]
    done, totals = zip(*((int(step[1]), int(step[2])) for step in steps if step))
    # What is compiled already is counted until cargo has looked at it, so the total may shrink; to five crates at least.
    assert list(done) == sorted(done) and list(totals) == sorted(totals, reverse=True) and totals[-1] >= 5, shown
    assert all(k <= n for k, n in zip(done, totals)), shown


def test_a_crate_that_changes_the_runtime_is_announced_first(living):
    # The runtime is built with async-io, but not with this feature of it.
    tracing = ':dep async-io = { version = "2", features = ["tracing"] }'
    result = living.run(tracing)
    assert result.reply["ename"] == "CommandError", str(result)
    for word in ("`async-io` with its feature `tracing`", "`kept`", "background task", "Nothing was changed", ":restart"):
        assert word in result.report, str(result)
    together = living.run(f':dep itoa = "1"\n{tracing}')
    assert together.status == "error" and living.run("itoa::Buffer::new()").status == "error"


def test_a_crate_that_changes_the_runtime_works_at_the_top_of_a_notebook(fresh_kernel):
    if not registry_is_reachable():
        pytest.skip("new dependencies need a network, and there is none")
    code = ':dep async-io = { version = "2", features = ["tracing"] }\nasync_std::future::ready(1).await'
    assert fresh_kernel.run(code, timeout=20 * CELL_DEADLINE).ok().text == "1"
    assert fresh_kernel.run("async_std::task::spawn(async { 2 }).await").ok().text == "2"
    fresh_kernel.run("let kept = async_io::Timer::never();").ok()
    # What it has now, it has; and anew the notebook begins with what the kernel began with.
    assert fresh_kernel.run(':dep async-io = { version = "2", features = ["tracing"] }\n1').ok().text == "1"
    fresh_kernel.run(":clear", timeout=3 * CELL_DEADLINE).ok()
    assert fresh_kernel.run("async_std::task::spawn(async { 3 }).await", timeout=3 * CELL_DEADLINE).ok().text == "3"


def test_a_change_of_the_runtime_that_does_not_compile_is_taken_back(fresh_kernel, tmp_path):
    if not registry_is_reachable():
        pytest.skip("new dependencies need a network, and there is none")
    needs = '[dependencies]\nasync-io = { version = "2", features = ["tracing"] }\n'
    broken = crate(tmp_path, "broken", "pub fn f() -> u8 { missing }\n", more=needs)
    result = fresh_kernel.run(f':dep broken = {{ path = "{broken}" }}', timeout=20 * CELL_DEADLINE)
    assert result.reply["ename"] == "CommandError" and "E0425" in result.report
    assert fresh_kernel.run("async_std::task::spawn(async { 2 }).await", timeout=3 * CELL_DEADLINE).ok().text == "2"
