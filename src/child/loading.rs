//! Loading shared objects for good, also when user code has used up the descriptors: some are kept back for that, by a
//! limit that is lower than it could be except while something is loaded.

use std::ffi::{CStr, c_char, c_void};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::{Mutex, PoisonError};

/// Descriptors that loading may need beyond the user's.
const KEPT_BACK: libc::rlim_t = 64;

/// How many are loading something just now, and the limit of everybody else.
static LOADING: Mutex<(usize, Option<libc::rlimit>)> = Mutex::new((0, None));

/// Sees to it that the limit of descriptors can be raised later.
pub(crate) fn keep_descriptors_back() {
    let Some(limit) = limit() else { return };
    let most = limit.rlim_max.saturating_sub(KEPT_BACK);
    // With so few there are none to spare.
    if limit.rlim_cur > most && most > KEPT_BACK {
        set_limit(libc::rlimit { rlim_cur: most, ..limit });
    }
}

/// Descriptors are to be had until this is dropped.
pub(crate) struct Loading(());

impl Loading {
    pub(crate) fn begin() -> Self {
        let mut loading = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
        loading.0 += 1;
        if loading.0 == 1 {
            loading.1 = limit();
            if let Some(limit) = loading.1 {
                raise(limit, limit.rlim_cur);
                // A task that opens what it can get may have got some of those that were kept back the last time.
                if next_descriptor().is_none_or(|next| next >= limit.rlim_cur) {
                    raise(limit, highest());
                }
            }
        }
        Self(())
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        let mut loading = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
        loading.0 -= 1;
        if loading.0 == 0
            && let Some(limit) = loading.1.take()
        {
            set_limit(limit);
        }
    }
}

/// Loads a shared object; null if that is not possible, and [`loader_error`] says why.
pub(crate) fn open(path: &CStr) -> *mut c_void {
    let _loading = Loading::begin();
    // SAFETY: runs the object's initialisers, which is what a cell is for.
    unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) }
}

/// [`open`], for the runtime.
///
/// # Safety
/// `path` must be a text that ends in a zero byte.
pub(crate) unsafe extern "C" fn load(path: *const c_char) -> *mut c_void {
    // SAFETY: as the caller promises.
    open(unsafe { CStr::from_ptr(path) })
}

/// Why the last call of the loader on this thread has failed.
pub(crate) fn loader_error() -> String {
    // SAFETY: gives null or a text that is valid until the next call of the loader on this thread.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() { "no reason given".into() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    }
}

/// Makes room for some descriptors beyond `used`, as far as the system allows.
fn raise(limit: libc::rlimit, used: libc::rlim_t) {
    let wanted = used.max(limit.rlim_cur).saturating_add(KEPT_BACK);
    set_limit(libc::rlimit { rlim_cur: wanted.min(limit.rlim_max), ..limit });
}

/// The number of the next descriptor; `None` if there is none.
fn next_descriptor() -> Option<libc::rlim_t> {
    let file = File::open("/dev/null").ok()?;
    libc::rlim_t::try_from(file.as_raw_fd()).ok()
}

/// One more than the highest descriptor in use.
fn highest() -> libc::rlim_t {
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<libc::rlim_t>().ok());
    numbers.max().map_or(0, |highest| highest + 1)
}

fn limit() -> Option<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: fills the struct.
    (unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } == 0).then_some(limit)
}

/// Without effect if the system refuses; then loading fails when the user's descriptors are used up.
fn set_limit(limit: libc::rlimit) {
    // SAFETY: reads the struct.
    let _the_loader_says_what_follows = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
}
