//! evcxr's own lines on stdout, by which its generated code tells it what became of a cell. Only the runtime sends them; the
//! same text printed by the user is text.

use crate::process::child_program;

const VARIABLE_CHANGED: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";
/// What evcxr's own `?` prints.
pub(crate) const ERROR: &str = "EVCXR_ERROR_OCCURRED";

/// Tells evcxr to give up a variable, as if its type had changed.
pub(crate) fn forget(variable: &str) {
    child_program::protocol_line(&format!("{VARIABLE_CHANGED}{variable}"));
}

/// Whether this is the line that evcxr's own `?` prints.
pub(crate) fn is_evcxr_error(bytes: &[u8]) -> bool {
    bytes.strip_suffix(b"\n") == Some(ERROR.as_bytes())
}
