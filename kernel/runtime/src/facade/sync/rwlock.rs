//! A readers-writer lock whose readers and writer the inspector knows.

mod guards;

use super::holders::{Acquire, Held, Holders, blocking};
use crate::tasks::objects::{Mode, SLOTS};
use async_lock::futures;
use loopbook_channel::LockKind;
use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

pub use guards::{
    RwLockReadGuard, RwLockReadGuardArc, RwLockUpgradableReadGuard, RwLockUpgradableReadGuardArc, RwLockWriteGuard,
    RwLockWriteGuardArc, Upgrade, UpgradeArc,
};

/// async-std's readers-writer lock. `:tasks` shows who holds it, from the first time on that a task has to wait for it.
///
/// ```
/// use loopbook::facade::{sync::RwLock, task};
/// let numbers = RwLock::new(vec![1]);
/// task::block_on(async {
///     numbers.write().await.push(2);
///     let (one, two) = (numbers.read().await, numbers.read().await);
///     assert_eq!(one.len() + two.len(), 4);
/// });
/// ```
pub struct RwLock<T: ?Sized> {
    raw: Raw,
    value: UnsafeCell<T>,
}

/// A lock without a value.
struct Raw {
    real: async_lock::RwLock<()>,
    holders: Holders<SLOTS>,
}

// SAFETY: as with any lock, the value is only handed out by guards, which hold the lock, and by `&mut`.
unsafe impl<T: Send + ?Sized> Send for RwLock<T> {}
// SAFETY: as above; several may read at once.
unsafe impl<T: Send + Sync + ?Sized> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    /// A lock that nobody holds.
    #[must_use]
    #[track_caller]
    pub const fn new(t: T) -> RwLock<T> {
        let raw = Raw { real: async_lock::RwLock::new(()), holders: Holders::new() };
        RwLock { raw, value: UnsafeCell::new(t) }
    }

    /// The value.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

/// The four ways to take the lock in one mode, with guards that borrow it and with guards that keep it alive.
macro_rules! ways {
    ($($kind:ident $mode:ident: $take:ident $try_take:ident $take_blocking:ident
        $take_arc:ident $try_take_arc:ident $take_arc_blocking:ident
        $Future:ident $FutureArc:ident $Guard:ident $GuardArc:ident;)+) => {
        impl<T: ?Sized> RwLock<T> {$(
            /// Waits until the lock can be had in this way.
            #[inline]
            pub fn $take(&self) -> $Future<'_, T> {
                $Future { lock: self, raw: self.raw.$take() }
            }

            /// The lock, if it can be had in this way at once.
            #[inline]
            pub fn $try_take(&self) -> Option<$Guard<'_, T>> {
                self.raw.$try_take().map(|held| $Guard::new(self, held))
            }

            /// Blocks the thread until the lock can be had in this way.
            #[inline]
            pub fn $take_blocking(&self) -> $Guard<'_, T> {
                $Guard::new(self, self.raw.$take_blocking())
            }

            /// Waits for a guard that keeps the lock alive.
            #[inline]
            pub fn $take_arc<'a>(self: &'a Arc<Self>) -> $FutureArc<'a, T> {
                $FutureArc { lock: self, raw: kept(self).$take() }
            }

            /// A guard that keeps the lock alive, if it can be had at once.
            #[inline]
            pub fn $try_take_arc(self: &Arc<Self>) -> Option<$GuardArc<T>> {
                kept(self).$try_take().map(|held| $GuardArc::new(Arc::clone(self), held))
            }

            /// Blocks the thread until there is a guard that keeps the lock alive.
            #[inline]
            pub fn $take_arc_blocking(self: &Arc<Self>) -> $GuardArc<T> {
                $GuardArc::new(Arc::clone(self), kept(self).$take_blocking())
            }
        )+}

        impl Raw {$(
            fn $take(&self) -> Acquire<'_, futures::$Future<'_, ()>, SLOTS> {
                Acquire::new(&self.holders, LockKind::$kind, self.real.$take())
            }

            fn $try_take(&self) -> Option<guards::$kind<'_>> {
                self.real.$try_take().map(|real| Held { slot: self.holders.claim(Mode::$mode), real })
            }

            fn $take_blocking(&self) -> guards::$kind<'_> {
                self.$try_take().unwrap_or_else(|| {
                    let real = blocking(&self.holders, LockKind::$kind, || self.real.$take_blocking());
                    Held { slot: self.holders.claim(Mode::$mode), real }
                })
            }
        )+}

        $(
            pin_project_lite::pin_project! {
                /// Waits for a lock.
                #[must_use = "futures do nothing unless you `.await` or poll them"]
                pub struct $Future<'a, T: ?Sized> {
                    lock: &'a RwLock<T>,
                    #[pin]
                    raw: Acquire<'a, futures::$Future<'a, ()>, SLOTS>,
                }
            }

            impl<'a, T: ?Sized> Future for $Future<'a, T> {
                type Output = $Guard<'a, T>;

                #[inline]
                fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                    let this = self.project();
                    Poll::Ready($Guard::new(*this.lock, ready!(this.raw.poll(cx))))
                }
            }

            impl<T: ?Sized> fmt::Debug for $Future<'_, T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(concat!(stringify!($Future), " { .. }"))
                }
            }

            pin_project_lite::pin_project! {
                /// Waits for a lock that its guard keeps alive.
                #[must_use = "futures do nothing unless you `.await` or poll them"]
                pub struct $FutureArc<'a, T: ?Sized> {
                    lock: &'a Arc<RwLock<T>>,
                    #[pin]
                    raw: Acquire<'static, futures::$Future<'static, ()>, SLOTS>,
                }
            }

            impl<T: ?Sized> Future for $FutureArc<'_, T> {
                type Output = $GuardArc<T>;

                fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                    let this = self.project();
                    let held = ready!(this.raw.poll(cx));
                    Poll::Ready($GuardArc::new(Arc::clone(this.lock), held))
                }
            }

            impl<T: ?Sized> fmt::Debug for $FutureArc<'_, T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(concat!(stringify!($FutureArc), " { .. }"))
                }
            }
        )+
    };
}

ways! {
    Read Read: read try_read read_blocking read_arc try_read_arc read_arc_blocking
        Read ReadArc RwLockReadGuard RwLockReadGuardArc;
    UpgradableRead UpgradableRead: upgradable_read try_upgradable_read upgradable_read_blocking
        upgradable_read_arc try_upgradable_read_arc upgradable_read_arc_blocking
        UpgradableRead UpgradableReadArc RwLockUpgradableReadGuard RwLockUpgradableReadGuardArc;
    Write Write: write try_write write_blocking write_arc try_write_arc write_arc_blocking
        Write WriteArc RwLockWriteGuard RwLockWriteGuardArc;
}

impl<T: ?Sized> RwLock<T> {
    /// The value, which nobody can hold now.
    #[must_use]
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

/// The inner lock, borrowed for ever. The caller must borrow or keep a clone of the `Arc` at least as long: in a field
/// behind what is made of this, because fields are dropped in their order.
fn kept<T: ?Sized>(lock: &Arc<RwLock<T>>) -> &'static Raw {
    // SAFETY: what an `Arc` holds does not move, and the callers have it for as long as they use this.
    unsafe { &*std::ptr::from_ref(&lock.raw) }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_read() {
            None => f.debug_struct("RwLock").field("value", &format_args!("<locked>")).finish(),
            Some(guard) => f.debug_struct("RwLock").field("value", &&*guard).finish(),
        }
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(val: T) -> RwLock<T> {
        RwLock::new(val)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}
