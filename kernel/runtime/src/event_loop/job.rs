//! A task of a loop on the loop's side: its future, and the place for its output.

use super::core::Core;
use super::error::TaskError;
use crate::support::{clock::Moment, sync::lock};
use crate::tasks::{lints, panics, probe::Probe, record::Record};
use loopbook_channel::TaskKind;
use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};
use std::thread;

/// Where a task puts its output. Outside of the task, so that `result()` can look at it.
pub(super) struct Outcome<T>(Mutex<State<T>>);

enum State<T> {
    Waits(Option<Waker>),
    Done(T),
    /// The payload goes to the first who awaits the task.
    Failed(Option<Box<dyn Any + Send>>, TaskError),
    Taken,
}

/// The result of awaiting a task.
pub(super) enum Taken<T> {
    Output(T),
    /// Raised where the task is awaited.
    Panic(Box<dyn Any + Send>),
}

/// The task around `future`, which belongs to the loop `home`.
pub(super) fn new<F: Future>(future: F, record: Arc<Record>, home: Weak<Core>) -> (Job<F>, Arc<Outcome<F::Output>>) {
    let outcome = Arc::new(Outcome(Mutex::new(State::Waits(None))));
    let probe = Some(Probe::new(future, Arc::clone(&record)));
    (Job { probe, record, outcome: Arc::clone(&outcome), home }, outcome)
}

pin_project_lite::pin_project! {
    pub(super) struct Job<F: Future> {
        #[pin]
        probe: Option<Probe<F>>,
        record: Arc<Record>,
        outcome: Arc<Outcome<F::Output>>,
        home: Weak<Core>,
    }

    impl<F: Future> PinnedDrop for Job<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.probe.is_some() {
                // async-task aborts the process if a destructor panics here.
                let _ = catch_unwind(AssertUnwindSafe(|| this.probe.set(None)));
                this.outcome.settle(State::Failed(None, cancelled(this.record)));
            }
            if let Some(home) = this.home.upgrade() {
                home.forget(this.record.id);
            }
        }
    }
}

impl<F: Future> Future for Job<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(probe) = this.probe.as_mut().as_pin_mut() else { return Poll::Ready(()) };
        let began = Moment::now();
        let polled = probe.poll(cx);
        // The pool's own polls are looked at by whoever watches its threads.
        if this.record.kind == TaskKind::Loop {
            lints::poll_of_own_loop_took(this.record, began, Moment::now());
        }
        let Poll::Ready(ended) = polled else { return Poll::Pending };
        this.probe.set(None);
        this.outcome.settle(settled(ended, this.record));
        Poll::Ready(())
    }
}

fn settled<T>(ended: thread::Result<T>, record: &Record) -> State<T> {
    match ended {
        Ok(output) => State::Done(output),
        Err(payload) => {
            let failure = panics::failure(payload.as_ref());
            let message = failure.message.clone();
            // Before the outcome can be taken: who takes it takes the failure too.
            record.fail(failure);
            let cancelled = record.is_cancelled();
            let error = if cancelled { TaskError::Cancelled { message } } else { TaskError::Panicked { message } };
            State::Failed(Some(payload), error)
        }
    }
}

fn cancelled(record: &Record) -> TaskError {
    let by = record.past(Moment::now()).info().cancelled_by.unwrap_or_else(|| "the end of its loop".into());
    TaskError::Cancelled { message: format!("{} was cancelled by {by}", record.title()) }
}

impl<T> Outcome<T> {
    pub(super) fn is_settled(&self) -> bool {
        !matches!(*lock(&self.0), State::Waits(_))
    }

    pub(super) fn is_cancelled(&self) -> bool {
        matches!(*lock(&self.0), State::Failed(_, TaskError::Cancelled { .. }))
    }

    /// Takes the output out; `waker` is woken when there is one.
    ///
    /// # Panics
    /// If it was taken before.
    pub(super) fn poll(&self, waker: &Waker) -> Poll<Taken<T>> {
        let mut state = lock(&self.0);
        if let State::Waits(known) = &mut *state {
            let before = known.replace(waker.clone());
            drop(state);
            drop(before);
            return Poll::Pending;
        }
        if let State::Failed(payload, error) = &mut *state {
            let payload = payload.take().unwrap_or_else(|| panics::of_nowhere(error.to_string()));
            return Poll::Ready(Taken::Panic(payload));
        }
        let taken = std::mem::replace(&mut *state, State::Taken);
        drop(state);
        match taken {
            State::Done(output) => Poll::Ready(Taken::Output(output)),
            _ => panic!("a `Task` was awaited again after it had given its output"),
        }
    }

    /// Looks at the output; `task` is how messages call it.
    pub(super) fn look(&self, task: &Record) -> Result<T, TaskError>
    where
        T: Clone,
    {
        match &*lock(&self.0) {
            State::Waits(_) => Err(TaskError::NotDone { task: task.title() }),
            State::Done(output) => Ok(output.clone()),
            State::Failed(_, error) => Err(error.clone()),
            State::Taken => Err(TaskError::Taken { task: task.title() }),
        }
    }

    fn settle(&self, settled: State<T>) {
        let before = std::mem::replace(&mut *lock(&self.0), settled);
        if let State::Waits(Some(waker)) = before {
            waker.wake();
        }
    }
}
