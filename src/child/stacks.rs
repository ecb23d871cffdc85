//! The size of the stacks on which code of cells runs.
//!
//! Cells run on the process's first thread, whose stack grows to the user's limit (8 MB as a rule); unoptimised code
//! copies a large value many times, so it is enlarged. The threads of the loop, of blocking work and of subshells run
//! code of cells as well, and std would give them 2 MiB: this program's `pthread_create`, which stands before libc's,
//! gives them more. A thread that a cell starts itself has what Rust gives it. All of this is address space; memory is
//! what is used of it.

use crate::fatal;
use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Stack of the threads that run code of cells, in bytes.
const LARGE: usize = 256 << 20;
/// What std gives a thread if nothing is said, in bytes.
const DEFAULT: usize = 2 << 20;
/// Stack of the first thread that holds its arguments and environment, at most, in bytes.
const ARGUMENTS: usize = 4 << 20;
/// So many callers are looked at to find out who starts a thread.
const CALLERS: usize = 8;

/// Where the runtime's shared object is loaded.
static RUNTIME: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
/// libc's `pthread_create`.
static CREATE: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

type Start = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;
type Create = unsafe extern "C" fn(*mut libc::pthread_t, *const libc::pthread_attr_t, Start, *mut c_void) -> c_int;

/// What a thread is started for.
struct Work {
    start: Start,
    argument: *mut c_void,
}

/// Gives this thread, the first, a large stack, and has the end of it told.
pub(crate) fn prepare_main() {
    let here = ptr::from_ref(&fatal::page_size()).addr();
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: fills the struct.
    unsafe { libc::getrlimit(libc::RLIMIT_STACK, &mut limit) };
    let mut size = usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX);
    let most = usize::try_from(limit.rlim_max).unwrap_or(usize::MAX).saturating_sub(ARGUMENTS);
    // Less if something lies in the way.
    let sizes = [LARGE, LARGE / 2, LARGE / 4].into_iter().filter(|wanted| (size..=most).contains(wanted));
    for wanted in sizes {
        if grow(here, wanted, limit) {
            size = wanted;
            break;
        }
    }
    fatal::watch_main(here.saturating_sub(size), size);
}

/// From now on, threads that the shared object around this address starts get a large stack.
pub(crate) fn are_large_for(address: *const c_void) {
    RUNTIME.store(object_of(address), Ordering::Release);
}

/// Makes the stack of this thread, the first, reach down to `size` bytes below `here`. The system does that at the first
/// touch, as far as the limit allows at that moment; programs that a cell starts inherit the limit, so it is put back.
fn grow(here: usize, size: usize, limit: libc::rlimit) -> bool {
    let raised = libc::rlimit { rlim_cur: (size + ARGUMENTS) as libc::rlim_t, ..limit };
    // SAFETY: no other thread exists. The system itself touches the lowest part, and says so if it cannot.
    unsafe {
        if libc::setrlimit(libc::RLIMIT_STACK, &raised) != 0 {
            return false;
        }
        let touched = libc::sysinfo(ptr::with_exposed_provenance_mut(here - size)) == 0;
        libc::setrlimit(libc::RLIMIT_STACK, &limit);
        touched
    }
}

/// `pthread_create(3)`.
///
/// # Safety
/// As the function of libc.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    let Some(create) = libc_create() else { return libc::EAGAIN };
    let work = Box::into_raw(Box::new(Work { start, argument }));
    // SAFETY: as the caller promises; `run` takes the work, or nobody does. Attributes of the default size come from std,
    // which owns them and is about to destroy them.
    unsafe {
        let mut result = libc::EAGAIN;
        if stack_size(attributes) == Some(DEFAULT) && is_runtimes() {
            libc::pthread_attr_setstacksize(attributes.cast_mut(), LARGE);
            result = create(thread, attributes, run, work.cast());
            libc::pthread_attr_setstacksize(attributes.cast_mut(), DEFAULT);
        }
        // Also if there is no room for a large one.
        if result == libc::EAGAIN {
            result = create(thread, attributes, run, work.cast());
        }
        if result != 0 {
            drop(Box::from_raw(work));
        }
        result
    }
}

/// The first function of every thread.
unsafe extern "C-unwind" fn run(work: *mut c_void) -> *mut c_void {
    // SAFETY: `pthread_create` hands over the box that it has made.
    let Work { start, argument } = *unsafe { Box::from_raw(work.cast::<Work>()) };
    fatal::watch();
    // SAFETY: as the creator of the thread promises. Nothing is left to drop here if the thread ends inside of it.
    unsafe { start(argument) }
}

fn libc_create() -> Option<Create> {
    let mut create = CREATE.load(Ordering::Relaxed);
    if create.is_null() {
        const NAME: &CStr = c"pthread_create";
        // SAFETY: looks the name up behind this program.
        create = unsafe { libc::dlsym(libc::RTLD_NEXT, NAME.as_ptr()) };
        CREATE.store(create, Ordering::Relaxed);
    }
    // SAFETY: null, or libc's function of this name, which has this signature.
    unsafe { std::mem::transmute::<*mut c_void, Option<Create>>(create) }
}

/// The size of the stack that these attributes ask for; `None` if they ask for nothing.
unsafe fn stack_size(attributes: *const libc::pthread_attr_t) -> Option<usize> {
    let mut size = 0;
    // SAFETY: null, or valid as the caller promises.
    let asked = !attributes.is_null() && unsafe { libc::pthread_attr_getstacksize(attributes, &mut size) } == 0;
    asked.then_some(size)
}

/// Whether it is the runtime that is starting a thread by way of std, and not a cell or a crate that a cell uses.
fn is_runtimes() -> bool {
    let runtime = RUNTIME.load(Ordering::Acquire);
    if runtime.is_null() {
        return false;
    }
    let mut callers = [ptr::null_mut(); CALLERS];
    // SAFETY: the array has room for as many.
    let count = unsafe { libc::backtrace(callers.as_mut_ptr(), CALLERS as c_int) };
    let mut objects = callers.iter().take(usize::try_from(count).unwrap_or(0)).map(|caller| object_of(*caller));
    let Some(own) = objects.next() else { return false };
    let mut others = objects.skip_while(|object| *object == own);
    let Some(std) = others.next() else { return false };
    std == runtime || others.find(|object| *object != std) == Some(runtime)
}

/// Where the shared object around an address is loaded; null if there is none.
fn object_of(address: *const c_void) -> *mut c_void {
    // SAFETY: all-zero is a valid `Dl_info`, which is a struct of pointers.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: compares the address with what is loaded, and fills the struct.
    if unsafe { libc::dladdr(address, &mut info) } == 0 { ptr::null_mut() } else { info.dli_fbase }
}
