//! From text to a syntax tree, and what keeps a cell from getting there.

pub(super) mod blocks;
pub(super) mod complete;
pub(super) mod dangling;
pub(super) mod fault;
pub(super) mod head;
pub(super) mod nesting;
pub(super) mod problem;
pub(super) mod syntax;

/// Parts of a nested expression up to which a cell is parsed on the caller's stack.
pub(super) const SHALLOW: usize = 200;

/// Stack for parsing what is nested more deeply, in bytes.
const DEEP_STACK: usize = 64 * 1024 * 1024;

/// Runs `work`, on a thread with a large stack if asked: parsers recurse as deeply as expressions nest.
pub(super) fn on_a_large_stack<T: Send>(large: bool, work: impl FnOnce() -> T + Send) -> T {
    if !large {
        return work();
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(DEEP_STACK).spawn_scoped(scope, work);
        let thread = thread.expect("a thread can be started");
        thread.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload))
    })
}
