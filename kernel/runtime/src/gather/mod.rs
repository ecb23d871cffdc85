//! Waiting for several futures at once: `gather!`, `try_gather!`, `race!` and their siblings for iterators.
//!
//! The branches are polled inside the task that gathers them. So they may borrow from it and need not be `Send`, and
//! when the task is dropped they are. Each has a record of kind `branch`, which is what the task table and the timeline
//! show. The macros hand everything to plain generic functions, because rust-analyzer has to find the type of the result.

pub(crate) mod branches;

use crate::tasks::probe;
use std::{future::Future, panic::Location};

/// Runs up to twelve futures at the same time and waits for all; gives a tuple of what they gave, in the order of the
/// arguments. It awaits by itself: write no `.await` behind it.
///
/// ```
/// use loopbook::gather;
/// # use loopbook::facade as async_std;
/// # async_std::task::block_on(async {
/// async fn fetch_data(n: u32) -> String {
///     format!("Data {n}")
/// }
/// let (first, second) = gather!(fetch_data(1), fetch_data(2));
/// assert_eq!((first.as_str(), second.as_str()), ("Data 1", "Data 2"));
/// // A gather inside a gather stands in an async block, so that it is a future too.
/// let (three, (four, five)) = gather!(async { 3 }, async { gather!(async { 4 }, async { 5 }) });
/// assert_eq!(three + four + five, 12);
/// # });
/// ```
///
/// For more futures, or a number that only shows at run time, there is [`gather_all`].
#[macro_export]
macro_rules! gather {
    () => {
        ()
    };
    ($($future:expr),+ $(,)?) => {
        $crate::__branches!(join [$($future),+] $($future),+)
    };
}

/// Like [`gather!`] for futures of `Result`s with one type of error: `Ok` of a tuple, or the first error, at once. The
/// branches that are not done by then are dropped, which cancels them.
///
/// ```
/// use loopbook::try_gather;
/// # use loopbook::facade as async_std;
/// # async_std::task::block_on(async {
/// async fn parse(text: &str) -> Result<i32, std::num::ParseIntError> {
///     text.parse()
/// }
/// assert_eq!(try_gather!(parse("1"), parse("2")), Ok((1, 2)));
/// assert!(try_gather!(parse("1"), parse("two")).is_err());
/// # });
/// ```
#[macro_export]
macro_rules! try_gather {
    () => {
        Ok(())
    };
    ($($future:expr),+ $(,)?) => {
        $crate::__branches!(try_join [$($future),+] $($future),+)
    };
}

/// Runs up to twelve futures of one output type at the same time and gives what the first to finish gives; the others are
/// dropped, which cancels them. If several are done at once, the one that stands first wins.
///
/// ```
/// use loopbook::race;
/// use std::time::Duration;
/// # use loopbook::facade as async_std;
/// # async_std::task::block_on(async {
/// let answer = race!(
///     async {
///         async_std::task::sleep(Duration::from_secs(60)).await;
///         "slow"
///     },
///     async { "fast" },
/// );
/// assert_eq!(answer, "fast");
/// # });
/// ```
#[macro_export]
macro_rules! race {
    ($($future:expr),+ $(,)?) => {
        $crate::__branches!(race [$($future),+] $($future),+)
    };
}

/// Runs all futures of an iterator at the same time; its future gives what they gave, in the iterator's order.
///
/// ```
/// # use loopbook::facade as async_std;
/// # async_std::task::block_on(async {
/// let squares = loopbook::gather_all((1..=3).map(|n| async move { n * n })).await;
/// assert_eq!(squares, [1, 4, 9]);
/// # });
/// ```
#[track_caller]
pub fn gather_all<I>(futures: I) -> impl Future<Output = Vec<<I::Item as Future>::Output>>
where
    I: IntoIterator,
    I::Item: Awaitable,
{
    let location = Location::caller();
    futures::future::join_all(futures.into_iter().map(|future| probe::branch(future, None, location)))
}

/// Like [`gather_all`] for futures of `Result`s: `Ok` of a `Vec`, or the first error, at once. The futures that are not
/// done by then are dropped, which cancels them.
///
/// ```
/// # use loopbook::facade as async_std;
/// # async_std::task::block_on(async {
/// async fn parse(text: &str) -> Result<i32, std::num::ParseIntError> {
///     text.parse()
/// }
/// assert_eq!(loopbook::try_gather_all(["1", "2"].map(parse)).await, Ok(vec![1, 2]));
/// # });
/// ```
#[track_caller]
pub fn try_gather_all<I, T, E>(futures: I) -> impl Future<Output = Result<Vec<T>, E>>
where
    I: IntoIterator,
    I::Item: Awaitable<Output = Result<T, E>>,
{
    let location = Location::caller();
    futures::future::try_join_all(futures.into_iter().map(|future| probe::branch(future, None, location)))
}

/// What can be a branch: any future. A trait of our own only because the compiler then says what is wrong in our words.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a future, so there is nothing to wait for",
    label = "this is a value already, not a future",
    note = "`gather!`, `try_gather!` and `race!` await by themselves: to put one inside another write `async {{ gather!(…) }}`",
    note = "a function is a future only if it is an `async fn`; a branch takes no `.await` of its own"
)]
pub trait Awaitable: Future {}

#[diagnostic::do_not_recommend]
impl<F: Future> Awaitable for F {}
