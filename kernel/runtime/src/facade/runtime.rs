//! `tokio::runtime` with a [`Runtime`] whose `block_on` the inspector sees, and which ends when the cell is interrupted.

use crate::executor::block_on::interruptible;
use crate::tasks::{panics, record::Record, registry};
use loopbook_channel::TaskKind;
use std::future::Future;
use std::io;
use std::ops::Deref;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::time::Duration;

pub use tokio::runtime::*;

/// tokio's runtime. Everything that is not here comes from tokio's by [`Deref`].
///
/// ```
/// let runtime = loopbook::facade::runtime::Runtime::new().expect("a runtime");
/// assert_eq!(runtime.block_on(async { 4 }), 4);
/// assert_eq!(runtime.block_on(runtime.spawn(async { 5 })).expect("joined"), 5);
/// ```
#[derive(Debug)]
pub struct Runtime(tokio::runtime::Runtime);

impl Runtime {
    /// A multi-threaded runtime, as tokio's.
    ///
    /// # Errors
    /// If tokio cannot start its threads.
    pub fn new() -> io::Result<Runtime> {
        tokio::runtime::Runtime::new().map(Runtime)
    }

    /// Runs a future on this thread until it ends. Ends early when the cell is interrupted.
    ///
    /// # Panics
    /// If the future does, and as tokio's on a thread of a runtime.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        registry::not_of_async_std();
        let record = Record::start(TaskKind::Task, None, Some(Location::caller()));
        let result = self.0.block_on(interruptible(future, record));
        result.unwrap_or_else(|payload| panics::raise(payload))
    }

    /// Shuts the runtime down, waiting at most `duration` for its blocking tasks.
    pub fn shutdown_timeout(self, duration: Duration) {
        self.0.shutdown_timeout(duration);
    }

    /// Shuts the runtime down without waiting.
    pub fn shutdown_background(self) {
        self.0.shutdown_background();
    }
}

impl Deref for Runtime {
    type Target = tokio::runtime::Runtime;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl From<tokio::runtime::Runtime> for Runtime {
    fn from(real: tokio::runtime::Runtime) -> Self {
        Self(real)
    }
}

impl UnwindSafe for Runtime {}
impl RefUnwindSafe for Runtime {}

/// tokio's builder; its [`Builder::build`] makes our [`Runtime`].
///
/// ```
/// use loopbook::facade::runtime::{Builder, Runtime};
/// let runtime: Runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
/// assert_eq!(runtime.block_on(async { 4 }), 4);
/// ```
#[derive(Debug)]
pub struct Builder(tokio::runtime::Builder);

/// Passes settings on to tokio's builder.
macro_rules! settings {
    ($($(#[$meta:meta])* $name:ident ( $($argument:ident : $type:ty),* );)*) => {$(
        $(#[$meta])*
        pub fn $name(&mut self, $($argument: $type),*) -> &mut Self {
            self.0.$name($($argument),*);
            self
        }
    )*};
}

impl Builder {
    /// A runtime that runs everything on the thread that calls `block_on`.
    pub fn new_current_thread() -> Builder {
        Builder(tokio::runtime::Builder::new_current_thread())
    }

    /// A runtime with threads of its own.
    pub fn new_multi_thread() -> Builder {
        Builder(tokio::runtime::Builder::new_multi_thread())
    }

    /// Makes the runtime.
    ///
    /// # Errors
    /// If tokio cannot start its threads.
    pub fn build(&mut self) -> io::Result<Runtime> {
        self.0.build().map(Runtime::from)
    }

    /// Makes a runtime that may run what is not `Send`.
    ///
    /// # Errors
    /// If tokio cannot start its threads.
    pub fn build_local(&mut self, options: LocalOptions) -> io::Result<LocalRuntime> {
        self.0.build_local(options)
    }

    settings! {
        /// What the runtime is called.
        name(val: impl Into<String>);
        /// Turns timers and I/O on.
        enable_all();
        /// Turns I/O on.
        enable_io();
        /// Turns timers on.
        enable_time();
        /// How many threads run tasks.
        worker_threads(val: usize);
        /// How many threads may block.
        max_blocking_threads(val: usize);
        /// What its threads are called.
        thread_name(val: impl Into<String>);
        /// What its threads are called, one by one.
        thread_name_fn(f: impl Fn() -> String + Send + Sync + 'static);
        /// Stack of its threads, in bytes.
        thread_stack_size(val: usize);
        /// Runs on each thread when it starts.
        on_thread_start(f: impl Fn() + Send + Sync + 'static);
        /// Runs on each thread before it ends.
        on_thread_stop(f: impl Fn() + Send + Sync + 'static);
        /// Runs on each thread before it goes to sleep.
        on_thread_park(f: impl Fn() + Send + Sync + 'static);
        /// Runs on each thread after it wakes up.
        on_thread_unpark(f: impl Fn() + Send + Sync + 'static);
        /// How long an idle blocking thread is kept.
        thread_keep_alive(duration: Duration);
        /// Ticks between two looks at the global queue.
        global_queue_interval(val: u32);
        /// Ticks between two looks at timers and I/O.
        event_interval(val: u32);
        /// Most I/O events handled per tick.
        max_io_events_per_tick(capacity: usize);
    }
}
