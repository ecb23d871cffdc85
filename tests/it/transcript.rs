//! Messages as lines of a transcript.

use crate::support::Received;
use serde_json::Value;

/// Text longer than this many bytes is only counted.
const MAX_TEXT: usize = 200;

/// One message: the number of its parent, its channel, its type and what it says.
pub(crate) fn line(received: &Received) -> String {
    let Received { parent, channel, msg_type, content, .. } = received;
    let parent = parent.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let channel = format!("{channel:?}").to_lowercase();
    let says = says(msg_type, content);
    format!("{parent} {channel} {msg_type} {says}").trim_end().to_owned()
}

fn says(msg_type: &str, content: &Value) -> String {
    let number = || content.get("execution_count").map(|number| format!("[{number}] ")).unwrap_or_default();
    match msg_type {
        "status" => word(&content["execution_state"]),
        "stream" => format!("{} {}", word(&content["name"]), quote(&content["text"])),
        "execute_input" => format!("{}{}", number(), quote(&content["code"])),
        "execute_result" | "display_data" | "update_display_data" => {
            let id = content["transient"].get("display_id").map(|id| format!(" id={}", word(id))).unwrap_or_default();
            format!("{}{}{id}", number(), bundle(&content["data"]))
        }
        // The figures are other ones every time.
        "usage_reply" => {
            content.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(" ")
        }
        "error" => format!("{} {}", word(&content["ename"]), quote(&content["evalue"])),
        "execute_reply" => {
            let more = ["user_expressions", "payload"].map(|key| content.get(key).unwrap_or(&Value::Null).to_string());
            let more = more.into_iter().filter(|text| !["{}", "[]", "null"].contains(&text.as_str()));
            let rest = match content.get("ename") {
                Some(ename) => format!("{} {}", word(ename), quote(&content["evalue"])),
                None => more.collect::<Vec<_>>().join(" "),
            };
            format!("{} {}{rest}", word(&content["status"]), number())
        }
        _ => content.to_string(),
    }
}

fn bundle(data: &Value) -> String {
    let forms = data.as_object().into_iter().flatten().map(|(mime, value)| format!("{mime} {}", quote(value)));
    forms.collect::<Vec<_>>().join(", ")
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn quote(value: &Value) -> String {
    match value.as_str() {
        Some(text) if text.len() > MAX_TEXT => format!("({} bytes)", text.len()),
        _ => value.to_string(),
    }
}
