//! evcxr's own lines on stdout. A line counts as evcxr's only if evcxr's generated code can have printed it; the same text
//! printed by the user is text.

use crate::process::{child_program, output};
use crate::running::cell;
use crate::tasks::panics;
use loopbook_channel::Stream;

const VARIABLE_CHANGED: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";
const PANIC: &str = "EVCXR_PANIC_NOTIFICATION";
const ERROR: &str = "EVCXR_ERROR_OCCURRED";

/// Something was written to stdout by evcxr's generated code. What is not evcxr's is the user's: it lay in the buffer of
/// stdout.
pub(crate) fn generated(bytes: &[u8]) {
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        match marker(line) {
            Some((before, marker)) => {
                if !before.is_empty() {
                    output::user(Stream::Stdout, before);
                }
                handle(marker);
            }
            None => output::user(Stream::Stdout, line),
        }
    }
}

/// Tells evcxr to give up a variable, in the words in which its generated code does so when a type has changed.
pub(crate) fn forget(variable: &str) {
    child_program::protocol_line(&format!("{VARIABLE_CHANGED}{variable}"));
}

/// Whether this is the line that evcxr's own `?` prints.
pub(crate) fn is_evcxr_error(bytes: &[u8]) -> bool {
    bytes.strip_suffix(b"\n") == Some(ERROR.as_bytes())
}

/// The marker at the end of a whole line, and what stands before it (an unfinished line of another task).
fn marker(line: &[u8]) -> Option<(&[u8], &str)> {
    let line = line.strip_suffix(b"\n")?;
    let at = [VARIABLE_CHANGED, PANIC].iter().find_map(|marker| {
        let at = line.windows(marker.len()).position(|window| window == marker.as_bytes())?;
        (*marker == VARIABLE_CHANGED || at + marker.len() == line.len()).then_some(at)
    })?;
    let marker = std::str::from_utf8(&line[at..]).ok()?;
    Some((&line[..at], marker))
}

fn handle(marker: &str) {
    if marker != PANIC {
        child_program::protocol_line(marker);
        return;
    }
    // The body has told how it ended. Only a cell without one, from before evcxr's async mode, ends here.
    if cell::is_prologue() {
        cell::fail(panics::failure(&"a cell without a body has panicked"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_behind_an_unfinished_line() {
        assert_eq!(marker(b"50%EVCXR_PANIC_NOTIFICATION\n"), Some((b"50%".as_slice(), PANIC)));
        assert_eq!(marker(b"EVCXR_VARIABLE_CHANGED_TYPE:x\n"), Some((b"".as_slice(), "EVCXR_VARIABLE_CHANGED_TYPE:x")));
    }

    #[test]
    fn text_around_a_marker_makes_it_text() {
        assert_eq!(marker(b"EVCXR_PANIC_NOTIFICATION?\n"), None);
        assert_eq!(marker(b"EVCXR_PANIC_NOTIFICATION"), None);
    }
}
