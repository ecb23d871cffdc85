//! Requests that are answered as they come.

use crate::support::{Session, check};
use expect_test::expect;

#[test]
fn kernel_info_is_the_same_on_shell_and_control() {
    check(
        "request shell kernel_info_request {}\nrequest control kernel_info_request {}",
        expect![[r#"
            > request shell kernel_info_request {}
            1 iopub status busy
            1 shell kernel_info_reply {"banner":"Loopbook 0.1.0: async Rust 1.95.0, on one event loop. Commands: :help","help_links":[{"text":"The Rust Standard Library","url":"https://doc.rust-lang.org/std/"},{"text":"Asynchronous Programming in Rust","url":"https://rust-lang.github.io/async-book/"},{"text":"async-std","url":"https://docs.rs/async-std/latest/async_std/"}],"implementation":"loopbook","implementation_version":"0.1.0","language_info":{"codemirror_mode":"rust","file_extension":".rs","mimetype":"text/rust","name":"rust","nbconvert_exporter":"script","pygments_lexer":"rust","version":"1.95.0"},"protocol_version":"5.5","status":"ok","supported_features":["kernel subshells","iopub_welcome"]}
            1 iopub status idle
            > request control kernel_info_request {}
            2 iopub status busy
            2 control kernel_info_reply {"banner":"Loopbook 0.1.0: async Rust 1.95.0, on one event loop. Commands: :help","help_links":[{"text":"The Rust Standard Library","url":"https://doc.rust-lang.org/std/"},{"text":"Asynchronous Programming in Rust","url":"https://rust-lang.github.io/async-book/"},{"text":"async-std","url":"https://docs.rs/async-std/latest/async_std/"}],"implementation":"loopbook","implementation_version":"0.1.0","language_info":{"codemirror_mode":"rust","file_extension":".rs","mimetype":"text/rust","name":"rust","nbconvert_exporter":"script","pygments_lexer":"rust","version":"1.95.0"},"protocol_version":"5.5","status":"ok","supported_features":["kernel subshells","iopub_welcome"]}
            2 iopub status idle
        "#]],
    );
}

#[test]
fn everything_is_answered_while_a_cell_runs() {
    check(
        r#"execute print a; wait
           request shell kernel_info_request {}
           complete pr|
           inspect print|
           is_complete print \
           request shell history_request {"hist_access_type":"tail","n":1}
           request shell comm_info_request {}
           go"#,
        expect![[r#"
            > execute print a; wait
            1 iopub status busy
            1 iopub execute_input [1] "print a\nwait"
            > request shell kernel_info_request {}
            1 iopub stream stdout "a\n"
            2 iopub status busy
            2 shell kernel_info_reply {"banner":"Loopbook 0.1.0: async Rust 1.95.0, on one event loop. Commands: :help","help_links":[{"text":"The Rust Standard Library","url":"https://doc.rust-lang.org/std/"},{"text":"Asynchronous Programming in Rust","url":"https://rust-lang.github.io/async-book/"},{"text":"async-std","url":"https://docs.rs/async-std/latest/async_std/"}],"implementation":"loopbook","implementation_version":"0.1.0","language_info":{"codemirror_mode":"rust","file_extension":".rs","mimetype":"text/rust","name":"rust","nbconvert_exporter":"script","pygments_lexer":"rust","version":"1.95.0"},"protocol_version":"5.5","status":"ok","supported_features":["kernel subshells","iopub_welcome"]}
            2 iopub status idle
            > complete pr|
            3 iopub status busy
            3 shell complete_reply {"cursor_end":2,"cursor_start":0,"matches":["print"],"metadata":{"_jupyter_types_experimental":[{"end":2,"signature":"","start":0,"text":"print","type":"keyword"}]},"status":"ok"}
            3 iopub status idle
            > inspect print|
            4 iopub status busy
            4 shell inspect_reply {"data":{"text/plain":"`print`"},"found":true,"metadata":{},"status":"ok"}
            4 iopub status idle
            > is_complete print \
            5 iopub status busy
            5 shell is_complete_reply {"indent":"  ","status":"incomplete"}
            5 iopub status idle
            > request shell history_request {"hist_access_type":"tail","n":1}
            6 iopub status busy
            6 shell history_reply {"history":[[1,1,"print a\nwait"]],"status":"ok"}
            6 iopub status idle
            > request shell comm_info_request {}
            7 iopub status busy
            7 shell comm_info_reply {"comms":{},"status":"ok"}
            7 iopub status idle
            > go
            1 shell execute_reply ok [1]
            1 iopub status idle
        "#]],
    );
}

#[test]
fn cursors_count_code_points() {
    check(
        "complete 🦀é e\u{301} wr|
         complete 🦀 |
         inspect 🦀 clear| x
         inspect[detailed] clear|
         inspect nothing|
         request shell complete_request {\"code\":\"cl\",\"cursor_pos\":99}",
        expect![[r#"
            > complete 🦀é é wr|
            1 iopub status busy
            1 shell complete_reply {"cursor_end":8,"cursor_start":6,"matches":["write"],"metadata":{"_jupyter_types_experimental":[{"end":8,"signature":"","start":6,"text":"write","type":"keyword"}]},"status":"ok"}
            1 iopub status idle
            > complete 🦀 |
            2 iopub status busy
            2 shell complete_reply {"cursor_end":2,"cursor_start":2,"matches":["clear","eprint","fail","input","late","password","print","repeat","show","show-as","update","wait","write"],"metadata":{"_jupyter_types_experimental":[{"end":2,"signature":"","start":2,"text":"clear","type":"keyword"},{"end":2,"signature":"","start":2,"text":"eprint","type":"keyword"},{"end":2,"signature":"","start":2,"text":"fail","type":"keyword"},{"end":2,"signature":"","start":2,"text":"input","type":"keyword"},{"end":2,"signature":"","start":2,"text":"late","type":"keyword"},{"end":2,"signature":"","start":2,"text":"password","type":"keyword"},{"end":2,"signature":"","start":2,"text":"print","type":"keyword"},{"end":2,"signature":"","start":2,"text":"repeat","type":"keyword"},{"end":2,"signature":"","start":2,"text":"show","type":"keyword"},{"end":2,"signature":"","start":2,"text":"show-as","type":"keyword"},{"end":2,"signature":"","start":2,"text":"update","type":"keyword"},{"end":2,"signature":"","start":2,"text":"wait","type":"keyword"},{"end":2,"signature":"","start":2,"text":"write","type":"keyword"}]},"status":"ok"}
            2 iopub status idle
            > inspect 🦀 clear| x
            3 iopub status busy
            3 shell inspect_reply {"data":{"text/plain":"`clear`"},"found":true,"metadata":{},"status":"ok"}
            3 iopub status idle
            > inspect[detailed] clear|
            4 iopub status busy
            4 shell inspect_reply {"data":{"text/plain":"the command `clear`, in detail"},"found":true,"metadata":{},"status":"ok"}
            4 iopub status idle
            > inspect nothing|
            5 iopub status busy
            5 shell inspect_reply {"data":{},"found":false,"metadata":{},"status":"ok"}
            5 iopub status idle
            > request shell complete_request {"code":"cl","cursor_pos":99}
            6 iopub status busy
            6 shell complete_reply {"cursor_end":2,"cursor_start":0,"matches":["clear"],"metadata":{"_jupyter_types_experimental":[{"end":2,"signature":"","start":0,"text":"clear","type":"keyword"}]},"status":"ok"}
            6 iopub status idle
        "#]],
    );
}

#[test]
fn code_is_complete_incomplete_or_invalid() {
    check(
        "is_complete 1+1\nis_complete 1+\\\nis_complete )",
        expect![[r#"
        > is_complete 1+1
        1 iopub status busy
        1 shell is_complete_reply {"status":"complete"}
        1 iopub status idle
        > is_complete 1+\
        2 iopub status busy
        2 shell is_complete_reply {"indent":"  ","status":"incomplete"}
        2 iopub status idle
        > is_complete )
        3 iopub status busy
        3 shell is_complete_reply {"status":"invalid"}
        3 iopub status idle
    "#]],
    );
}

#[test]
fn history_has_tail_range_and_search() {
    check(
        r#"execute 1+1 & execute print a & execute 1+2 & execute 1+1
           request shell history_request {"hist_access_type":"tail","n":2,"raw":true,"output":false,"session":null}
           request shell history_request {"hist_access_type":"range","session":1,"start":1,"stop":3,"output":true}
           request shell history_request {"hist_access_type":"search","pattern":"1*","unique":true}
           request shell history_request {"hist_access_type":"search","pattern":"1*","n":2}"#,
        expect![[r#"
            > execute 1+1 & execute print a & execute 1+2 & execute 1+1
            1 iopub status busy
            1 iopub execute_input [1] "1+1"
            1 iopub execute_result [1] text/plain "2"
            1 shell execute_reply ok [1]
            1 iopub status idle
            2 iopub status busy
            2 iopub execute_input [2] "print a"
            2 iopub stream stdout "a\n"
            2 shell execute_reply ok [2]
            2 iopub status idle
            3 iopub status busy
            3 iopub execute_input [3] "1+2"
            3 iopub execute_result [3] text/plain "3"
            3 shell execute_reply ok [3]
            3 iopub status idle
            4 iopub status busy
            4 iopub execute_input [4] "1+1"
            4 iopub execute_result [4] text/plain "2"
            4 shell execute_reply ok [4]
            4 iopub status idle
            > request shell history_request {"hist_access_type":"tail","n":2,"raw":true,"output":false,"session":null}
            5 iopub status busy
            5 shell history_reply {"history":[[1,3,"1+2"],[1,4,"1+1"]],"status":"ok"}
            5 iopub status idle
            > request shell history_request {"hist_access_type":"range","session":1,"start":1,"stop":3,"output":true}
            6 iopub status busy
            6 shell history_reply {"history":[[1,1,["1+1","2"]],[1,2,["print a",null]]],"status":"ok"}
            6 iopub status idle
            > request shell history_request {"hist_access_type":"search","pattern":"1*","unique":true}
            7 iopub status busy
            7 shell history_reply {"history":[[1,3,"1+2"],[1,4,"1+1"]],"status":"ok"}
            7 iopub status idle
            > request shell history_request {"hist_access_type":"search","pattern":"1*","n":2}
            8 iopub status busy
            8 shell history_reply {"history":[[1,3,"1+2"],[1,4,"1+1"]],"status":"ok"}
            8 iopub status idle
        "#]],
    );
}

#[test]
fn a_comm_to_the_inspector_answers_each_question() {
    check(
        r#"request shell comm_open {"comm_id":"c","target_name":"loopbook.inspect","data":{"query":"tasks"}}
           request shell comm_open {"comm_id":"d","target_name":"loopbook.inspect","data":{}}
           request shell comm_info_request {}
           request shell comm_info_request {"target_name":"other"}
           request shell comm_msg {"comm_id":"d","data":{"query":"nonsense"}}
           request shell comm_close {"comm_id":"c","data":{}}
           request shell comm_msg {"comm_id":"c","data":{"query":"tasks"}}
           request shell comm_info_request {"target_name":"loopbook.inspect"}"#,
        expect![[r#"
            > request shell comm_open {"comm_id":"c","target_name":"loopbook.inspect","data":{"query":"tasks"}}
            1 iopub status busy
            1 iopub comm_msg {"comm_id":"c","data":{"error":"the toy language has no tasks","query":"tasks"}}
            1 iopub status idle
            > request shell comm_open {"comm_id":"d","target_name":"loopbook.inspect","data":{}}
            2 iopub status busy
            2 iopub status idle
            > request shell comm_info_request {}
            3 iopub status busy
            3 shell comm_info_reply {"comms":{"c":{"target_name":"loopbook.inspect"},"d":{"target_name":"loopbook.inspect"}},"status":"ok"}
            3 iopub status idle
            > request shell comm_info_request {"target_name":"other"}
            4 iopub status busy
            4 shell comm_info_reply {"comms":{},"status":"ok"}
            4 iopub status idle
            > request shell comm_msg {"comm_id":"d","data":{"query":"nonsense"}}
            5 iopub status busy
            5 iopub comm_msg {"comm_id":"d","data":{"error":"the inspector cannot answer this: unknown variant `nonsense`, expected one of `tasks`, `task`, `tree`, `loop`, `threads`, `watch`, `resources`, `timeline`, `lints`, `cancel`, `cancel_cell`","query":"nonsense"}}
            5 iopub status idle
            > request shell comm_close {"comm_id":"c","data":{}}
            6 iopub status busy
            6 iopub status idle
            > request shell comm_msg {"comm_id":"c","data":{"query":"tasks"}}
            7 iopub status busy
            7 iopub status idle
            > request shell comm_info_request {"target_name":"loopbook.inspect"}
            8 iopub status busy
            8 shell comm_info_reply {"comms":{"d":{"target_name":"loopbook.inspect"}},"status":"ok"}
            8 iopub status idle
        "#]],
    );
}

#[test]
fn comms_to_targets_that_do_not_exist_are_closed() {
    check(
        r#"request shell comm_open {"comm_id":"c","target_name":"jupyter.widget","data":{}}
           request shell comm_msg {"comm_id":"c","data":{}}
           request shell comm_close {"comm_id":"c"}"#,
        expect![[r#"
            > request shell comm_open {"comm_id":"c","target_name":"jupyter.widget","data":{}}
            1 iopub status busy
            1 iopub comm_close {"comm_id":"c","data":{}}
            1 iopub status idle
            > request shell comm_msg {"comm_id":"c","data":{}}
            2 iopub status busy
            2 iopub status idle
            > request shell comm_close {"comm_id":"c"}
            3 iopub status busy
            3 iopub status idle
        "#]],
    );
}

#[test]
fn who_subscribes_is_welcomed() {
    check(
        "subscribe\nsubscribe stream",
        expect![[r#"
        > subscribe
        - iopub iopub_welcome {"subscription":""}
        > subscribe stream
        - iopub iopub_welcome {"subscription":"stream"}
    "#]],
    );
}

#[test]
fn a_topic_that_is_no_text_is_not_welcomed() {
    let mut session = Session::new();
    assert!(session.subscribe(vec![0xff]).is_empty());
}

#[test]
fn usage_is_told_while_a_cell_runs() {
    let mut session = Session::new();
    session.step("execute wait");
    let lines = session.step_until("request control usage_request {}", "usage_reply");
    let reply = "2 control usage_reply cpu_count host_cpu_percent host_virtual_memory hostname kernel_cpu kernel_memory pid status";
    assert_eq!(lines, ["2 iopub status busy", reply]);
}

#[test]
fn a_long_text_is_checked_beside_the_loop() {
    let mut session = Session::new();
    let request = format!("is_complete {}", "1+".repeat(100_000));
    let (all, only) = (session.step_until(&request, "is_complete_reply"), session.step("is_complete 1"));
    assert!(all.iter().any(|line| line == r#"1 shell is_complete_reply {"status":"complete"}"#), "{all:?}");
    // Which socket is read first is open, so the idle of the first may be among either.
    assert_eq!(all.len() + only.len(), 6, "{all:?}");
}
