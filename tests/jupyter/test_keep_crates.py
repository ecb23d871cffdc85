"""What you have is kept, rows 10 and 11: tokio and futures beside the loop, and dependencies in the middle of a notebook."""

import functools
import subprocess

import pytest

from client import CELL_DEADLINE

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
    'tokio-stream = "0.1"': "tokio_stream::iter([1]).size_hint().0 == 1",
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
def test_keep_row_10_tokio_and_futures_work_beside_the_loop(kernel, what):
    assert kernel.run(TOKIO[what]).ok().text == "42"


def test_keep_row_10_tokio_talks_to_async_std_over_a_socket(kernel):
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


@pytest.mark.parametrize("name", ["tokio", "async-std", "futures", "loopbook"])
def test_keep_row_10_built_in_crates_say_so(kernel, name):
    kernel.run("let kept = 1;").ok()
    result = kernel.run(f':dep {name} = "1"\nkept')
    assert "built in" in str(result) + result.report
    assert kernel.run("kept").ok().text == "1"


def test_keep_row_11_the_usual_crates_cost_nothing(living):
    failed = {}
    for dependency, use in DEPENDENCIES.items():
        added = living.run(f":dep {dependency}", timeout=10 * CELL_DEADLINE)
        used = living.run(use, timeout=10 * CELL_DEADLINE)
        # Only tokio is already there, and says so.
        if (added.status != "ok" and "built in" not in str(added)) or used.text != "true":
            failed[dependency] = f"{added}\n{used}"
        assert living.run("kept.len()").ok().text == "3", f"lost by {dependency}"
    assert not failed, "\n".join(f"{dependency}\n{said}" for dependency, said in failed.items())


def test_keep_row_11_a_crate_that_does_not_exist(living):
    result = living.run(':dep this-crate-does-not-exist-anywhere = "1"')
    assert result.status == "error" and "this-crate-does-not-exist-anywhere" in result.reply["evalue"] + result.report


def test_keep_row_11_a_version_that_does_not_exist(living):
    result = living.run(':dep itoa = "99"')
    assert result.status == "error" and "itoa" in result.reply["evalue"] + result.report


def test_keep_row_11_a_crate_that_does_not_compile(living, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "broken"\nversion = "0.1.0"\nedition = "2021"\n')
    (tmp_path / "src" / "lib.rs").write_text("pub fn f() -> u8 { missing }\n")
    result = living.run(f':dep broken = {{ path = "{tmp_path}" }}')
    assert result.status == "error" and "broken" in result.reply["evalue"] + result.report
    assert living.run("1 + 1").ok().text == "2"


def test_keep_row_11_a_crate_that_changes_the_runtime_is_announced_first(living):
    # The runtime is built with async-io, but not with this feature of it.
    result = living.run(':dep async-io = { version = "2", features = ["tracing"] }')
    assert result.status == "error" and "kept" in result.report, str(result)


def test_keep_row_11_a_crate_that_changes_the_runtime_works_at_the_top_of_a_notebook(fresh_kernel):
    if not registry_is_reachable():
        pytest.skip("new dependencies need a network, and there is none")
    code = ':dep async-io = { version = "2", features = ["tracing"] }\nasync_std::future::ready(1).await'
    assert fresh_kernel.run(code, timeout=10 * CELL_DEADLINE).ok().text == "1"
    assert fresh_kernel.run("async_std::task::spawn(async { 2 }).await").ok().text == "2"
