//! The cell that runs: its phase, its interrupt, how it ended.
//!
//! ```text
//!             begin            block_on             it returns            end
//! BETWEEN ───────────► PROLOGUE ───────► BODY ────────────────► EPILOGUE ─────► BETWEEN
//!                      evcxr takes       the user's code        evcxr puts
//!                      variables out                            variables back
//! ```
//!
//! In prologue and epilogue the main thread runs nothing but evcxr's generated code.

use crate::executor::block_on::drive;
use crate::running::interrupts;
use crate::shell::subshell;
use crate::support::sync::{lock, thread_token};
use crate::tasks::{panics, record::Record};
use loopbook_channel::{
    CellId, CellOutcome, END_EARLY, END_NORMAL, END_PANIC, Failure, FailureKind, TaskKind, cell_label,
};
use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering::SeqCst};

const BETWEEN: u8 = 0;
const PROLOGUE: u8 = 1;
const BODY: u8 = 2;
const EPILOGUE: u8 = 3;

/// Name of the error type in evcxr's own `?` mode; a body that returns it was not rewritten by the kernel.
const EVCXR_ERROR: &str = "EvcxrUserCodeError";

static PHASE: AtomicU8 = AtomicU8::new(BETWEEN);
static MAIN_THREAD: AtomicUsize = AtomicUsize::new(0);
static LATEST: AtomicU64 = AtomicU64::new(0);
static LATEST_NUMBER: AtomicU32 = AtomicU32::new(0);
static END: Mutex<End> = Mutex::new(End { failure: None, how: END_NORMAL, evcxr_error_mode: false });

/// How the cell ends, as far as it is known.
struct End {
    failure: Option<Failure>,
    how: u32,
    evcxr_error_mode: bool,
}

/// Payload of the panic that takes an interrupted cell off the stack.
pub(crate) struct Interrupted;

/// The cell to whose thread this belongs: that of a subshell's cell, or the main one, if it has run a cell.
pub(crate) fn of_this_thread() -> Option<CellId> {
    subshell::here().map(|beside| beside.cell).or_else(|| is_main_thread().then(latest))
}

/// The cell to which this thread's doings belong if no task says otherwise, and its execution count.
pub(crate) fn here() -> (CellId, Option<u32>) {
    subshell::here().map_or_else(|| (latest(), latest_number()), |beside| (beside.cell, Some(beside.number)))
}

/// The main shell's cell that runs, else its last one; 0 before the first.
pub(crate) fn latest() -> CellId {
    LATEST.load(SeqCst)
}

/// Execution count of [`latest`].
fn latest_number() -> Option<u32> {
    (latest() != 0).then(|| LATEST_NUMBER.load(SeqCst))
}

/// Whether a cell runs.
pub(crate) fn is_running() -> bool {
    PHASE.load(SeqCst) != BETWEEN
}

/// Whether this thread is the cell's, and runs evcxr's generated code rather than the user's.
pub(crate) fn is_generated_code() -> bool {
    matches!(PHASE.load(SeqCst), PROLOGUE | EPILOGUE) && is_main_thread()
}

/// Whether this thread is the cell's, and the cell's body is about to run: what asks is evcxr's generated code.
pub(crate) fn is_prologue() -> bool {
    PHASE.load(SeqCst) == PROLOGUE && is_main_thread()
}

/// Whether this is the thread on which cells run.
pub(crate) fn is_main_thread() -> bool {
    MAIN_THREAD.load(SeqCst) == thread_token()
}

/// Notes that cells run on this thread.
pub(crate) fn claim_main_thread() {
    MAIN_THREAD.store(thread_token(), SeqCst);
}

/// A loaded cell is about to run.
pub(crate) fn begin(cell: CellId, number: u32) {
    *lock(&END) = End { failure: None, how: END_NORMAL, evcxr_error_mode: false };
    LATEST_NUMBER.store(number, SeqCst);
    LATEST.store(cell, SeqCst);
    interrupts::begin(cell);
    PHASE.store(PROLOGUE, SeqCst);
}

/// Runs the body of the cell on this thread, as the task `In[n]`.
///
/// # Panics
/// With the payload of the body's panic, or with [`Interrupted`]: evcxr's generated code catches both.
pub(crate) fn run<F: Future>(body: F) -> F::Output {
    lock(&END).evcxr_error_mode = std::any::type_name::<F::Output>().contains(EVCXR_ERROR);
    PHASE.store(BODY, SeqCst);
    let name = cell_label(LATEST_NUMBER.load(SeqCst));
    // The kernel's own cells have no number.
    let start = if latest() == 0 { Record::unlisted } else { Record::start };
    let result = drive(body, start(TaskKind::Cell, Some(name), None));
    PHASE.store(EPILOGUE, SeqCst);
    match result {
        Ok(output) => output,
        Err(payload) => {
            let failure = panics::failure(payload.as_ref());
            fail(if interrupts::is_interrupted(latest()) { panics::interrupted() } else { failure });
            resume_unwind(payload)
        }
    }
}

/// The cell's function has returned: how it ended, for the kernel and for evcxr.
pub(crate) fn end() -> (CellId, CellOutcome, u32) {
    PHASE.store(BETWEEN, SeqCst);
    interrupts::end(latest());
    let mut end = lock(&END);
    let outcome = match end.failure.take() {
        Some(failure) => CellOutcome::Failed { failure },
        None => CellOutcome::Ok,
    };
    (latest(), outcome, end.how)
}

/// Whether evcxr will forget what the cell that runs defines.
pub(crate) fn has_failed() -> bool {
    lock(&END).how != END_NORMAL
}

/// See [`crate::tasks::context::end_cell_early`].
pub(crate) fn end_early(failure: Option<Failure>) {
    let mut end = lock(&END);
    end.failure = failure;
    end.how = END_EARLY;
}

/// The cell has panicked.
pub(crate) fn fail(failure: Failure) {
    let mut end = lock(&END);
    end.failure = Some(failure);
    end.how = END_PANIC;
}

/// evcxr's generated code says that a `?` failed. True if the cell can have said it, rather than a user who prints the
/// same text: then evcxr will forget the cell's new variables.
pub(crate) fn evcxr_error() -> bool {
    let mut end = lock(&END);
    if !end.evcxr_error_mode || !is_main_thread() {
        return false;
    }
    end.how = END_EARLY;
    end.failure = Some(Failure {
        kind: FailureKind::Error,
        message: "a `?` in a macro failed; what it said is printed above".into(),
        chain: Vec::new(),
        site: None,
        location: None,
    });
    true
}
