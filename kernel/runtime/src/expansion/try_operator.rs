//! The `?` of a cell: a failed one ends the cell with a report that names the line and the error's sources.
//!
//! A cell has no caller to which `?` could return an error, so the kernel writes [`__try!`](crate::__try) in its place. What an
//! error says of itself is found out at compile time, by the first trait of a list that its type has.
//!
//! evcxr has a mode for `?` of its own, which panics. This one returns from the cell, so that no destructor sees a
//! panic, and it knows the line and the chain of sources.

use crate::support::brief;
use crate::tasks::{context, site};
use loopbook_channel::{Failure, FailureKind};
use std::{
    error::Error,
    fmt::{self, Debug, Display},
    ops::{ControlFlow, Deref},
    panic::Location,
};

/// `EXPRESSION?` at the level of a cell.
#[doc(hidden)]
#[macro_export]
macro_rules! __try {
    ($value:expr) => {
        match $crate::__private::TryInCell::branch($value) {
            ::core::result::Result::Ok(value) => value,
            ::core::result::Result::Err(residual) => {
                #[allow(unused_imports)]
                use $crate::__private::{
                    DescribeDebug as _, DescribeDisplay as _, DescribeError as _, DescribeName as _,
                    DescribePointer as _,
                };
                return $crate::__private::fail((&&&&&$crate::__private::Reason(residual)).describe());
            }
        }
    };
}

/// What `?` can be applied to.
#[diagnostic::on_unimplemented(
    message = "the `?` operator can only be applied to values of type `Result` or `Option`",
    label = "the `?` operator cannot be applied to type `{Self}`"
)]
pub trait TryInCell {
    /// What the expression gives if all is well.
    type Output;
    /// What it gives otherwise.
    type Residual;

    /// Tells the two apart.
    #[allow(clippy::missing_errors_doc)]
    fn branch(self) -> Result<Self::Output, Self::Residual>;
}

impl<T, E> TryInCell for Result<T, E> {
    type Output = T;
    type Residual = E;

    fn branch(self) -> Self {
        self
    }
}

impl<T> TryInCell for Option<T> {
    type Output = T;
    type Residual = NoValue;

    fn branch(self) -> Result<T, NoValue> {
        self.ok_or(NoValue)
    }
}

impl<B, C> TryInCell for ControlFlow<B, C> {
    type Output = C;
    type Residual = Broke<B>;

    fn branch(self) -> Result<C, Broke<B>> {
        match self {
            Self::Continue(value) => Ok(value),
            Self::Break(value) => Err(Broke(value)),
        }
    }
}

/// The residual of an `Option`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoValue;

impl Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value is None")
    }
}

/// The residual of a `ControlFlow`.
pub struct Broke<B>(B);

impl<B: Debug> Debug for Broke<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Break").field(&self.0).finish()
    }
}

/// What a failed `?` has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The error.
    pub message: String,
    /// Its sources, outermost first.
    pub chain: Vec<String>,
}

impl Described {
    // Not generic: it is compiled once, and not with each cell that has a `?`.
    fn from_error(error: &dyn Error) -> Self {
        // An error may name itself as its source.
        const LONGEST_CHAIN: usize = 50;
        let sources = std::iter::successors(error.source(), |&error| error.source()).take(LONGEST_CHAIN);
        let chain = sources.map(|source| brief::message(&source.to_string())).collect();
        Self { message: brief::message(&error.to_string()), chain }
    }

    fn from_display(text: &dyn Display) -> Self {
        Self::from_text(&text.to_string())
    }

    fn from_text(message: &str) -> Self {
        Self { message: brief::message(message), chain: Vec::new() }
    }
}

/// A residual that is about to be described. One trait per way, each for one reference less than the one before: method
/// lookup takes the first that fits.
pub struct Reason<E>(pub E);

/// An error.
pub trait DescribeError {
    /// Describes it.
    fn describe(&self) -> Described;
}

impl<E: Error> DescribeError for &&&&Reason<E> {
    fn describe(&self) -> Described {
        Described::from_error(&self.0)
    }
}

/// A pointer to an error, such as `Box<dyn Error>` or `anyhow::Error`, which are no errors themselves.
pub trait DescribePointer {
    /// Describes it.
    fn describe(&self) -> Described;
}

impl<E: Deref<Target: Error>> DescribePointer for &&&Reason<E> {
    fn describe(&self) -> Described {
        Described::from_error(&&*self.0)
    }
}

/// Something with a text.
pub trait DescribeDisplay {
    /// Describes it.
    fn describe(&self) -> Described;
}

impl<E: Display> DescribeDisplay for &&Reason<E> {
    fn describe(&self) -> Described {
        Described::from_display(&self.0)
    }
}

/// Something for programmers.
pub trait DescribeDebug {
    /// Describes it.
    fn describe(&self) -> Described;
}

impl<E: Debug> DescribeDebug for &Reason<E> {
    fn describe(&self) -> Described {
        Described::from_text(&brief::debug_message(&self.0))
    }
}

/// Something that can only be named.
pub trait DescribeName {
    /// Describes it.
    fn describe(&self) -> Described;
}

impl<E> DescribeName for Reason<E> {
    fn describe(&self) -> Described {
        Described::from_text(&format!(
            "an error of type `{}`, which has neither Display nor Debug",
            crate::support::type_names::of::<E>()
        ))
    }
}

/// Ends the cell with a failed `?` at the place of the caller.
#[track_caller]
pub fn fail(reason: Described) {
    let Described { message, chain } = reason;
    let (site, location) = site::resolve(Location::caller());
    context::end_cell_early(Some(Failure { kind: FailureKind::Error, message, chain, site, location }));
}

/// Stands behind a `return` of a cell: it ends early, and all is well.
pub fn early_return() {
    context::end_cell_early(None);
}
