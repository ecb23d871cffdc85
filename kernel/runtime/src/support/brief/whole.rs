//! `whole`: values of which nothing is left out.

use crate::support::erased::Erased;
use std::fmt::{self, Debug};

/// A value that shows as all of its `Debug`, however long that is: as the value of a cell, or with
/// [`display`](crate::display). A long value shows as its first and last items otherwise. Text shows as itself.
///
/// ```
/// let squares: Vec<u64> = (0..10_000).map(|n| n * n).collect();
/// loopbook::display(loopbook::whole(&squares));
/// ```
///
/// # Panics
/// If the `Debug` of the value says that it failed.
pub fn whole<T: Debug>(value: T) -> Whole {
    let seen = Erased::new(&value, &value);
    Whole(seen.as_text().map_or_else(|| format!("{value:?}"), str::to_owned))
}

/// What [`whole`] gives. Its `Debug` and its `Display` are all of the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Whole(pub(crate) String);

impl Debug for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
