//! Where the child program meets this library. Nothing but C types crosses here, and no panic.

use crate::connection;
use crate::connection::flusher;
use crate::executor::pool;
use crate::expansion::old_values;
use crate::lessons::predict;
use crate::process::{child_program, inspector, markers, output, reader, stdin};
use crate::running::cell;
use crate::tasks::{context, panics, registry, site, sockets};
use loopbook_channel::{
    Api, BEGIN_FORGET, BEGIN_REFUSED, BEGIN_RUN, CellOutcome, HOOKS_VERSION, Hooks, Stream, ToKernel, Words,
};
use std::ffi::{CStr, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

static HOOKS: Hooks = Hooks { version: HOOKS_VERSION, output, input, socket, begin, not_loaded, at_work, end };

/// The child program calls this once, on the thread on which it will run the cells, before the first of them.
///
/// Gives null if the versions differ or no kernel listens.
///
/// # Safety
/// `api` must point to an [`Api`], or to anything that begins with another version than ours.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn loopbook_attach(api: *const Api) -> *const Hooks {
    // SAFETY: as the caller promises; the version is the first field of every version.
    let version = unsafe { (*api).version };
    if version != HOOKS_VERSION {
        return std::ptr::null();
    }
    // SAFETY: the version is ours, so the rest is as well.
    let api = unsafe { *api };
    match catch_unwind(|| attach(api)) {
        Ok(Ok(())) => &HOOKS,
        _ => std::ptr::null(),
    }
}

fn attach(api: Api) -> std::io::Result<()> {
    registry::loop_began();
    cell::claim_main_thread();
    site::remember_source();
    sockets::start();
    child_program::remember(api);
    reader::start(connection::connect([api.stdout_pipe, api.stderr_pipe], api.last_words)?)?;
    inspector::start()?;
    flusher::start()?;
    panics::install_hook();
    pool::start();
    Ok(())
}

extern "C" fn output(fd: c_int, data: *const u8, len: usize) {
    if data.is_null() || len == 0 {
        return;
    }
    // SAFETY: the child hands on what `write` was called with.
    let bytes = unsafe { std::slice::from_raw_parts(data, len) };
    let stream = if fd == libc::STDERR_FILENO { Stream::Stderr } else { Stream::Stdout };
    // Nothing in there panics by design; if it does, output is lost rather than the process.
    let _ = catch_unwind(AssertUnwindSafe(|| output::write(stream, bytes)));
}

extern "C" fn input(data: *mut u8, len: usize) -> isize {
    if data.is_null() || len == 0 {
        return 0;
    }
    // SAFETY: the child hands on what `read` was called with. The caller may not have initialised it, which bytes that
    // are only written to do not need.
    let buffer = unsafe {
        std::ptr::write_bytes(data, 0, len);
        std::slice::from_raw_parts_mut(data, len)
    };
    match catch_unwind(AssertUnwindSafe(|| stdin::read(buffer))).unwrap_or(Err(libc::EIO)) {
        Ok(count) => isize::try_from(count).unwrap_or(isize::MAX),
        Err(errno) => {
            // SAFETY: the address is this thread's own.
            unsafe { *libc::__errno_location() = errno };
            -1
        }
    }
}

extern "C" fn socket(fd: c_int, operation: c_int, waits: c_int) {
    // SAFETY: the address is this thread's own.
    let errno = unsafe { *libc::__errno_location() };
    // Nothing in there panics by design; if it does, a wait is not shown.
    let _ = catch_unwind(|| sockets::after_call(fd, operation, waits != 0));
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

extern "C" fn begin(library: *const c_char) -> c_int {
    // SAFETY: the child hands over the path that it has just loaded.
    let library = unsafe { CStr::from_ptr(library) };
    let begun = catch_unwind(|| {
        let begin = reader::may_begin(library);
        if !begin.forget.is_empty() {
            begin.forget.iter().for_each(|variable| markers::forget(variable));
            return BEGIN_FORGET;
        }
        if !begin.run {
            return BEGIN_REFUSED;
        }
        site::learn(library);
        panics::install_hook();
        cell::begin(begin.cell, begin.number);
        BEGIN_RUN
    });
    begun.unwrap_or_else(|_| {
        let _ = catch_unwind(|| reader::not_loaded("the runtime has panicked".to_owned()));
        BEGIN_REFUSED
    })
}

extern "C" fn not_loaded(reason: *const u8, len: usize) {
    // SAFETY: the child hands over a text of this length.
    let reason = unsafe { std::slice::from_raw_parts(reason, len) };
    let reason = String::from_utf8_lossy(reason).into_owned();
    // Nothing in there panics by design; if it does, the cell is compiled once more.
    let _ = catch_unwind(|| reader::not_loaded(reason));
}

extern "C" fn at_work(buffer: *mut u8, len: usize) -> usize {
    // SAFETY: the child hands over a buffer of this length, which it has initialised.
    let mut words = Words::new(unsafe { std::slice::from_raw_parts_mut(buffer, len) });
    context::with_current(|record| words.task(record.id, record.number, record.line, record.name.as_deref()));
    if let Some(cause) = panics::last_cause() {
        words.cause(cause);
    }
    words.as_bytes().len()
}

extern "C" fn end() -> u32 {
    let ended = catch_unwind(|| {
        let old_values = old_values::settle();
        flusher::at_end_of(cell::latest());
        let (cell, outcome, how) = cell::end();
        predict::settle(cell, outcome == CellOutcome::Ok);
        connection::send(&ToKernel::CellDone { cell, outcome, old_values });
        how
    });
    ended.unwrap_or(loopbook_channel::END_PANIC)
}
