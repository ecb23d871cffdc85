//! The threads that run tasks.

use async_global_executor::GlobalExecutorConfig;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

/// Threads that the pool may grow to.
const MOST: usize = 64;

/// Starts the pool, once. The first configuration wins, so this comes before async-std's own.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    static NAMES: AtomicUsize = AtomicUsize::new(1);
    STARTED.call_once(|| {
        let config = GlobalExecutorConfig::default()
            .with_env_var("ASYNC_STD_THREAD_COUNT")
            .with_min_threads(available_parallelism().map_or(1, usize::from))
            .with_max_threads(MOST)
            .with_thread_name_fn(|| format!("loop-{}", NAMES.fetch_add(1, Ordering::Relaxed)));
        async_global_executor::init_with_config(config);
    });
}
