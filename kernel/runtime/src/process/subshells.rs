//! Running cells of subshells: each on a thread of its own, at the same time as the main shell's. They share everything but
//! variables.

use crate::connection;
use crate::connection::flusher;
use crate::expansion::generations;
use crate::lessons::predict;
use crate::process::child_program;
use crate::running::{interrupts, subshells::SubshellCell};
use crate::tasks::{panics, site};
use loopbook_channel::{CellId, CellOutcome, Failure, FailureKind, SUBSHELL_SYMBOL, ToKernel};
use std::ffi::{CStr, CString, c_void};
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// Loads a cell from the shared object `library`, which was compiled from `source`, and runs it on a thread of its own.
///
/// Called where the kernel's messages are read, so that what the cell shares with others is decided in their order.
pub(crate) fn start(cell: CellId, number: u32, library: &str, source: &str) {
    let cell = SubshellCell::new(cell, number);
    let Ok(path) = CString::new(library) else {
        fail(&cell, "the path of the cell has a zero byte");
        return done(&cell);
    };
    generations::loaded(&path, Vec::new());
    site::learn_from(&path, Path::new(source));
    interrupts::begin(cell.cell);
    let runs = Arc::clone(&cell);
    let started = thread::Builder::new().name("loopbook-subshell".into()).spawn(move || run(&runs, &path));
    if let Err(error) = started {
        fail(&cell, &format!("no thread could be started for the cell: {error}"));
        done(&cell);
    }
}

fn run(cell: &Arc<SubshellCell>, library: &CStr) {
    cell.on_this_thread(|| {
        panics::install_hook();
        match load(library) {
            // SAFETY: the kernel writes the function, with this signature; what panics in it is caught in `cell_body`.
            Ok(function) => unsafe { function() },
            Err(why) => fail(cell, &why),
        }
        flusher::at_end_of(cell.cell);
        predict::settle(cell.cell, cell.is_well());
        done(cell);
    });
}

fn fail(cell: &SubshellCell, why: &str) {
    let (kind, message) = (FailureKind::Error, why.to_owned());
    cell.end_early(Some(Failure { kind, message, chain: Vec::new(), site: None, location: None }));
}

fn done(cell: &SubshellCell) {
    interrupts::end(cell.cell);
    let outcome = cell.take_failure().map_or(CellOutcome::Ok, |failure| CellOutcome::Failed { failure });
    connection::send(&ToKernel::CellDone { cell: cell.cell, outcome, old_values: Vec::new() });
}

/// The function of the cell in a shared object, which stays loaded: tasks hold on to its code.
fn load(library: &CStr) -> Result<unsafe extern "C" fn(), String> {
    let handle = child_program::load(library);
    let _the_kernel_removes_it_at_its_end = std::fs::remove_file(Path::new(&*library.to_string_lossy()));
    if handle.is_null() {
        return Err(format!("the cell cannot be loaded: {}", loader_error()));
    }
    // SAFETY: the handle comes from `dlopen` and is never closed.
    let symbol = unsafe { libc::dlsym(handle, SUBSHELL_SYMBOL.as_ptr()) };
    if symbol.is_null() {
        return Err(format!("the cell cannot be loaded: {}", loader_error()));
    }
    // SAFETY: the kernel writes the function with this signature.
    Ok(unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn()>(symbol) })
}

fn loader_error() -> String {
    // SAFETY: gives null or a text that is valid until the next call of the loader on this thread.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() { "no reason given".into() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    }
}
