//! Await sites: the `.await`s of code in cells at which a task stands.
//!
//! The kernel writes `at(EXPRESSION, &PLACE).await` where a cell says `EXPRESSION.await`. A wrapped future joins the
//! tree of the task that polls it when it is first pending, and leaves it when it is done or dropped, so a future that
//! is ready at once costs next to nothing, and those of `join_all` or `select` that are not polled stay where they are.

mod tree;

pub(crate) use tree::{Key, Tree};

use crate::tasks::{context, record::Record};
use std::cell::Cell;
use std::future::{Future, IntoFuture};
use std::mem::ManuallyDrop;
use std::panic::RefUnwindSafe;
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

/// Where an `.await` stands: execution count of the cell, line and column of the awaited expression, and its text.
pub(crate) type Place = (u32, u32, u32, &'static str);

static WATCHED: AtomicBool = AtomicBool::new(true);

thread_local! {
    /// The innermost future of [`at`] that is being polled on this thread; null, or alive until its poll ends.
    static INNERMOST: Cell<*const Frame<'static>> = const { Cell::new(ptr::null()) };
}

/// The awaited future, known by its place.
pub fn at<F: IntoFuture>(future: F, place: &'static Place) -> At<F::IntoFuture> {
    At { future: future.into_future(), node: Node { place, joined: ManuallyDrop::new(Cell::new(None)) } }
}

/// Whether trees are kept from now on. What has joined one leaves it as always.
pub fn watch_awaits(on: bool) {
    WATCHED.store(on, Relaxed);
}

pin_project_lite::pin_project! {
    /// See [`at`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct At<F> {
        #[pin]
        future: F,
        node: Node,
    }
}

impl<F: Future> Future for At<F> {
    type Output = F::Output;

    // Compiled with each cell, for each future, in a hurry: whatever can be done elsewhere is.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut frame = Frame { node: this.node, record: NO_TASK, outer: NO_FRAME, innermost: NOWHERE, pends: false };
        frame.enter();
        let polled = this.future.poll(cx);
        frame.pends = matches!(polled, Poll::Pending);
        polled
    }
}

/// A future's own part in the tree.
struct Node {
    place: &'static Place,
    /// Empty when this is dropped, so that no cell compiles what drops what was in it.
    joined: ManuallyDrop<Cell<Option<Joined>>>,
}

/// Where in which tree it is.
struct Joined {
    record: Arc<Record>,
    key: Key,
    parent: Key,
}

// SAFETY: the cell is only used through `&mut At` (a poll, a drop) and, during a poll, by the thread that polls.
unsafe impl Sync for Node {}

/// No panic can leave it half changed.
impl RefUnwindSafe for Node {}

impl Node {
    /// Its key and its parent's, if it is in the tree of this task.
    fn keys(&self, record: *const Record) -> Option<(Key, Key)> {
        // SAFETY: one thread uses the cell at a time (see below), and nothing changes it while we look.
        let joined = unsafe { &*self.joined.as_ptr() }.as_ref()?;
        ptr::eq(Arc::as_ptr(&joined.record), record).then_some((joined.key, joined.parent))
    }

    fn leave(&self) {
        if let Some(joined) = self.joined.take() {
            joined.record.leave_await(joined.key);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.leave();
    }
}

const NO_TASK: *const Record = ptr::null();
const NO_FRAME: *const Frame<'static> = ptr::null();
const NOWHERE: *const Cell<*const Frame<'static>> = ptr::null();

/// One poll of a future of [`at`]. It stays where it is once it is entered: the frames inside of it point to it.
struct Frame<'a> {
    node: &'a Node,
    /// The task that polls.
    record: *const Record,
    outer: *const Frame<'static>,
    /// This thread's [`INNERMOST`]; null if no task polls, or nobody wants to know.
    innermost: *const Cell<*const Frame<'static>>,
    /// Whether the future is not done.
    pends: bool,
}

impl Frame<'_> {
    fn enter(&mut self) {
        if !WATCHED.load(Relaxed) {
            return;
        }
        self.record = context::current_pointer();
        if self.record.is_null() {
            return;
        }
        INNERMOST.with(|innermost| {
            self.innermost = innermost;
            self.outer = innermost.replace(ptr::from_mut(self).cast());
        });
    }

    /// Whether it is where it should be in the tree.
    fn is_in_place(&self) -> bool {
        let Some((_, known)) = self.node.keys(self.record) else { return false };
        match self.around() {
            Some(outer) => outer.node.keys(self.record).is_some_and(|(key, _)| key == known),
            None => known == Key::ROOT,
        }
    }

    /// Enters the future, and those around it, in the tree of the task.
    #[cold]
    fn join(&self) -> Key {
        let parent = self.around().map_or(Key::ROOT, Self::join);
        let keys = self.node.keys(self.record);
        if let Some((key, known)) = keys
            && known == parent
        {
            return key;
        }
        let Some(record) = context::current() else { return Key::ROOT };
        let key = match keys {
            Some((key, _)) => record.move_await(key, parent),
            None => {
                self.node.leave();
                record.join_await(self.node.place, parent)
            }
        };
        self.node.joined.set(Some(Joined { record, key, parent }));
        key
    }

    /// The future of the same task that is polling this one.
    fn around(&self) -> Option<&Frame<'static>> {
        // SAFETY: null, or a frame of this thread whose poll has not ended, because this one happens in it.
        let outer = unsafe { self.outer.as_ref() };
        outer.filter(|outer| ptr::eq(outer.record, self.record))
    }
}

impl Drop for Frame<'_> {
    fn drop(&mut self) {
        // SAFETY: null, or this thread's own, which has no destructor and lives as long as the thread.
        let Some(innermost) = (unsafe { self.innermost.as_ref() }) else { return };
        innermost.set(self.outer);
        if self.pends && !self.is_in_place() {
            self.join();
        }
    }
}
