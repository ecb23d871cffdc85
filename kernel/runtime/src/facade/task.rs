//! `async_std::task` with the same signatures, except that each task is known to the inspector: its name, the cell and
//! line that started it, what it does and what it waits for.

mod body;
mod join_handle;

use crate::connection::flusher;
use crate::executor::{block_on::drive, pool};
use crate::support::clock::Moment;
use crate::tasks::{
    cancel, context, lints, panics,
    probe::Probe,
    record::{Record, Wait},
    threads, watching,
};
use body::{BoxedBody, UntilDone};
use join_handle::{Finished, Handle};
use loopbook_channel::{TaskKind, TaskState};
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use async_std::task::{
    AccessError, Context, LocalKey, Poll, Task, TaskId, Waker, current, ready, try_current, yield_now,
};
pub(crate) use join_handle::Edge;
pub use join_handle::JoinHandle;

/// Starts a task on the loop. It runs on when the cell that started it ends; a later cell can await its handle.
///
/// ```
/// use loopbook::facade::task;
/// let handle = task::spawn(async { 1 + 2 });
/// assert_eq!(task::block_on(handle), 3);
/// ```
#[track_caller]
pub fn spawn<F, T>(future: F) -> JoinHandle<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    JoinHandle::new(Builder::new().spawn_body(BoxedBody::new(future), size_of::<F>(), Location::caller()))
}

/// Starts a task on the cell's thread. It runs only while a cell runs: between cells it is `frozen`.
///
/// ```
/// use loopbook::facade::task;
/// let shared = std::rc::Rc::new(3);
/// let value = task::block_on(async { task::spawn_local(async move { *shared }).await });
/// assert_eq!(value, 3);
/// ```
#[track_caller]
pub fn spawn_local<F, T>(future: F) -> JoinHandle<T>
where
    F: Future<Output = T> + 'static,
    T: 'static,
{
    JoinHandle::new(Builder::new().local_body(BoxedBody::new(future), size_of::<F>(), Location::caller()))
}

/// Runs a closure that blocks on a thread made for that, so that the loop goes on.
///
/// ```
/// use loopbook::facade::task;
/// let sum = task::block_on(task::spawn_blocking(|| (1..=10).sum::<u32>()));
/// assert_eq!(sum, 55);
/// ```
#[track_caller]
pub fn spawn_blocking<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    JoinHandle::new(spawn_blocking_body(BoxedBody::new(async { f() }), Location::caller()))
}

/// Runs a future on this thread until it ends. May be nested, and ends early when the cell is interrupted.
///
/// ```
/// use loopbook::facade::task;
/// assert_eq!(task::block_on(async { task::block_on(async { 7 }) }), 7);
/// ```
///
/// # Panics
/// If the future does.
#[track_caller]
pub fn block_on<F, T>(future: F) -> T
where
    F: Future<Output = T>,
{
    Builder::new().blocking(future)
}

/// Waits. The inspector shows how long it still takes.
///
/// ```
/// use loopbook::facade::task;
/// use std::time::{Duration, Instant};
/// let began = Instant::now();
/// task::block_on(task::sleep(Duration::from_millis(10)));
/// assert!(began.elapsed() >= Duration::from_millis(10));
/// ```
pub async fn sleep(dur: Duration) {
    let wait = Instant::now().checked_add(dur).map(Wait::Until);
    let _waiting = context::current().zip(wait).map(|(record, wait)| record.wait(wait));
    async_std::task::sleep(dur).await;
}

/// Settings of a new task.
///
/// ```
/// use loopbook::facade::task;
/// let handle = task::Builder::new().name("worker".into()).spawn(async {}).expect("spawned");
/// assert_eq!(handle.task().name(), Some("worker"));
/// ```
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
}

impl Builder {
    /// A task without a name.
    #[inline]
    pub fn new() -> Builder {
        Builder { name: None }
    }

    /// Gives the task a name, which the inspector shows.
    #[inline]
    #[must_use]
    pub fn name(mut self, name: String) -> Builder {
        self.name = Some(name);
        self
    }

    /// Like [`spawn`].
    ///
    /// # Errors
    /// As async-std: never.
    #[track_caller]
    pub fn spawn<F, T>(self, future: F) -> io::Result<JoinHandle<T>>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        Ok(JoinHandle::new(self.spawn_body(BoxedBody::new(future), size_of::<F>(), Location::caller())))
    }

    /// Like [`spawn_local`].
    ///
    /// # Errors
    /// As async-std: never.
    #[track_caller]
    pub fn local<F, T>(self, future: F) -> io::Result<JoinHandle<T>>
    where
        F: Future<Output = T> + 'static,
        T: 'static,
    {
        Ok(JoinHandle::new(self.local_body(BoxedBody::new(future), size_of::<F>(), Location::caller())))
    }

    /// Like [`block_on`].
    ///
    /// ```
    /// use loopbook::{current_task, facade::task};
    /// let name = task::Builder::new().name("main".into()).blocking(async { current_task().and_then(|task| task.name) });
    /// assert_eq!(name.as_deref(), Some("main"));
    /// ```
    #[track_caller]
    pub fn blocking<F, T>(self, future: F) -> T
    where
        F: Future<Output = T>,
    {
        lints::block_on_begins(Location::caller());
        let record = Record::start(TaskKind::Task, self.name, Some(Location::caller()));
        drive(future, record).unwrap_or_else(|payload| panics::raise(payload))
    }

    /// Starts a task of `size` bytes.
    fn spawn_body(self, body: BoxedBody, size: usize, location: &'static Location<'static>) -> Handle {
        pool::start();
        let record = self.record(TaskKind::Task, location);
        let inner = self.real().spawn(finishing(body, size, record.clone()));
        Handle::new(inner.expect("async-std's spawn does not fail"), record)
    }

    /// Starts a task of `size` bytes on this thread.
    fn local_body(self, body: BoxedBody, size: usize, location: &'static Location<'static>) -> Handle {
        pool::start();
        let record = self.record(TaskKind::Local, location);
        let inner = self.real().local(finishing(body, size, record.clone()));
        Handle::new(inner.expect("async-std's spawn_local does not fail"), record)
    }

    fn record(&self, kind: TaskKind, location: &'static Location<'static>) -> Option<Arc<Record>> {
        watching::is_on().then(|| Record::start(kind, self.name.clone(), Some(location)))
    }

    fn real(self) -> async_std::task::Builder {
        let builder = async_std::task::Builder::new();
        match self.name {
            Some(name) => builder.name(name),
            None => builder,
        }
    }
}

/// The task around a user's future. The probe exists, and with it the record's end, from the spawn on.
fn finishing(body: BoxedBody, size: usize, record: Option<Arc<Record>>) -> Finishing {
    let future = UntilDone::new(body);
    let probe = match record {
        Some(record) => Probe::of_size(future, size, record),
        None => Probe::unwatched(future),
    };
    Finishing { probe }
}

pin_project_lite::pin_project! {
    /// A panic becomes a value, which the task's handle raises again. Not an `async` block, which would have room for the
    /// future twice.
    struct Finishing {
        #[pin]
        probe: Probe<UntilDone>,
    }
}

impl Future for Finishing {
    type Output = Finished;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut probe = self.project().probe;
        probe.as_mut().poll(cx).map_err(|payload| match probe.record() {
            Some(record) => failed(payload, record),
            None => payload,
        })
    }
}

/// Starts a task that blocks: a body that is ready at its first poll.
fn spawn_blocking_body(body: BoxedBody, location: &'static Location<'static>) -> Handle {
    pool::start();
    let record = watching::is_on().then(|| Record::start(TaskKind::Blocking, None, Some(location)));
    let running = record.clone();
    let inner = async_std::task::spawn_blocking(move || match &running {
        Some(record) => run_blocking(body, record),
        None => catch_unwind(AssertUnwindSafe(|| done(body))),
    });
    Handle::new(inner, record)
}

fn done(mut body: BoxedBody) -> BoxedBody {
    let _it_does_not_wait = body.poll(&mut Context::from_waker(Waker::noop()));
    body
}

fn run_blocking(body: BoxedBody, record: &Arc<Record>) -> Finished {
    let _entered = context::enter(record);
    let began = Moment::now();
    let occupied = threads::occupy(record.id, began);
    record.poll_starts(None, &occupied, began);
    let result = catch_unwind(AssertUnwindSafe(|| done(body)));
    let ended = Moment::now();
    flusher::after_poll(record.cell, ended);
    match result {
        Ok(output) => {
            record.finish(TaskState::Completed, ended);
            Ok(output)
        }
        Err(payload) => {
            let (state, payload) = cancel::ending(record, payload);
            record.finish(state, ended);
            Err(failed(payload, record))
        }
    }
}

fn failed(payload: join_handle::Payload, record: &Record) -> join_handle::Payload {
    record.fail(panics::failure(payload.as_ref()));
    payload
}
