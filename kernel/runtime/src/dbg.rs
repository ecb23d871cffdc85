//! What the kernel puts in place of a cell's `dbg!`: the same, with the place in the cell.

/// `dbg!` with its place, and the text of its argument if that is not what stands here.
#[doc(hidden)]
#[macro_export]
macro_rules! __dbg {
    ($place:literal;) => {
        ::std::eprintln!("[{}]", $place)
    };
    ($place:literal; $text:literal => $value:expr $(,)?) => {
        match $value {
            value => {
                ::std::eprintln!("[{}] {} = {:#?}", $place, $text, &value);
                value
            }
        }
    };
    ($place:literal; $value:expr $(,)?) => {
        match $value {
            value => {
                ::std::eprintln!("[{}] {} = {:#?}", $place, ::std::stringify!($value), &value);
                value
            }
        }
    };
    ($place:literal; $($value:expr),+ $(,)?) => {
        ($($crate::__dbg!($place; $value)),+,)
    };
}
