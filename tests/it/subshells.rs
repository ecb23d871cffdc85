//! Subshells (JEP 91): their lives, their own counts, and that no shell waits for another.

use crate::support::check;
use expect_test::expect;

#[test]
fn subshells_are_made_listed_and_deleted() {
    check(
        r#"request control list_subshell_request {}
           request control create_subshell_request {}
           request control create_subshell_request {}
           request control list_subshell_request {}
           request control delete_subshell_request {"subshell_id":"sub1"}
           request control list_subshell_request {}
           request control delete_subshell_request {"subshell_id":"sub1"}
           request control delete_subshell_request {}
           request shell create_subshell_request {}"#,
        expect![[r#"
            > request control list_subshell_request {}
            1 iopub status busy
            1 control list_subshell_reply {"status":"ok","subshell_id":[]}
            1 iopub status idle
            > request control create_subshell_request {}
            2 iopub status busy
            2 control create_subshell_reply {"status":"ok","subshell_id":"sub1"}
            2 iopub status idle
            > request control create_subshell_request {}
            3 iopub status busy
            3 control create_subshell_reply {"status":"ok","subshell_id":"sub2"}
            3 iopub status idle
            > request control list_subshell_request {}
            4 iopub status busy
            4 control list_subshell_reply {"status":"ok","subshell_id":["sub1","sub2"]}
            4 iopub status idle
            > request control delete_subshell_request {"subshell_id":"sub1"}
            5 iopub status busy
            5 control delete_subshell_reply {"status":"ok"}
            5 iopub status idle
            > request control list_subshell_request {}
            6 iopub status busy
            6 control list_subshell_reply {"status":"ok","subshell_id":["sub2"]}
            6 iopub status idle
            > request control delete_subshell_request {"subshell_id":"sub1"}
            7 iopub status busy
            7 control delete_subshell_reply {"ename":"BadRequest","evalue":"there is no subshell `sub1` in this kernel; it was deleted, or the kernel has been restarted","status":"error","traceback":[]}
            7 iopub status idle
            > request control delete_subshell_request {}
            8 iopub status busy
            8 control delete_subshell_reply {"ename":"BadRequest","evalue":"the content of `delete_subshell_request` is not what the protocol says: missing field `subshell_id` at line 1 column 2","status":"error","traceback":[]}
            8 iopub status idle
            > request shell create_subshell_request {}
            9 iopub status busy
            9 iopub status idle
        "#]],
    );
}

#[test]
fn a_subshell_runs_while_the_main_shell_does_and_counts_for_itself() {
    check(
        "execute 1; wait
         request control create_subshell_request {}
         execute[sub1] print a; 2 & execute[sub1] wait & execute 3
         go 1
         go",
        expect![[r#"
            > execute 1; wait
            1 iopub status busy
            1 iopub execute_input [1] "1\nwait"
            1 iopub execute_result [1] text/plain "1"
            > request control create_subshell_request {}
            2 iopub status busy
            2 control create_subshell_reply {"status":"ok","subshell_id":"sub1"}
            2 iopub status idle
            > execute[sub1] print a; 2 & execute[sub1] wait & execute 3
            3 iopub status busy
            3 iopub execute_input [1] "print a\n2"
            3 iopub stream stdout "a\n"
            3 iopub execute_result [1] text/plain "2"
            3 shell execute_reply ok [1]
            3 iopub status idle
            4 iopub status busy
            4 iopub execute_input [2] "wait"
            > go 1
            4 shell execute_reply ok [2]
            4 iopub status idle
            > go
            1 shell execute_reply ok [1]
            1 iopub status idle
            5 iopub status busy
            5 iopub execute_input [2] "3"
            5 iopub execute_result [2] text/plain "3"
            5 shell execute_reply ok [2]
            5 iopub status idle
        "#]],
    );
}

#[test]
fn an_error_aborts_only_its_own_shell() {
    check(
        "request control create_subshell_request {}
         execute wait & execute[sub1] wait
         execute fail main & execute print aborted & execute[sub1] fail sub & execute[sub1] print aborted
         go 1
         go",
        expect![[r#"
            > request control create_subshell_request {}
            1 iopub status busy
            1 control create_subshell_reply {"status":"ok","subshell_id":"sub1"}
            1 iopub status idle
            > execute wait & execute[sub1] wait
            2 iopub status busy
            2 iopub execute_input [1] "wait"
            3 iopub status busy
            3 iopub execute_input [1] "wait"
            > execute fail main & execute print aborted & execute[sub1] fail sub & execute[sub1] print aborted
            > go 1
            3 shell execute_reply ok [1]
            3 iopub status idle
            6 iopub status busy
            6 iopub execute_input [2] "fail sub"
            6 iopub error Error "sub"
            6 shell execute_reply error [2] Error "sub"
            6 iopub status idle
            7 iopub status busy
            7 shell execute_reply aborted
            7 iopub status idle
            > go
            2 shell execute_reply ok [1]
            2 iopub status idle
            4 iopub status busy
            4 iopub execute_input [2] "fail main"
            4 iopub error Error "main"
            4 shell execute_reply error [2] Error "main"
            4 iopub status idle
            5 iopub status busy
            5 shell execute_reply aborted
            5 iopub status idle
        "#]],
    );
}

#[test]
fn a_shell_that_does_not_exist_is_refused() {
    check(
        "request control create_subshell_request {}
         request control delete_subshell_request {\"subshell_id\":\"sub1\"}
         execute[sub1] print a
         complete[sub1] pr|
         request[sub1] shell comm_close {\"comm_id\":\"c\"}
         interrupt[sub1]",
        expect![[r#"
            > request control create_subshell_request {}
            1 iopub status busy
            1 control create_subshell_reply {"status":"ok","subshell_id":"sub1"}
            1 iopub status idle
            > request control delete_subshell_request {"subshell_id":"sub1"}
            2 iopub status busy
            2 control delete_subshell_reply {"status":"ok"}
            2 iopub status idle
            > execute[sub1] print a
            3 iopub status busy
            3 shell execute_reply error BadRequest "there is no subshell `sub1` in this kernel; it was deleted, or the kernel has been restarted"
            3 iopub status idle
            > complete[sub1] pr|
            4 iopub status busy
            4 shell complete_reply {"ename":"BadRequest","evalue":"there is no subshell `sub1` in this kernel; it was deleted, or the kernel has been restarted","status":"error","traceback":[]}
            4 iopub status idle
            > request[sub1] shell comm_close {"comm_id":"c"}
            5 iopub status busy
            5 iopub status idle
            > interrupt[sub1]
            6 iopub status busy
            6 control interrupt_reply {"status":"ok"}
            6 iopub status idle
        "#]],
    );
}

#[test]
fn everything_is_answered_in_a_subshell_while_both_shells_run() {
    check(
        r#"request control create_subshell_request {}
           execute wait & execute[sub1] wait
           complete[sub1] wri|
           inspect[sub1] write|
           request[sub1] shell kernel_info_request {}
           request[sub1] shell comm_info_request {}
           request[sub1] shell history_request {"hist_access_type":"range","session":0,"start":1}
           interrupt"#,
        expect![[r#"
            > request control create_subshell_request {}
            1 iopub status busy
            1 control create_subshell_reply {"status":"ok","subshell_id":"sub1"}
            1 iopub status idle
            > execute wait & execute[sub1] wait
            2 iopub status busy
            2 iopub execute_input [1] "wait"
            3 iopub status busy
            3 iopub execute_input [1] "wait"
            > complete[sub1] wri|
            4 iopub status busy
            4 shell complete_reply {"cursor_end":3,"cursor_start":0,"matches":["write"],"metadata":{"_jupyter_types_experimental":[{"end":3,"signature":"","start":0,"text":"write","type":"keyword"}]},"status":"ok"}
            4 iopub status idle
            > inspect[sub1] write|
            5 iopub status busy
            5 shell inspect_reply {"data":{"text/plain":"`write`"},"found":true,"metadata":{},"status":"ok"}
            5 iopub status idle
            > request[sub1] shell kernel_info_request {}
            6 iopub status busy
            6 shell kernel_info_reply {"banner":"Loopbook 0.1.0: async Rust 1.95.0, on one event loop. Commands: :help","help_links":[{"text":"The Rust Standard Library","url":"https://doc.rust-lang.org/std/"},{"text":"Asynchronous Programming in Rust","url":"https://rust-lang.github.io/async-book/"},{"text":"async-std","url":"https://docs.rs/async-std/latest/async_std/"}],"implementation":"loopbook","implementation_version":"0.1.0","language_info":{"codemirror_mode":"rust","file_extension":".rs","mimetype":"text/rust","name":"rust","nbconvert_exporter":"script","pygments_lexer":"rust","version":"1.95.0"},"protocol_version":"5.5","status":"ok","supported_features":["kernel subshells","iopub_welcome"]}
            6 iopub status idle
            > request[sub1] shell comm_info_request {}
            7 iopub status busy
            7 shell comm_info_reply {"comms":{},"status":"ok"}
            7 iopub status idle
            > request[sub1] shell history_request {"hist_access_type":"range","session":0,"start":1}
            8 iopub status busy
            8 shell history_reply {"history":[[2,1,"wait"]],"status":"ok"}
            8 iopub status idle
            > interrupt
            9 iopub status busy
            9 control interrupt_reply {"status":"ok"}
            9 iopub status idle
            2 iopub error Interrupted "the cell was interrupted"
            2 shell execute_reply error [1] Interrupted "the cell was interrupted"
            2 iopub status idle
            3 iopub error Interrupted "the cell was interrupted"
            3 shell execute_reply error [1] Interrupted "the cell was interrupted"
            3 iopub status idle
        "#]],
    );
}

#[test]
fn deleting_a_subshell_ends_what_runs_in_it() {
    check(
        r#"request control create_subshell_request {}
           execute[sub1] print a; wait & execute[sub1] print never
           request control delete_subshell_request {"subshell_id":"sub1"}
           execute print b"#,
        expect![[r#"
            > request control create_subshell_request {}
            1 iopub status busy
            1 control create_subshell_reply {"status":"ok","subshell_id":"sub1"}
            1 iopub status idle
            > execute[sub1] print a; wait & execute[sub1] print never
            2 iopub status busy
            2 iopub execute_input [1] "print a\nwait"
            > request control delete_subshell_request {"subshell_id":"sub1"}
            2 iopub stream stdout "a\n"
            4 iopub status busy
            2 iopub error Interrupted "the subshell was deleted while the cell ran"
            2 shell execute_reply error [1] Interrupted "the subshell was deleted while the cell ran"
            2 iopub status idle
            3 iopub status busy
            3 shell execute_reply aborted
            3 iopub status idle
            4 control delete_subshell_reply {"status":"ok"}
            4 iopub status idle
            > execute print b
            5 iopub status busy
            5 iopub execute_input [1] "print b"
            5 iopub stream stdout "b\n"
            5 shell execute_reply ok [1]
            5 iopub status idle
        "#]],
    );
}

#[test]
fn silence_and_questions_stay_in_the_subshell() {
    check(
        r#"request control create_subshell_request {}
           execute[sub1,silent] print a; 1
           execute wait & execute[sub1] input who?
           answer Ada
           go"#,
        expect![[r#"
            > request control create_subshell_request {}
            1 iopub status busy
            1 control create_subshell_reply {"status":"ok","subshell_id":"sub1"}
            1 iopub status idle
            > execute[sub1,silent] print a; 1
            2 iopub status busy
            2 shell execute_reply ok [0]
            2 iopub status idle
            > execute wait & execute[sub1] input who?
            3 iopub status busy
            3 iopub execute_input [1] "wait"
            4 iopub status busy
            4 iopub execute_input [1] "input who?"
            4 stdin input_request {"password":false,"prompt":"who?"}
            > answer Ada
            4 iopub stream stdout "answer: Ada\n"
            4 shell execute_reply ok [1]
            4 iopub status idle
            > go
            3 shell execute_reply ok [1]
            3 iopub status idle
        "#]],
    );
}

#[test]
fn shutdown_ends_all_shells() {
    check(
        r#"request control create_subshell_request {}
           execute wait & execute[sub1] wait & execute[sub1] print never
           shutdown"#,
        expect![[r#"
            > request control create_subshell_request {}
            1 iopub status busy
            1 control create_subshell_reply {"status":"ok","subshell_id":"sub1"}
            1 iopub status idle
            > execute wait & execute[sub1] wait & execute[sub1] print never
            2 iopub status busy
            2 iopub execute_input [1] "wait"
            3 iopub status busy
            3 iopub execute_input [1] "wait"
            > shutdown
            5 iopub status busy
            2 iopub error Interrupted "the kernel was shut down while the cell ran"
            2 shell execute_reply error [1] Interrupted "the kernel was shut down while the cell ran"
            2 iopub status idle
            3 iopub error Interrupted "the kernel was shut down while the cell ran"
            3 shell execute_reply error [1] Interrupted "the kernel was shut down while the cell ran"
            3 iopub status idle
            4 iopub status busy
            4 shell execute_reply aborted
            4 iopub status idle
            5 control shutdown_reply {"restart":false,"status":"ok"}
            5 iopub shutdown_reply {"restart":false,"status":"ok"}
            5 iopub status idle
            exit: Shutdown
        "#]],
    );
}
