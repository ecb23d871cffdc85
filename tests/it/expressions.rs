//! User expressions: values that a front end wants to know when a cell is done; and pages for its pager.

use crate::support::check;
use expect_test::expect;

#[test]
fn each_expression_has_a_value_or_an_error() {
    check(
        r#"request shell execute_request {"code":"print a","user_expressions":{"sum":"1+2","unit":"print b","bad":"fail no"}}
           execute 1"#,
        expect![[r#"
            > request shell execute_request {"code":"print a","user_expressions":{"sum":"1+2","unit":"print b","bad":"fail no"}}
            1 iopub status busy
            1 iopub execute_input [1] "print a"
            1 iopub stream stdout "a\nb\n"
            1 shell execute_reply ok [1] {"bad":{"ename":"Error","evalue":"no","status":"error","traceback":["\u001b[31mError\u001b[0m: no"]},"sum":{"data":{"text/plain":"3"},"metadata":{},"status":"ok"},"unit":{"data":{"text/plain":"()"},"metadata":{},"status":"ok"}}
            1 iopub status idle
            > execute 1
            2 iopub status busy
            2 iopub execute_input [2] "1"
            2 iopub execute_result [2] text/plain "1"
            2 shell execute_reply ok [2]
            2 iopub status idle
        "#]],
    );
}

#[test]
fn a_failed_cell_has_no_expressions() {
    check(
        r#"request shell execute_request {"code":"fail no","user_expressions":{"sum":"1+2"}}"#,
        expect![[r#"
            > request shell execute_request {"code":"fail no","user_expressions":{"sum":"1+2"}}
            1 iopub status busy
            1 iopub execute_input [1] "fail no"
            1 iopub error Error "no"
            1 shell execute_reply error [1] Error "no"
            1 iopub status idle
        "#]],
    );
}

#[test]
fn a_silent_cell_has_its_expressions_and_shows_nothing() {
    check(
        r#"request shell execute_request {"code":"print a","silent":true,"user_expressions":{"sum":"1+2","b":"print b"}}"#,
        expect![[r#"
            > request shell execute_request {"code":"print a","silent":true,"user_expressions":{"sum":"1+2","b":"print b"}}
            1 iopub status busy
            1 shell execute_reply ok [0] {"b":{"data":{"text/plain":"()"},"metadata":{},"status":"ok"},"sum":{"data":{"text/plain":"3"},"metadata":{},"status":"ok"}}
            1 iopub status idle
        "#]],
    );
}

#[test]
fn an_interrupt_ends_all_expressions() {
    check(
        r#"request shell execute_request {"code":"1","user_expressions":{"a":"wait","b":"1+1"}} & execute 2
           interrupt"#,
        expect![[r#"
            > request shell execute_request {"code":"1","user_expressions":{"a":"wait","b":"1+1"}} & execute 2
            1 iopub status busy
            1 iopub execute_input [1] "1"
            1 iopub execute_result [1] text/plain "1"
            > interrupt
            3 iopub status busy
            3 control interrupt_reply {"status":"ok"}
            3 iopub status idle
            1 shell execute_reply ok [1] {"a":{"ename":"Interrupted","evalue":"the cell was interrupted","status":"error","traceback":["\u001b[31mInterrupted\u001b[0m: the cell was interrupted"]},"b":{"ename":"Interrupted","evalue":"the cell was interrupted","status":"error","traceback":["\u001b[31mInterrupted\u001b[0m: the cell was interrupted"]}}
            1 iopub status idle
            2 iopub status busy
            2 iopub execute_input [2] "2"
            2 iopub execute_result [2] text/plain "2"
            2 shell execute_reply ok [2]
            2 iopub status idle
        "#]],
    );
}

#[test]
fn pages_go_to_the_pager_and_to_the_output_where_there_is_none() {
    check(
        "execute page all about it; print a
         execute[no-stdin] page all about it
         execute[silent] page all about it",
        expect![[r#"
            > execute page all about it; print a
            1 iopub status busy
            1 iopub execute_input [1] "page all about it\nprint a"
            1 iopub stream stdout "a\n"
            1 shell execute_reply ok [1] [{"data":{"text/plain":"all about it"},"source":"page","start":0}]
            1 iopub status idle
            > execute[no-stdin] page all about it
            2 iopub status busy
            2 iopub execute_input [2] "page all about it"
            2 iopub display_data text/plain "all about it"
            2 shell execute_reply ok [2] [{"data":{"text/plain":"all about it"},"source":"page","start":0}]
            2 iopub status idle
            > execute[silent] page all about it
            3 iopub status busy
            3 shell execute_reply ok [2] [{"data":{"text/plain":"all about it"},"source":"page","start":0}]
            3 iopub status idle
        "#]],
    );
}
