//! The limit on connections of this process.

use std::sync::Once;

/// Descriptors that are left for everything else.
const OTHERS: u64 = 64;

/// How many connections with lab servers this process can have at once: both ends of each are in it, and Linux limits the
/// descriptors of a process. The first server raises that limit as far as it may.
///
/// ```
/// let clients = loopbook::lab::connection_limit().min(1_000);
/// println!("{clients} clients at once");
/// ```
pub fn connection_limit() -> usize {
    raise();
    usize::try_from(descriptors().rlim_cur.saturating_sub(OTHERS) / 2).unwrap_or(usize::MAX)
}

/// Raises the limit of descriptors from the soft one to the hard one, once.
pub(super) fn raise() {
    static RAISED: Once = Once::new();
    RAISED.call_once(|| {
        let limit = descriptors();
        let raised = libc::rlimit { rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max };
        // SAFETY: reads `raised` only. If it fails, the old limit holds, which `connection_limit` tells.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) };
    });
}

fn descriptors() -> libc::rlimit {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writes to `limit` only.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    limit
}
