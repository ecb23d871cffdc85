//! Execute requests: what is said and in which order, counts, aborting, interrupting, the end.

use crate::support::{Session, check};
use expect_test::expect;
use loopbook_kernel::dispatcher::{Exit, Signal};
use std::time::Instant;

#[test]
fn a_cell_prints_and_has_a_result() {
    check(
        "execute print a; 1+1",
        expect![[r#"
        > execute print a; 1+1
        1 iopub status busy
        1 iopub execute_input [1] "print a\n1+1"
        1 iopub stream stdout "a\n"
        1 iopub execute_result [1] text/plain "2"
        1 shell execute_reply ok [1]
        1 iopub status idle
    "#]],
    );
}

#[test]
fn output_displays_and_stderr_keep_their_order() {
    check(
        "execute print a; show x; eprint b; print c; show-as d one; update d two; clear; write z",
        expect![[r#"
        > execute print a; show x; eprint b; print c; show-as d one; update d two; clear; write z
        1 iopub status busy
        1 iopub execute_input [1] "print a\nshow x\neprint b\nprint c\nshow-as d one\nupdate d two\nclear\nwrite z"
        1 iopub stream stdout "a\n"
        1 iopub display_data text/plain "x"
        1 iopub stream stderr "b\n"
        1 iopub stream stdout "c\n"
        1 iopub display_data text/plain "one" id=d
        1 iopub update_display_data text/plain "two" id=d
        1 iopub clear_output {"wait":false}
        1 iopub stream stdout "z"
        1 shell execute_reply ok [1]
        1 iopub status idle
    "#]],
    );
}

#[test]
fn a_failed_cell_says_so_once_and_what_waits_is_aborted() {
    check(
        "execute print a; fail no; print never & execute print b & execute@B print theirs & complete@B pri|
         execute print c",
        expect![[r#"
            > execute print a; fail no; print never & execute print b & execute@B print theirs & complete@B pri|
            1 iopub status busy
            1 iopub execute_input [1] "print a\nfail no\nprint never"
            4 iopub status busy
            4 shell complete_reply {"cursor_end":3,"cursor_start":0,"matches":["print"],"metadata":{"_jupyter_types_experimental":[{"end":3,"signature":"","start":0,"text":"print","type":"keyword"}]},"status":"ok"}
            4 iopub status idle
            1 iopub stream stdout "a\n"
            1 iopub error Error "no"
            1 shell execute_reply error [1] Error "no"
            1 iopub status idle
            2 iopub status busy
            2 shell execute_reply aborted
            2 iopub status idle
            3 iopub status busy
            3 iopub execute_input [2] "print theirs"
            3 iopub stream stdout "theirs\n"
            3 shell execute_reply ok [2]
            3 iopub status idle
            > execute print c
            5 iopub status busy
            5 iopub execute_input [3] "print c"
            5 iopub stream stdout "c\n"
            5 shell execute_reply ok [3]
            5 iopub status idle
        "#]],
    );
}

#[test]
fn without_stop_on_error_what_waits_runs() {
    check(
        "execute[go-on] fail no & execute print b",
        expect![[r#"
        > execute[go-on] fail no & execute print b
        1 iopub status busy
        1 iopub execute_input [1] "fail no"
        1 iopub error Error "no"
        1 shell execute_reply error [1] Error "no"
        1 iopub status idle
        2 iopub status busy
        2 iopub execute_input [2] "print b"
        2 iopub stream stdout "b\n"
        2 shell execute_reply ok [2]
        2 iopub status idle
    "#]],
    );
}

#[test]
fn silent_cells_say_nothing_and_are_not_counted() {
    check(
        "execute[silent] print a; 1+1; eprint b; late c
         execute[silent] fail no
         execute 1+1
         request shell history_request {\"hist_access_type\":\"tail\",\"n\":9,\"output\":true}",
        expect![[r#"
            > execute[silent] print a; 1+1; eprint b; late c
            1 iopub status busy
            1 shell execute_reply ok [0]
            1 iopub status idle
            > execute[silent] fail no
            2 iopub status busy
            2 shell execute_reply error [0] Error "no"
            2 iopub status idle
            > execute 1+1
            3 iopub status busy
            3 iopub execute_input [1] "1+1"
            3 iopub execute_result [1] text/plain "2"
            3 shell execute_reply ok [1]
            3 iopub status idle
            > request shell history_request {"hist_access_type":"tail","n":9,"output":true}
            4 iopub status busy
            4 shell history_reply {"history":[[1,1,["1+1","2"]]],"status":"ok"}
            4 iopub status idle
        "#]],
    );
}

#[test]
fn cells_that_are_not_stored_are_not_counted() {
    check(
        "execute 1
         execute[unstored] 2
         execute 3
         request shell history_request {\"hist_access_type\":\"tail\",\"n\":9,\"output\":true}",
        expect![[r#"
            > execute 1
            1 iopub status busy
            1 iopub execute_input [1] "1"
            1 iopub execute_result [1] text/plain "1"
            1 shell execute_reply ok [1]
            1 iopub status idle
            > execute[unstored] 2
            2 iopub status busy
            2 iopub execute_input [1] "2"
            2 iopub execute_result [1] text/plain "2"
            2 shell execute_reply ok [1]
            2 iopub status idle
            > execute 3
            3 iopub status busy
            3 iopub execute_input [2] "3"
            3 iopub execute_result [2] text/plain "3"
            3 shell execute_reply ok [2]
            3 iopub status idle
            > request shell history_request {"hist_access_type":"tail","n":9,"output":true}
            4 iopub status busy
            4 shell history_reply {"history":[[1,1,["1","1"]],[1,2,["3","3"]]],"status":"ok"}
            4 iopub status idle
        "#]],
    );
}

#[test]
fn an_interrupt_ends_the_running_cell_and_is_answered_at_once() {
    check(
        "execute print a; wait; print never & execute print aborted
         interrupt
         execute print b
         interrupt",
        expect![[r#"
            > execute print a; wait; print never & execute print aborted
            1 iopub status busy
            1 iopub execute_input [1] "print a\nwait\nprint never"
            > interrupt
            1 iopub stream stdout "a\n"
            3 iopub status busy
            3 control interrupt_reply {"status":"ok"}
            3 iopub status idle
            1 iopub error Interrupted "the cell was interrupted"
            1 shell execute_reply error [1] Interrupted "the cell was interrupted"
            1 iopub status idle
            2 iopub status busy
            2 shell execute_reply aborted
            2 iopub status idle
            > execute print b
            4 iopub status busy
            4 iopub execute_input [2] "print b"
            4 iopub stream stdout "b\n"
            4 shell execute_reply ok [2]
            4 iopub status idle
            > interrupt
            5 iopub status busy
            5 control interrupt_reply {"status":"ok"}
            5 iopub status idle
        "#]],
    );
}

#[test]
fn a_signal_interrupts_too() {
    let mut session = Session::new();
    session.step("execute wait");
    session.signals.try_send(Signal::Interrupt(Instant::now())).expect("the kernel listens");
    expect![[r#"
        1 iopub error Interrupted "the cell was interrupted"
        1 shell execute_reply error [1] Interrupted "the cell was interrupted"
        1 iopub status idle
    "#]]
    .assert_eq(&session.run(""));
}

#[test]
fn a_hundred_cells_run_in_order_each_in_its_own_window() {
    let mut session = Session::new();
    let cells: Vec<String> = (1..=100).map(|number| format!("execute print {number}; {number}; eprint end")).collect();
    let received = session.step(&cells.join(" & "));
    let windows: Vec<_> = received.chunk_by(|a, b| a.parent == b.parent).collect();
    assert_eq!(windows.len(), 100);
    for (index, window) in windows.iter().enumerate() {
        assert_eq!(window[0].parent, Some(index + 1));
        let types: Vec<&str> = window.iter().map(|message| message.msg_type.as_str()).collect();
        assert_eq!(
            types,
            ["status", "execute_input", "stream", "execute_result", "stream", "execute_reply", "status"],
            "cell {index}"
        );
        assert_eq!(window[2].content["text"], format!("{}\n", index + 1));
        assert_eq!(window[3].content["execution_count"], index + 1);
    }
}

#[test]
fn shutdown_is_answered_while_a_cell_runs() {
    check(
        "execute wait & execute print b\nshutdown",
        expect![[r#"
            > execute wait & execute print b
            1 iopub status busy
            1 iopub execute_input [1] "wait"
            > shutdown
            3 iopub status busy
            1 iopub error Interrupted "the kernel was shut down while the cell ran"
            1 shell execute_reply error [1] Interrupted "the kernel was shut down while the cell ran"
            1 iopub status idle
            2 iopub status busy
            2 shell execute_reply aborted
            2 iopub status idle
            3 control shutdown_reply {"restart":false,"status":"ok"}
            3 iopub shutdown_reply {"restart":false,"status":"ok"}
            3 iopub status idle
            exit: Shutdown
        "#]],
    );
}

#[test]
fn restart_is_a_shutdown_that_says_so() {
    check(
        "execute write a\nshutdown[restart]",
        expect![[r#"
        > execute write a
        1 iopub status busy
        1 iopub execute_input [1] "write a"
        1 iopub stream stdout "a"
        1 shell execute_reply ok [1]
        1 iopub status idle
        > shutdown[restart]
        2 iopub status busy
        2 control shutdown_reply {"restart":true,"status":"ok"}
        2 iopub shutdown_reply {"restart":true,"status":"ok"}
        2 iopub status idle
        exit: Restart
    "#]],
    );
}

#[test]
fn a_signal_ends_the_kernel_after_its_last_words() {
    let mut session = Session::new();
    session.step("execute print a; wait");
    session.signals.try_send(Signal::Terminate).expect("the kernel listens");
    expect![[r#"
        1 iopub stream stdout "a\n"
        exit: Terminated
        not idle: 1
    "#]]
    .assert_eq(&session.run(""));
    assert_eq!(session.exit(), Some(Exit::Terminated));
}
