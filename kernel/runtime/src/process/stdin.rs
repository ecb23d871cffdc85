//! What user code reads from descriptor 0: lines that the user types into the notebook.

use crate::support::sync::lock;
use crate::tasks::{context, outbox};
use loopbook_channel::{CellId, InputError};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is left of a line that was longer than the reader's buffer.
static REST: Mutex<VecDeque<u8>> = Mutex::new(VecDeque::new());

/// Fills `buffer` with the rest of the last line, or asks for one. 0 is the end of the input.
///
/// # Errors
/// With the `errno` to report if the cell was interrupted meanwhile.
pub(crate) fn read(buffer: &mut [u8]) -> Result<usize, i32> {
    if let Some(count) = take(buffer) {
        return Ok(count);
    }
    match outbox::ask_input_blocking("", false) {
        Ok(line) => {
            lock(&REST).extend(line.bytes().chain([b'\n']));
            Ok(take(buffer).unwrap_or(0))
        }
        Err(InputError::Interrupted) => Err(libc::ECANCELED),
        Err(InputError::NotAllowed) => {
            hint(context::current_cell());
            Ok(0)
        }
        Err(InputError::Closed) => Ok(0),
    }
}

fn take(buffer: &mut [u8]) -> Option<usize> {
    let mut rest = lock(&REST);
    let count = rest.len().min(buffer.len());
    for (to, byte) in buffer.iter_mut().zip(rest.drain(..count)) {
        *to = byte;
    }
    (count > 0).then_some(count)
}

/// Says once per cell why there is nothing to read.
fn hint(cell: CellId) {
    static HINTED: AtomicU64 = AtomicU64::new(0);
    if HINTED.swap(cell, Ordering::Relaxed) != cell {
        eprintln!("stdin is empty here: whatever runs this cell takes no input (allow_stdin is false)");
    }
}
