//! A mutex whose holder the inspector knows.

use super::holders::{Acquire, Held, Holders, blocking};
use crate::tasks::objects::Mode;
use async_lock::futures;
use loopbook_channel::LockKind;
use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// async-std's own guard of a mutex around nothing.
type Real<'a> = async_lock::MutexGuard<'a, ()>;
type Locked<'a> = Held<'a, Real<'a>, 1>;

/// async-std's mutex. `:tasks` shows who holds it, from the first time on that a task has to wait for it.
///
/// ```
/// use loopbook::facade::{sync::{Arc, Mutex}, task};
/// let count = Arc::new(Mutex::new(1));
/// task::block_on(async {
///     *count.lock().await += 1;
///     assert_eq!(*count.lock().await, 2);
/// });
/// ```
pub struct Mutex<T: ?Sized> {
    raw: Raw,
    data: UnsafeCell<T>,
}

/// A mutex without a value.
struct Raw {
    real: async_lock::Mutex<()>,
    holders: Holders<1>,
}

impl Raw {
    fn lock(&self) -> Acquire<'_, futures::Lock<'_, ()>, 1> {
        Acquire::new(&self.holders, LockKind::Mutex, self.real.lock())
    }

    fn try_lock(&self) -> Option<Locked<'_>> {
        self.real.try_lock().map(|real| Held { slot: self.holders.claim(Mode::Write), real })
    }

    fn lock_blocking(&self) -> Locked<'_> {
        self.try_lock().unwrap_or_else(|| {
            let real = blocking(&self.holders, LockKind::Mutex, || self.real.lock_blocking());
            Held { slot: self.holders.claim(Mode::Write), real }
        })
    }
}

// SAFETY: as with any mutex, the value is only handed out to whoever holds the lock, by guards and by `&mut`.
unsafe impl<T: Send + ?Sized> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: Send + ?Sized> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// A mutex that nobody holds.
    #[track_caller]
    pub const fn new(data: T) -> Mutex<T> {
        let raw = Raw { real: async_lock::Mutex::new(()), holders: Holders::new() };
        Mutex { raw, data: UnsafeCell::new(data) }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until nobody else holds the lock.
    ///
    /// ```
    /// use loopbook::{facade::{sync::Mutex, task}, gather};
    /// let total = Mutex::new(0);
    /// task::block_on(async {
    ///     let add = async |n| {
    ///         let mut total = total.lock().await;
    ///         task::yield_now().await;
    ///         *total += n;
    ///     };
    ///     gather!(add(1), add(2));
    /// });
    /// assert_eq!(total.into_inner(), 3);
    /// ```
    #[inline]
    pub fn lock(&self) -> Lock<'_, T> {
        Lock { mutex: self, raw: self.raw.lock() }
    }

    /// Like [`Mutex::lock`], but blocks the thread until then.
    #[inline]
    pub fn lock_blocking(&self) -> MutexGuard<'_, T> {
        MutexGuard::new(self, self.raw.lock_blocking())
    }

    /// The lock, if nobody holds it.
    ///
    /// ```
    /// use loopbook::facade::sync::Mutex;
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.try_lock().expect("nobody holds it");
    /// assert!(mutex.try_lock().is_none());
    /// drop(guard);
    /// assert!(mutex.try_lock().is_some());
    /// ```
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.raw.try_lock().map(|held| MutexGuard::new(self, held))
    }

    /// The value, which nobody can hold now.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// Like [`Mutex::lock`], with a guard that keeps the mutex alive.
    ///
    /// ```
    /// use loopbook::facade::{sync::{Arc, Mutex}, task};
    /// let mutex = Arc::new(Mutex::new(1));
    /// let guard = task::block_on(mutex.lock_arc());
    /// drop(mutex);
    /// assert_eq!(*guard, 1);
    /// ```
    #[inline]
    pub fn lock_arc(self: &Arc<Self>) -> LockArc<T> {
        LockArc { raw: kept(self).lock(), mutex: Arc::clone(self) }
    }

    /// Like [`Mutex::lock_blocking`], with a guard that keeps the mutex alive.
    #[inline]
    pub fn lock_arc_blocking(self: &Arc<Self>) -> MutexGuardArc<T> {
        MutexGuardArc::new(Arc::clone(self), kept(self).lock_blocking())
    }

    /// Like [`Mutex::try_lock`], with a guard that keeps the mutex alive.
    #[inline]
    pub fn try_lock_arc(self: &Arc<Self>) -> Option<MutexGuardArc<T>> {
        kept(self).try_lock().map(|held| MutexGuardArc::new(Arc::clone(self), held))
    }
}

/// The inner lock, borrowed for ever. The caller must keep a clone of the `Arc` at least as long: in a field behind
/// what is made of this, because fields are dropped in their order.
fn kept<T: ?Sized>(mutex: &Arc<Mutex<T>>) -> &'static Raw {
    // SAFETY: what an `Arc` holds does not move, and the callers keep a clone of it for as long as they use this.
    unsafe { &*std::ptr::from_ref(&mutex.raw) }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_lock() {
            None => f.debug_struct("Mutex").field("data", &format_args!("<locked>")).finish(),
            Some(guard) => f.debug_struct("Mutex").field("data", &&*guard).finish(),
        }
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(val: T) -> Mutex<T> {
        Mutex::new(val)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

pin_project_lite::pin_project! {
    /// Waits for a mutex; made by [`Mutex::lock`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Lock<'a, T: ?Sized> {
        mutex: &'a Mutex<T>,
        #[pin]
        raw: Acquire<'a, futures::Lock<'a, ()>, 1>,
    }
}

impl<'a, T: ?Sized> Future for Lock<'a, T> {
    type Output = MutexGuard<'a, T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        Poll::Ready(MutexGuard::new(this.mutex, ready!(this.raw.poll(cx))))
    }
}

impl<T: ?Sized> fmt::Debug for Lock<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lock { .. }")
    }
}

pin_project_lite::pin_project! {
    /// Waits for a mutex; made by [`Mutex::lock_arc`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct LockArc<T: ?Sized> {
        #[pin]
        raw: Acquire<'static, futures::Lock<'static, ()>, 1>,
        mutex: Arc<Mutex<T>>,
    }
}

impl<T: ?Sized> Future for LockArc<T> {
    type Output = MutexGuardArc<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let held = ready!(this.raw.poll(cx));
        Poll::Ready(MutexGuardArc::new(Arc::clone(this.mutex), held))
    }
}

impl<T: ?Sized> fmt::Debug for LockArc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockArc { .. }")
    }
}

/// Holds a mutex until it is dropped.
///
/// ```
/// use loopbook::facade::sync::Mutex;
/// let names = Mutex::new(vec!["Ada"]);
/// {
///     let mut guard = names.try_lock().expect("nobody holds it");
///     guard.push("Grace");
/// }
/// assert_eq!(names.into_inner().len(), 2);
/// ```
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    _held: Locked<'a>,
    mutex: &'a Mutex<T>,
    not_auto: NotAuto,
}

/// Whether a guard may go to other threads is said of each: it depends on its value.
type NotAuto = PhantomData<*const ()>;

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    fn new(mutex: &'a Mutex<T>, held: Locked<'a>) -> Self {
        Self { _held: held, mutex, not_auto: PhantomData }
    }

    /// The mutex that it holds.
    pub fn source(guard: &MutexGuard<'a, T>) -> &'a Mutex<T> {
        guard.mutex
    }
}

/// Holds a mutex, and keeps it alive, until it is dropped.
#[clippy::has_significant_drop]
pub struct MutexGuardArc<T: ?Sized> {
    _held: Locked<'static>,
    mutex: Arc<Mutex<T>>,
    not_auto: NotAuto,
}

impl<T: ?Sized> MutexGuardArc<T> {
    fn new(mutex: Arc<Mutex<T>>, held: Locked<'static>) -> Self {
        Self { _held: held, mutex, not_auto: PhantomData }
    }

    /// The mutex that it holds.
    pub fn source(guard: &Self) -> &Arc<Mutex<T>>
    where
        T: Send,
    {
        &guard.mutex
    }
}

/// What both guards can do.
macro_rules! guards {
    ($($guard:ty),+) => {$(
        // SAFETY: a guard is the value, lent.
        unsafe impl<T: Send + ?Sized> Send for $guard {}
        // SAFETY: as above.
        unsafe impl<T: Sync + ?Sized> Sync for $guard {}

        impl<T: ?Sized> Deref for $guard {
            type Target = T;

            fn deref(&self) -> &T {
                // SAFETY: this guard holds the lock, and there is no other.
                unsafe { &*self.mutex.data.get() }
            }
        }

        impl<T: ?Sized> DerefMut for $guard {
            fn deref_mut(&mut self) -> &mut T {
                // SAFETY: as in `deref`, and this guard is borrowed for as long.
                unsafe { &mut *self.mutex.data.get() }
            }
        }

        impl<T: fmt::Debug + ?Sized> fmt::Debug for $guard {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&**self, f)
            }
        }

        impl<T: fmt::Display + ?Sized> fmt::Display for $guard {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&**self, f)
            }
        }
    )+};
}

guards!(MutexGuard<'_, T>, MutexGuardArc<T>);
