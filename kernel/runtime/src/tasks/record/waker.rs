//! The waker of a task, which counts how many of it there are.

use super::Record;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::task::{RawWaker, RawWakerVTable, Waker};

/// One for all, so that two wakers of a task are known to be the same.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_one);

impl Record {
    /// The waker that a poll of this task is lent. It is not counted among those that can wake the task, which are made from
    /// it. It is the same waker (`will_wake`) in every poll.
    pub(crate) fn lent_waker(self: &Arc<Self>) -> LentWaker<'_> {
        let data = Arc::as_ptr(self).cast();
        // SAFETY: the functions of the table take `data` for the `Arc` that it is; see each of them. That there is one is the
        // borrow's, and the waker that would drop it is never dropped.
        LentWaker { waker: ManuallyDrop::new(unsafe { Waker::new(data, &VTABLE) }), record: PhantomData }
    }
}

/// See [`Record::lent_waker`].
pub(crate) struct LentWaker<'a> {
    waker: ManuallyDrop<Waker>,
    record: PhantomData<&'a Arc<Record>>,
}

impl Deref for LentWaker<'_> {
    type Target = Waker;

    fn deref(&self) -> &Waker {
        &self.waker
    }
}

/// Takes back the reference behind a waker.
///
/// # Safety
/// `data` must come from [`Arc::into_raw`], and nothing may take it back again.
unsafe fn record(data: *const ()) -> Arc<Record> {
    // SAFETY: as the caller promises.
    unsafe { Arc::from_raw(data.cast()) }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker that is cloned has a reference, which stays its own.
    let record = unsafe { ManuallyDrop::new(record(data)) };
    record.wakers.fetch_add(1, Relaxed);
    RawWaker::new(Arc::into_raw(Arc::clone(&record)).cast(), &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: as in `clone`; the reference goes with the waker in `drop_one`.
    unsafe {
        wake_by_ref(data);
        drop_one(data);
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: as in `clone`.
    unsafe { ManuallyDrop::new(record(data)) }.wake_by_ref();
}

unsafe fn drop_one(data: *const ()) {
    // SAFETY: a waker is dropped once, and its reference goes with it.
    let record = unsafe { record(data) };
    // A reader of this sees what was woken before.
    record.wakers.fetch_sub(1, Release);
}
