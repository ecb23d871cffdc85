"""The keys that the Jupyter messaging specification demands of each message that a kernel sends."""

HEADER = {"msg_id", "msg_type", "session", "username", "date", "version"}

REQUIRED = {
    "status": {"execution_state"},
    "execute_input": {"code", "execution_count"},
    "stream": {"name", "text"},
    "display_data": {"data", "metadata"},
    "update_display_data": {"data", "metadata", "transient"},
    "execute_result": {"data", "metadata", "execution_count"},
    "clear_output": {"wait"},
    "error": {"ename", "evalue", "traceback"},
    "input_request": {"prompt", "password"},
    "iopub_welcome": {"subscription"},
    "execute_reply": {"status"},
    "kernel_info_reply": {
        "status",
        "protocol_version",
        "implementation",
        "implementation_version",
        "language_info",
        "banner",
    },
    "complete_reply": {"status"},
    "inspect_reply": {"status"},
    "is_complete_reply": {"status"},
    "history_reply": {"status"},
    "comm_info_reply": {"status"},
    "interrupt_reply": {"status"},
    "shutdown_reply": {"status", "restart"},
}


def check_schema(message):
    """Asserts that a received message has the keys that its type needs."""
    kind, content = message["msg_type"], message["content"]
    missing = HEADER - message["header"].keys() | REQUIRED.get(kind, set()) - content.keys()
    assert not missing, f"{kind} lacks {sorted(missing)}: {message}"
    if kind in ("display_data", "update_display_data", "execute_result"):
        assert all("/" in mime for mime in content["data"]), f"{kind} with a MIME type that is none: {content}"
    if content.get("status") == "error":
        missing = REQUIRED["error"] - content.keys()
        assert not missing, f"{kind} with status error lacks {sorted(missing)}: {content}"
