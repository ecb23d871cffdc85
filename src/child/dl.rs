//! Calls of the dynamic loader.

use std::ffi::{CStr, CString, c_void};

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
