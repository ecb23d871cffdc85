//! What each message must hold, by the protocol's text. Written by hand from the specification, not from our structs.

use loopbook_kernel::transport::Channel;
use serde_json::Value;

/// A key and the kind of its value.
type Key = (&'static str, char);

/// Required keys of each type of message: `s` string, `n` number, `f` any number, `b` boolean, `o` object, `a` array.
const KEYS: &[(&str, Channel, &[Key])] = &[
    ("status", Channel::Iopub, &[("execution_state", 's')]),
    ("execute_input", Channel::Iopub, &[("code", 's'), ("execution_count", 'n')]),
    ("stream", Channel::Iopub, &[("name", 's'), ("text", 's')]),
    ("display_data", Channel::Iopub, &[("data", 'o'), ("metadata", 'o'), ("transient", 'o')]),
    ("update_display_data", Channel::Iopub, &[("data", 'o'), ("metadata", 'o'), ("transient", 'o')]),
    ("execute_result", Channel::Iopub, &[("data", 'o'), ("metadata", 'o'), ("execution_count", 'n')]),
    ("clear_output", Channel::Iopub, &[("wait", 'b')]),
    ("error", Channel::Iopub, &[("ename", 's'), ("evalue", 's'), ("traceback", 'a')]),
    ("iopub_welcome", Channel::Iopub, &[("subscription", 's')]),
    ("comm_msg", Channel::Iopub, &[("comm_id", 's'), ("data", 'o')]),
    ("comm_close", Channel::Iopub, &[("comm_id", 's'), ("data", 'o')]),
    ("input_request", Channel::Stdin, &[("prompt", 's'), ("password", 'b')]),
    (
        "kernel_info_reply",
        Channel::Shell,
        &[
            ("protocol_version", 's'),
            ("implementation", 's'),
            ("implementation_version", 's'),
            ("language_info", 'o'),
            ("banner", 's'),
            ("help_links", 'a'),
            ("supported_features", 'a'),
        ],
    ),
    ("execute_reply", Channel::Shell, &[]),
    (
        "complete_reply",
        Channel::Shell,
        &[("matches", 'a'), ("cursor_start", 'n'), ("cursor_end", 'n'), ("metadata", 'o')],
    ),
    ("inspect_reply", Channel::Shell, &[("found", 'b'), ("data", 'o'), ("metadata", 'o')]),
    ("is_complete_reply", Channel::Shell, &[]),
    ("history_reply", Channel::Shell, &[("history", 'a')]),
    ("comm_info_reply", Channel::Shell, &[("comms", 'o')]),
    ("interrupt_reply", Channel::Control, &[]),
    ("create_subshell_reply", Channel::Control, &[("subshell_id", 's')]),
    ("delete_subshell_reply", Channel::Control, &[]),
    ("list_subshell_reply", Channel::Control, &[("subshell_id", 'a')]),
    (
        "usage_reply",
        Channel::Control,
        &[
            ("hostname", 's'),
            ("pid", 'n'),
            ("kernel_cpu", 'f'),
            ("kernel_memory", 'n'),
            ("host_cpu_percent", 'f'),
            ("cpu_count", 'n'),
            ("host_virtual_memory", 'o'),
        ],
    ),
    ("shutdown_reply", Channel::Control, &[("restart", 'b')]),
];

/// Checks the content of a message.
pub(crate) fn check(channel: Channel, msg_type: &str, content: &Value) -> Result<(), String> {
    let Some((_, home, keys)) = KEYS.iter().find(|(name, ..)| *name == msg_type) else {
        return Err("the protocol has no such message from a kernel".to_owned());
    };
    // Shell and control answer each other's requests, and shutdown is told to everybody.
    let is_reply = msg_type.ends_with("_reply");
    let allowed = match channel {
        Channel::Iopub => *home == Channel::Iopub || msg_type == "shutdown_reply",
        Channel::Stdin => *home == Channel::Stdin,
        Channel::Shell | Channel::Control => is_reply,
    };
    if !allowed {
        return Err(format!("it does not belong on {channel:?}"));
    }
    if is_reply && msg_type != "is_complete_reply" {
        match content["status"].as_str() {
            Some("ok") => {}
            Some("aborted") => return Ok(()),
            Some("error") => return require(content, &[("ename", 's'), ("evalue", 's'), ("traceback", 'a')]),
            _ => return Err(format!("its status is {}", content["status"])),
        }
    }
    require(content, keys)?;
    check_more(msg_type, content)
}

fn check_more(msg_type: &str, content: &Value) -> Result<(), String> {
    match msg_type {
        "execute_reply" => require(content, &[("execution_count", 'n'), ("user_expressions", 'o'), ("payload", 'a')]),
        "kernel_info_reply" => require(
            &content["language_info"],
            &[("name", 's'), ("version", 's'), ("mimetype", 's'), ("file_extension", 's'), ("pygments_lexer", 's')],
        ),
        "status" => one_of(&content["execution_state"], &["starting", "busy", "idle"]),
        "stream" => one_of(&content["name"], &["stdout", "stderr"]),
        "is_complete_reply" if content["status"] == "incomplete" => require(content, &[("indent", 's')]),
        "is_complete_reply" if content["status"] != "error" => {
            one_of(&content["status"], &["complete", "invalid", "unknown"])
        }
        "update_display_data" => require(&content["transient"], &[("display_id", 's')]),
        _ => Ok(()),
    }?;
    let mime_types = content.get("data").filter(|_| !msg_type.starts_with("comm_")).and_then(Value::as_object);
    match mime_types
        .into_iter()
        .flatten()
        .find(|(mime, _)| mime.split('/').filter(|part| !part.is_empty()).count() != 2)
    {
        Some((mime, _)) => Err(format!("`{mime}` is no MIME type")),
        None => Ok(()),
    }
}

fn require(content: &Value, keys: &[Key]) -> Result<(), String> {
    for (key, kind) in keys {
        let Some(value) = content.get(key) else { return Err(format!("`{key}` is missing")) };
        let right = match kind {
            's' => value.is_string(),
            'n' => value.is_u64(),
            'f' => value.is_number(),
            'b' => value.is_boolean(),
            'o' => value.is_object(),
            _ => value.is_array(),
        };
        if !right {
            return Err(format!("`{key}` is {value}"));
        }
    }
    Ok(())
}

fn one_of(value: &Value, allowed: &[&str]) -> Result<(), String> {
    if value.as_str().is_some_and(|text| allowed.contains(&text)) {
        return Ok(());
    }
    Err(format!("{value} is none of {allowed:?}"))
}
