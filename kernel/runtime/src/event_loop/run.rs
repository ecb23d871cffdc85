//! Running a loop on the calling thread, until something ends it.
//!
//! asyncio's `_run_once`, in async-std's surroundings: each poll of [`Turns`] is one turn. It takes as many steps as were
//! ready when it began (the batch); then the reactor has its turn, and the thread waits if there is nothing to do.
//!
//! A run is one future in async-global-executor's `block_on`, so that between two turns the reactor, tokio, local tasks
//! and an interrupt of the cell have theirs. The future given to `run_until_complete` is a branch of the task that
//! calls: it may borrow from it, and is dropped if the run is stopped.

use super::core::{Core, Run};
use super::current;
use super::error::LoopError;
use super::priority::Priority;
use super::step::Step;
use crate::executor::{block_on::Outside, pool};
use crate::running::cell::Interrupted;
use crate::tasks::{context, panics, probe::Probe, record::Record, registry, threads};
use loopbook_channel::{Failure, TaskKind};
use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// What a panic carries.
type Payload = Box<dyn Any + Send>;

/// Runs the loop until it is stopped.
///
/// # Errors
/// If it cannot run.
///
/// # Panics
/// With [`Interrupted`], if the cell is interrupted.
pub(super) fn forever(core: &Arc<Core>, outside: Outside) -> Result<(), LoopError> {
    let run = core.begin()?;
    let mut turns = Turns::<std::future::Pending<()>>::new(core, &run, None, outside);
    if async_std::task::try_current().is_none() {
        // `block_on` makes a task of async-std's, which no record of ours stands for.
        registry::next_id();
    }
    finish(block_on(core, &mut turns), turns, run);
    Ok(())
}

/// Runs the loop until `future` has its output.
///
/// # Errors
/// If it cannot run, or is stopped early.
///
/// # Panics
/// If the future does; with [`Interrupted`], if the cell is interrupted.
pub(super) fn until_complete<F: Future>(
    core: &Arc<Core>,
    future: F,
    outside: Outside,
    location: &'static Location<'static>,
) -> Result<F::Output, LoopError> {
    let run = core.begin()?;
    if async_std::task::try_current().is_some() {
        registry::not_of_async_std();
    }
    // The task that runs the loop polls it, so it is a part of that task.
    let record = Record::start(TaskKind::Branch, Some("run_until_complete".to_owned()), Some(location));
    let mut future = pin!(Some(Probe::new(future, record)));
    let mut turns = Turns::new(core, &run, Some(future.as_mut()), outside);
    let ended = block_on(core, &mut turns);
    let output = turns.output.take();
    finish(ended, turns, run);
    match output {
        Some(output) => Ok(output.unwrap_or_else(|(failure, payload)| {
            panics::remember(&failure);
            panics::raise(payload)
        })),
        None => Err(LoopError::StoppedEarly { name: core.name.clone() }),
    }
}

/// Why a run has ended.
enum Ended {
    Stopped,
    Interrupted,
}

/// Lets go of the future, if it is still there, and of the run: in this order, so that its destructors find the loop
/// running.
fn finish<F: Future>(ended: Ended, mut turns: Turns<'_, '_, F>, run: Run<'_>) {
    // A destructor that panics does not change how the run ended.
    let _ = catch_unwind(AssertUnwindSafe(|| turns.drop_future()));
    drop(turns);
    drop(run);
    if matches!(ended, Ended::Interrupted) {
        panics::raise(Box::new(Interrupted));
    }
}

/// Drives the loop together with the reactor, tokio and the local tasks of this thread.
fn block_on<F: Future>(core: &Core, turns: &mut Turns<'_, '_, F>) -> Ended {
    pool::start();
    // What the reactor does in here is nobody's doing.
    let (_nobody, _reactor) = (context::leave(), threads::block_on());
    if async_std::task::try_current().is_some() {
        return async_global_executor::block_on(turns);
    }
    let task = async_std::task::Builder::new().name(core.name.clone());
    task.blocking(async move { async_global_executor::block_on(turns) })
}

/// One run of a loop.
struct Turns<'a, 'f, F: Future> {
    core: &'a Arc<Core>,
    run: u64,
    outside: Outside,
    /// The future of `run_until_complete`, until it has ended.
    main: Option<Pin<&'f mut Option<Probe<F>>>>,
    waker: Arc<MainWaker>,
    output: Option<Result<F::Output, (Failure, Payload)>>,
    timer: Option<Timer>,
    /// Whether the reactor has had its first turn.
    begun: bool,
}

/// Fires when the first callback is due.
struct Timer {
    due: Duration,
    sleep: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<'a, 'f, F: Future> Turns<'a, 'f, F> {
    fn new(core: &'a Arc<Core>, run: &Run<'_>, main: Option<Pin<&'f mut Option<Probe<F>>>>, outside: Outside) -> Self {
        let waker = MainWaker { home: Arc::downgrade(core), run: run.number, queued: AtomicBool::new(false) };
        let turns =
            Self { core, run: run.number, outside, main, waker: waker.into(), output: None, timer: None, begun: false };
        if turns.main.is_some() {
            turns.waker.wake_by_ref();
        }
        turns
    }

    fn drop_future(&mut self) {
        if let Some(mut main) = self.main.take() {
            main.set(None);
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Task(_, runnable) => {
                runnable.run();
            }
            Step::Main(run) if run == self.run => self.poll_main(),
            Step::Ended(run) if run == self.run => self.core.stop(),
            Step::Call(call) => {
                let again = call.run(|| self.core.time());
                if let Some(when) = again {
                    // The callback may have stopped the loop, but nobody can have closed it.
                    let _ = self.core.call_at(when, call);
                }
            }
            // Of a run that was stopped.
            Step::Main(_) | Step::Ended(_) => {}
        }
    }

    fn poll_main(&mut self) {
        self.waker.queued.store(false, Ordering::Release);
        let Some(main) = self.main.as_mut() else { return };
        let Some(probe) = main.as_mut().as_pin_mut() else { return };
        let waker = Waker::from(Arc::clone(&self.waker));
        let Poll::Ready(output) = probe.poll(&mut Context::from_waker(&waker)) else { return };
        // Where it has panicked is known until the next panic on this thread, which may be that of a task.
        self.output = Some(output.map_err(|payload| (panics::failure(payload.as_ref()), payload)));
        self.drop_future();
        // As in asyncio: what is ready by now has one more turn.
        self.core.push(Priority::NORMAL, Step::Ended(self.run));
    }

    /// Waits for the first timer; true if it has fired.
    fn poll_timer(&mut self, due: Option<Duration>, cx: &mut Context<'_>) -> bool {
        let Some(due) = due else {
            self.timer = None;
            return false;
        };
        if self.timer.as_ref().is_none_or(|timer| timer.due != due) {
            let sleep = Box::pin(async_std::task::sleep(due.saturating_sub(self.core.time())));
            self.timer = Some(Timer { due, sleep });
        }
        let fired = self.timer.as_mut().is_some_and(|timer| timer.sleep.as_mut().poll(cx).is_ready());
        if fired {
            self.timer = None;
        }
        fired
    }
}

impl<F: Future> Future for Turns<'_, '_, F> {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let this = &mut *self;
        if this.outside.is_interrupted(cx.waker()) {
            return Poll::Ready(Ended::Interrupted);
        }
        if !std::mem::replace(&mut this.begun, true) {
            // What the reactor has by now belongs to the first batch, also if that is the only one.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let here = current::enter(this.core);
        for _ in 0..this.core.batch() {
            let Some(step) = this.core.next() else { break };
            this.step(step);
        }
        this.core.rest();
        drop(here);
        if this.core.is_stopping() {
            return Poll::Ready(Ended::Stopped);
        }
        let waits = match this.core.park(cx.waker()) {
            Some(parked) => !this.poll_timer(parked.due, cx),
            None => false,
        };
        if !waits {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

/// Nothing in it is pinned.
impl<F: Future> Unpin for Turns<'_, '_, F> {}

/// Puts the future of `run_until_complete` into the queue.
struct MainWaker {
    home: Weak<Core>,
    run: u64,
    /// It is in the queue.
    queued: AtomicBool,
}

impl Wake for MainWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(home) = self.home.upgrade() else { return };
        if !self.queued.swap(true, Ordering::AcqRel) {
            home.push(Priority::NORMAL, Step::Main(self.run));
        }
    }
}

#[cfg(test)]
mod tests;
