//! The lab's servers keep their promises: what overlaps is counted, what fails fails as it says, nothing is left behind.
#![deny(warnings)]

use loopbook::facade::task;
use loopbook::{cost, cost_of, gather, gather_all, lab, reactor};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Some tests look at the whole process: its descriptors, threads and sockets.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux has it").count()
}

fn lab_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux has it").flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("lab-server-")).count()
}

#[test]
fn a_thousand_requests_are_in_flight_at_once() {
    let _alone = alone();
    let clients = lab::connection_limit().min(1_200);
    let server = lab::server();
    // Long enough for a slow machine to connect them all.
    let url = server.url("/delay/3000");
    let answers = task::block_on(gather_all((0..clients).map(|_| lab::get(&url))));
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.text() == "Waited 3000 ms.\n")));
    let stats = server.stats();
    assert_eq!((stats.requests, stats.answered, stats.hung_up), (clients as u64, clients as u64, 0));
    assert_eq!(server.max_in_flight(), clients);
    assert_eq!(server.in_flight(), 0);
    let arrivals = server.arrivals();
    assert_eq!(arrivals.len(), clients);
    assert!(arrivals.is_sorted_by_key(|arrival| arrival.at) && arrivals[0].path == "/delay/3000");
}

#[test]
fn delays_overlap_in_tasks_and_threads_and_not_one_after_the_other() {
    let _alone = alone();
    let server = lab::server();
    let url = server.url("/delay/150");
    let one = cost_of(|| lab::get_blocking(&url).expect("it answers")).wall;
    assert!(one >= ms(150), "{one:?}");
    let sequential = task::block_on(cost(async {
        lab::get(&url).await.expect("it answers");
        lab::get(&url).await.expect("it answers");
    }));
    assert_eq!(server.max_in_flight(), 1);
    server.reset();
    let together = task::block_on(cost(async { gather!(lab::get(&url), lab::get(&url)) }));
    assert_eq!((server.max_in_flight(), server.requests()), (2, 2));
    assert!(sequential.wall > together.wall.mul_f64(1.4), "{sequential:?} {together:?}");
    assert!(together.cpu_share() < 0.5, "{together}");
    server.reset();
    std::thread::scope(|scope| {
        let threads = [(); 3].map(|()| scope.spawn(|| lab::get_blocking(&url)));
        threads.map(|thread| thread.join().expect("no panic").expect("it answers").status)
    });
    assert_eq!(server.max_in_flight(), 3);
}

#[test]
fn every_nth_answer_of_flaky_is_a_failure() {
    let server = lab::server();
    let statuses = |path: &str, count: usize| -> Vec<u16> {
        (0..count).map(|_| lab::get_blocking(server.url(path)).expect("it answers").status).collect()
    };
    assert_eq!(statuses("/flaky/3", 7), [200, 200, 503, 200, 200, 503, 200]);
    assert_eq!(statuses("/flaky/2", 2), [200, 503], "each number counts for itself");
    assert_eq!(statuses("/flaky/1", 2), [503, 503]);
    server.reset();
    assert_eq!(statuses("/flaky/3", 3), [200, 200, 503]);
}

#[test]
fn a_connection_that_is_dropped_is_an_error_and_no_answer() {
    let server = lab::server();
    for error in [
        lab::get_blocking(server.url("/drop")).expect_err("no answer"),
        task::block_on(lab::get(server.url("/drop"))).expect_err("no answer"),
    ] {
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert!(error.to_string().contains("without an answer"), "{error}");
    }
    assert_eq!((server.requests(), server.stats().answered), (2, 0));
    let gone = server.url("/");
    drop(server);
    let error = task::block_on(lab::get(gone)).expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn slow_sends_line_after_line() {
    let server = lab::server();
    let mut stream = TcpStream::connect(server.addr()).expect("it listens");
    stream.write_all(b"GET /slow/4/50 HTTP/1.1\r\nHost: lab\r\n\r\n").expect("sent");
    let (mut answer, mut pieces, mut buffer) = (Vec::new(), 0, [0; 1024]);
    let began = Instant::now();
    loop {
        let count = stream.read(&mut buffer).expect("it sends");
        if count == 0 {
            break;
        }
        pieces += 1;
        answer.extend_from_slice(&buffer[..count]);
    }
    assert!(began.elapsed() >= ms(200), "{:?}", began.elapsed());
    assert!(pieces >= 2, "all of it came at once");
    assert!(answer.ends_with(b"line      1\nline      2\nline      3\nline      4\n"));
    assert_eq!(lab::get_blocking(server.url("/slow/0/50")).expect("it answers").text(), "");
    assert_eq!(lab::get_blocking(server.url("/slow/3/1")).expect("it answers").text().lines().count(), 3);
}

#[test]
fn headers_and_bodies_come_back() {
    let server = lab::server();
    let headers = lab::get_blocking(server.url("/headers")).expect("it answers");
    assert!(headers.text().contains(&format!("host: {}\n", server.addr())), "{}", headers.text());
    assert_eq!(headers.header("Server"), Some("loopbook-lab"));
    let body = "a longer text, ".repeat(10_000);
    let echo = task::block_on(lab::post(server.url("/echo"), body.clone())).expect("it answers");
    assert_eq!(echo.text(), body);
    let nothing = lab::get_blocking(server.url("/nothing")).expect("it answers");
    assert!(nothing.status == 404 && nothing.text().contains("/delay/MS"), "{nothing:?}");
}

#[test]
fn what_is_no_request_is_refused_and_the_server_lives() {
    let server = lab::server();
    for nonsense in
        [&b"nonsense\r\n\r\n"[..], b"\xff\xff / \r\n\r\n", b"POST /echo HTTP/1.1\r\ncontent-length: 9999999\r\n\r\n"]
    {
        let mut stream = TcpStream::connect(server.addr()).expect("it listens");
        stream.write_all(nonsense).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    drop(TcpStream::connect(server.addr()).expect("it listens"));
    assert_eq!(lab::get_blocking(server.url("/echo")).expect("it answers").status, 200);
}

#[test]
fn two_servers_count_for_themselves() {
    let (one, two) = (lab::server(), lab::server());
    assert_ne!(one.addr(), two.addr());
    let asked = [&one, &one, &two].map(|server| lab::get(server.url("/")));
    assert!(task::block_on(gather_all(asked)).iter().all(Result::is_ok));
    assert_eq!((one.requests(), two.requests()), (2, 1));
    drop(one);
    assert_eq!(lab::get_blocking(two.url("/")).expect("it answers").status, 200);
}

#[test]
fn a_client_that_hangs_up_is_noticed_and_one_that_only_stops_sending_is_answered() {
    let _alone = alone();
    let server = lab::server();
    let lost = task::spawn(lab::get(server.url("/delay/60000")));
    until("it arrives", || server.in_flight() == 1);
    task::block_on(lost.cancel());
    until("the server notices", || server.stats().hung_up == 1 && server.in_flight() == 0);
    let mut stream = TcpStream::connect(server.addr()).expect("it listens");
    stream.write_all(b"GET /delay/100 HTTP/1.1\r\n\r\n").expect("sent");
    stream.shutdown(Shutdown::Write).expect("it was open");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    assert!(answer.ends_with("Waited 100 ms.\n"), "{answer}");
    assert_eq!(server.stats().hung_up, 1);
}

#[test]
fn what_goes_over_the_wire_is_traced_in_both_directions() {
    let server = lab::server();
    lab::get_blocking(server.url("/delay/30")).expect("it answers");
    let trace = server.trace().expect("there was a connection");
    assert_eq!(trace.pieces.len(), 2);
    assert!(
        trace.pieces[0].from == lab::Side::Client && trace.pieces[0].bytes.starts_with(b"GET /delay/30 HTTP/1.1\r\n")
    );
    assert!(trace.pieces[1].from == lab::Side::Server && trace.pieces[1].bytes.ends_with(b"Waited 30 ms.\n"));
    assert!(trace.pieces[1].at - trace.pieces[0].at >= ms(29), "{trace:?}");
    let shown = loopbook::__bundle!(server.trace()).expect("shows");
    assert!(shown["text/html"].as_str().expect("text").contains("<svg"));
    assert!(shown["text/plain"].as_str().expect("text").contains("GET /delay/30"));
    assert!(loopbook::json(&server.traces()).contains("\"from\":\"client\""));
}

#[test]
fn an_echo_comes_late_and_a_socket_that_does_not_block_says_so() {
    let server = lab::echo(ms(150));
    let mut stream = TcpStream::connect(server.addr()).expect("it listens");
    stream.write_all(b"ping").expect("sent");
    stream.set_nonblocking(true).expect("a socket can");
    let mut answer = [0; 4];
    assert_eq!(stream.read(&mut answer).expect_err("nothing there yet").kind(), ErrorKind::WouldBlock);
    stream.set_nonblocking(false).expect("a socket can");
    stream.read_exact(&mut answer).expect("sent back");
    assert_eq!((&answer, server.requests()), (b"ping", 1));
}

#[test]
fn queries_of_the_database_overlap() {
    let database = lab::database(ms(100));
    let (one, none, all) = task::block_on(async { gather!(database.book(1), database.book(77), database.books()) });
    assert_eq!(one.expect("it answers").map(|book| book.id), Some(1));
    assert_eq!(none.expect("it answers"), None);
    let all = all.expect("it answers");
    assert!(all.len() >= 5 && all.is_sorted_by_key(|book| book.id));
    assert_eq!(database.server().max_in_flight(), 3);
    assert!(loopbook::__bundle!(all).expect("shows")["text/html"].as_str().expect("text").contains("<table"));
}

#[test]
fn a_server_takes_no_part_in_the_loop() {
    let _alone = alone();
    let server = lab::server();
    let address = server.addr().to_string();
    let waiting = task::spawn(lab::get(server.url("/delay/60000")));
    until("it arrives", || server.in_flight() == 1);
    let armed = || reactor().armed().filter(|descriptor| descriptor.what.contains(&address)).count();
    // Of the two ends of the connection, only the client's is the loop's; and the server listens elsewhere.
    until("the client's end is armed", || armed() == 1);
    let client = reactor().armed().find(|descriptor| descriptor.what.contains(&address)).cloned().expect("just seen");
    assert!(client.what.ends_with(&format!("to {address}")), "{client:?}");
    assert_eq!(client.interest, loopbook::Interest::Read);
    assert!(loopbook::resources().iter().filter(|resource| resource.what.contains(&address)).count() == 1);
    assert!(lab::threads().iter().all(|thread| !thread.name.starts_with("lab-server-")));
    assert!(lab_threads() >= 1);
    task::block_on(waiting.cancel());
    until("nothing is armed any more", || armed() == 0);
    let shown = loopbook::__bundle!(reactor()).expect("shows");
    assert!(shown["text/plain"].as_str().expect("text").contains("timerfd"), "{shown:?}");
}

#[test]
fn nothing_is_left_of_a_server_that_was_dropped() {
    // What exists once for the whole process, and threads of this harness, are there before it counts.
    let run = || {
        let server = lab::server();
        let url = server.url("/delay/60000");
        let clients: Vec<_> = (0..20).map(|_| task::spawn(lab::get(&url))).collect();
        until("they arrive", || server.in_flight() == 20);
        drop(server);
        for client in clients {
            task::block_on(client).expect_err("the server went away");
        }
    };
    let program = std::env::current_exe().expect("a test knows where it is");
    if std::env::var_os("LAB_LEAVES_NOTHING").is_none() {
        let test = "nothing_is_left_of_a_server_that_was_dropped";
        let status =
            std::process::Command::new(program).args([test, "--exact"]).env("LAB_LEAVES_NOTHING", "1").status();
        assert!(status.expect("it can be started").success());
        return;
    }
    run();
    let before = open_descriptors();
    for _ in 0..5 {
        run();
    }
    // Linux lists a thread for a moment longer than it can be waited for.
    until("all threads have ended", || lab_threads() == 0);
    until("all descriptors are closed", || open_descriptors() <= before);
}
