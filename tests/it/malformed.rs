//! Messages that are broken, forged or unknown: never a crash, never a reply to what is not signed.

use crate::support::{Session, check};
use crate::transcript;
use expect_test::expect;
use loopbook_kernel::transport::Channel;
use loopbook_kernel::wire::Signer;

#[test]
fn malformed_requests_get_an_error_reply() {
    check(
        r#"request shell execute_request {"code":1}
           request shell complete_request {"code":"x","cursor_pos":-1}
           request shell inspect_request []
           request shell is_complete_request null
           request shell history_request {"hist_access_type":"all"}
           request control shutdown_request {"restart":"maybe"}
           request shell execute_request {"code":
           request shell comm_open {}"#,
        expect![[r#"
            > request shell execute_request {"code":1}
            1 iopub status busy
            1 shell execute_reply error BadRequest "the content of `execute_request` is not what the protocol says: invalid type: integer `1`, expected a string at line 1 column 9"
            1 iopub status idle
            > request shell complete_request {"code":"x","cursor_pos":-1}
            2 iopub status busy
            2 shell complete_reply {"ename":"BadRequest","evalue":"the content of `complete_request` is not what the protocol says: invalid value: integer `-1`, expected usize at line 1 column 27","status":"error","traceback":[]}
            2 iopub status idle
            > request shell inspect_request []
            3 iopub status busy
            3 shell inspect_reply {"ename":"BadRequest","evalue":"the content of `inspect_request` is not what the protocol says: invalid length 0, expected struct InspectRequest with 3 elements at line 1 column 2","status":"error","traceback":[]}
            3 iopub status idle
            > request shell is_complete_request null
            4 iopub status busy
            4 shell is_complete_reply {"ename":"BadRequest","evalue":"the content of `is_complete_request` is not what the protocol says: invalid type: null, expected struct IsCompleteRequest at line 1 column 4","status":"error","traceback":[]}
            4 iopub status idle
            > request shell history_request {"hist_access_type":"all"}
            5 iopub status busy
            5 shell history_reply {"ename":"BadRequest","evalue":"the content of `history_request` is not what the protocol says: unknown variant `all`, expected one of `tail`, `range`, `search` at line 1 column 25","status":"error","traceback":[]}
            5 iopub status idle
            > request control shutdown_request {"restart":"maybe"}
            6 iopub status busy
            6 control shutdown_reply {"ename":"BadRequest","evalue":"the content of `shutdown_request` is not what the protocol says: invalid type: string \"maybe\", expected a boolean at line 1 column 18","status":"error","traceback":[]}
            6 iopub status idle
            > request shell execute_request {"code":
            7 iopub status busy
            7 shell execute_reply error BadRequest "the content of `execute_request` is not what the protocol says: EOF while parsing a value at line 1 column 8"
            7 iopub status idle
            > request shell comm_open {}
            8 iopub status busy
            8 iopub status idle
        "#]],
    );
}

#[test]
fn unknown_types_and_wrong_channels_get_no_reply() {
    check(
        r#"request shell coffee_request {}
           request control execute_request {"code":"print a"}
           request shell input_reply {"value":"x"}
           request stdin execute_request {"code":"print a"}
           request stdin input_reply {"value":"x"}"#,
        expect![[r#"
            > request shell coffee_request {}
            1 iopub status busy
            1 iopub status idle
            > request control execute_request {"code":"print a"}
            2 iopub status busy
            2 iopub status idle
            > request shell input_reply {"value":"x"}
            3 iopub status busy
            3 iopub status idle
            > request stdin execute_request {"code":"print a"}
            > request stdin input_reply {"value":"x"}
        "#]],
    );
}

#[test]
fn what_is_not_signed_with_our_key_gets_no_reply() {
    let mut session = Session::new();
    let frames = session.request_frames("A", Channel::Shell, "kernel_info_request", "{}");
    let mut opened = Signer::new(crate::support::KEY).open(frames.clone()).expect("signed by the client");
    opened.identities = vec![b"Eve".to_vec()];
    for key in [&b""[..], b"another key"] {
        session.send_frames(Channel::Shell, Signer::new(key).seal(opened.clone()));
    }
    assert!(session.step("go").is_empty());
    session.send_frames(Channel::Shell, frames.clone());
    assert_eq!(session.step("go").len(), 3);
    session.send_frames(Channel::Shell, frames);
    assert!(session.step("go").is_empty(), "a replayed message was answered");
    still_answers(&mut session);
}

#[test]
fn a_message_of_fifty_megabytes_is_one_like_others() {
    let mut session = Session::new();
    let text = "x".repeat(50 << 20);
    let content = serde_json::json!({ "code": format!("print {text}") }).to_string();
    let frames = session.request_frames("A", Channel::Shell, "execute_request", &content);
    let mut forged = frames.clone();
    forged.last_mut().expect("a content").push(b' ');
    session.send_frames(Channel::Shell, forged);
    assert!(session.step("go").is_empty());
    session.send_frames(Channel::Shell, frames);
    let received = session.step("go");
    let printed: usize =
        received.iter().filter_map(|message| message.content["text"].as_str()).map(|text| text.len()).sum();
    assert_eq!(printed, text.len() + 1);
    still_answers(&mut session);
}

#[track_caller]
fn still_answers(session: &mut Session) {
    let received = session.step("is_complete 1");
    let lines: Vec<String> = received.iter().map(|message| transcript::line(message)[2..].to_owned()).collect();
    let last_three: Vec<&str> = lines.iter().map(|line| line.rsplit_once(' ').map_or("", |(_, end)| end)).collect();
    assert_eq!(last_three, ["busy", r#"{"status":"complete"}"#, "idle"]);
}
