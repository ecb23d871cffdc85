//! A result that is set by hand: asyncio's `Future`.

use super::error::{Cancelled, PromiseError};
use crate::support::sync::lock;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// A result that somebody will set, and that any number of tasks await: each gets the same. Clones are the same promise.
///
/// This is what asyncio calls a `Future`. What Rust calls so is something else: work that nobody has begun, which can be
/// awaited once.
///
/// ```
/// # use loopbook::facade as async_std;
/// use loopbook::Promise;
/// # async_std::task::block_on(async {
/// let promise = Promise::new();
/// let waiting = async_std::task::spawn(promise.clone());
/// promise.set_result(42);
/// assert_eq!(waiting.await, Ok(42));
/// assert_eq!(promise.clone().await, Ok(42));
/// assert_eq!((&promise).await, Ok(42));
/// # });
/// ```
pub struct Promise<T> {
    shared: Arc<Shared<T>>,
    /// Under which the waker of this clone is known.
    key: Option<u64>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    keys: AtomicU64,
}

enum State<T> {
    Waits(Vec<(u64, Waker)>),
    Set(T),
    Cancelled,
}

impl<T> Promise<T> {
    /// A promise without a result.
    ///
    /// ```
    /// use loopbook::{Promise, PromiseError};
    /// let promise = Promise::<u32>::new();
    /// assert!(!promise.done());
    /// assert_eq!(promise.result(), Err(PromiseError::NotDone));
    /// ```
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared { state: Mutex::new(State::Waits(Vec::new())), keys: AtomicU64::new(0) }),
            key: None,
        }
    }

    /// Gives everybody who awaits the promise this result, now or later.
    ///
    /// ```
    /// # use loopbook::facade::task;
    /// use loopbook::Promise;
    /// let promise = Promise::new();
    /// promise.set_result("ready");
    /// assert_eq!(promise.result(), Ok("ready"));
    /// # task::block_on(async {
    /// assert_eq!(promise.await, Ok("ready"));
    /// # });
    /// ```
    ///
    /// # Panics
    /// If the promise has a result or was cancelled: the first word is final. [`Promise::try_set_result`] asks.
    #[track_caller]
    pub fn set_result(&self, result: T) {
        if let Err(error) = self.try_set_result(result) {
            panic!("{error}");
        }
    }

    /// Like [`Promise::set_result`], without the panic.
    ///
    /// ```
    /// use loopbook::{Promise, PromiseError};
    /// let promise = Promise::new();
    /// assert_eq!(promise.try_set_result(1), Ok(()));
    /// assert_eq!(promise.try_set_result(2), Err(PromiseError::AlreadyDone));
    /// assert_eq!(promise.result(), Ok(1));
    /// ```
    ///
    /// # Errors
    /// [`PromiseError::AlreadyDone`].
    pub fn try_set_result(&self, result: T) -> Result<(), PromiseError> {
        if self.settle(State::Set(result)) { Ok(()) } else { Err(PromiseError::AlreadyDone) }
    }

    /// Gives everybody who awaits the promise [`Cancelled`]. False if it has a result or was cancelled before.
    ///
    /// ```
    /// # use loopbook::facade::task;
    /// use loopbook::Promise;
    /// let promise = Promise::<u32>::new();
    /// assert!(promise.cancel());
    /// assert!(task::block_on(promise.clone()).is_err());
    /// assert!(!promise.cancel() && promise.cancelled());
    /// ```
    pub fn cancel(&self) -> bool {
        self.settle(State::Cancelled)
    }

    /// Whether it has a result or was cancelled.
    pub fn done(&self) -> bool {
        !matches!(*lock(&self.shared.state), State::Waits(_))
    }

    /// Whether it was cancelled.
    pub fn cancelled(&self) -> bool {
        matches!(*lock(&self.shared.state), State::Cancelled)
    }

    /// False if it was settled before.
    fn settle(&self, settled: State<T>) -> bool {
        let mut state = lock(&self.shared.state);
        if !matches!(*state, State::Waits(_)) {
            drop(state);
            // The refused result is dropped here: its destructor may ask the promise.
            drop(settled);
            return false;
        }
        let before = std::mem::replace(&mut *state, settled);
        drop(state);
        if let State::Waits(wakers) = before {
            wakers.into_iter().for_each(|(_, waker)| waker.wake());
        }
        true
    }
}

impl<T: Clone> Promise<T> {
    /// The result, without waiting.
    ///
    /// # Errors
    /// [`PromiseError::NotDone`] if it is not there yet, [`PromiseError::Cancelled`] if it never will be.
    pub fn result(&self) -> Result<T, PromiseError> {
        match &*lock(&self.shared.state) {
            State::Waits(_) => Err(PromiseError::NotDone),
            State::Set(result) => Ok(result.clone()),
            State::Cancelled => Err(PromiseError::Cancelled),
        }
    }
}

impl<T: Clone> Future for Promise<T> {
    type Output = Result<T, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let shared = Arc::clone(&self.shared);
        let mut state = lock(&shared.state);
        match &mut *state {
            State::Set(result) => Poll::Ready(Ok(result.clone())),
            State::Cancelled => Poll::Ready(Err(Cancelled)),
            State::Waits(wakers) => {
                let key = *self.key.get_or_insert_with(|| shared.keys.fetch_add(1, Ordering::Relaxed));
                match wakers.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, waker)) => waker.clone_from(cx.waker()),
                    None => wakers.push((key, cx.waker().clone())),
                }
                Poll::Pending
            }
        }
    }
}

impl<T: Clone> IntoFuture for &Promise<T> {
    type Output = Result<T, Cancelled>;
    type IntoFuture = Promise<T>;

    fn into_future(self) -> Promise<T> {
        self.clone()
    }
}

impl<T> Clone for Promise<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), key: None }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut state = lock(&self.shared.state);
        let State::Waits(wakers) = &mut *state else { return };
        let gone = wakers.iter().position(|(known, _)| *known == key).map(|index| wakers.remove(index));
        drop(state);
        // Dropping a waker may run an executor's code.
        drop(gone);
    }
}

impl<T> Default for Promise<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*lock(&self.shared.state) {
            State::Waits(wakers) => write!(f, "Promise(not set, {} waiting)", wakers.len()),
            State::Set(result) => f.debug_tuple("Promise").field(result).finish(),
            State::Cancelled => f.write_str("Promise(cancelled)"),
        }
    }
}
