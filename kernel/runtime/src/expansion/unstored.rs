//! The macro in which the kernel hides a `let` from evcxr, so that its variables end with their cell.

/// A `let` that evcxr does not see, so that it neither asks for the variable's type nor tries to store it.
#[doc(hidden)]
#[macro_export]
macro_rules! __unstored {
    ($($statement:tt)*) => {
        $($statement)*
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_variable_is_there_for_what_follows() {
        crate::__unstored!(let doubled = 2 * 21;);
        assert_eq!(doubled, 42);
    }
}
