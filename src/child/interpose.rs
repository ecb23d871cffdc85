//! This program's `write` and `read`, and the calls on sockets. The loader resolves these names here first, for libstd and
//! for C code alike, so what user code writes to descriptors 1 and 2, and from which thread, is known at once and in order.
//!
//! Everything else goes to the system as it came. So does everything in a process that was forked off: the runtime's
//! threads and locks do not exist there.

mod sockets;

use loopbook_channel::{Hooks, SOCKET_READ, SOCKET_WRITE};
use sockets::tell;
use std::ffi::{c_int, c_long, c_void};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

static HOOKS: AtomicPtr<Hooks> = AtomicPtr::new(ptr::null_mut());
static PROCESS: AtomicI32 = AtomicI32::new(0);

/// From now on, user code's input and output goes to the runtime.
pub(crate) fn install(hooks: &'static Hooks) {
    // SAFETY: asks the system for a number.
    PROCESS.store(unsafe { libc::getpid() }, Ordering::Relaxed);
    HOOKS.store(ptr::from_ref(hooks).cast_mut(), Ordering::Release);
}

/// `write(2)`.
///
/// # Safety
/// As the system call.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: c_int, data: *const c_void, len: usize) -> isize {
    let Some(hooks) = output_hooks(fd) else {
        // SAFETY: as the caller promises.
        return to_isize(tell(fd, SOCKET_WRITE, unsafe { libc::syscall(libc::SYS_write, fd, data, len) }));
    };
    keep_errno(|| (hooks.output)(fd, data.cast(), len));
    len.cast_signed()
}

/// `writev(2)`.
///
/// # Safety
/// As the system call.
#[unsafe(no_mangle)]
unsafe extern "C" fn writev(fd: c_int, parts: *const libc::iovec, count: c_int) -> isize {
    let Some((hooks, known)) = output_hooks(fd).zip(usize::try_from(count).ok()) else {
        // SAFETY: as the caller promises.
        return to_isize(tell(fd, SOCKET_WRITE, unsafe { libc::syscall(libc::SYS_writev, fd, parts, count) }));
    };
    // SAFETY: the caller promises that many valid parts.
    let parts = if known == 0 { &[] } else { unsafe { std::slice::from_raw_parts(parts, known) } };
    keep_errno(|| parts.iter().for_each(|part| (hooks.output)(fd, part.iov_base.cast(), part.iov_len)));
    parts.iter().map(|part| part.iov_len).sum::<usize>().cast_signed()
}

/// `read(2)`.
///
/// # Safety
/// As the system call.
#[unsafe(no_mangle)]
unsafe extern "C" fn read(fd: c_int, data: *mut c_void, len: usize) -> isize {
    match hooks_for(fd == libc::STDIN_FILENO) {
        Some(hooks) => (hooks.input)(data.cast(), len),
        // SAFETY: as the caller promises.
        None => to_isize(tell(fd, SOCKET_READ, unsafe { libc::syscall(libc::SYS_read, fd, data, len) })),
    }
}

/// `readv(2)`. On descriptor 0 it fills the first part only, as it may.
///
/// # Safety
/// As the system call.
#[unsafe(no_mangle)]
unsafe extern "C" fn readv(fd: c_int, parts: *const libc::iovec, count: c_int) -> isize {
    match hooks_for(fd == libc::STDIN_FILENO && count > 0) {
        // SAFETY: the caller promises at least one valid part.
        Some(hooks) => unsafe { (hooks.input)((*parts).iov_base.cast(), (*parts).iov_len) },
        // SAFETY: as the caller promises.
        None => to_isize(tell(fd, SOCKET_READ, unsafe { libc::syscall(libc::SYS_readv, fd, parts, count) })),
    }
}

fn output_hooks(fd: c_int) -> Option<&'static Hooks> {
    hooks_for(fd == libc::STDOUT_FILENO || fd == libc::STDERR_FILENO)
}

/// The hooks, if this is a matter for them and this process is the one that has them.
fn hooks_for(is_ours: bool) -> Option<&'static Hooks> {
    if !is_ours {
        return None;
    }
    let hooks = hooks()?;
    // SAFETY: asks the system for a number.
    (unsafe { libc::getpid() } == PROCESS.load(Ordering::Relaxed)).then_some(hooks)
}

/// The hooks, also in a process that was forked off.
fn hooks() -> Option<&'static Hooks> {
    // SAFETY: null or what `install` got, a static.
    unsafe { HOOKS.load(Ordering::Acquire).as_ref() }
}

/// A successful call leaves `errno` as it was.
fn keep_errno(call: impl FnOnce()) {
    // SAFETY: the address is this thread's own.
    unsafe {
        let errno = libc::__errno_location();
        let before = *errno;
        call();
        *errno = before;
    }
}

fn to_isize(result: c_long) -> isize {
    result as isize
}
