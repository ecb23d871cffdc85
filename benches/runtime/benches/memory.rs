//! Memory: allocations and bytes that a living task costs, ours less async-std's own.
//!
//! Everything in the process is counted, also what the runtime's shared library allocates: by `malloc` and its kin, which
//! this program defines in glibc's place.

use async_std::channel::Receiver;
use loopbook::facade::task;
use loopbook_runtime_benches::yield_often;
use std::ffi::c_void;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const TASKS: i64 = 100_000;
const POLLS: u64 = 100_000;
/// What glibc puts before each piece.
const HEADER: i64 = 8;

static BYTES: AtomicI64 = AtomicI64::new(0);
static ALLOCATIONS: AtomicI64 = AtomicI64::new(0);

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(pointer: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
    fn __libc_free(pointer: *mut c_void);
    fn malloc_usable_size(pointer: *mut c_void) -> usize;
}

fn count(pointer: *mut c_void, sign: i64) -> *mut c_void {
    if !pointer.is_null() {
        // SAFETY: glibc has given the pointer.
        let size = unsafe { malloc_usable_size(pointer) } as i64 + HEADER;
        BYTES.fetch_add(sign * size, Ordering::Relaxed);
        ALLOCATIONS.fetch_add(sign.max(0), Ordering::Relaxed);
    }
    pointer
}

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    // SAFETY: glibc's own.
    count(unsafe { __libc_malloc(size) }, 1)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(number: usize, size: usize) -> *mut c_void {
    // SAFETY: glibc's own.
    count(unsafe { __libc_calloc(number, size) }, 1)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(pointer: *mut c_void, size: usize) -> *mut c_void {
    count(pointer, -1);
    // SAFETY: as the caller promises.
    count(unsafe { __libc_realloc(pointer, size) }, 1)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, align: usize, size: usize) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { *out = count(__libc_memalign(align, size), 1) };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(pointer: *mut c_void) {
    count(pointer, -1);
    // SAFETY: as the caller promises.
    unsafe { __libc_free(pointer) }
}

fn main() {
    // The rings of the timeline have a size of their own, whatever the number of tasks.
    loopbook::record_timeline(false);
    // Not `pending()`, which nothing can wake: that is told, and telling takes memory.
    let (_sender, receiver) = async_std::channel::bounded::<()>(1);
    let wait = |receiver: Receiver<()>| async move { receiver.recv().await.is_ok() };
    let (raw_bytes, raw_allocations) = cost(|| async_std::task::spawn(wait(receiver.clone())));
    let (bytes, allocations) = cost(|| task::spawn(wait(receiver.clone())));
    println!(
        "a waiting task: {} B and {} allocations more than async-std's {raw_bytes} B and {raw_allocations}",
        bytes - raw_bytes,
        allocations - raw_allocations
    );
    let (raw_bytes, raw_allocations) =
        cost(|| async_std::task::spawn(async_std::task::sleep(Duration::from_secs(3600))));
    let (bytes, allocations) = cost(|| task::spawn(task::sleep(Duration::from_secs(3600))));
    println!(
        "a sleeping task: {} B and {} allocations more than async-std's {raw_bytes} B and {raw_allocations}",
        bytes - raw_bytes,
        allocations - raw_allocations
    );
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    async_std::task::block_on(task::spawn(yield_often(POLLS)));
    println!("{POLLS} polls: {} allocations", ALLOCATIONS.load(Ordering::Relaxed) - before);
}

/// Bytes and allocations of one task that waits.
fn cost<T>(spawn: impl Fn() -> T) -> (f64, f64) {
    let (bytes, allocations) = (BYTES.load(Ordering::Relaxed), ALLOCATIONS.load(Ordering::Relaxed));
    let tasks: Vec<T> = (0..TASKS).map(|_| spawn()).collect();
    // Until all have been polled.
    std::thread::sleep(Duration::from_secs(2));
    let per_task = |counter: &AtomicI64, before: i64| (counter.load(Ordering::Relaxed) - before) as f64 / TASKS as f64;
    let cost = (per_task(&BYTES, bytes), per_task(&ALLOCATIONS, allocations));
    drop(tasks);
    cost
}
