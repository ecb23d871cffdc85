//! Callbacks: closures that a loop calls, at once, later or again and again.

use super::core::Core;
use super::{Inner, Loop, notebook, raised};
use crate::connection::flusher;
use crate::support::{clock::Moment, sync::lock};
use crate::tasks::{cancel, context, panics, record::Record, registry};
use loopbook_channel::TaskKind;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// Callbacks. They run between tasks, in the order in which they were given or are due, and print under the cell that has
/// given them. The panic of one is shown there, and the loop goes on.
impl Loop {
    /// Calls a closure once, after all that is ready by now.
    ///
    /// ```
    /// use loopbook::{Loop, facade::task};
    /// use std::sync::mpsc::channel;
    /// let (lab, (sender, receiver)) = (Loop::new("lab"), channel());
    /// lab.call_soon(move || sender.send("called").expect("somebody listens"));
    /// lab.run_until_complete(task::yield_now());
    /// assert_eq!(receiver.try_recv(), Ok("called"));
    /// ```
    ///
    /// # Panics
    /// If the loop is closed.
    #[track_caller]
    pub fn call_soon(&self, callback: impl FnOnce() + Send + 'static) -> CallHandle {
        self.call("call_soon", What::Once(Box::new(callback)), None, Location::caller())
    }

    /// Calls a closure once, when this time has gone by. Of two that are due the earlier goes first, and of two that
    /// are due at the same time the one that was given first.
    ///
    /// ```
    /// use loopbook::{Loop, Promise};
    /// use std::time::Duration;
    /// let (lab, promise) = (Loop::new("lab"), Promise::new());
    /// lab.call_later(Duration::from_millis(5), { let promise = promise.clone(); move || promise.set_result(5) });
    /// assert_eq!(lab.run_until_complete(promise), Ok(5));
    /// assert!(lab.time() >= Duration::from_millis(5));
    /// ```
    ///
    /// # Panics
    /// If the loop is closed.
    #[track_caller]
    pub fn call_later(&self, delay: Duration, callback: impl FnOnce() + Send + 'static) -> CallHandle {
        let when = self.time().saturating_add(delay);
        self.call("call_later", What::Once(Box::new(callback)), Some(when), Location::caller())
    }

    /// Calls a closure once, when [`Loop::time`] is `when`. What is past is due at once.
    ///
    /// ```
    /// use loopbook::Loop;
    /// use std::time::Duration;
    /// let lab = Loop::new("lab");
    /// let noon = lab.time() + Duration::from_millis(5);
    /// let call = lab.call_at(noon, { let lab = lab.clone(); move || lab.stop() });
    /// assert_eq!(call.when(), Some(noon));
    /// lab.run_forever();
    /// assert!(lab.time() >= noon);
    /// ```
    ///
    /// # Panics
    /// If the loop is closed.
    #[track_caller]
    pub fn call_at(&self, when: Duration, callback: impl FnOnce() + Send + 'static) -> CallHandle {
        self.call("call_at", What::Once(Box::new(callback)), Some(when), Location::caller())
    }

    /// Calls a closure after each period, for the first time when one has gone by, until the handle's `cancel`, the loop's
    /// `close` or a panic of the closure. Delays do not add up, and what a blocked loop has missed is left out.
    ///
    /// ```
    /// use loopbook::Loop;
    /// use std::time::Duration;
    /// let lab = Loop::new("lab");
    /// let mut ticks = 0;
    /// lab.every(Duration::from_millis(2), {
    ///     let lab = lab.clone();
    ///     move || {
    ///         ticks += 1;
    ///         if ticks == 3 {
    ///             lab.stop();
    ///         }
    ///     }
    /// });
    /// lab.run_forever();
    /// lab.close();
    /// ```
    ///
    /// # Panics
    /// If the loop is closed.
    #[track_caller]
    pub fn every(&self, period: Duration, callback: impl FnMut() + Send + 'static) -> CallHandle {
        let first = self.time().saturating_add(period);
        self.call("every", What::Every(period, Box::new(callback)), Some(first), Location::caller())
    }

    #[track_caller]
    fn call(&self, name: &str, what: What, when: Option<Duration>, location: &'static Location<'static>) -> CallHandle {
        let Inner::Own(core) = &self.0 else { return notebook::call(name, what, when, location) };
        let call = Call::new(name, what, when, location);
        let called = match when {
            Some(when) => core.call_at(when, Arc::clone(&call)),
            None => core.call(Arc::clone(&call)),
        };
        raised(called);
        CallHandle::new(call, Arc::downgrade(core))
    }
}

/// A callback that a loop has been given; see [`Loop::call_soon`]. Dropping this changes nothing.
#[derive(Clone)]
pub struct CallHandle {
    call: Arc<Call>,
    /// Dangling for the notebook's loop.
    home: Weak<Core>,
}

impl CallHandle {
    pub(super) fn new(call: Arc<Call>, home: Weak<Core>) -> Self {
        Self { call, home }
    }

    /// Takes the callback back: it will not be called any more. Again, or too late, does nothing.
    ///
    /// ```
    /// use loopbook::{Loop, facade::task};
    /// let lab = Loop::new("lab");
    /// let call = lab.call_soon(|| panic!("never"));
    /// call.cancel();
    /// lab.run_until_complete(task::yield_now());
    /// assert!(call.cancelled());
    /// ```
    pub fn cancel(&self) {
        let before = std::mem::replace(&mut *lock(&self.call.what), What::Cancelled);
        if let Some(home) = self.home.upgrade() {
            home.uncall(&self.call);
        }
        drop(before);
    }

    /// Whether it was taken back.
    pub fn cancelled(&self) -> bool {
        matches!(*lock(&self.call.what), What::Cancelled)
    }

    /// The loop's time at which it is due; `None` if it was to be called at once.
    ///
    /// ```
    /// let lab = loopbook::Loop::new("lab");
    /// assert_eq!(lab.call_soon(|| {}).when(), None);
    /// ```
    pub fn when(&self) -> Option<Duration> {
        *lock(&self.call.when)
    }
}

impl fmt::Debug for CallHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallHandle").field("when", &self.when()).field("cancelled", &self.cancelled()).finish()
    }
}

/// One callback.
pub(super) struct Call {
    /// Who it is while it runs, and whose cell it prints under. No table has it: a callback is no task.
    record: Arc<Record>,
    what: Mutex<What>,
    when: Mutex<Option<Duration>>,
}

pub(super) enum What {
    Once(Box<dyn FnOnce() + Send>),
    Every(Duration, Box<dyn FnMut() + Send>),
    /// It is being called, or was.
    Gone,
    Cancelled,
}

impl Call {
    pub(super) fn new(
        name: &str,
        what: What,
        when: Option<Duration>,
        location: &'static Location<'static>,
    ) -> Arc<Self> {
        registry::not_of_async_std();
        let record = Record::unlisted(TaskKind::Loop, Some(name.to_owned()), Some(location));
        Arc::new(Self { record, what: Mutex::new(what), when: Mutex::new(when) })
    }

    /// Calls it. Gives when it wants to be called again, if it does; `now` is the loop's time after the call.
    ///
    /// Its panic is reported under the cell that has given the callback, and the loop goes on.
    pub(super) fn run(&self, now: impl FnOnce() -> Duration) -> Option<Duration> {
        let what = {
            let mut known = lock(&self.what);
            if matches!(*known, What::Cancelled) {
                return None;
            }
            std::mem::replace(&mut *known, What::Gone)
        };
        let entered = context::enter(&self.record);
        let again = match what {
            What::Once(call) => self.guarded(call).and(None),
            What::Every(period, mut call) => self.guarded(&mut call).map(|()| (period, call)),
            What::Gone | What::Cancelled => None,
        };
        flusher::after_poll(self.record.cell, Moment::now());
        drop(entered);
        let (period, call) = again?;
        let mut known = lock(&self.what);
        if matches!(*known, What::Cancelled) {
            // It has taken itself back.
            drop(known);
            return None;
        }
        *known = What::Every(period, call);
        drop(known);
        let mut when = lock(&self.when);
        *when = Some(next(when.unwrap_or_default(), period, now()));
        *when
    }

    /// `None` if it has panicked.
    fn guarded(&self, call: impl FnOnce()) -> Option<()> {
        let Err(payload) = catch_unwind(AssertUnwindSafe(call)) else { return Some(()) };
        let (state, payload) = cancel::ending(&self.record, payload);
        self.record.finish(state, Moment::now());
        self.record.detach();
        self.record.fail(panics::failure(payload.as_ref()));
        // Dropping what was thrown may throw again.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
        None
    }
}

/// The time of the next call: whole periods after the first, so that delays do not add up. What has been missed is left
/// out.
fn next(last: Duration, period: Duration, now: Duration) -> Duration {
    let next = last.saturating_add(period);
    if next > now || period.is_zero() {
        return next.max(last);
    }
    let missed = (now - next).as_nanos() / period.as_nanos() + 1;
    next.saturating_add(period.saturating_mul(u32::try_from(missed).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_kept_and_missed_calls_are_left_out() {
        let ms = Duration::from_millis;
        assert_eq!(next(ms(200), ms(200), ms(203)), ms(400));
        assert_eq!(next(ms(200), ms(200), ms(400)), ms(600));
        assert_eq!(next(ms(200), ms(200), ms(1_150)), ms(1_200));
        assert_eq!(next(ms(200), ms(0), ms(300)), ms(200));
    }
}
