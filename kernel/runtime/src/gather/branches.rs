//! The functions behind `gather!`, `try_gather!` and `race!`: one for each number of branches, so that the type of the
//! result follows from a plain signature.

use crate::gather::Awaitable;
use crate::tasks::probe;
use std::{
    future::{Future, poll_fn},
    panic::Location,
    pin::pin,
    task::Poll,
};

/// Picks the function by counting the futures against the names, and names each branch after its text.
#[doc(hidden)]
#[macro_export]
macro_rules! __branches {
    ($function:ident [$($counted:expr),+] $($future:expr),+) => {
        $crate::__branches!(
            @count $function [one two three four five six seven eight nine ten eleven twelve] [$($counted),+]
            $($future),+
        )
    };
    (@count $function:ident [$number:ident $($larger:ident)*] [$last:expr] $($future:expr),+) => {
        $crate::__private::$function::$number([$(stringify!($future)),+], $($future),+).await
    };
    (@count $function:ident [$number:ident $($larger:ident)+] [$counted:expr, $($rest:expr),+] $($future:expr),+) => {
        $crate::__branches!(@count $function [$($larger)+] [$($rest),+] $($future),+)
    };
    (@count $function:ident [$number:ident] [$($rest:expr),+] $($future:expr),+) => {
        compile_error!("at most 12 futures fit here: collect them and await gather_all or try_gather_all instead")
    };
}

macro_rules! for_each_number {
    ($define:ident) => {
        $define!(one 1 a A FA);
        $define!(two 2 a A FA, b B FB);
        $define!(three 3 a A FA, b B FB, c C FC);
        $define!(four 4 a A FA, b B FB, c C FC, d D FD);
        $define!(five 5 a A FA, b B FB, c C FC, d D FD, e E FE);
        $define!(six 6 a A FA, b B FB, c C FC, d D FD, e E FE, f F FF);
        $define!(seven 7 a A FA, b B FB, c C FC, d D FD, e E FE, f F FF, g G FG);
        $define!(eight 8 a A FA, b B FB, c C FC, d D FD, e E FE, f F FF, g G FG, h H FH);
        $define!(nine 9 a A FA, b B FB, c C FC, d D FD, e E FE, f F FF, g G FG, h H FH, i I FI);
        $define!(ten 10 a A FA, b B FB, c C FC, d D FD, e E FE, f F FF, g G FG, h H FH, i I FI, j J FJ);
        $define!(eleven 11 a A FA, b B FB, c C FC, d D FD, e E FE, f F FF, g G FG, h H FH, i I FI, j J FJ, k K FK);
        $define!(twelve 12 a A FA, b B FB, c C FC, d D FD, e E FE, f F FF, g G FG, h H FH, i I FI, j J FJ, k K FK, l L FL);
    };
}

/// `gather!`, by number of branches.
#[doc(hidden)]
#[allow(missing_docs, clippy::too_many_arguments)]
pub mod join {
    use super::*;

    macro_rules! define {
        ($number:ident $count:literal $($future:ident $Output:ident $Future:ident),+) => {
            #[track_caller]
            pub fn $number<$($Future: Awaitable),+>(
                texts: [&'static str; $count],
                $($future: $Future),+
            ) -> impl Future<Output = ($($Future::Output,)+)> {
                let location = Location::caller();
                let mut texts = texts.into_iter();
                $(let $future = probe::branch($future, texts.next().map(name), location);)+
                async move { futures::join!($($future),+) }
            }
        };
    }
    for_each_number!(define);
}

/// `try_gather!`, by number of branches.
#[doc(hidden)]
#[allow(missing_docs, clippy::too_many_arguments)]
pub mod try_join {
    use super::*;

    macro_rules! define {
        ($number:ident $count:literal $($future:ident $Output:ident $Future:ident),+) => {
            #[track_caller]
            pub fn $number<Error, $($Output,)+ $($Future: Awaitable<Output = Result<$Output, Error>>),+>(
                texts: [&'static str; $count],
                $($future: $Future),+
            ) -> impl Future<Output = Result<($($Output,)+), Error>> {
                let location = Location::caller();
                let mut texts = texts.into_iter();
                $(let $future = probe::branch($future, texts.next().map(name), location);)+
                async move { futures::try_join!($($future),+) }
            }
        };
    }
    for_each_number!(define);
}

/// `race!`, by number of branches.
#[doc(hidden)]
#[allow(missing_docs, clippy::too_many_arguments)]
pub mod race {
    use super::*;

    macro_rules! define {
        ($number:ident $count:literal $($future:ident $Output:ident $Future:ident),+) => {
            #[track_caller]
            pub fn $number<Output, $($Future: Awaitable<Output = Output>),+>(
                texts: [&'static str; $count],
                $($future: $Future),+
            ) -> impl Future<Output = Output> {
                let location = Location::caller();
                let mut texts = texts.into_iter();
                $(let $future = probe::branch($future, texts.next().map(name), location);)+
                async move {
                    $(let mut $future = pin!($future);)+
                    poll_fn(move |cx| {
                        $(if let Poll::Ready(output) = $future.as_mut().poll(cx) {
                            return Poll::Ready(output);
                        })+
                        Poll::Pending
                    })
                    .await
                }
            }
        };
    }
    for_each_number!(define);
}

/// What a branch is called in the task table: its text, as far as one line of a table can show it.
fn name(text: &'static str) -> &'static str {
    const LONGEST: usize = 40;
    let is_block = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    if text.strip_prefix("async").is_some_and(is_block) {
        return "async block";
    }
    let line = text.lines().next().unwrap_or_default();
    let end = line.char_indices().map(|(at, _)| at).nth(LONGEST).unwrap_or(line.len());
    &line[..end]
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_branch_is_called_as_it_is_written_if_that_is_short() {
        assert_eq!(name("fetch_data(1)"), "fetch_data(1)");
        assert_eq!(name("async move\n{ 1 }"), "async block");
        assert_eq!(name("async_task(1)"), "async_task(1)");
        assert_eq!(name("größe(\"ääääääääääääääääääääääääääääääääääääääääääää\")").chars().count(), 40);
    }
}
