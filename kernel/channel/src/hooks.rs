//! The C interface between the child program and the runtime that it loads.
//!
//! The two are linked to different copies of the standard library, so nothing but C types crosses here and no panic may.
//! The child program finds the symbol [`ENTRY_POINT`] behind the first cell that is linked to the runtime, hands over an
//! [`Api`] and gets [`Hooks`] back.

use std::ffi::{c_char, c_int, c_void};

/// Version of [`Api`] and [`Hooks`]; both sides check it.
pub const HOOKS_VERSION: u32 = 3;

/// Symbol name of the runtime's [`EntryPoint`].
pub const ENTRY_POINT: &str = "loopbook_attach";

/// The cell ran to its end: evcxr may keep its variables.
pub const END_NORMAL: u32 = 0;
/// The cell panicked or was interrupted: variables that it defined do not exist.
pub const END_PANIC: u32 = 1;
/// The cell returned early (`return`, a failed `?`): variables that it defined do not exist.
pub const END_EARLY: u32 = 2;

/// The cell may run.
pub const BEGIN_RUN: c_int = 0;
/// The cell must not run: it was interrupted while it compiled. evcxr must be told to try again: it will not come far.
pub const BEGIN_REFUSED: c_int = 1;
/// The cell must not run yet: evcxr has been told to give up variables, and will compile it again without them.
pub const BEGIN_FORGET: c_int = 2;

/// What a program does with a socket.
pub const SOCKET_READ: c_int = 0;
/// See [`SOCKET_READ`].
pub const SOCKET_WRITE: c_int = 1;
/// See [`SOCKET_READ`].
pub const SOCKET_ACCEPT: c_int = 2;

/// What the child program offers the runtime.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Api {
    /// [`HOOKS_VERSION`].
    pub version: u32,
    /// Sends one line (without its newline) to evcxr. The bytes must be one of evcxr's own markers.
    pub protocol_line: extern "C" fn(text: *const u8, len: usize),
    /// Read ends of the pipes that stand behind the user's descriptors 1 and 2 (what C's stdio and other processes
    /// print), non-blocking.
    pub stdout_pipe: c_int,
    /// See [`Api::stdout_pipe`].
    pub stderr_pipe: c_int,
    /// Read end of the pipe that takes [`crate::LastWords`].
    pub last_words: c_int,
    /// Loads a shared object for good and gives what `dlopen` gives; null if it cannot be loaded, and `dlerror` says why
    /// on the same thread. Works also when the process has no descriptors left.
    pub load: unsafe extern "C" fn(path: *const c_char) -> *mut c_void,
}

/// What the runtime offers the child program. All of them may be called from any thread, except `begin` and `end`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Hooks {
    /// [`HOOKS_VERSION`].
    pub version: u32,
    /// Something is written to the user's descriptor 1 or 2. Always takes everything.
    pub output: extern "C" fn(fd: c_int, data: *const u8, len: usize),
    /// The user's code reads descriptor 0. Returns the number of bytes, 0 at the end, or -1 with `errno` set.
    pub input: extern "C" fn(data: *mut u8, len: usize) -> isize,
    /// A call has read from a socket, written to it or accepted a connection (`operation` is one of [`SOCKET_READ`] and its
    /// kin), or would have had to wait for that (`waits` is not 0). Leaves `errno` as it is.
    pub socket: extern "C" fn(fd: c_int, operation: c_int, waits: c_int),
    /// A cell is loaded and about to run, on the main thread; `library` is the path of its shared object. Gives one of
    /// [`BEGIN_RUN`], [`BEGIN_REFUSED`], [`BEGIN_FORGET`].
    pub begin: extern "C" fn(library: *const c_char) -> c_int,
    /// The main shell's cell cannot be loaded, for this reason (UTF-8). When this returns, evcxr must be told to try again:
    /// it will not come far.
    pub not_loaded: extern "C" fn(reason: *const u8, len: usize),
    /// What is known of the code that runs on this thread, as lines of [`crate::LastWords`]; gives their length. May be
    /// called in a handler of a signal: it neither allocates nor waits.
    pub at_work: extern "C" fn(buffer: *mut u8, len: usize) -> usize,
    /// The cell's function has returned. Everything that it printed has been sent when this returns. Gives one of
    /// [`END_NORMAL`], [`END_PANIC`], [`END_EARLY`].
    pub end: extern "C" fn() -> u32,
}

/// Type of the symbol [`ENTRY_POINT`]. Returns null if the versions differ or the kernel's socket is gone.
pub type EntryPoint = unsafe extern "C" fn(api: *const Api) -> *const Hooks;
