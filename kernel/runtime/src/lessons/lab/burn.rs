//! Functions that keep a processor busy.

use std::hint::black_box;
use std::time::Duration;

/// Computes until this thread has used so much *processor* time. On a machine that is busy with something else this takes
/// longer than that by the clock on the wall.
///
/// ```
/// use std::time::{Duration, Instant};
/// let began = Instant::now();
/// loopbook::lab::spin(Duration::from_millis(20));
/// assert!(began.elapsed() >= Duration::from_millis(20));
/// ```
pub fn spin(time: Duration) {
    let end = thread_time() + time;
    while thread_time() < end {
        // Asking for the time is a call of the system: some work in between.
        black_box(fib(12));
    }
}

/// The n-th of the numbers 0, 1, 1, 2, 3, 5, … counted from 1, found in the slowest way: by adding up ones.
///
/// ```
/// assert_eq!(loopbook::lab::fib(10), 34);
/// ```
#[inline(never)]
pub fn fib(n: u32) -> u64 {
    match n {
        0 | 1 => 0,
        2 => 1,
        // Otherwise the compiler makes a loop of one of the two calls, and the numbers in books no longer compare.
        n => fib(black_box(n - 1)) + fib(black_box(n - 2)),
    }
}

/// Processor time of this thread so far.
fn thread_time() -> Duration {
    processor_time(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Processor time of this process so far, of all its threads.
pub(crate) fn process_time() -> Duration {
    processor_time(libc::CLOCK_PROCESS_CPUTIME_ID)
}

fn processor_time(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to `time` only. Linux has both clocks, so it does not fail.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_book() {
        assert_eq!([1, 2, 3, 4, 5, 6, 7].map(fib), [0, 1, 1, 2, 3, 5, 8]);
        assert_eq!(fib(25), 46_368);
    }

    #[test]
    fn spinning_takes_processor_time_of_its_own_thread() {
        let before = thread_time();
        spin(Duration::from_millis(30));
        let spent = thread_time() - before;
        assert!(spent >= Duration::from_millis(30), "{spent:?}");
    }
}
