//! Calls on sockets, which go to the system as they came. The runtime is told of those that would have to wait, so that it
//! knows what a task waits for, and of those that succeed after that.

use super::{hooks, to_isize};
use loopbook_channel::{SOCKET_ACCEPT, SOCKET_READ, SOCKET_WRITE};
use std::ffi::{c_int, c_long, c_void};
use std::ptr;

/// Tells the runtime how a call on a descriptor went, and gives the call's result.
pub(super) fn tell(fd: c_int, operation: c_int, result: c_long) -> c_long {
    // SAFETY: the address is this thread's own.
    let waits = result < 0 && unsafe { *libc::__errno_location() } == libc::EAGAIN;
    if let Some(hooks) = hooks().filter(|_| waits || result >= 0) {
        (hooks.socket)(fd, operation, c_int::from(waits));
    }
    result
}

/// `recv(2)`.
///
/// # Safety
/// As the system call.
#[unsafe(no_mangle)]
unsafe extern "C" fn recv(fd: c_int, data: *mut c_void, len: usize, flags: c_int) -> isize {
    // SAFETY: as the caller promises.
    unsafe { recvfrom(fd, data, len, flags, ptr::null_mut(), ptr::null_mut()) }
}

/// `recvfrom(2)`.
///
/// # Safety
/// As the system call.
#[unsafe(no_mangle)]
unsafe extern "C" fn recvfrom(
    fd: c_int,
    data: *mut c_void,
    len: usize,
    flags: c_int,
    address: *mut libc::sockaddr,
    address_len: *mut libc::socklen_t,
) -> isize {
    // SAFETY: as the caller promises.
    let result = unsafe { libc::syscall(libc::SYS_recvfrom, fd, data, len, flags, address, address_len) };
    to_isize(tell(fd, SOCKET_READ, result))
}

/// `recvmsg(2)`.
///
/// # Safety
/// As the system call.
#[unsafe(no_mangle)]
unsafe extern "C" fn recvmsg(fd: c_int, message: *mut libc::msghdr, flags: c_int) -> isize {
    // SAFETY: as the caller promises.
    to_isize(tell(fd, SOCKET_READ, unsafe { libc::syscall(libc::SYS_recvmsg, fd, message, flags) }))
}

/// `send(2)`.
///
/// # Safety
/// As the system call.
#[unsafe(no_mangle)]
unsafe extern "C" fn send(fd: c_int, data: *const c_void, len: usize, flags: c_int) -> isize {
    // SAFETY: as the caller promises.
    unsafe { sendto(fd, data, len, flags, ptr::null(), 0) }
}

/// `sendto(2)`.
///
/// # Safety
/// As the system call.
#[unsafe(no_mangle)]
unsafe extern "C" fn sendto(
    fd: c_int,
    data: *const c_void,
    len: usize,
    flags: c_int,
    address: *const libc::sockaddr,
    address_len: libc::socklen_t,
) -> isize {
    // SAFETY: as the caller promises.
    let result = unsafe { libc::syscall(libc::SYS_sendto, fd, data, len, flags, address, address_len) };
    to_isize(tell(fd, SOCKET_WRITE, result))
}

/// `sendmsg(2)`.
///
/// # Safety
/// As the system call.
#[unsafe(no_mangle)]
unsafe extern "C" fn sendmsg(fd: c_int, message: *const libc::msghdr, flags: c_int) -> isize {
    // SAFETY: as the caller promises.
    to_isize(tell(fd, SOCKET_WRITE, unsafe { libc::syscall(libc::SYS_sendmsg, fd, message, flags) }))
}

/// `accept4(2)`.
///
/// # Safety
/// As the system call.
#[unsafe(no_mangle)]
unsafe extern "C" fn accept4(
    fd: c_int,
    address: *mut libc::sockaddr,
    address_len: *mut libc::socklen_t,
    flags: c_int,
) -> c_int {
    // SAFETY: as the caller promises.
    let result = unsafe { libc::syscall(libc::SYS_accept4, fd, address, address_len, flags) };
    tell(fd, SOCKET_ACCEPT, result) as c_int
}

/// `accept(2)`.
///
/// # Safety
/// As the system call.
#[unsafe(no_mangle)]
unsafe extern "C" fn accept(fd: c_int, address: *mut libc::sockaddr, address_len: *mut libc::socklen_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { accept4(fd, address, address_len, 0) }
}
