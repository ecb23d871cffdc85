//! The probe around a task's future: every poll goes through it and is noted in the record.

use crate::connection::flusher;
use crate::support::clock::Moment;
use crate::tasks::{
    cancel,
    context::{self, Entered},
    lints, panics,
    record::Record,
    registry,
    threads::{self, Occupied},
    watching,
};
use loopbook_channel::{TaskKind, TaskState};
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::thread;

/// Gives a part of a task, such as an argument of `gather!`, a record of its own. The parent is the task in which the
/// branch is polled first.
pub(crate) fn branch<F: Future>(
    future: F,
    name: Option<&'static str>,
    location: &'static Location<'static>,
) -> impl Future<Output = F::Output> {
    Branch { start: Some(Start { name, location }), probe: Probe::unwatched(future) }
}

pin_project_lite::pin_project! {
    /// A future with a record. Its output is an error if it panicked.
    pub(crate) struct Probe<F> {
        // A branch has none before its first poll.
        task: Option<Tracked>,
        #[pin]
        inner: Option<F>,
    }

    impl<F> PinnedDrop for Probe<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Some(task) = this.task.as_ref() else { return };
            if this.inner.is_some() {
                // What destructors print and spawn belongs to the task.
                let _entered = context::enter(&task.0);
                this.inner.set(None);
            }
            task.0.finish(TaskState::Cancelled, Moment::now());
        }
    }
}

/// A task that is watched. No more than a pointer: each task that waits has one.
struct Tracked(Arc<Record>);

impl Tracked {
    /// A poll begins; `waker` is the executor's. If the task has been asked to end, this tells by whom.
    fn begin(&self, waker: &Waker) -> (Polling<'_>, Option<String>) {
        let Self(record) = self;
        let entered = context::enter(record);
        let began = Moment::now();
        let occupied = threads::occupy(record.id, began);
        let cancelled = record.poll_starts(Some(waker), &occupied, began);
        (Polling { record, began, occupied, _entered: entered }, cancelled)
    }
}

/// A poll that is under way. What is around a future does not depend on its type, so that it is compiled once and not, in a
/// hurry, with each cell.
struct Polling<'a> {
    record: &'a Arc<Record>,
    began: Moment,
    occupied: Occupied,
    _entered: Entered<'a>,
}

impl Polling<'_> {
    /// The task goes on.
    fn pends(self) {
        let ended = Moment::now();
        self.record.poll_ends(ended);
        self.leave(ended);
    }

    /// The task has ended.
    fn ends(self, state: TaskState) {
        let ended = Moment::now();
        self.record.finish(state, ended);
        self.leave(ended);
    }

    fn leave(self, ended: Moment) {
        if self.occupied.leave(ended) {
            lints::poll_took(self.record, self.began, ended);
        }
        flusher::after_poll(self.record.cell, ended);
    }
}

impl<F: Future> Probe<F> {
    /// Watches `future` as the task of `record`.
    pub(crate) fn new(future: F, record: Arc<Record>) -> Self {
        Self::of_size(future, size_of::<F>(), record)
    }

    /// [`Probe::new`], of a future that leads to one of `size` bytes.
    pub(crate) fn of_size(future: F, size: usize, record: Arc<Record>) -> Self {
        lints::spawned(&record, size);
        Self { task: Some(Tracked(record)), inner: Some(future) }
    }

    /// Runs `future` as it is, because the inspector is off.
    pub(crate) fn unwatched(future: F) -> Self {
        Self { task: None, inner: Some(future) }
    }

    /// The task; a branch has none before its first poll, and what is not watched never has one.
    pub(crate) fn record(&self) -> Option<&Record> {
        self.task.as_ref().map(|task| &*task.0)
    }

    /// Whether there is no need to poll: nothing has woken the task since its last poll. `waker` is woken when that
    /// changes.
    pub(crate) fn sleeps(&self, waker: &Waker) -> bool {
        self.task.as_ref().is_some_and(|task| task.0.sleeps(waker))
    }
}

impl<F: Future> Future for Probe<F> {
    type Output = thread::Result<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            panic!("a task was polled after it had ended");
        };
        let Some(task) = this.task.as_ref() else {
            let ended = ready!(
                catch_unwind(AssertUnwindSafe(|| inner.poll(cx)))
                    .map_or_else(|payload| Poll::Ready(Err(payload)), |polled| polled.map(Ok))
            );
            this.inner.set(None);
            return Poll::Ready(ended);
        };
        let (polling, cancelled) = task.begin(cx.waker());
        if let Some(message) = cancelled {
            // A destructor that panics does not change how the task ended.
            let _ = catch_unwind(AssertUnwindSafe(|| this.inner.set(None)));
            polling.ends(TaskState::Cancelled);
            return Poll::Ready(Err(panics::of_nowhere(message)));
        }
        let waker = task.0.lent_waker();
        let mut inner_cx = Context::from_waker(&waker);
        let polled = catch_unwind(AssertUnwindSafe(|| inner.poll(&mut inner_cx)));
        let (state, result) = match polled {
            Ok(Poll::Pending) => {
                polling.pends();
                return Poll::Pending;
            }
            Ok(Poll::Ready(output)) => (TaskState::Completed, Ok(output)),
            // A task's panic is reported by its handle; a branch's goes on to the task around it.
            Err(payload) => {
                let (state, payload) = cancel::ending(&task.0, payload);
                (state, Err(payload))
            }
        };
        this.inner.set(None);
        polling.ends(state);
        Poll::Ready(result)
    }
}

pin_project_lite::pin_project! {
    struct Branch<F> {
        // What its record is made from, at its first poll.
        start: Option<Start>,
        #[pin]
        probe: Probe<F>,
    }
}

struct Start {
    name: Option<&'static str>,
    location: &'static Location<'static>,
}

impl Start {
    fn record(self) -> Arc<Record> {
        registry::not_of_async_std();
        Record::start(TaskKind::Branch, self.name.map(str::to_owned), Some(self.location))
    }
}

impl<F: Future> Future for Branch<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut probe = this.probe;
        if let Some(start) = this.start.take().filter(|_| watching::is_on()) {
            *probe.as_mut().project().task = Some(Tracked(start.record()));
        }
        // A gather polls all branches when one is woken. The others cannot go on before their own waker is called.
        if probe.sleeps(cx.waker()) {
            return Poll::Pending;
        }
        probe.poll(cx).map(|result| result.unwrap_or_else(|payload| resume_unwind(payload)))
    }
}
