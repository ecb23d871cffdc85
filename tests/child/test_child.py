"""The child program and the runtime, end to end, without evcxr and without the kernel."""

import signal
import time

import pytest

C_PRINT = 'unsafe extern "C" { fn puts(s: *const std::ffi::c_char) -> i32; fn printf(s: *const std::ffi::c_char) -> i32; }'


def test_stdout_and_stderr_of_one_thread_keep_their_order(child):
    result = child.run('for i in 0..50 { println!("a{i}"); eprintln!("b{i}"); print!("c{i}\\n"); }')
    assert result.text() == "".join(f"a{i}\nb{i}\nc{i}\n" for i in range(50))
    assert result.outcome == {"outcome": "ok"} and result.markers == []


def test_c_stdio_and_other_processes_keep_the_order_too(child):
    result = child.run(
        """
        for _ in 0..20 {
            println!("rust"); unsafe { puts(c"c".as_ptr()) }; eprintln!("err");
        }
        std::process::Command::new("echo").arg("echo").status().unwrap();
        println!("end"); unsafe { printf(c"partial".as_ptr()) };
        """,
        items=C_PRINT,
    )
    assert result.text() == "rust\nc\nerr\n" * 20 + "echo\nend\npartial"


def test_lines_before_an_exit_all_arrive(child):
    child.start('for i in 0..100_000 { println!("line {i}"); } eprint!("last"); std::process::exit(5);')
    began = time.monotonic()
    frames = child.rest()
    assert child.process.wait(timeout=5) == 5
    text = b"".join(body["bytes"] for kind, body in frames if kind != "message").decode()
    assert text == "".join(f"line {i}\n" for i in range(100_000)) + "last"
    print(f"100,000 lines in {time.monotonic() - began:.2f} s")


def test_bytes_that_are_not_utf8_and_markers_are_text(child):
    result = child.run(
        r"""
        use std::io::Write;
        std::io::stdout().write_all(b"\xff\xfe\n").unwrap();
        println!("EVCXR_PANIC_NOTIFICATION"); println!("EVCXR_VARIABLE_CHANGED_TYPE:x");
        println!("EVCXR_EXECUTION_COMPLETE"); println!("EVCXR_ERROR_OCCURRED");
        """
    )
    assert result.text("stdout").encode(errors="surrogateescape") == (
        b"\xff\xfe\nEVCXR_PANIC_NOTIFICATION\nEVCXR_VARIABLE_CHANGED_TYPE:x\n"
        b"EVCXR_EXECUTION_COMPLETE\nEVCXR_ERROR_OCCURRED\n"
    )
    assert result.markers == []


def test_a_large_line_arrives_whole(child):
    result = child.run('println!("{}", "x".repeat(10_000_000));')
    assert len(result.text("stdout")) == 10_000_001


def test_an_unfinished_line_appears_while_the_cell_goes_on(child):
    cell = child.start('print!("50%\\r"); task::sleep(Duration::from_millis(800)).await; println!("done");')
    # What came only with the rest of the line would not be equal.
    child.until(lambda kind, body: kind == "stdout" and body["bytes"] == b"50%\r" and body["cell"] == cell)
    assert child.finish(cell).text() == "done\n"


def test_a_held_lock_of_stdout_stops_nobody(child):
    cell = child.start(
        """
        std::thread::spawn(|| { let _lock = std::io::stdout().lock(); std::thread::sleep(Duration::from_secs(600)); });
        task::sleep(Duration::from_millis(100)).await;
        eprintln!("through");
        """
    )
    assert child.finish(cell, timeout=3).text() == "through\n"


def test_reading_stdin_asks_the_kernel(child):
    cell = child.start(
        r"""
        let mut line = String::new();
        print!("name? ");
        std::io::stdin().read_line(&mut line).unwrap();
        println!("[{line}]");
        line.clear();
        assert_eq!(std::io::stdin().read_line(&mut line).unwrap(), 0);
        """
    )
    asked = child.until(lambda kind, body: body.get("type") == "input")
    assert asked[-2] == ("stdout", {"cell": cell, "bytes": b"name? "})
    child.send(type="input_reply", id=asked[-1][1]["id"], reply={"Ok": "Ada"})
    again = child.until(lambda kind, body: body.get("type") == "input")
    child.send(type="input_reply", id=again[-1][1]["id"], reply={"Err": "not_allowed"})
    result = child.finish(cell)
    assert b"".join(body["bytes"] for _, body in again[:-1]) == b"[Ada\n]\n"
    assert "takes no input" in result.text("stderr") and result.outcome == {"outcome": "ok"}


def test_a_panic_is_reported_with_its_line_and_costs_only_new_variables(child):
    child.run("let x = 7u32;", puts=["x"])
    result = child.run('let y = 1;\npanic!("no {}", x);', takes={}, items="const x: u8 = 3;", puts=["y"])
    assert result.markers == ["EVCXR_PANIC_NOTIFICATION"] and result.text() == ""
    assert result.failure["kind"] == "Panic" and result.failure["message"] == "no 3"
    assert (result.failure["site"]["cell"], result.failure["site"]["line"]) == (2, 2)
    assert child.run('println!("{x}");', takes={"x": "u32"}).text() == "7\n"


def test_a_variable_of_a_changed_type_is_told_to_evcxr(child):
    child.run("let x = 7u32;", puts=["x"])
    result = child.run('println!("never");', takes={"x": "String"})
    assert result.markers == ["EVCXR_VARIABLE_CHANGED_TYPE:x"]
    assert result.text() == "The type of the variable x was redefined, so was lost.\n"


@pytest.mark.parametrize(
    "body",
    [
        "task::sleep(Duration::from_secs(60)).await;",
        "task::block_on(task::sleep(Duration::from_secs(60)));",
        "tokio::runtime::Runtime::new().unwrap().block_on(task::sleep(Duration::from_secs(60)));",
        "task::block_on(async { task::block_on(async { task::sleep(Duration::from_secs(60)).await }) });",
        "let mut line = String::new(); let _ = std::io::stdin().read_line(&mut line); task::yield_now().await;",
    ],
)
def test_an_interrupt_ends_a_waiting_cell_and_keeps_tasks(child, body):
    child.run("let h = task::spawn(async { task::sleep(Duration::from_millis(700)).await; 5 });", puts=["h"])
    cell = child.start(f'println!("in"); {body} println!("not reached");')
    child.until(lambda kind, body: kind == "stdout" and body["bytes"] == b"in\n")
    time.sleep(0.1)
    began = time.monotonic()
    child.send(type="interrupt", cell=cell)
    result = child.finish(cell)
    assert time.monotonic() - began < 2, "what it waits for takes much longer"
    assert result.failure["kind"] == "Interrupted" and result.markers == ["EVCXR_PANIC_NOTIFICATION"]
    assert result.text("stdout") == ""
    child.send(type="interrupt", cell=cell)
    after = child.run('println!("{}", h.await);', takes={"h": "async_std::task::JoinHandle<i32>"})
    assert after.text() == "5\n"


def test_a_task_runs_between_cells_and_its_output_is_its_cells(child):
    first = child.start(
        """
        let h = task::spawn(async {
            for i in 0..8 { println!("tick {i}"); task::sleep(Duration::from_millis(100)).await; }
            "value"
        });
        """,
        puts=["h"],
    )
    child.finish(first)
    between = child.until(lambda kind, body: kind == "stdout" and body["bytes"] == b"tick 3\n", timeout=1)
    assert {body["cell"] for _, body in between} == {first}
    second = child.run('println!("mine"); task::sleep(Duration::from_millis(250)).await;')
    assert second.text("stdout", cell=second.cell) == "mine\n"
    assert second.text("stdout", cell=first).startswith("tick")
    third = child.run('println!("{}", h.await);', takes={"h": "async_std::task::JoinHandle<&'static str>"})
    assert third.text("stdout", cell=third.cell) == "value\n"


def test_unfinished_lines_belong_to_the_task_that_prints_them(child):
    first = child.start(
        "task::spawn(async { for _ in 0..5 { task::sleep(Duration::from_millis(60)).await; print!(\".\"); } });"
    )
    child.finish(first)
    result = child.run("task::sleep(Duration::from_millis(600)).await;")
    assert result.text("stdout", cell=first) == "....."


def test_a_cell_that_was_refused_does_not_run(child):
    child.run("let x = 7u32;", puts=["x"])
    child.refuse = True
    child.start('println!("ran"); let _ = x;', takes={"x": "u32"})
    assert child.until_complete() == ["EVCXR_VARIABLE_CHANGED_TYPE:loopbook_not_run"]
    child.refuse = False
    result = child.run('println!("{x}");', takes={"x": "u32"})
    assert result.text() == "7\n"


def test_the_panic_of_a_detached_task_is_reported_under_its_cell(child):
    cell = child.start('let h = task::Builder::new().name("w".into()).spawn(async {\npanic!("lost") }).unwrap(); drop::<task::JoinHandle<()>>(h);')
    failed = child.until(lambda kind, body: body.get("type") == "task_failed")[-1][1]
    assert (failed["cell"], failed["name"], failed["failure"]["message"]) == (cell, "w", "lost")
    assert failed["failure"]["site"]["line"] == 2


def test_awaiting_a_task_that_panicked_gives_its_panic(child):
    result = child.run('let h = task::spawn(async {\npanic!("theirs") });\nlet () = h.await;')
    assert result.failure["message"] == "theirs" and result.failure["site"]["line"] == 2
    assert not any(body.get("type") == "task_failed" for _, body in result.frames)


def test_tokio_works_beside_the_loop(child):
    result = child.run(
        """
        let a = tokio::spawn(async { tokio::time::sleep(Duration::from_millis(20)).await; 1 }).await.unwrap();
        let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let b = std::thread::spawn(move || rt.block_on(async { 2 })).join().unwrap();
        let own = tokio::runtime::Runtime::new().unwrap();
        let c = own.spawn(async { 3 }).await.unwrap();
        own.shutdown_background();
        println!("{a}{b}{c}");
        """
    )
    assert result.text() == "123\n"


def test_tasks_of_tokio_are_listed_and_print_under_their_cell(child):
    first = child.run(
        """
        tokio::spawn(async { tokio::time::sleep(Duration::from_millis(300)).await; println!("late"); panic!("lost") });
        let mut set = tokio::task::JoinSet::new();
        set.spawn(std::future::pending::<()>());
        """,
        puts=["set"],
    )
    child.send(type="query", id=1, query={"query": "tasks", "all": False, "cell": None})
    answer = child.until(lambda kind, body: body.get("type") == "answer")[-1][1]["answer"]["Ok"]
    assert [task["kind"] for task in answer["application/json"]] == ["tokio"]
    assert "and 1 of tokio that were not started" in answer["text/plain"]
    result = child.run("task::sleep(Duration::from_millis(500)).await;")
    assert result.text(cell=first.cell) == "late\ntask 2 panicked at In[1]:2: lost\n"


def test_tokio_network_and_runtimes_work_in_cells_and_tasks(child):
    result = child.run(
        """
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = task::spawn(async move { listener.accept().await.unwrap().0.write_all(b"hi").await.unwrap() });
        let mut text = String::new();
        tokio::net::TcpStream::connect(address).await.unwrap().read_to_string(&mut text).await.unwrap();
        server.await;
        let own = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let a = own.block_on(async { tokio::spawn(async { tokio::time::sleep(Duration::from_millis(1)).await; 1 }).await.unwrap() });
        let b = own.handle().spawn_blocking(|| 2).await.unwrap();
        let c = { let _context = own.enter(); tokio::spawn(async { 3 }) }.await.unwrap();
        let d = tokio::select! { n = async { 4 } => n, _ = tokio::time::sleep(Duration::from_secs(9)) => 0 };
        let e = std::thread::spawn(|| tokio::spawn(async { 5 })).join().unwrap().await.unwrap();
        own.shutdown_background();
        println!("{text}{a}{b}{c}{d}{e}");
        """
    )
    assert result.text() == "hi12345\n", result.failure


def test_branches_are_polled_only_when_they_are_woken(child):
    result = child.run(
        """
        use loopbook::gather;
        async fn steps(n: u64) { for _ in 0..n { task::sleep(Duration::from_millis(2)).await } }
        gather!(steps(20), steps(1), steps(1));
        for t in loopbook::finished_tasks() { println!("{} {}", t.name.unwrap(), t.polls); }
        let before = loopbook::current_task().unwrap().polls;
        task::spawn_local(steps(20)).await;
        println!("{}", loopbook::current_task().unwrap().polls - before);
        """
    )
    assert result.text() == "steps(1) 2\nsteps(1) 2\nsteps(20) 21\n1\n", result.failure


def test_a_panic_in_a_thread_is_told_once_with_its_line(child):
    result = child.run(
        """
        let plain = std::thread::Builder::new().name("t".into());
        plain.spawn(|| panic!("one")).unwrap().join().unwrap_err();
        std::thread::spawn(|| task::block_on(async { panic!("two") })).join().unwrap_err();
        """
    )
    lines = "thread 't' panicked at In[1]:3: one\nthread 'unnamed' panicked at In[1]:4: two\n"
    assert result.text() == lines, result.failure


def test_statics_and_thread_locals_are_one_for_all_cells(child):
    items = """
    use std::{cell::Cell, sync::{OnceLock, atomic::{AtomicU32, Ordering::SeqCst}}};
    use loopbook::__private::{LocalSlot, Slot};
    static HITS: Slot<AtomicU32> = Slot::new("HITS", 1, || AtomicU32::new(0));
    static ONCE: Slot<OnceLock<u32>> = Slot::new("ONCE", 2, || OnceLock::new());
    static MINE: LocalSlot<Cell<u32>> = LocalSlot::new("MINE", 3, || Cell::new(0));
    fn raise() { HITS.fetch_add(1, SeqCst); MINE.set(MINE.get() + 1); }
    """
    child.run("raise(); task::spawn(async { raise(); ONCE.set(7).unwrap(); }).await;", items=items)
    child.run("raise(); task::spawn_local(async { raise() }).await;", items=items)
    result = child.run('println!("{} {:?} {}", HITS.load(SeqCst), ONCE.get(), MINE.get());', items=items)
    assert result.text() == "4 Some(7) 3\n", result.failure


def test_user_code_sees_nothing_of_the_machinery(child):
    result = child.run(
        """
        for name in ["EVCXR_IS_RUNTIME", "RUST_BACKTRACE", "LOOPBOOK_CHANNEL", "LOOPBOOK_SOURCE"] {
            assert!(std::env::var_os(name).is_none(), "{name}");
        }
        let open = std::process::Command::new("ls").arg("/proc/self/fd").output().unwrap();
        print!("{}", String::from_utf8_lossy(&open.stdout));
        """
    )
    # 3 is the directory that `ls` reads.
    assert result.text("stdout").split() == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("code", "signals"),
    [
        ("std::process::abort();", {6}),
        ("unsafe { std::ptr::null_mut::<u8>().write_volatile(1) };", {11}),
        ("fn f(n: u64) -> u64 { if n == 0 { 0 } else { f(n + 1) + std::hint::black_box(n) } } println!(\"{}\", f(1));", {6, 11}),
    ],
)
def test_a_death_is_a_signal_and_keeps_what_was_printed(child, code, signals):
    child.start(f'println!("last words"); {code}')
    frames = child.rest()
    assert -child.process.wait(timeout=10) in signals
    assert ("stdout", {"cell": 101, "bytes": b"last words\n"}) in frames


def test_the_child_ends_when_evcxr_hangs_up(child):
    child.run("task::spawn(async { loop { task::sleep(Duration::from_millis(1)).await } });")
    child.process.stdin.close()
    # With its whole group, in which the programs of cells stand.
    assert child.process.wait(timeout=5) == -signal.SIGKILL


def test_shared_objects_are_removed_after_loading(child):
    child.run("")
    assert not child.library.exists()


def test_what_is_shown_stands_where_it_was_shown(child):
    result = child.run('for _ in 0..20 { println!("a"); print!("b"); loopbook::display(5); eprintln!("c"); }')
    order = "".join(
        body["bytes"].decode() if kind != "message" else body["data"]["text/plain"] + "\n"
        for kind, body in result.frames
        if kind != "message" or body["type"] == "display"
    )
    assert order == "a\nb5\nc\n" * 20


def test_a_failed_question_mark_ends_the_cell_early(child):
    result = child.run(
        'let a = 1;\nlet n: u32 = loopbook::__try!("x".parse::<u32>());\nprintln!("never");', puts=["a"]
    )
    assert result.markers == ["EVCXR_ERROR_OCCURRED"] and result.text() == ""
    assert result.failure["kind"] == "Error" and result.failure["message"] == "invalid digit found in string"
    assert (result.failure["site"]["cell"], result.failure["site"]["line"]) == (1, 2)


def test_the_inspector_answers_while_every_thread_computes(child):
    cell = child.start(
        """
        static COMPUTES: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
        for i in 0..64 { task::Builder::new().name(format!("busy {i}")).spawn(async {
            COMPUTES.store(true, std::sync::atomic::Ordering::Release);
            let began = std::time::Instant::now();
            while began.elapsed() < Duration::from_secs(2) {}
        }).unwrap(); }
        while !COMPUTES.load(std::sync::atomic::Ordering::Acquire) { std::thread::yield_now(); }
        println!("all are spawned");
        std::thread::sleep(Duration::from_secs(2));
        """
    )
    child.until(lambda kind, body: kind == "stdout")
    child.send(type="query", id=7, query={"query": "tasks", "all": False, "cell": None})
    messages = child.until(lambda kind, body: body.get("type") == "answer")
    assert all(body.get("type") != "cell_done" for _, body in messages), "the cell and its tasks still compute"
    tasks = messages[-1][1]["answer"]["Ok"]["application/json"]
    assert {task["name"] for task in tasks} >= {"In[1]", "busy 0", "busy 63"}
    assert all(task["site"]["line"] == 3 for task in tasks if task["kind"] == "task")
    assert {task["parent"] for task in tasks if task["kind"] == "task"} == {tasks[0]["id"]}
    assert "running" in {task["state"] for task in tasks if task["kind"] == "task"}
    child.finish(cell)


def test_the_registry_knows_who_waits_for_what(child):
    result = child.run(
        """
        let inner = task::Builder::new().name("inner".into()).spawn(task::sleep(Duration::from_millis(300))).unwrap();
        let outer = task::Builder::new().name("outer".into()).spawn(async { inner.await }).unwrap();
        task::sleep(Duration::from_millis(100)).await;
        for t in loopbook::all_tasks() {
            println!("{} {:?} {:?} {}", t.name.unwrap(), t.state, t.waiting_on.len(), t.awaited_by.len());
        }
        outer.await;
        for t in loopbook::finished_tasks() {
            assert!(t.idle >= Duration::from_millis(200) && t.busy < Duration::from_millis(50) && t.self_wakes == 0, "{t:?}");
            println!("{} {:?} {}", t.name.unwrap(), t.state, t.polls);
        }
        """
    )
    assert result.text() == (
        "In[1] Running 0 0\ninner Idle 1 1\nouter Idle 1 0\ninner Completed 2\nouter Completed 2\n"
    ), result.failure


def test_a_waiting_socket_costs_no_polls(child):
    result = child.run(
        """
        let listener = async_std::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let h = task::spawn(async move { listener.accept().await.map(drop) });
        task::sleep(Duration::from_millis(300)).await;
        let info = loopbook::all_tasks().pop().unwrap();
        println!("{:?} {}", info.kind, info.polls <= 3);
        h.cancel().await;
        println!("{:?}", loopbook::finished_tasks().pop().unwrap().state);
        """
    )
    assert result.text() == "Task true\nCancelled\n", result.failure


def test_local_tasks_stand_still_between_cells(child):
    child.run(
        """
        let h = task::spawn_local(async { for _ in 0..3 { task::sleep(Duration::from_millis(10)).await } 4 });
        task::yield_now().await;
        """,
        puts=["h"],
    )
    time.sleep(0.1)
    child.send(type="query", id=1, query={"query": "tasks", "all": False, "cell": None})
    answer = child.until(lambda kind, body: body.get("type") == "answer")[-1][1]
    assert [task["state"] for task in answer["answer"]["Ok"]["application/json"]] == ["frozen"]
    result = child.run(
        "println!(\"{}\", task::block_on(async { h.await }));", takes={"h": "async_std::task::JoinHandle<i32>"}
    )
    assert result.text() == "4\n"


STUCK = """
let both = std::sync::Arc::new(std::sync::Barrier::new(%d));
for name in ["a", "b"] {
    let both = both.clone();
    task::Builder::new().name(name.into()).spawn(async move {
        both.wait();
        println!("{}", task::block_on(task::spawn(async { task::yield_now().await; 1 })));
    }).unwrap();
}
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_tasks_that_block_on_tasks_do_not_stop_the_loop(make_child, threads):
    child = make_child(ASYNC_STD_THREAD_COUNT=str(threads))
    first = child.run(STUCK % threads + "task::sleep(Duration::from_millis(3500)).await;")
    assert first.text("stdout") == "1\n1\n"
    displays = [body for kind, body in first.frames if kind == "message" and body["type"] == "display"]
    warnings = [display["data"]["text/plain"] for display in displays if "worker_blocked" in display["data"]["text/plain"]]
    assert len(warnings) == 1, warnings
    assert '"a" (In[1], line 5)' in warnings[0] and "`.await` in place of `block_on`" in warnings[0]
    assert f"({threads + 1} of at most 64)" in warnings[0]
    assert child.run('println!("{}", task::spawn(async { 5 }).await);').text() == "5\n"


def test_busy_tasks_that_keep_nobody_waiting_get_no_warning(make_child):
    child = make_child(ASYNC_STD_THREAD_COUNT="1")
    result = child.run(
        """
        let busy = task::spawn(async {
            let began = std::time::Instant::now();
            while began.elapsed() < Duration::from_millis(1800) {}
        });
        busy.await;
        """
    )
    assert result.text() == "", result.failure


def test_local_tasks_run_inside_a_nested_block_on(child):
    result = child.run(
        """
        task::sleep(Duration::from_millis(5)).await;
        let mine = task::block_on(async { task::spawn_local(async { task::sleep(Duration::from_millis(5)).await; 1 }).await });
        let theirs = task::spawn(async {
            task::block_on(async { task::spawn_local(async { task::sleep(Duration::from_millis(5)).await; 2 }).await })
        });
        println!("{mine}{}", theirs.await);
        """
    )
    assert result.text() == "12\n", result.failure


CANCEL = """
    async fn hour() { task::sleep(Duration::from_secs(3600)).await }
"""
NEWEST = "loopbook::all_tasks().pop().unwrap().id"


def test_a_cancelled_task_ends_with_its_destructors_and_says_who(child):
    result = child.run(
        f"""
        struct Bye; impl Drop for Bye {{ fn drop(&mut self) {{ println!("bye"); }} }}
        let h = task::Builder::new().name("x".into()).spawn(async {{ let _bye = Bye; hour().await }}).unwrap();
        task::sleep(Duration::from_millis(20)).await;
        let id = {NEWEST};
        let outcome = loopbook::cancel(id);
        outcome.await;
        println!("{{outcome:?}} {{:?}}", loopbook::cancel(id));
        println!("{{:?}}", loopbook::task(id).unwrap().cancelled_by);
        h.await
        """,
        items=CANCEL,
    )
    assert result.text() == 'bye\nRequested AlreadyFinished\nSome("In[1], line 6")\n'
    assert result.failure["kind"] == "Panic"
    assert result.failure["message"].endswith('"x" was cancelled by In[1], line 6')
    assert not any(body.get("type") == "task_failed" for _, body in result.frames)


def test_a_task_that_computes_is_cancelled_when_its_poll_ends(child):
    result = child.run(
        f"""
        let _h = task::spawn(async {{ std::thread::sleep(Duration::from_millis(300)); hour().await }});
        task::sleep(Duration::from_millis(100)).await;
        let loopbook::CancelOutcome::InPoll(time) = loopbook::cancel({NEWEST}) else {{ panic!() }};
        println!("{{}}", time >= Duration::from_millis(90) && time < Duration::from_millis(290));
        loopbook::CancelOutcome::InPoll(time).await;
        println!("{{:?}}", loopbook::finished_tasks().pop().unwrap().state);
        let _b = task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(50)));
        println!("{{:?}}", loopbook::cancel({NEWEST}));
        """,
        items=CANCEL,
    )
    assert result.text() == "true\nCancelled\nNotCancellable\n", result.failure


def test_a_cell_and_all_that_it_started_can_be_cancelled(child):
    child.run("task::spawn(hour()); task::spawn_local(hour()); task::yield_now().await;", items=CANCEL)
    other = child.run(
        """
        let outcome = loopbook::cancel_cell(1);
        outcome.await;
        println!("{outcome:?} {}", loopbook::all_tasks().len());
        """
    )
    assert other.text() == "Requested 1\n", other.failure
    cell = child.start('println!("in"); task::block_on(hour())', items=CANCEL)
    child.until(lambda kind, body: kind == "stdout" and body["bytes"] == b"in\n")
    child.send(type="query", id=1, query={"query": "cancel_cell", "cell": 3})
    result = child.finish(cell)
    assert result.failure["kind"] == "Interrupted"


def test_the_kernel_can_cancel_a_task(child):
    child.run("task::spawn(hour());", items=CANCEL)
    for expected in ("task 2 (In[1], line 1): ends at the next `.await`", "there is no task 2 "):
        child.send(type="query", id=1, query={"query": "cancel", "id": 2})
        answer = child.until(lambda kind, body: body.get("type") == "answer")[-1][1]
        assert answer["answer"]["Ok"]["text/plain"].startswith(expected)
        time.sleep(0.1)
    assert child.run('println!("{:?}", loopbook::task(2).unwrap().cancelled_by);').text() == 'Some("`:cancel`")\n'


def ask(child, **query):
    """The forms of the inspector's answer."""
    child.send(type="query", id=99, query=query)
    answer = child.until(lambda kind, body: body.get("type") == "answer")[-1][1]["answer"]
    return answer["Ok"]


def test_the_inspector_answers_every_query_while_all_threads_are_blocked(make_child):
    child = make_child(ASYNC_STD_THREAD_COUNT="1")
    cell = child.start(
        """
        let sleeper = task::Builder::new().name("sleeper".into()).spawn(task::sleep(Duration::from_secs(60))).unwrap();
        let waits = task::Builder::new().name("waits".into()).spawn(sleeper).unwrap();
        task::sleep(Duration::from_millis(100)).await;
        task::Builder::new().name("blocks".into()).spawn(async {
            println!("blocked");
            std::thread::sleep(Duration::from_secs(4));
        }).unwrap();
        std::thread::sleep(Duration::from_secs(4));
        """
    )
    child.until(lambda kind, body: kind == "stdout" and b"blocked" in body["bytes"])
    tasks = {task["name"]: task for task in ask(child, query="tasks", all=False, cell=None)["application/json"]}
    assert tasks["blocks"]["state"] == "running" and tasks["blocks"]["thread"] == "loop-1"
    one = ask(child, query="task", id=tasks["waits"]["id"])
    assert one["application/json"]["waiting_on"] == [{"on": "task", "id": tasks["sleeper"]["id"]}]
    assert "waits for" in one["text/plain"] and "<table" in one["text/html"]
    tree = ask(child, query="tree", id=tasks["waits"]["id"])
    assert [inner["name"] for inner in tree["application/json"][0]["awaits"]] == ["sleeper"]
    assert '└── (task' in tree["text/plain"]
    assert len(ask(child, query="tree", id=None)["application/json"]) >= 3
    loop = ask(child, query="loop")["application/json"]
    assert [worker["task"] for worker in loop["workers"] if worker["name"] == "loop-1"] == [tasks["blocks"]["id"]]
    assert any(item["kind"] == "timer" for item in ask(child, query="resources")["application/json"])
    timeline = ask(child, query="timeline", cell=1, last=None)
    lanes = {lane["name"]: lane for lane in timeline["application/json"]["lanes"]}
    assert lanes["blocks"]["spans"][-1]["state"] == "Running" or lanes["blocks"]["spans"][-1]["state"] == "running"
    assert timeline["text/html"].startswith("<figure") and timeline["text/plain"].isascii()
    assert ask(child, query="timeline", cell=None, last=0.5)["application/json"]["lanes"]
    assert isinstance(ask(child, query="lints")["application/json"], list)
    child.finish(cell)


def test_a_lint_has_one_line_under_its_cell_unless_switched_off(child):
    lost = """
        let lost = task::spawn(std::future::poll_fn(|_| std::task::Poll::<()>::Pending));
        task::sleep(Duration::from_millis(2000)).await;
        """
    shown = [body["data"]["text/plain"] for _, body in child.run(lost).frames if body.get("type") == "display"]
    assert len(shown) == 1 and "lost_waker" in shown[0] and "(In[1], line 2)" in shown[0], shown
    quiet = child.run("loopbook::show_lints(false);" + lost)
    assert not [body for _, body in quiet.frames if body.get("type") == "display"]
    names = child.run('for l in loopbook::lints() { println!("{} {:?}", l.name, l.cell); }').text()
    assert names == "lost_waker Some(1)\nlost_waker Some(2)\n"


def test_local_tasks_that_stand_still_are_told(child):
    child.run(
        "let h = task::spawn_local(async { loop { task::sleep(Duration::from_millis(10)).await } }); task::yield_now().await;",
        puts=["h"],
    )
    frames = child.until(lambda kind, body: body.get("type") == "display")
    assert "frozen_local" in frames[-1][1]["data"]["text/plain"]


def test_a_line_whose_tasks_pile_up_from_cell_to_cell_is_told(child):
    child.run(
        """
        task::spawn(async {
            loop {
                for _ in 0..40 { task::spawn(task::sleep(Duration::from_secs(600))); }
                task::sleep(Duration::from_millis(100)).await;
            }
        });
        """
    )
    for _ in range(5):
        child.run("task::sleep(Duration::from_millis(700)).await;")
    leaks = child.run('for l in loopbook::lints() { println!("{} {:?} {:?}", l.name, l.cell, l.line); }').text()
    assert leaks == "leak Some(1) Some(4)\n"
