//! What cells print: gathered, decoded, attributed to the cell that caused it.

use crate::support::{Session, check};
use crate::transcript;
use expect_test::expect;
use loopbook_channel::Stream;
use loopbook_kernel::dispatcher::LateOutput;
use loopbook_kernel::evaluator::Event;
use std::time::{Duration, Instant};

#[test]
fn lines_become_one_message() {
    check(
        "execute print a; print b; write c; eprint d; print e; print f",
        expect![[r#"
        > execute print a; print b; write c; eprint d; print e; print f
        1 iopub status busy
        1 iopub execute_input [1] "print a\nprint b\nwrite c\neprint d\nprint e\nprint f"
        1 iopub stream stdout "a\nb\nc"
        1 iopub stream stderr "d\n"
        1 iopub stream stdout "e\nf\n"
        1 shell execute_reply ok [1]
        1 iopub status idle
    "#]],
    );
}

#[test]
fn a_hundred_thousand_lines_become_few_messages() {
    let mut session = Session::with_gather_output(Duration::from_secs(1));
    let received = session.step("execute repeat 100000 a line of text");
    let streams: Vec<&str> = received.iter().filter_map(|message| message.content["text"].as_str()).collect();
    assert_eq!(streams.concat(), "a line of text\n".repeat(100_000));
    let bytes: usize = streams.iter().map(|text| text.len()).sum();
    assert!(streams.len() <= bytes / 10_000, "{} messages", streams.len());
    assert_eq!(received.last().map(transcript::line).as_deref(), Some("1 iopub status idle"));
}

#[test]
fn a_value_that_shows_itself_is_the_result_of_its_cell() {
    let block =
        |mime: &str, body: &str| format!("print EVCXR_BEGIN_CONTENT {mime}; print {body}; print EVCXR_END_CONTENT");
    let (html, plain) = (block("text/html", "<b>1</b>"), block("text/plain", "1"));
    let code = format!("execute {html}; print a; itself begins; print b; {html}; {plain}; {html}; itself ends; {html}");
    let kinds = |lines: Vec<String>| -> Vec<String> {
        let words = lines.iter().map(|line| line.split_whitespace().skip(2).take(2).collect::<Vec<_>>().join(" "));
        words.filter(|words| !words.starts_with("status") && !words.starts_with("execute_input")).collect()
    };
    let mut session = Session::with_gather_output(Duration::from_secs(1));
    let lines = session.step(&code).iter().map(transcript::line).collect();
    let expected =
        ["display_data", "stream stdout", "execute_result [1]", "display_data", "display_data", "execute_reply ok"];
    let kinds = kinds(lines);
    assert_eq!(kinds.len(), expected.len(), "{kinds:?}");
    assert!(kinds.iter().zip(expected).all(|(kind, expected)| kind.starts_with(expected)), "{kinds:?}");
}

#[test]
fn what_is_too_much_for_a_page_is_counted_and_shown_on_request() {
    let mut session = Session::with_gather_output(Duration::from_secs(1));
    session.step("execute output 100");
    let received = session.step("execute repeat 10000 line; eprint and an error");
    let streams: Vec<&str> = received.iter().filter_map(|message| message.content["text"].as_str()).collect();
    assert_eq!(streams.concat(), "line\n".repeat(100));
    let told = |received: &[crate::support::Received]| -> Vec<String> {
        received
            .iter()
            .filter_map(|message| message.content["data"]["text/plain"].as_str())
            .map(str::to_owned)
            .collect()
    };
    let last = told(&received).pop().expect("something is said");
    assert!(last.starts_with("… 9,901 more lines, 49,513 bytes in all. `:output --cell 2` shows it."), "{last}");
    assert!(last.ends_with("line\nline\nand an error"), "{last}");
    let rest = session.step("execute output");
    let streams: Vec<&str> = rest.iter().filter_map(|message| message.content["text"].as_str()).collect();
    assert_eq!(streams.concat(), "line\n".repeat(9_900) + "and an error\n");
    let none = session.step("execute print a");
    assert!(told(&none).is_empty());
}

#[test]
fn text_without_a_newline_arrives_soon() {
    let mut session = Session::with_gather_output(Duration::from_millis(20));
    let begin = Instant::now();
    let lines = session.step_until(r"execute write 50%\r; wait", "stream");
    assert_eq!(lines.last().map(String::as_str), Some(r#"1 iopub stream stdout "50%\r""#));
    assert!(begin.elapsed() >= Duration::from_millis(20));
}

#[test]
fn what_may_be_a_marker_arrives_soon_too() {
    let mut session = Session::with_gather_output(Duration::from_millis(1));
    let lines = session.step_until("execute write EVCXR; wait", "stream");
    assert_eq!(lines.last().map(String::as_str), Some(r#"1 iopub stream stdout "EVCXR""#));
}

#[test]
fn text_may_be_cut_within_a_character_and_need_not_be_text() {
    check(
        r"execute write a\xc3; write \xa9\xf0\x9f; eprint between; write \xa6\x80\xff|; write \xe2\x82",
        expect![[r#"
            > execute write a\xc3; write \xa9\xf0\x9f; eprint between; write \xa6\x80\xff|; write \xe2\x82
            1 iopub status busy
            1 iopub execute_input [1] "write a\\xc3\nwrite \\xa9\\xf0\\x9f\neprint between\nwrite \\xa6\\x80\\xff|\nwrite \\xe2\\x82"
            1 iopub stream stdout "aé"
            1 iopub stream stderr "between\n"
            1 iopub stream stdout "🦀�|�"
            1 shell execute_reply ok [1]
            1 iopub status idle
        "#]],
    );
}

#[test]
fn a_content_block_is_a_display_in_its_place() {
    check(
        r"execute print a; write EVCXR_BEGIN_CONTENT text/ht; write ml\n<b>1</b>\n<i>; write \nEVCXR_END_CONTENT\nz
          execute print EVCXR_BEGIN_CONTENT text/html; print 1; print EVCXR_END_CONTENT; print EVCXR_BEGIN_CONTENT a/b; print 2; print EVCXR_END_CONTENT",
        expect![[r#"
            > execute print a; write EVCXR_BEGIN_CONTENT text/ht; write ml\n<b>1</b>\n<i>; write \nEVCXR_END_CONTENT\nz
            1 iopub status busy
            1 iopub execute_input [1] "print a\nwrite EVCXR_BEGIN_CONTENT text/ht\nwrite ml\\n<b>1</b>\\n<i>\nwrite \\nEVCXR_END_CONTENT\\nz"
            1 iopub stream stdout "a\n"
            1 iopub display_data text/html "<b>1</b>\n<i>"
            1 iopub stream stdout "z"
            1 shell execute_reply ok [1]
            1 iopub status idle
            > execute print EVCXR_BEGIN_CONTENT text/html; print 1; print EVCXR_END_CONTENT; print EVCXR_BEGIN_CONTENT a/b; print 2; print EVCXR_END_CONTENT
            2 iopub status busy
            2 iopub execute_input [2] "print EVCXR_BEGIN_CONTENT text/html\nprint 1\nprint EVCXR_END_CONTENT\nprint EVCXR_BEGIN_CONTENT a/b\nprint 2\nprint EVCXR_END_CONTENT"
            2 iopub display_data a/b "2", text/html "1"
            2 shell execute_reply ok [2]
            2 iopub status idle
        "#]],
    );
}

#[test]
fn text_that_looks_like_markers_stays_text() {
    check(
        "execute print EVCXR_EXECUTION_COMPLETE; print EVCXR_BEGIN_CONTENT text/plain; print 1; write EVCXR_END_CONTENT
         execute write EVCXR_BEG; show x; print IN_CONTENT text/plain
         execute print after",
        expect![[r#"
            > execute print EVCXR_EXECUTION_COMPLETE; print EVCXR_BEGIN_CONTENT text/plain; print 1; write EVCXR_END_CONTENT
            1 iopub status busy
            1 iopub execute_input [1] "print EVCXR_EXECUTION_COMPLETE\nprint EVCXR_BEGIN_CONTENT text/plain\nprint 1\nwrite EVCXR_END_CONTENT"
            1 iopub stream stdout "EVCXR_EXECUTION_COMPLETE\nEVCXR_BEGIN_CONTENT text/plain\n1\nEVCXR_END_CONTENT"
            1 shell execute_reply ok [1]
            1 iopub status idle
            > execute write EVCXR_BEG; show x; print IN_CONTENT text/plain
            2 iopub status busy
            2 iopub execute_input [2] "write EVCXR_BEG\nshow x\nprint IN_CONTENT text/plain"
            2 iopub stream stdout "EVCXR_BEG"
            2 iopub display_data text/plain "x"
            2 iopub stream stdout "IN_CONTENT text/plain\n"
            2 shell execute_reply ok [2]
            2 iopub status idle
            > execute print after
            3 iopub status busy
            3 iopub execute_input [3] "print after"
            3 iopub stream stdout "after\n"
            3 shell execute_reply ok [3]
            3 iopub status idle
        "#]],
    );
}

#[test]
fn late_output_goes_out_under_its_own_cell() {
    check(
        r"execute print a; late b
          task 1 between\n
          execute print c; wait
          task 1 meanwhile\n & task-error 1 loud\n & task 2 mine\n
          go
          subscribe",
        expect![[r#"
            > execute print a; late b
            1 iopub status busy
            1 iopub execute_input [1] "print a\nlate b"
            1 iopub stream stdout "a\n"
            1 shell execute_reply ok [1]
            1 iopub status idle
            > task 1 between\n
            > execute print c; wait
            1 iopub stream stdout "b\nbetween\n"
            2 iopub status busy
            2 iopub execute_input [2] "print c\nwait"
            > task 1 meanwhile\n & task-error 1 loud\n & task 2 mine\n
            2 iopub stream stdout "c\n"
            1 iopub stream stdout "meanwhile\n"
            1 iopub stream stderr "loud\n"
            > go
            2 iopub stream stdout "mine\n"
            2 shell execute_reply ok [2]
            2 iopub status idle
            > subscribe
            - iopub iopub_welcome {"subscription":""}
        "#]],
    );
}

#[test]
fn late_output_can_follow_the_current_cell() {
    let mut session = Session::new();
    session.late_output.set(LateOutput::Current);
    let script = r"execute print a; late b
                   execute print c; wait
                   task 1 one\ntwo & task 1  and\n & task 2 mine\n & task-clears 1
                   go
                   task 1 after\n
                   execute[silent] wait
                   task 1 while silent\n
                   go
                   subscribe";
    expect![[r#"
        > execute print a; late b
        1 iopub status busy
        1 iopub execute_input [1] "print a\nlate b"
        1 iopub stream stdout "a\n"
        1 shell execute_reply ok [1]
        1 iopub status idle
        > execute print c; wait
        2 iopub status busy
        2 iopub execute_input [2] "print c\nwait"
        > task 1 one\ntwo & task 1  and\n & task 2 mine\n & task-clears 1
        > go
        2 iopub stream stdout "[In 1] b\nc\n[In 1] one\n[In 1] two and\nmine\n"
        2 shell execute_reply ok [2]
        2 iopub status idle
        > task 1 after\n
        > execute[silent] wait
        3 iopub status busy
        > task 1 while silent\n
        > go
        3 shell execute_reply ok [2]
        3 iopub status idle
        > subscribe
        - iopub iopub_welcome {"subscription":""}
    "#]]
    .assert_eq(&session.run(script));
}

#[test]
fn output_that_nobody_can_be_named_for_belongs_to_the_last_cell() {
    check(
        r"task 0 before all\n
          execute print a
          task 0 x\n & task 77 y\n
          execute 1",
        expect![[r#"
            > task 0 before all\n
            > execute print a
            - iopub stream stdout "before all\n"
            1 iopub status busy
            1 iopub execute_input [1] "print a"
            1 iopub stream stdout "a\n"
            1 shell execute_reply ok [1]
            1 iopub status idle
            > task 0 x\n & task 77 y\n
            > execute 1
            1 iopub stream stdout "x\ny\n"
            2 iopub status busy
            2 iopub execute_input [2] "1"
            2 iopub execute_result [2] text/plain "1"
            2 shell execute_reply ok [2]
            2 iopub status idle
        "#]],
    );
}

#[test]
fn results_after_the_cells_end_are_displays() {
    let mut session = Session::new();
    session.step("execute 1");
    session.toy.send(Event::Display {
        cell: 1,
        kind: loopbook_channel::DisplayKind::Result,
        data: [("text/plain".to_owned(), "late".into())].into(),
        metadata: Default::default(),
        display_id: None,
    });
    expect![[r#"
        > subscribe
        - iopub iopub_welcome {"subscription":""}
        1 iopub display_data text/plain "late"
    "#]]
    .assert_eq(&session.run("subscribe"));
}

#[test]
fn an_unfinished_block_of_a_task_does_not_wait_for_ever() {
    let mut session = Session::with_gather_output(Duration::from_millis(1));
    session.step("execute 1");
    let bytes = b"EVCXR_BEGIN_CONTENT text/plain\nno end \xe2".to_vec();
    session.toy.send(Event::Output { cell: 1, stream: Stream::Stdout, bytes });
    let lines = session.step_until("go", "stream");
    assert_eq!(lines, [r#"1 iopub stream stdout "EVCXR_BEGIN_CONTENT text/plain\nno end ""#]);
}
