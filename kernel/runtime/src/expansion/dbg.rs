//! What the kernel puts in place of a cell's `dbg!`: the same, with the place in the cell.

use crate::tasks::site;
use loopbook_channel::{Site, line_label};
use std::panic::Location;

/// The place from which this is called, for a `dbg!` in the body of a macro: that is where the macro is used.
#[track_caller]
pub fn here() -> String {
    match site::resolve(Location::caller()) {
        (Some(Site { cell, line, column }), _) => {
            let column = column.map(|column| format!(":{column}")).unwrap_or_default();
            line_label(cell, line) + &column
        }
        (None, elsewhere) => elsewhere.unwrap_or_default(),
    }
}

/// `dbg!` with its place, and the text of its argument if that is not what stands here.
#[doc(hidden)]
#[macro_export]
macro_rules! __dbg {
    ($place:expr;) => {
        ::std::eprintln!("[{}]", $place)
    };
    ($place:expr; $text:literal => $value:expr $(,)?) => {
        match $value {
            value => {
                ::std::eprintln!("[{}] {} = {:#?}", $place, $text, &value);
                value
            }
        }
    };
    ($place:expr; $value:expr $(,)?) => {
        match $value {
            value => {
                ::std::eprintln!("[{}] {} = {:#?}", $place, ::std::stringify!($value), &value);
                value
            }
        }
    };
    ($place:expr; $($value:expr),+ $(,)?) => {
        ($($crate::__dbg!($place; $value)),+,)
    };
}
