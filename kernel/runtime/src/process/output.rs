//! What user code writes to descriptors 1 and 2: sent at once, so that nothing is lost however the process ends.
//!
//! Rust's stdout comes a line at a time. Rust's stderr comes in pieces (`eprintln!` writes once per part of its format);
//! std holds its lock for all of them, so the lines of two threads do not mix, and the kernel joins the pieces again.
//!
//! The pieces of stderr are not gathered into lines here: gathered text would be lost when the process aborts.

use crate::connection;
use crate::connection::flusher;
use crate::process::evcxr_markers;
use crate::running::cell;
use crate::show::evcxr_display;
use crate::tasks::context;
use loopbook_channel::Stream;

/// Something was written on this thread.
pub(crate) fn write(stream: Stream, bytes: &[u8]) {
    if stream == Stream::Stdout && evcxr_markers::is_evcxr_error(bytes) && cell::evcxr_error() {
        return;
    }
    user(stream, bytes);
}

/// Something that the user is to see was written on this thread.
pub(crate) fn user(stream: Stream, bytes: &[u8]) {
    let cell = flusher::cell_being_flushed().unwrap_or_else(context::current_cell);
    if stream == Stream::Stdout {
        evcxr_display::before_output(cell);
    }
    connection::output(cell, stream, bytes);
}
