//! Who is woken when a local task is: every `block_on` of its thread.
//!
//! The executor of local tasks wakes one of the `block_on`s that poll it. If they are nested, that may be the outer one, which
//! cannot poll while the inner one runs. So a local task that is woken also wakes every `block_on` of its thread.

use crate::support::sync::lock;
use std::sync::{Arc, Mutex};
use std::task::Waker;

thread_local! {
    static HERE: Arc<BlockOnWakers> = Arc::default();
}

/// The `block_on`s that are under way on one thread, by number.
#[derive(Default)]
pub(crate) struct BlockOnWakers(Mutex<Vec<(u64, Waker)>>);

/// Those of this thread; `None` while it ends.
pub(crate) fn of_this_thread() -> Option<Arc<BlockOnWakers>> {
    HERE.try_with(Arc::clone).ok()
}

impl BlockOnWakers {
    /// Notes how `block_on` number `key` is woken.
    pub(crate) fn enter(&self, key: u64, waker: &Waker) {
        let mut block_ons = lock(&self.0);
        match block_ons.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => known.clone_from(waker),
            None => block_ons.push((key, waker.clone())),
        }
    }

    /// Takes [`BlockOnWakers::enter`] back.
    pub(crate) fn leave(&self, key: u64) {
        lock(&self.0).retain(|(known, _)| *known != key);
    }

    /// A local task of the thread has been woken.
    pub(crate) fn wake(&self) {
        let wakers: Vec<_> = lock(&self.0).iter().map(|(_, waker)| waker.clone()).collect();
        wakers.into_iter().for_each(Waker::wake);
    }
}
