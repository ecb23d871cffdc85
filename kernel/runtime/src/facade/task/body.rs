//! What a task runs, and then what came of it, behind a type that no longer names either: so the executor, the probe and the
//! handle are compiled once, and a cell that spawns compiles a poll and a drop of its own.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A future, and its output once it is done.
///
/// # Safety
/// [`Body::take`] writes an output of the type that [`Body`]'s maker knows.
pub(super) unsafe trait Body {
    /// Polls the future; the output stays here.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;

    /// Moves the output to where it is wanted.
    ///
    /// # Safety
    /// `to` has room for the output. The poll has been ready, and nobody has taken the output.
    unsafe fn take(self: Pin<&mut Self>, to: *mut ());
}

/// A body on the heap.
///
/// It can be sent: that of a task that runs on any thread, because its future can; that of a local task never leaves its
/// thread, but for its output in a handle, and a handle is `Send` only if the output is.
pub(super) struct BoxedBody(Pin<Box<dyn Body>>);

// SAFETY: see there.
unsafe impl Send for BoxedBody {}

impl BoxedBody {
    pub(super) fn new<F: Future + 'static>(future: F) -> Self {
        Self(Box::pin(Running::Runs(future)))
    }

    /// Polls the future.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }

    /// Moves the output to where it is wanted.
    ///
    /// # Safety
    /// See [`Body::take`].
    pub(super) unsafe fn take(mut self, to: *mut ()) {
        // SAFETY: the caller's.
        unsafe { self.0.as_mut().take(to) }
    }
}

/// The future or, in its place, its output.
enum Running<F: Future> {
    Runs(F),
    Done(F::Output),
    Taken,
}

// SAFETY: the output is the future's.
unsafe impl<F: Future> Body for Running<F> {
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the future stays where it is until it is dropped there.
        let this = unsafe { self.get_unchecked_mut() };
        if let Self::Runs(future) = this {
            // SAFETY: as above.
            let output = ready!(unsafe { Pin::new_unchecked(future) }.poll(cx));
            *this = Self::Done(output);
        }
        Poll::Ready(())
    }

    unsafe fn take(self: Pin<&mut Self>, to: *mut ()) {
        // SAFETY: the future is gone, and nothing else is pinned.
        let this = unsafe { self.get_unchecked_mut() };
        if let Self::Done(output) = std::mem::replace(this, Self::Taken) {
            // SAFETY: the caller has room for it.
            unsafe { to.cast::<F::Output>().write(output) }
        }
    }
}

/// The future whose output is its own body, with the future's output in it.
pub(super) struct UntilDone(BoxedBody);

impl UntilDone {
    pub(super) fn new(body: BoxedBody) -> Self {
        Self(body)
    }
}

/// What is left of a body that was given away. It takes no room, on the heap neither, and so no task has room for "none".
struct Gone;

// SAFETY: it is never polled, so it is never ready.
unsafe impl Body for Gone {
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        panic!("a task was polled after it had ended")
    }

    unsafe fn take(self: Pin<&mut Self>, _: *mut ()) {}
}

impl Future for UntilDone {
    type Output = BoxedBody;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BoxedBody> {
        ready!(self.0.poll(cx));
        Poll::Ready(std::mem::replace(&mut self.0, BoxedBody(Box::pin(Gone))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;
    use std::task::Waker;

    #[test]
    fn the_future_goes_when_it_is_done_and_the_output_when_it_is_taken_or_dropped() {
        let (held, given) = (Rc::new(1), Rc::new(2));
        let body = || {
            let (held, given) = (held.clone(), given.clone());
            BoxedBody::new(async move {
                let _held = held;
                given
            })
        };
        let mut cx = Context::from_waker(Waker::noop());
        for taken in [false, true] {
            let mut until = UntilDone::new(body());
            assert_eq!((Rc::strong_count(&held), Rc::strong_count(&given)), (2, 2));
            let Poll::Ready(done) = Pin::new(&mut until).poll(&mut cx) else { panic!("it waits for nothing") };
            assert_eq!((Rc::strong_count(&held), Rc::strong_count(&given)), (1, 2));
            if taken {
                let mut output = std::mem::MaybeUninit::<Rc<i32>>::uninit();
                // SAFETY: it is an `Rc<i32>`.
                let output = unsafe {
                    done.take(output.as_mut_ptr().cast());
                    output.assume_init()
                };
                assert_eq!((*output, Rc::strong_count(&given)), (2, 2));
            } else {
                drop(done);
            }
            assert_eq!(Rc::strong_count(&given), 1);
        }
        drop(UntilDone::new(body()));
        assert_eq!((Rc::strong_count(&held), Rc::strong_count(&given)), (1, 1));
    }
}
