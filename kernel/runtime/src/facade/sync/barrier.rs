//! A barrier whose waiting tasks the inspector knows.

use crate::facade::noting::Noted;
use crate::tasks::{
    objects::{self, CondvarBarrier, Sort},
    record::Wait,
};
use async_lock::{BarrierWaitResult, futures};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

/// async-std's barrier: tasks wait there for each other.
///
/// ```
/// use loopbook::{facade::{sync::Barrier, task}, gather};
/// let barrier = Barrier::new(2);
/// let (one, two) = task::block_on(async { gather!(barrier.wait(), barrier.wait()) });
/// assert!(one.is_leader() != two.is_leader());
/// ```
pub struct Barrier {
    real: async_lock::Barrier,
    needed: usize,
    shared: OnceLock<Arc<CondvarBarrier>>,
    made_at: &'static Location<'static>,
}

impl Barrier {
    /// A barrier that lets tasks go on when `n` of them are there.
    #[track_caller]
    pub const fn new(n: usize) -> Barrier {
        Barrier { real: async_lock::Barrier::new(n), needed: n, shared: OnceLock::new(), made_at: Location::caller() }
    }

    /// Waits for the others. One of them is told that it is the leader.
    ///
    /// ```
    /// use loopbook::facade::{sync::{Arc, Barrier}, task};
    /// let barrier = Arc::new(Barrier::new(3));
    /// let tasks: Vec<_> = (0..3)
    ///     .map(|_| task::spawn({ let barrier = barrier.clone(); async move { barrier.wait().await.is_leader() } }))
    ///     .collect();
    /// let leaders = task::block_on(loopbook::gather_all(tasks)).into_iter().filter(|&leads| leads).count();
    /// assert_eq!(leaders, 1);
    /// ```
    pub fn wait(&self) -> BarrierWait<'_> {
        BarrierWait { barrier: self, noted: Noted::default(), counted: None, real: self.real.wait() }
    }

    /// Like [`Barrier::wait`], but blocks the thread until then.
    pub fn wait_blocking(&self) -> BarrierWaitResult {
        let mut noted = Noted::default();
        let counted = Counted::new(self.shared());
        noted.pends(|| counted.wait());
        self.real.wait_blocking()
    }

    /// The half that the inspector has; made when it is first needed.
    fn shared(&self) -> Arc<CondvarBarrier> {
        let make = || objects::enter(self.made_at, |number| CondvarBarrier::new(number, Sort::Barrier(self.needed)));
        Arc::clone(self.shared.get_or_init(make))
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.real.fmt(f)
    }
}

pin_project_lite::pin_project! {
    /// Waits for the others; made by [`Barrier::wait`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct BarrierWait<'a> {
        barrier: &'a Barrier,
        noted: Noted,
        counted: Option<Counted>,
        #[pin]
        real: futures::BarrierWait<'a>,
    }
}

impl Future for BarrierWait<'_> {
    type Output = BarrierWaitResult;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = this.real.poll(cx);
        if polled.is_pending() {
            let counted = this.counted.get_or_insert_with(|| Counted::new(this.barrier.shared()));
            this.noted.pends(|| counted.wait());
        } else {
            this.noted.is_over();
            *this.counted = None;
        }
        polled
    }
}

impl fmt::Debug for BarrierWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BarrierWait { .. }")
    }
}

/// One who is there, until this is dropped.
struct Counted(Arc<CondvarBarrier>);

impl Counted {
    fn new(meeting: Arc<CondvarBarrier>) -> Self {
        meeting.waiting.fetch_add(1, Ordering::Relaxed);
        Self(meeting)
    }

    fn wait(&self) -> Wait {
        Wait::Object(Arc::clone(&self.0) as Arc<dyn objects::Object>, 0)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
