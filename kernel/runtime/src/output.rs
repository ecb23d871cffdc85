//! What user code writes to descriptors 1 and 2.
//!
//! Rust's stdout comes a line at a time and goes on at once. Rust's stderr comes in pieces (`eprintln!` writes once per
//! part of its format), which are gathered per thread up to the end of the line, so that the lines of two threads do not
//! mix; the flusher sends what stays without an end.

use crate::sync::{lock, thread_token};
use crate::{cell, context, flusher, link, markers};
use loopbook_channel::{CellId, Stream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Beyond this an unfinished line is sent as it is.
const LONGEST_GATHERED: usize = 64 * 1024;

static UNFINISHED: Mutex<Vec<Unfinished>> = Mutex::new(Vec::new());
/// Length of [`UNFINISHED`], so that most writes need not lock it.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The beginning of a line on one thread's stderr.
struct Unfinished {
    thread: usize,
    cell: CellId,
    bytes: Vec<u8>,
}

/// Something was written on this thread.
pub(crate) fn write(stream: Stream, bytes: &[u8]) {
    if cell::is_generated_code() && stream == Stream::Stdout {
        markers::generated(bytes);
        return;
    }
    if stream == Stream::Stdout && markers::is_evcxr_error(bytes) && cell::evcxr_error() {
        return;
    }
    user(stream, bytes);
}

/// Something that the user is to see was written on this thread.
pub(crate) fn user(stream: Stream, bytes: &[u8]) {
    let cell = flusher::cell_being_flushed().unwrap_or_else(context::current_cell);
    if stream == Stream::Stderr {
        gather(cell, bytes);
        return;
    }
    flush_thread();
    link::output(cell, stream, bytes);
}

/// Sends the unfinished line of this thread, if there is one.
pub(crate) fn flush_thread() {
    let thread = thread_token();
    flush_where(|line| line.thread == thread);
}

/// Sends the unfinished lines of all threads.
pub(crate) fn flush_all() {
    flush_where(|_| true);
}

fn flush_where(is_meant: impl Fn(&Unfinished) -> bool) {
    if COUNT.load(Ordering::Acquire) == 0 {
        return;
    }
    let mut unfinished = lock(&UNFINISHED);
    // Sent under the lock: the line's own thread must not overtake it.
    for line in unfinished.extract_if(.., |line| is_meant(line)) {
        link::output(line.cell, Stream::Stderr, &line.bytes);
    }
    COUNT.store(unfinished.len(), Ordering::Release);
}

fn gather(cell: CellId, bytes: &[u8]) {
    let thread = thread_token();
    let mut unfinished = lock(&UNFINISHED);
    let known = unfinished.iter().position(|line| line.thread == thread);
    let mut line = match known.map(|index| unfinished.swap_remove(index)) {
        // Another task's turn on this thread: its line does not go on ours.
        Some(line) if line.cell != cell => {
            link::output(line.cell, Stream::Stderr, &line.bytes);
            Unfinished { thread, cell, bytes: Vec::new() }
        }
        Some(line) => line,
        None => Unfinished { thread, cell, bytes: Vec::new() },
    };
    line.bytes.extend_from_slice(bytes);
    let whole = match line.bytes.iter().rposition(|&byte| byte == b'\n') {
        _ if line.bytes.len() > LONGEST_GATHERED => line.bytes.len(),
        Some(end) => end + 1,
        None => 0,
    };
    if whole > 0 {
        link::output(cell, Stream::Stderr, &line.bytes[..whole]);
        line.bytes.drain(..whole);
    }
    if !line.bytes.is_empty() {
        unfinished.push(line);
    }
    COUNT.store(unfinished.len(), Ordering::Release);
}
