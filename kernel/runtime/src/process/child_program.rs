//! The functions of the child program that this library calls.

use loopbook_channel::Api;
use std::ffi::{CStr, c_void};
use std::sync::OnceLock;

static API: OnceLock<Api> = OnceLock::new();

/// Remembers how the child program is called.
pub(crate) fn remember(api: Api) {
    // A second attachment would be a second kernel; there is none.
    let _ = API.set(api);
}

/// Sends one of evcxr's own lines.
pub(crate) fn protocol_line(line: &str) {
    if let Some(api) = API.get() {
        (api.protocol_line)(line.as_ptr(), line.len());
    }
}

/// Loads a shared object for good; null if it cannot be loaded, and `dlerror` says why.
pub(crate) fn load(path: &CStr) -> *mut c_void {
    match API.get() {
        // SAFETY: the path ends in a zero byte.
        Some(api) => unsafe { (api.load)(path.as_ptr()) },
        // SAFETY: runs the object's initialisers, which is what a cell is for.
        None => unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) },
    }
}
