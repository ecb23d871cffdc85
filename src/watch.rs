//! Watches for signals, and for the death of the process that started the kernel.

use rustix::io::Errno;
use rustix::process::{Pid, getppid, test_kill_process};
use std::env;
use std::io;
use std::os::fd::IntoRawFd as _;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_std::task;
use futures::AsyncReadExt as _;

use crate::dispatcher::Signal;

/// Environment variable by which Jupyter says who starts the kernel.
const PARENT_ENV: &str = "JPY_PARENT_PID";

/// How often to look for the parent.
const INTERVAL: Duration = Duration::from_millis(500);

/// Where the signal handler writes to; -1 before [`Signals::install`].
static WAKE: AtomicI32 = AtomicI32::new(-1);

/// When the last SIGINT came, in nanoseconds of the system's monotonic clock: a cell that begins before the kernel gets to
/// read of it must not be taken for the one that was meant.
static INTERRUPTED: AtomicU64 = AtomicU64::new(0);

/// The process that started the kernel, if Jupyter has named it.
///
/// The kernel asks for it rather than let the system send a signal: Linux sends that when the *thread* ends which has
/// started the kernel, and Jupyter clients start kernels in threads that end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    pid: Option<i32>,
    /// Whether it is our parent in the system's sense, and not that of a wrapper.
    is_direct: bool,
}

/// SIGTERM and SIGINT, handled.
#[derive(Debug)]
pub struct Signals(async_std::os::unix::net::UnixStream);

impl Parent {
    /// The process that `JPY_PARENT_PID` names.
    pub fn from_environment() -> Self {
        let pid = env::var(PARENT_ENV).ok().and_then(|pid| pid.parse().ok()).filter(|pid| *pid > 1);
        Self { pid, is_direct: pid == Some(parent_pid()) }
    }

    /// Completes when the process has died; never if none was named.
    pub async fn gone(self) {
        let Some(pid) = self.pid else {
            return std::future::pending().await;
        };
        while self.lives(pid) {
            task::sleep(INTERVAL).await;
        }
    }

    fn lives(self, pid: i32) -> bool {
        if self.is_direct {
            // The system gives orphans another parent at once.
            return parent_pid() == pid;
        }
        // Another error means that it is there, and somebody else's.
        Pid::from_raw(pid).is_none_or(|pid| test_kill_process(pid) != Err(Errno::SRCH))
    }
}

impl Signals {
    /// Handles SIGTERM and SIGINT from now on. Programs that the kernel starts get the default handling.
    ///
    /// # Errors
    /// If the system has no descriptors left.
    pub fn install() -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        // A full buffer means that many signals wait already: the handler must never wait itself.
        write.set_nonblocking(true)?;
        WAKE.store(write.into_raw_fd(), Ordering::Relaxed);
        // Handlers rather than SIG_IGN, which programs that we start would inherit.
        handle(libc::SIGTERM)?;
        handle(libc::SIGINT)?;
        Ok(Self(read.into()))
    }

    /// The next signal. SIGINT means an interrupt: a kernel that was started by hand gets it from its terminal.
    pub async fn next(&mut self) -> Signal {
        let mut number = [0];
        match self.0.read_exact(&mut number).await {
            Ok(()) if libc::c_int::from(number[0]) == libc::SIGINT => Signal::Interrupt(interrupted_at()),
            Ok(()) => Signal::Terminate,
            Err(error) => {
                tracing::warn!("signals cannot be received: {error}");
                std::future::pending().await
            }
        }
    }
}

extern "C" fn pass_on(signal: libc::c_int) {
    if signal == libc::SIGINT {
        INTERRUPTED.store(now(), Ordering::Relaxed);
    }
    // The numbers of the signals that we handle fit.
    let byte = [signal as u8];
    // SAFETY: `write` is allowed in signal handlers, and the descriptor is never closed.
    unsafe { libc::write(WAKE.load(Ordering::Relaxed), byte.as_ptr().cast(), 1) };
}

fn interrupted_at() -> Instant {
    let ago = Duration::from_nanos(now().saturating_sub(INTERRUPTED.load(Ordering::Relaxed)));
    let now = Instant::now();
    now.checked_sub(ago).unwrap_or(now)
}

/// Nanoseconds of the monotonic clock, for signal handlers too.
fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `clock_gettime` is allowed in signal handlers and writes only to what it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

fn handle(signal: libc::c_int) -> io::Result<()> {
    // SAFETY: an all-zero `sigaction` is a valid one, and the handler only calls what handlers may call.
    let failed = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = pass_on as extern "C" fn(libc::c_int) as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(signal, &action, std::ptr::null_mut())
    };
    if failed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn parent_pid() -> i32 {
    Pid::as_raw(getppid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_std::future;
    use std::process::Command;

    #[async_std::test]
    async fn a_parent_that_lives_is_not_gone_and_a_dead_one_is() {
        let alive = Parent { pid: Some(parent_pid()), is_direct: true };
        assert!(future::timeout(Duration::from_millis(20), alive.gone()).await.is_err());
        let mut process = Command::new("true").spawn().unwrap();
        process.wait().unwrap();
        let dead = Parent { pid: i32::try_from(process.id()).ok(), is_direct: false };
        future::timeout(Duration::from_secs(5), dead.gone()).await.unwrap();
    }

    #[async_std::test]
    async fn without_a_name_there_is_nothing_to_watch() {
        let nobody = Parent { pid: None, is_direct: false };
        assert!(future::timeout(Duration::from_millis(20), nobody.gone()).await.is_err());
    }

    #[async_std::test]
    async fn signals_arrive_and_do_not_kill() {
        // SAFETY: the signal goes to this process, which handles it.
        let send = |number| assert_eq!(unsafe { libc::kill(libc::getpid(), number) }, 0);
        let mut signals = Signals::install().unwrap();
        let before = Instant::now();
        send(libc::SIGINT);
        let Signal::Interrupt(at) = signals.next().await else { panic!("SIGINT was sent") };
        let after = Instant::now();
        // Reading the clock twice takes its time.
        let margin = Duration::from_millis(5);
        assert!(before <= at + margin && at <= after + margin, "the moment is that of the signal");
        // Not earlier: two signals may be taken by two threads, and which of them is first is anybody's guess.
        send(libc::SIGTERM);
        assert_eq!(signals.next().await, Signal::Terminate);
    }
}
