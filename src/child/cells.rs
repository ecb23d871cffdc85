//! Loading cells and running them.

use crate::descriptors::ForRuntime;
use crate::dl::{c_string, find};
use crate::loading::{self, Loading, loader_error};
use crate::runtime::{self, Attached};
use loopbook_channel::{BEGIN_FORGET, BEGIN_RUN, END_EARLY, END_PANIC};
use std::ffi::{CStr, c_void};

/// evcxr's marker for a cell that panicked: what it would have defined does not exist.
const PANICKED: &str = "EVCXR_PANIC_NOTIFICATION";
/// evcxr's marker for a cell that ended early; has the same effect.
const ENDED_EARLY: &str = "EVCXR_ERROR_OCCURRED";
/// Makes evcxr compile the cell once more, as if this variable, which does not exist, had to be given up. The kernel lets
/// that build fail: the only way in which evcxr can be told that a cell has not run and that everything is as it was.
const AGAIN: &str = "EVCXR_VARIABLE_CHANGED_TYPE:loopbook_not_run";

/// A cell's function: takes evcxr's store of variables and gives it back.
type Function = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

/// The cells of this process. They are never unloaded: tasks and variables hold on to their code.
pub(crate) struct Cells {
    variables: *mut c_void,
    runtime: Option<Attached>,
    pipes: ForRuntime,
}

impl Cells {
    /// No cells yet. `pipes` are the read ends that a runtime gets.
    pub(crate) fn new(pipes: ForRuntime) -> Self {
        Self { variables: std::ptr::null_mut(), runtime: None, pipes }
    }

    /// Loads a shared object and runs its function, unless the kernel says that it must not run. One that cannot be
    /// loaded is the kernel's to tell.
    ///
    /// # Errors
    /// If it brings a runtime that does not fit, or cannot be loaded and there is no runtime yet.
    pub(crate) fn load_and_run(&mut self, library: &str, function: &str) -> Result<(), String> {
        let path = c_string(library)?;
        let loading = Loading::begin();
        let (handle, function) = match load(&path, &c_string(function)?) {
            Ok(loaded) => loaded,
            Err(reason) => return self.not_loaded(reason),
        };
        if self.runtime.is_none() {
            self.runtime = runtime::attach(handle, self.pipes)?;
        }
        let begin = self.runtime.as_ref().map_or(BEGIN_RUN, |runtime| runtime.begin(&path));
        drop(loading);
        match begin {
            BEGIN_RUN => self.run(function),
            BEGIN_FORGET => {}
            _ => runtime::say(AGAIN),
        }
        Ok(())
    }

    fn run(&mut self, function: Function) {
        // SAFETY: the store is what the last cell gave back, or null before the first one, as evcxr's protocol wants.
        self.variables = unsafe { function(self.variables) };
        match self.runtime.as_ref().map(Attached::end) {
            Some(END_PANIC) => runtime::say(PANICKED),
            Some(END_EARLY) => runtime::say(ENDED_EARLY),
            _ => {}
        }
    }

    fn not_loaded(&self, reason: String) -> Result<(), String> {
        let Some(runtime) = &self.runtime else { return Err(reason) };
        runtime.not_loaded(&reason);
        runtime::say(AGAIN);
        Ok(())
    }
}

/// Loads the cell, and gives its handle and its function.
fn load(path: &CStr, function: &CStr) -> Result<(*mut c_void, Function), String> {
    let handle = loading::open(path);
    let reason = handle.is_null().then(loader_error);
    // 180 kB each, and loaded for good: the name is not needed any more. If it stays, the kernel removes it at its end.
    let _ = std::fs::remove_file(&*path.to_string_lossy());
    if let Some(reason) = reason {
        return Err(reason);
    }
    let symbol = find(handle, function).ok_or_else(loader_error)?;
    // SAFETY: evcxr generates the function with this signature.
    Ok((handle, unsafe { std::mem::transmute::<*mut c_void, Function>(symbol) }))
}
