//! The runtime, as this program calls it once the first cell has loaded it.

use crate::descriptors::{self, ForRuntime};
use crate::dl::{c_string, find};
use crate::{fatal, interpose, loading, stacks};
use loopbook_channel::{Api, ENTRY_POINT, EntryPoint, HOOKS_VERSION, Hooks, SOCKET_ENV, SOURCE_ENV};
use std::ffi::{CStr, c_int, c_void};
use std::io::Write;

/// A runtime that is attached to this process.
pub(crate) struct Attached {
    hooks: &'static Hooks,
}

impl Attached {
    /// Asks whether the loaded cell may run; gives one of the `BEGIN_…` constants.
    pub(crate) fn begin(&self, library: &CStr) -> c_int {
        (self.hooks.begin)(library.as_ptr())
    }

    /// Says that a cell cannot be loaded, and why.
    pub(crate) fn not_loaded(&self, reason: &str) {
        (self.hooks.not_loaded)(reason.as_ptr(), reason.len());
    }

    /// Says that the cell's function has returned; gives one of the `END_…` constants.
    pub(crate) fn end(&self) -> u32 {
        (self.hooks.end)()
    }
}

/// Attaches the runtime that the object behind `handle` is linked to, if it is linked to one.
///
/// # Errors
/// If the runtime refuses: it is of another version, or finds no kernel.
pub(crate) fn attach(handle: *mut c_void, pipes: ForRuntime) -> Result<Option<Attached>, String> {
    let Some(symbol) = find(handle, &c_string(ENTRY_POINT)?) else { return Ok(None) };
    // SAFETY: the symbol's name stands for this signature; a change of it comes with another `HOOKS_VERSION`.
    let attach = unsafe { std::mem::transmute::<*mut c_void, EntryPoint>(symbol) };
    let ForRuntime { stdout: stdout_pipe, stderr: stderr_pipe, last_words } = pipes;
    let load = loading::load;
    let api = Api { version: HOOKS_VERSION, protocol_line, stdout_pipe, stderr_pipe, last_words, load };
    stacks::are_large_for(symbol);
    // SAFETY: gives null or a static of the runtime, which is never unloaded.
    let hooks = unsafe { attach(&api).as_ref() };
    let Some(hooks) = hooks.filter(|hooks| hooks.version == HOOKS_VERSION) else {
        return Err("the runtime of the cells does not fit this program, or finds no kernel; \
                    run `loopbook install` and `loopbook warm` again"
            .into());
    };
    // SAFETY: the runtime's own threads, the only others, read no environment; no user code has run.
    unsafe {
        std::env::remove_var(SOCKET_ENV);
        std::env::remove_var(SOURCE_ENV);
    }
    interpose::install(hooks);
    fatal::ask(hooks);
    Ok(Some(Attached { hooks }))
}

/// Sends one line to evcxr.
pub(crate) fn say(line: &str) {
    let Some(mut answers) = descriptors::answers() else { return };
    // One write, so that a line of another thread cannot come between. If evcxr is gone, so is this process soon.
    let _ = answers.write_all(format!("{line}\n").as_bytes());
}

extern "C" fn protocol_line(text: *const u8, len: usize) {
    // SAFETY: the runtime hands over a text of this length.
    let bytes = unsafe { std::slice::from_raw_parts(text, len) };
    say(&String::from_utf8_lossy(bytes));
}
