//! The guards of a readers-writer lock, and how one becomes another.

use super::RwLock;
use crate::facade::{
    noting::Noted,
    sync::holders::{Held, Slot},
};
use crate::tasks::objects::{Mode, SLOTS};
use async_lock::futures;
use loopbook_channel::LockKind;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// async-std's own guards of a lock around nothing.
pub(super) type Read<'a> = Held<'a, async_lock::RwLockReadGuard<'a, ()>, SLOTS>;
pub(super) type UpgradableRead<'a> = Held<'a, async_lock::RwLockUpgradableReadGuard<'a, ()>, SLOTS>;
pub(super) type Write<'a> = Held<'a, async_lock::RwLockWriteGuard<'a, ()>, SLOTS>;

/// A guard that borrows the lock and one that keeps it alive, for each way to hold it.
macro_rules! guards {
    ($($(#[$doc:meta])* $Guard:ident $GuardArc:ident $held:ident ($($send:ident)+) ($($send_arc:ident)+) $pointer:ident;)+) => {$(
        $(#[$doc])*
        #[clippy::has_significant_drop]
        pub struct $Guard<'a, T: ?Sized> {
            #[allow(dead_code, reason = "a guard that only reads is only dropped")]
            held: $held<'a>,
            /// Says how guards of different types can stand for each other, and that nothing but the lines below makes
            /// them `Send` and `Sync`.
            value: guards!(@pointer $pointer T),
        }

        impl<'a, T: ?Sized> $Guard<'a, T> {
            pub(super) fn new(lock: &'a RwLock<T>, held: $held<'a>) -> Self {
                Self { held, value: lock.value.get() }
            }
        }

        impl<T: ?Sized> Deref for $Guard<'_, T> {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                // SAFETY: this guard holds the lock, which is borrowed, and so nobody else writes.
                unsafe { &*self.value }
            }
        }

        // SAFETY: a guard is the value, lent.
        unsafe impl<T: $($send +)+ ?Sized> Send for $Guard<'_, T> {}
        // SAFETY: as above.
        unsafe impl<T: Sync + ?Sized> Sync for $Guard<'_, T> {}

        $(#[$doc])*
        ///
        /// It keeps the lock alive.
        #[clippy::has_significant_drop]
        pub struct $GuardArc<T: ?Sized> {
            #[allow(dead_code, reason = "as above")]
            held: $held<'static>,
            lock: Arc<RwLock<T>>,
            not_auto: PhantomData<*const ()>,
        }

        impl<T: ?Sized> $GuardArc<T> {
            pub(super) fn new(lock: Arc<RwLock<T>>, held: $held<'static>) -> Self {
                Self { held, lock, not_auto: PhantomData }
            }
        }

        impl<T: ?Sized> Deref for $GuardArc<T> {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                // SAFETY: this guard holds the lock, and so nobody else writes.
                unsafe { &*self.lock.value.get() }
            }
        }

        // SAFETY: a guard is the value, lent, and may be the last to have it.
        unsafe impl<T: $($send_arc +)+ ?Sized> Send for $GuardArc<T> {}
        // SAFETY: as above.
        unsafe impl<T: Send + Sync + ?Sized> Sync for $GuardArc<T> {}

        guards!(@shown $Guard<'_, T>);
        guards!(@shown $GuardArc<T>);
    )+};
    (@pointer shared $T:ident) => { *const $T };
    (@pointer exclusive $T:ident) => { *mut $T };
    (@shown $Guard:ty) => {
        impl<T: fmt::Debug + ?Sized> fmt::Debug for $Guard {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&**self, f)
            }
        }

        impl<T: fmt::Display + ?Sized> fmt::Display for $Guard {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&**self, f)
            }
        }
    };
}

guards! {
    /// Reads, with others, until it is dropped.
    ///
    /// ```
    /// use loopbook::facade::sync::RwLock;
    /// let lock = RwLock::new(5);
    /// let (one, two) = (lock.try_read().expect("free"), lock.try_read().expect("readers share"));
    /// assert_eq!(*one + *two, 10);
    /// assert!(lock.try_write().is_none());
    /// ```
    RwLockReadGuard RwLockReadGuardArc Read (Sync) (Send Sync) shared;
    /// Reads, with others, until it is dropped or made to write.
    ///
    /// ```
    /// use loopbook::facade::sync::{RwLock, RwLockUpgradableReadGuard};
    /// let lock = RwLock::new(5);
    /// let reads = lock.try_upgradable_read().expect("free");
    /// let mut writes = RwLockUpgradableReadGuard::try_upgrade(reads).expect("nobody else reads");
    /// *writes += 1;
    /// assert_eq!(*writes, 6);
    /// ```
    RwLockUpgradableReadGuard RwLockUpgradableReadGuardArc UpgradableRead (Send Sync) (Send Sync) exclusive;
    /// Writes, alone, until it is dropped.
    ///
    /// ```
    /// use loopbook::facade::sync::RwLock;
    /// let lock = RwLock::new(vec![1]);
    /// let mut writes = lock.try_write().expect("free");
    /// writes.push(2);
    /// assert!(lock.try_read().is_none());
    /// drop(writes);
    /// assert_eq!(lock.into_inner(), [1, 2]);
    /// ```
    RwLockWriteGuard RwLockWriteGuardArc Write (Send) (Send Sync) exclusive;
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard holds the lock alone, and is borrowed for as long.
        unsafe { &mut *self.value }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuardArc<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard holds the lock alone, and is borrowed for as long.
        unsafe { &mut *self.lock.value.get() }
    }
}

fn reading<'a>(held: UpgradableRead<'a>) -> Read<'a> {
    held.slot.change(Mode::Read);
    Held { slot: held.slot, real: async_lock::RwLockUpgradableReadGuard::downgrade(held.real) }
}

fn writing<'a>(held: UpgradableRead<'a>) -> Result<Write<'a>, UpgradableRead<'a>> {
    match async_lock::RwLockUpgradableReadGuard::try_upgrade(held.real) {
        Ok(real) => {
            held.slot.change(Mode::Write);
            Ok(Held { slot: held.slot, real })
        }
        Err(real) => Err(Held { slot: held.slot, real }),
    }
}

fn writing_at_last<'a>(held: UpgradableRead<'a>) -> Write<'a> {
    let mut noted = Noted::default();
    noted.pends(|| held.slot.wait(LockKind::Upgrade));
    let real = async_lock::RwLockUpgradableReadGuard::upgrade_blocking(held.real);
    held.slot.change(Mode::Write);
    Held { slot: held.slot, real }
}

fn no_longer_writing<'a>(held: Write<'a>) -> Read<'a> {
    held.slot.change(Mode::Read);
    Held { slot: held.slot, real: async_lock::RwLockWriteGuard::downgrade(held.real) }
}

fn perhaps_writing_later<'a>(held: Write<'a>) -> UpgradableRead<'a> {
    held.slot.change(Mode::UpgradableRead);
    Held { slot: held.slot, real: async_lock::RwLockWriteGuard::downgrade_to_upgradable(held.real) }
}

impl<'a, T: ?Sized> RwLockUpgradableReadGuard<'a, T> {
    /// Only reads from now on.
    #[inline]
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard { held: reading(guard.held), value: guard.value }
    }

    /// Writes from now on, if nobody else reads.
    ///
    /// # Errors
    /// The guard, if somebody does.
    #[inline]
    pub fn try_upgrade(guard: Self) -> Result<RwLockWriteGuard<'a, T>, Self> {
        let value = guard.value;
        match writing(guard.held) {
            Ok(held) => Ok(RwLockWriteGuard { held, value }),
            Err(held) => Err(Self { held, value }),
        }
    }

    /// Waits until nobody else reads, and then writes.
    ///
    /// ```
    /// use loopbook::facade::{sync::{RwLock, RwLockUpgradableReadGuard as Guard}, task};
    /// let lock = RwLock::new(5);
    /// task::block_on(async { *Guard::upgrade(lock.upgradable_read().await).await += 1 });
    /// assert_eq!(lock.into_inner(), 6);
    /// ```
    #[inline]
    pub fn upgrade(guard: Self) -> Upgrade<'a, T> {
        let value = guard.value;
        Upgrade { raw: Upgrading::new(guard.held), value }
    }

    /// Like [`Self::upgrade`], but blocks the thread until then.
    #[inline]
    pub fn upgrade_blocking(guard: Self) -> RwLockWriteGuard<'a, T> {
        RwLockWriteGuard { held: writing_at_last(guard.held), value: guard.value }
    }
}

impl<T: ?Sized> RwLockUpgradableReadGuardArc<T> {
    /// Only reads from now on.
    #[inline]
    pub fn downgrade(guard: Self) -> RwLockReadGuardArc<T> {
        RwLockReadGuardArc::new(guard.lock, reading(guard.held))
    }

    /// Writes from now on, if nobody else reads.
    ///
    /// # Errors
    /// The guard, if somebody does.
    #[inline]
    pub fn try_upgrade(guard: Self) -> Result<RwLockWriteGuardArc<T>, Self> {
        match writing(guard.held) {
            Ok(held) => Ok(RwLockWriteGuardArc::new(guard.lock, held)),
            Err(held) => Err(Self::new(guard.lock, held)),
        }
    }

    /// Waits until nobody else reads, and then writes.
    #[inline]
    pub fn upgrade(guard: Self) -> UpgradeArc<T> {
        UpgradeArc { raw: Upgrading::new(guard.held), lock: guard.lock }
    }

    /// Like [`Self::upgrade`], but blocks the thread until then.
    #[inline]
    pub fn upgrade_blocking(guard: Self) -> RwLockWriteGuardArc<T> {
        RwLockWriteGuardArc::new(guard.lock, writing_at_last(guard.held))
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Only reads from now on.
    ///
    /// ```
    /// use loopbook::facade::sync::{RwLock, RwLockWriteGuard};
    /// let lock = RwLock::new(5);
    /// let _reads = RwLockWriteGuard::downgrade(lock.try_write().expect("free"));
    /// assert!(lock.try_read().is_some());
    /// ```
    #[inline]
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard { held: no_longer_writing(guard.held), value: guard.value }
    }

    /// Only reads from now on, and may write again later.
    #[inline]
    pub fn downgrade_to_upgradable(guard: Self) -> RwLockUpgradableReadGuard<'a, T> {
        RwLockUpgradableReadGuard { held: perhaps_writing_later(guard.held), value: guard.value }
    }
}

impl<T: ?Sized> RwLockWriteGuardArc<T> {
    /// Only reads from now on.
    #[inline]
    pub fn downgrade(guard: Self) -> RwLockReadGuardArc<T> {
        RwLockReadGuardArc::new(guard.lock, no_longer_writing(guard.held))
    }

    /// Only reads from now on, and may write again later.
    #[inline]
    pub fn downgrade_to_upgradable(guard: Self) -> RwLockUpgradableReadGuardArc<T> {
        RwLockUpgradableReadGuardArc::new(guard.lock, perhaps_writing_later(guard.held))
    }
}

pin_project_lite::pin_project! {
    /// Waits until the other readers have gone.
    struct Upgrading<'a> {
        slot: Option<Slot<'a, SLOTS>>,
        noted: Noted,
        #[pin]
        real: futures::Upgrade<'a, ()>,
    }
}

impl<'a> Upgrading<'a> {
    fn new(held: UpgradableRead<'a>) -> Self {
        let real = async_lock::RwLockUpgradableReadGuard::upgrade(held.real);
        Self { slot: Some(held.slot), noted: Noted::default(), real }
    }
}

impl<'a> Future for Upgrading<'a> {
    type Output = Write<'a>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = this.real.poll(cx);
        let Poll::Ready(real) = polled else {
            if let Some(slot) = this.slot {
                this.noted.pends(|| slot.wait(LockKind::Upgrade));
            }
            return Poll::Pending;
        };
        this.noted.is_over();
        let slot = this.slot.take().expect("an upgrade was polled after it had ended");
        slot.change(Mode::Write);
        Poll::Ready(Held { slot, real })
    }
}

pin_project_lite::pin_project! {
    /// Waits until the other readers have gone; made by [`RwLockUpgradableReadGuard::upgrade`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Upgrade<'a, T: ?Sized> {
        #[pin]
        raw: Upgrading<'a>,
        value: *mut T,
    }
}

// SAFETY: it becomes a guard that writes.
unsafe impl<T: Send + ?Sized> Send for Upgrade<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync + ?Sized> Sync for Upgrade<'_, T> {}

impl<'a, T: ?Sized> Future for Upgrade<'a, T> {
    type Output = RwLockWriteGuard<'a, T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        Poll::Ready(RwLockWriteGuard { held: ready!(this.raw.poll(cx)), value: *this.value })
    }
}

impl<T: ?Sized> fmt::Debug for Upgrade<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgrade")
    }
}

pin_project_lite::pin_project! {
    /// Waits until the other readers have gone; made by [`RwLockUpgradableReadGuardArc::upgrade`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct UpgradeArc<T: ?Sized> {
        #[pin]
        raw: Upgrading<'static>,
        lock: Arc<RwLock<T>>,
    }
}

impl<T: ?Sized> Future for UpgradeArc<T> {
    type Output = RwLockWriteGuardArc<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let held = ready!(this.raw.poll(cx));
        Poll::Ready(RwLockWriteGuardArc::new(Arc::clone(this.lock), held))
    }
}

impl<T: ?Sized> fmt::Debug for UpgradeArc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArcUpgrade")
    }
}
