//! What the kernel and the process that runs the cells say to each other, and nothing else: no threads, no sockets.
//!
//! The child process connects to the kernel's Unix socket ([`SOCKET_ENV`]) when the runtime is first loaded and says
//! [`ToKernel::Hello`]. From then on both sides send [frames](frame) whenever they like. A frame is a length, a kind and
//! a body; what a cell prints travels as raw bytes (it need not be UTF-8), everything else as JSON.
//!
//! A cell is known by its [`CellId`], which the kernel counts up and never reuses: execution counts may repeat (silent
//! executions, subshells), ids may not.

mod counted;
mod frame;
mod hooks;
mod html;
mod last_words;
mod messages;
mod place;
mod task;

pub use counted::{counted, grouped};
pub use frame::{Frame, FrameError, MAX_FRAME, read_frame, write_frame};
pub use hooks::{
    Api, BEGIN_FORGET, BEGIN_REFUSED, BEGIN_RUN, END_EARLY, END_NORMAL, END_PANIC, ENTRY_POINT, EntryPoint,
    HOOKS_VERSION, Hooks, SOCKET_ACCEPT, SOCKET_READ, SOCKET_WRITE,
};
pub use html::Escaped;
pub use last_words::{LastTask, LastWords, Words};
pub use messages::{
    CellOutcome, DisplayKind, Failure, FailureKind, InputError, Living, MimeBundle, Query, Stream, TaskOrder, ToChild,
    ToKernel,
};
pub use place::{CompiledLine, Mark, Stretch};
pub use task::{
    AwaitSite, CellId, LockKind, ObjectId, Operation, SUBSHELL, Site, TaskId, TaskInfo, TaskKind, TaskState, WaitingOn,
    WokenBy, cell_label, line_label,
};

/// The version of these messages. The kernel refuses a child that says another one.
pub const VERSION: u32 = 11;

/// The function of a subshell's cell, which the kernel writes: `extern "C" fn()`.
pub const SUBSHELL_SYMBOL: &std::ffi::CStr = c"loopbook_subshell";

/// Environment variable that names the kernel's Unix socket to the child. The child removes it from its environment
/// before any user code runs.
pub const SOCKET_ENV: &str = "LOOPBOOK_CHANNEL";

/// Environment variable that names the `lib.rs` which evcxr writes before each build; the runtime reads the line marks
/// ([`Mark`]) from it when a cell is loaded. Removed like [`SOCKET_ENV`].
pub const SOURCE_ENV: &str = "LOOPBOOK_SOURCE";

/// Environment variable with the user's own `RUST_BACKTRACE`, in whose place evcxr puts a value for its own child. The
/// child puts it back before any user code runs.
pub const USER_BACKTRACE_ENV: &str = "LOOPBOOK_USER_BACKTRACE";
