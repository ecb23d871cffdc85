//! The holders of a lock: noted in the lock itself, at the cost of a few instructions, and from the first wait on also
//! where the inspector can read it.

use crate::facade::noting::Noted;
use crate::tasks::{
    context,
    objects::{self, Lock, Mode, SLOTS, again, word},
    record::Wait,
};
use loopbook_channel::LockKind;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU64, fence};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

/// The holders of a lock that lets in at most one (`N` is 1) or many.
pub(super) struct Holders<const N: usize> {
    slots: [AtomicU64; N],
    shared: OnceLock<Arc<Lock>>,
    made_at: &'static Location<'static>,
}

impl<const N: usize> Holders<N> {
    /// Nobody holds the lock, which is made where the caller is called.
    #[track_caller]
    pub(super) const fn new() -> Self {
        const { assert!(N <= SLOTS) };
        Self { slots: [const { AtomicU64::new(0) }; N], shared: OnceLock::new(), made_at: Location::caller() }
    }

    /// The current task has got the lock.
    pub(super) fn claim(&self, mode: Mode) -> Slot<'_, N> {
        let word = word(context::current_task(), mode);
        let free = self.slots.iter().position(|slot| slot.compare_exchange(0, word, Relaxed, Relaxed).is_ok());
        let slot = Slot { holders: self, at: free };
        slot.tell(word);
        slot
    }

    /// What a task waits for that wants the lock; `at` is the place that it has already.
    fn wait(&self, kind: LockKind, at: Option<usize>) -> Wait {
        let at = at.unwrap_or(SLOTS);
        Wait::Object(Arc::clone(self.shared()) as Arc<dyn objects::Object>, Lock::how(kind, at))
    }

    /// The half that the inspector has; made when it is first needed.
    fn shared(&self) -> &Arc<Lock> {
        let shared = self.shared.get_or_init(|| objects::enter(self.made_at, |number| Lock::new(number, N == 1)));
        // Together with the one in `tell`: whoever changes a slot and does not see `shared` is seen here.
        fence(SeqCst);
        for (at, slot) in self.slots.iter().enumerate() {
            shared.learn(at, slot.load(Relaxed));
        }
        shared
    }
}

/// The place of one holder, who holds the lock until this is dropped.
pub(super) struct Slot<'a, const N: usize> {
    holders: &'a Holders<N>,
    /// Nothing if all places were taken: then the holder is not known.
    at: Option<usize>,
}

impl<const N: usize> Slot<'_, N> {
    /// What the holder waits for who wants more of the lock.
    pub(super) fn wait(&self, kind: LockKind) -> Wait {
        self.holders.wait(kind, self.at)
    }

    /// The holder has the lock in another way from now on.
    pub(super) fn change(&self, mode: Mode) {
        let Some(at) = self.at else { return };
        let word = again(self.holders.slots[at].load(Relaxed), mode);
        self.holders.slots[at].store(word, Relaxed);
        self.tell(word);
    }

    fn tell(&self, word: u64) {
        let Some(at) = self.at else { return };
        fence(SeqCst);
        if let Some(shared) = self.holders.shared.get() {
            shared.set(at, word);
        }
    }
}

impl<const N: usize> Drop for Slot<'_, N> {
    fn drop(&mut self) {
        let Some(at) = self.at else { return };
        // What the inspector reads is emptied first: as soon as the place is free, somebody else may take it.
        if let Some(shared) = self.holders.shared.get() {
            shared.set(at, 0);
            self.holders.slots[at].store(0, Relaxed);
            return;
        }
        let word = self.holders.slots[at].swap(0, Relaxed);
        fence(SeqCst);
        if let Some(shared) = self.holders.shared.get() {
            // It was made meanwhile, perhaps from what was here, and somebody may have taken the place since.
            shared.clear(at, word);
        }
    }
}

/// A lock that is held, with async-std's own guard.
pub(super) struct Held<'a, G, const N: usize> {
    /// Goes first: then others may get in.
    pub(super) slot: Slot<'a, N>,
    pub(super) real: G,
}

/// Waits for a lock, and tells the task that waits.
pub(super) struct Acquire<'a, F, const N: usize> {
    holders: &'a Holders<N>,
    kind: LockKind,
    noted: Noted,
    /// Pinned.
    real: F,
}

impl<'a, F, const N: usize> Acquire<'a, F, N> {
    pub(super) fn new(holders: &'a Holders<N>, kind: LockKind, real: F) -> Self {
        Self { holders, kind, noted: Noted::default(), real }
    }
}

impl<'a, F: Future, const N: usize> Future for Acquire<'a, F, N> {
    type Output = Held<'a, F::Output, N>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out of `this`.
        let this = unsafe { self.get_unchecked_mut() };
        let (holders, kind) = (this.holders, this.kind);
        // SAFETY: `real` is moved nowhere as long as what is around it is not, which is pinned; and that has no destructor.
        let Poll::Ready(real) = unsafe { Pin::new_unchecked(&mut this.real) }.poll(cx) else {
            this.noted.pends(|| holders.wait(kind, None));
            return Poll::Pending;
        };
        this.noted.is_over();
        let mode = match kind {
            LockKind::Read => Mode::Read,
            LockKind::UpgradableRead => Mode::UpgradableRead,
            LockKind::Mutex | LockKind::Write | LockKind::Upgrade => Mode::Write,
        };
        Poll::Ready(Held { slot: holders.claim(mode), real })
    }
}

/// Tells the current task, which stops its thread to wait for a lock, for as long as that takes.
pub(super) fn blocking<T, const N: usize>(holders: &Holders<N>, kind: LockKind, wait: impl FnOnce() -> T) -> T {
    let mut noted = Noted::default();
    noted.pends(|| holders.wait(kind, None));
    wait()
}
