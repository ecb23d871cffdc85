//! Boxing lazy futures, so that a variable can hold them from one cell to the next.

use crate::tasks::lints;
use std::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

/// Boxes a future, so that its type has a name and a later cell can await it. Nothing of it runs before that.
///
/// A cell that ends with `let f = fetch(1);` does this by itself. Write it where the future stands inside something else:
///
/// ```
/// # use loopbook::facade as async_std;
/// # async_std::task::block_on(async {
/// async fn fetch(n: u32) -> u32 {
///     n * 10
/// }
/// let fetches: Vec<_> = (1..=3).map(|n| loopbook::keep(fetch(n))).collect();
/// // … and in a later cell:
/// assert_eq!(loopbook::gather_all(fetches).await, [10, 20, 30]);
/// # });
/// ```
#[track_caller]
pub fn keep<F>(future: F) -> Pin<Box<dyn Future<Output = F::Output> + Send>>
where
    F: Future + Send + 'static,
{
    Box::pin(Kept::new(future, Location::caller()))
}

/// Like [`keep`] for a future that must stay on its thread, because it holds an `Rc` for example. Only the thread of the
/// cells can await it: a task that is spawned cannot.
///
/// ```
/// # use loopbook::facade as async_std;
/// # async_std::task::block_on(async {
/// let shared = std::rc::Rc::new(5);
/// let kept = loopbook::keep_local(async move { *shared + 1 });
/// assert_eq!(kept.await, 6);
/// # });
/// ```
#[track_caller]
pub fn keep_local<F>(future: F) -> Pin<Box<dyn Future<Output = F::Output>>>
where
    F: Future + 'static,
{
    Box::pin(Kept::new(future, Location::caller()))
}

pin_project_lite::pin_project! {
    /// A future that says so if it is dropped and nobody has awaited it.
    struct Kept<F> {
        location: &'static Location<'static>,
        polled: bool,
        #[pin]
        future: F,
    }

    impl<F> PinnedDrop for Kept<F> {
        fn drop(this: Pin<&mut Self>) {
            if !this.polled {
                lints::dropped_unpolled(this.location);
            }
        }
    }
}

impl<F> Kept<F> {
    fn new(future: F, location: &'static Location<'static>) -> Self {
        Self { location, polled: false, future }
    }
}

impl<F: Future> Future for Kept<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        *this.polled = true;
        this.future.poll(cx)
    }
}
