//! Cells of subshells: each runs on a thread of its own, beside the main shell's, and shares everything but variables.

use crate::connection;
use crate::connection::flusher;
use crate::executor::block_on::drive;
use crate::expansion::generations;
use crate::lessons::predict;
use crate::process::attach;
use crate::running::interrupts;
use crate::support::sync::lock;
use crate::tasks::{panics, record::Record, site};
use loopbook_channel::{BESIDE_SYMBOL, CellId, CellOutcome, Failure, FailureKind, TaskKind, ToKernel, cell_label};
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_void};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

thread_local! {
    static HERE: RefCell<Option<Arc<Beside>>> = const { RefCell::new(None) };
}

/// A cell of a subshell that runs.
pub(crate) struct Beside {
    pub(crate) cell: CellId,
    pub(crate) number: u32,
    failure: Mutex<Option<Failure>>,
}

/// The cell of a subshell whose thread this is.
pub(crate) fn here() -> Option<Arc<Beside>> {
    HERE.try_with(|here| here.try_borrow().ok()?.clone()).ok().flatten()
}

/// Loads a cell from the shared object `library`, which was compiled from `source`, and runs it on a thread of its own.
///
/// Called where the kernel's messages are read, so that what the cell shares with others is decided in their order.
pub(crate) fn start(cell: CellId, number: u32, library: &str, source: &str) {
    let beside = Arc::new(Beside { cell, number, failure: Mutex::default() });
    let Ok(path) = CString::new(library) else {
        beside.fail("the path of the cell has a zero byte");
        return beside.done();
    };
    generations::loaded(&path, Vec::new());
    site::learn_from(&path, Path::new(source));
    interrupts::begin(cell);
    let runs = Arc::clone(&beside);
    let started = thread::Builder::new().name("loopbook-subshell".into()).spawn(move || runs.run(&path));
    if let Err(error) = started {
        beside.fail(&format!("no thread could be started for the cell: {error}"));
        beside.done();
    }
}

/// Runs the body of a subshell's cell on this thread, as a task named after it.
#[doc(hidden)]
pub fn beside<F: Future<Output = ()>>(body: F) {
    let Some(here) = here() else { return };
    let record = Record::start(TaskKind::Cell, Some(cell_label(here.number)), None);
    if let Err(payload) = drive(body, record) {
        let failure = panics::failure(payload.as_ref());
        let interrupted = interrupts::is_interrupted(here.cell);
        here.end_early(Some(if interrupted { panics::interrupted() } else { failure }));
        // Dropping what was thrown may throw again.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    }
}

impl Beside {
    /// The cell has ended with a failed `?` (the failure) or a `return` (`None`).
    pub(crate) fn end_early(&self, failure: Option<Failure>) {
        *lock(&self.failure) = failure;
    }

    fn run(self: Arc<Self>, library: &CStr) {
        HERE.set(Some(Arc::clone(&self)));
        panics::install_hook();
        match load(library) {
            // SAFETY: the kernel writes the function, with this signature; what panics in it is caught in `beside`.
            Ok(function) => unsafe { function() },
            Err(why) => self.fail(&why),
        }
        flusher::at_end_of(self.cell);
        predict::settle(self.cell, lock(&self.failure).is_none());
        self.done();
        HERE.set(None);
    }

    fn fail(&self, why: &str) {
        let message = why.to_owned();
        let kind = FailureKind::Error;
        self.end_early(Some(Failure { kind, message, chain: Vec::new(), site: None, location: None }));
    }

    fn done(&self) {
        interrupts::end(self.cell);
        let failure = lock(&self.failure).take();
        let outcome = failure.map_or(CellOutcome::Ok, |failure| CellOutcome::Failed { failure });
        connection::send(&ToKernel::CellDone { cell: self.cell, outcome, spared: Vec::new() });
    }
}

/// The function of the cell in a shared object, which stays loaded: tasks hold on to its code.
fn load(library: &CStr) -> Result<unsafe extern "C" fn(), String> {
    let handle = attach::load(library);
    let _the_kernel_removes_it_at_its_end = std::fs::remove_file(Path::new(&*library.to_string_lossy()));
    if handle.is_null() {
        return Err(format!("the cell cannot be loaded: {}", loader_error()));
    }
    // SAFETY: the handle comes from `dlopen` and is never closed.
    let symbol = unsafe { libc::dlsym(handle, BESIDE_SYMBOL.as_ptr()) };
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
