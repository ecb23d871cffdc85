//! Last words: what the kernel is told when a signal ends this process.
//!
//! std's own handler knows only threads that this program's copy of std has started, which cells are not linked to. So
//! every thread gets a second stack here, on which our handler can run when the first is used up.

use loopbook_channel::{Hooks, Words};
use std::ffi::{CStr, c_int, c_void};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering};

/// Signals that end a process because of something that its own code does.
const SIGNALS: [c_int; 7] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT, libc::SIGTRAP, libc::SIGSYS];
/// Size of the stack for the handler, in bytes.
const OWN_STACK: usize = 64 * 1024;
/// Most that is said, in bytes: fits into a pipe at once.
const MOST: usize = 1024;
/// The words are out by then, in seconds, or the handler is stuck.
const PATIENCE: u32 = 2;
/// Below the first thread's stack the system keeps a gap.
const GAP: usize = 1024 * 1024;

/// The write end of the pipe.
static PIPE: AtomicI32 = AtomicI32::new(-1);
static PROCESS: AtomicI32 = AtomicI32::new(0);
/// The thread that has begun to speak.
static SPEAKER: AtomicI32 = AtomicI32::new(0);
static HOOKS: AtomicPtr<Hooks> = AtomicPtr::new(ptr::null_mut());
/// Gives a thread's second stack back; plus one, so that 0 is none.
static KEY: AtomicU32 = AtomicU32::new(0);

/// Stands at the beginning of a thread's second stack.
#[derive(Clone, Copy)]
struct Watched {
    /// Addresses that are touched when the first stack is used up.
    end: (usize, usize),
    /// Its size in bytes.
    size: usize,
}

/// Installs the handler; it writes to `pipe`.
pub(crate) fn install(pipe: c_int) {
    // SAFETY: the calls fill and read structs of ours; the handler has the signature that `SA_SIGINFO` asks for.
    unsafe {
        PROCESS.store(libc::getpid(), Ordering::Relaxed);
        PIPE.store(pipe, Ordering::Relaxed);
        let mut key = 0;
        if libc::pthread_key_create(&mut key, Some(give_back)) == 0 {
            KEY.store(key + 1, Ordering::Relaxed);
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        action.sa_sigaction = on_signal as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize;
        for signal in SIGNALS {
            libc::sigaction(signal, &action, ptr::null_mut());
        }
    }
}

/// From now on, the runtime is asked what was at work.
pub(crate) fn ask(hooks: &'static Hooks) {
    HOOKS.store(ptr::from_ref(hooks).cast_mut(), Ordering::Release);
}

/// Has the end of this thread's stack told.
pub(crate) fn watch() {
    // SAFETY: asks for the stack of this thread; the attributes are destroyed once.
    let stack = unsafe {
        let mut attributes = MaybeUninit::uninit();
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return;
        }
        let (mut low, mut size, mut guard) = (ptr::null_mut(), 0, 0);
        let known = libc::pthread_attr_getstack(attributes.as_ptr(), &mut low, &mut size) == 0
            && libc::pthread_attr_getguardsize(attributes.as_ptr(), &mut guard) == 0;
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        known.then_some((low.addr(), size, guard))
    };
    let Some((low, size, guard)) = stack else { return };
    // Whether the guard counts as part of the stack depends on the version of libc.
    give_stack(Watched { end: (low.saturating_sub(guard), low + guard), size });
}

/// Has the end of the first thread's stack told, which goes down to `low`.
pub(crate) fn watch_main(low: usize, size: usize) {
    give_stack(Watched { end: (low.saturating_sub(GAP), low + page_size()), size });
}

/// Size of a page in bytes.
pub(crate) fn page_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    // SAFETY: asks for a number.
    *SIZE.get_or_init(|| usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096))
}

/// Gives this thread its second stack. Without room for one, an overflow ends the process without a word.
fn give_stack(watched: Watched) {
    let Some(key) = KEY.load(Ordering::Relaxed).checked_sub(1) else { return };
    // SAFETY: a fresh mapping, whose beginning nobody uses as a stack before the whole is full; it is given back when the
    // thread ends.
    unsafe {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let stack = libc::mmap(ptr::null_mut(), OWN_STACK, protection, flags, -1, 0);
        if stack == libc::MAP_FAILED {
            return;
        }
        stack.cast::<Watched>().write(watched);
        let own = libc::stack_t { ss_sp: stack, ss_flags: 0, ss_size: OWN_STACK };
        if libc::sigaltstack(&own, ptr::null_mut()) != 0 || libc::pthread_setspecific(key, stack) != 0 {
            libc::munmap(stack, OWN_STACK);
        }
    }
}

/// The thread ends.
unsafe extern "C" fn give_back(stack: *mut c_void) {
    let none = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
    // SAFETY: the mapping is that of `give_stack`, and nothing runs on it.
    unsafe {
        libc::sigaltstack(&none, ptr::null_mut());
        libc::munmap(stack, OWN_STACK);
    }
}

/// Says what is known, and lets the signal end the process.
extern "C" fn on_signal(signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
    // SAFETY: only calls that a handler may make; the system hands over a valid `info`.
    unsafe {
        // In a process that was forked off, nobody listens.
        if libc::getpid() == PROCESS.load(Ordering::Relaxed) {
            let this = libc::gettid();
            match SPEAKER.compare_exchange(0, this, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => speak(signal, (*info).si_code, (*info).si_addr().addr()),
                // This thread has failed while it spoke.
                Err(speaker) if speaker == this => {}
                // The other one is about to end the process.
                Err(_) => loop {
                    libc::pause();
                },
            }
        }
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

fn speak(signal: c_int, code: c_int, address: usize) {
    // SAFETY: the handler may wait for a lock that its own thread holds; then the alarm ends the process.
    unsafe {
        libc::signal(libc::SIGALRM, libc::SIG_DFL);
        libc::alarm(PATIENCE);
    }
    let mut words = Words::new([0; MOST]);
    words.signal(signal, code, address as u64);
    if matches!(signal, libc::SIGSEGV | libc::SIGBUS)
        && let Some(size) = used_up(address)
    {
        words.overflow(size);
    }
    let mut name = [0_u8; 16];
    // SAFETY: there is room for a thread's name, which the system ends with a zero.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    words.thread(CStr::from_bytes_until_nul(&name).ok().and_then(|name| name.to_str().ok()).unwrap_or_default());
    // What is known for sure goes out first.
    send(words.as_bytes());
    // SAFETY: null or what `ask` got, a static.
    let Some(hooks) = (unsafe { HOOKS.load(Ordering::Acquire).as_ref() }) else { return };
    let mut more = [0; MOST];
    let len = (hooks.at_work)(more.as_mut_ptr(), more.len());
    send(&more[..len.min(MOST)]);
}

/// The size of this thread's stack, if the address lies at the end of it.
fn used_up(address: usize) -> Option<usize> {
    // SAFETY: asks for the second stack of this thread, which is ours if it has our size, and begins with what we wrote.
    let watched = unsafe {
        let mut own: libc::stack_t = std::mem::zeroed();
        if libc::sigaltstack(ptr::null(), &mut own) != 0 || own.ss_sp.is_null() || own.ss_size != OWN_STACK {
            return None;
        }
        *own.ss_sp.cast::<Watched>()
    };
    let end: Range<usize> = watched.end.0..watched.end.1;
    end.contains(&address).then_some(watched.size)
}

fn send(bytes: &[u8]) {
    // SAFETY: the bytes are ours. A pipe that is full or closed takes nothing, and then nothing can be done.
    unsafe { libc::syscall(libc::SYS_write, PIPE.load(Ordering::Relaxed), bytes.as_ptr(), bytes.len()) };
}
