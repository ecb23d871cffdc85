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

use crate::running::{interrupts, subshells};
use crate::support::sync::{lock, thread_token};
use loopbook_channel::{CellId, CellOutcome, END_EARLY, END_NORMAL, END_PANIC, Failure, FailureKind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering::SeqCst};

const BETWEEN: u8 = 0;
const PROLOGUE: u8 = 1;
const BODY: u8 = 2;
const EPILOGUE: u8 = 3;

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
    subshells::here().map(|subshell| subshell.cell).or_else(|| is_main_thread().then(latest))
}

/// The cell to which this thread's doings belong if no task says otherwise, and its execution count.
pub(crate) fn here() -> (CellId, Option<u32>) {
    subshells::here().map_or_else(
        || (latest(), (latest() != 0).then(latest_number)),
        |subshell| (subshell.cell, Some(subshell.number)),
    )
}

/// The main shell's cell that runs, else its last one; 0 before the first.
pub(crate) fn latest() -> CellId {
    LATEST.load(SeqCst)
}

/// Execution count of [`latest`].
pub(crate) fn latest_number() -> u32 {
    LATEST_NUMBER.load(SeqCst)
}

/// Whether a cell runs.
pub(crate) fn is_running() -> bool {
    PHASE.load(SeqCst) != BETWEEN
}

/// Whether this thread is the cell's, and runs evcxr's generated code rather than the user's.
pub(crate) fn is_generated_code() -> bool {
    matches!(PHASE.load(SeqCst), PROLOGUE | EPILOGUE) && is_main_thread()
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

/// The body of the cell is about to run on this thread. `has_evcxr_errors`: it has evcxr's own `?`.
pub(crate) fn body_begins(has_evcxr_errors: bool) {
    lock(&END).evcxr_error_mode = has_evcxr_errors;
    PHASE.store(BODY, SeqCst);
}

/// The body of the cell has ended.
pub(crate) fn body_ends() {
    PHASE.store(EPILOGUE, SeqCst);
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
