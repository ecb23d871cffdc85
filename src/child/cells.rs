//! Loading cells and running them.

use crate::runtime::{self, Attached};
use loopbook_channel::{BEGIN_FORGET, BEGIN_RUN, END_EARLY, END_PANIC};
use std::ffi::{CStr, CString, c_int, c_void};

/// evcxr's marker for a cell that panicked: what it would have defined does not exist.
const PANICKED: &str = "EVCXR_PANIC_NOTIFICATION";
/// evcxr's marker for a cell that ended early; has the same effect.
const ENDED_EARLY: &str = "EVCXR_ERROR_OCCURRED";

/// A cell's function: takes evcxr's store of variables and gives it back.
type Function = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

/// The cells of this process. They are never unloaded: tasks and variables hold on to their code.
pub(crate) struct Cells {
    variables: *mut c_void,
    runtime: Option<Attached>,
    pipes: [c_int; 2],
}

impl Cells {
    /// No cells yet. `pipes` are the read ends that a runtime gets.
    pub(crate) fn new(pipes: [c_int; 2]) -> Self {
        Self { variables: std::ptr::null_mut(), runtime: None, pipes }
    }

    /// Loads a shared object and runs its function, unless the kernel says that it must not run.
    ///
    /// # Errors
    /// If it cannot be loaded, or brings a runtime that does not fit.
    pub(crate) fn load_and_run(&mut self, library: &str, function: &str) -> Result<(), String> {
        let path = c_string(library)?;
        let handle = open(&path)?;
        // 180 kB each, and loaded for good: the name is not needed any more. If it stays, the kernel removes it at its end.
        let _ = std::fs::remove_file(library);
        let symbol = find(handle, &c_string(function)?)
            .ok_or_else(|| format!("the cell {library} has no function {function}: {}", loader_error()))?;
        // SAFETY: evcxr generates the function with this signature.
        let function = unsafe { std::mem::transmute::<*mut c_void, Function>(symbol) };
        if self.runtime.is_none() {
            self.runtime = runtime::attach(handle, self.pipes)?;
        }
        self.run(&path, function);
        Ok(())
    }

    fn run(&mut self, library: &CStr, function: Function) {
        match self.runtime.as_ref().map_or(BEGIN_RUN, |runtime| runtime.begin(library)) {
            BEGIN_RUN => {}
            BEGIN_FORGET => return,
            _ => {
                runtime::say(PANICKED);
                return;
            }
        }
        // SAFETY: the store is what the last cell gave back, or null before the first one, as evcxr's protocol wants.
        self.variables = unsafe { function(self.variables) };
        match self.runtime.as_ref().map(Attached::end) {
            Some(END_PANIC) => runtime::say(PANICKED),
            Some(END_EARLY) => runtime::say(ENDED_EARLY),
            _ => {}
        }
    }
}

/// Finds a symbol in a loaded object, or in what it is linked to.
pub(crate) fn find(handle: *mut c_void, name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the handle comes from `dlopen` and is never closed.
    let symbol = unsafe { libc::dlsym(handle, name.as_ptr()) };
    (!symbol.is_null()).then_some(symbol)
}

/// For the loader: text without zero bytes.
///
/// # Errors
/// If it has one.
pub(crate) fn c_string(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|_| format!("evcxr sent a name with a zero byte: {text:?}"))
}

fn open(path: &CStr) -> Result<*mut c_void, String> {
    // SAFETY: runs the object's initialisers, which is what a cell is for.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        return Err(format!("the cell {} cannot be loaded: {}", path.to_string_lossy(), loader_error()));
    }
    Ok(handle)
}

fn loader_error() -> String {
    // SAFETY: gives null or a text that is valid until the next call of the loader on this thread.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() { "no reason given".into() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    }
}
