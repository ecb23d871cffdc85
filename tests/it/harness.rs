//! The harness itself: what it says when a kernel is wrong is what people read when a test fails.

use crate::schema;
use crate::support::{KEY, Session, check};
use expect_test::expect;
use loopbook_kernel::transport::{Channel, Outgoing};
use loopbook_kernel::wire::{Frames, Signer};
use serde_json::json;

#[test]
#[should_panic(expected = "execute_input breaks the protocol: `code` is missing")]
fn a_message_without_a_required_key_fails() {
    Session::new().verify(message("execute_input", "{}", r#"{"execution_count":1}"#, KEY));
}

#[test]
#[should_panic(expected = "the kernel sent a message with a wrong signature")]
fn a_message_with_a_wrong_signature_fails() {
    Session::new().verify(message("status", "{}", r#"{"execution_state":"idle"}"#, b"another key"));
}

#[test]
#[should_panic(expected = r#"no request has the header {"msg_id":"7"}"#)]
fn a_message_with_an_unknown_parent_fails() {
    Session::new().verify(message("status", r#"{"msg_id":"7"}"#, r#"{"execution_state":"idle"}"#, KEY));
}

#[test]
#[should_panic(expected = "the protocol has no such message")]
fn a_message_of_an_unknown_type_fails() {
    Session::new().verify(message("greeting", "{}", "{}", KEY));
}

#[test]
#[should_panic(expected = "no step is called `dance`")]
fn an_unknown_step_fails() {
    Session::new().step("dance");
}

#[test]
fn a_request_that_is_left_open_is_in_the_transcript() {
    check(
        "execute wait",
        expect![[r#"
        > execute wait
        1 iopub status busy
        1 iopub execute_input [1] "wait"
        not idle: 1
    "#]],
    );
}

#[test]
fn the_schema_says_which_key_is_wrong() {
    let content = json!({"name": "stdout", "text": 1});
    assert_eq!(schema::check(Channel::Iopub, "stream", &content), Err("`text` is 1".to_owned()));
    let content = json!({"data": {"plain": "x"}, "metadata": {}, "transient": {}});
    assert_eq!(schema::check(Channel::Iopub, "display_data", &content), Err("`plain` is no MIME type".to_owned()));
    assert!(schema::check(Channel::Shell, "status", &json!({"execution_state": "idle"})).is_err());
}

fn message(msg_type: &str, parent: &str, content: &str, key: &[u8]) -> Outgoing {
    let header = json!({
        "msg_id": "x", "msg_type": msg_type, "session": "s", "username": "kernel", "version": "5.5", "date": "2026-01-01T00:00:00Z",
    });
    let frames = Frames {
        identities: vec![b"topic".to_vec()],
        header: header.to_string().into_bytes(),
        parent: parent.as_bytes().to_vec(),
        metadata: b"{}".to_vec(),
        content: content.as_bytes().to_vec(),
        buffers: Vec::new(),
    };
    Outgoing { channel: Channel::Iopub, frames: Signer::new(key).seal(frames) }
}
