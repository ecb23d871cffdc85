//! Input: a cell asks, the client that runs it answers.

use crate::support::{Session, check};
use expect_test::expect;

#[test]
fn a_cell_asks_the_client_that_runs_it() {
    check(
        "execute@B print before; input name? 
         answer@B Ada
         execute password secret:
         answer x",
        expect![[r#"
            > execute@B print before; input name?
            1 iopub status busy
            1 iopub execute_input [1] "print before\ninput name?"
            1 iopub stream stdout "before\n"
            1 stdin input_request {"password":false,"prompt":"name?"}
            > answer@B Ada
            1 iopub stream stdout "answer: Ada\n"
            1 shell execute_reply ok [1]
            1 iopub status idle
            > execute password secret:
            2 iopub status busy
            2 iopub execute_input [2] "password secret:"
            2 stdin input_request {"password":true,"prompt":"secret:"}
            > answer x
            2 iopub stream stdout "answer: x\n"
            2 shell execute_reply ok [2]
            2 iopub status idle
        "#]],
    );
}

#[test]
fn a_reply_that_names_no_question_counts_if_it_comes_from_the_client_that_was_asked() {
    check(
        "execute input name?
         answer@B[bare] Eve
         answer[bare] Ada",
        expect![[r#"
            > execute input name?
            1 iopub status busy
            1 iopub execute_input [1] "input name?"
            1 stdin input_request {"password":false,"prompt":"name?"}
            > answer@B[bare] Eve
            > answer[bare] Ada
            1 iopub stream stdout "answer: Ada\n"
            1 shell execute_reply ok [1]
            1 iopub status idle
        "#]],
    );
}

#[test]
fn a_client_that_takes_no_input_is_not_asked() {
    check(
        "execute[no-stdin] input name?; print never",
        expect![[r#"
        > execute[no-stdin] input name?; print never
        1 iopub status busy
        1 iopub execute_input [1] "input name?\nprint never"
        1 iopub error Error "no input: NotAllowed"
        1 shell execute_reply error [1] Error "no input: NotAllowed"
        1 iopub status idle
    "#]],
    );
}

#[test]
fn an_interrupt_ends_the_question_and_a_late_answer_is_ignored() {
    check(
        "execute input name?
         interrupt
         answer late
         execute input again?
         answer Ada",
        expect![[r#"
            > execute input name?
            1 iopub status busy
            1 iopub execute_input [1] "input name?"
            1 stdin input_request {"password":false,"prompt":"name?"}
            > interrupt
            2 iopub status busy
            2 control interrupt_reply {"status":"ok"}
            2 iopub status idle
            1 iopub error Interrupted "the cell was interrupted"
            1 shell execute_reply error [1] Interrupted "the cell was interrupted"
            1 iopub status idle
            > answer late
            > execute input again?
            3 iopub status busy
            3 iopub execute_input [2] "input again?"
            3 stdin input_request {"password":false,"prompt":"again?"}
            > answer Ada
            3 iopub stream stdout "answer: Ada\n"
            3 shell execute_reply ok [2]
            3 iopub status idle
        "#]],
    );
}

#[test]
fn two_questions_are_asked_one_after_the_other() {
    check(
        "execute print a
         execute input first?
         task-asks 1
         answer one",
        expect![[r#"
            > execute print a
            1 iopub status busy
            1 iopub execute_input [1] "print a"
            1 iopub stream stdout "a\n"
            1 shell execute_reply ok [1]
            1 iopub status idle
            > execute input first?
            2 iopub status busy
            2 iopub execute_input [2] "input first?"
            2 stdin input_request {"password":false,"prompt":"first?"}
            > task-asks 1
            > answer one
            2 stdin input_request {"password":false,"prompt":"task? "}
            2 iopub stream stdout "answer: one\n"
            2 shell execute_reply ok [2]
            2 iopub status idle
        "#]],
    );
}

#[test]
fn a_task_whose_front_end_does_not_listen_is_not_asked() {
    let mut session = Session::new();
    session.step("execute print a");
    assert!(session.step("task-asks 1").is_empty());
}

#[test]
fn other_requests_are_answered_while_a_cell_asks() {
    check(
        "execute input name?\nis_complete 1\nanswer Ada",
        expect![[r#"
        > execute input name?
        1 iopub status busy
        1 iopub execute_input [1] "input name?"
        1 stdin input_request {"password":false,"prompt":"name?"}
        > is_complete 1
        2 iopub status busy
        2 shell is_complete_reply {"status":"complete"}
        2 iopub status idle
        > answer Ada
        1 iopub stream stdout "answer: Ada\n"
        1 shell execute_reply ok [1]
        1 iopub status idle
    "#]],
    );
}
