//! What can be learnt about a cell's variables from a compilation that has failed.

/// Why a later cell cannot have a variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its own cell awaits it, on this line, by value.
    MovedByAwait(u32),
    /// It refers to another variable.
    Borrows,
    /// A variable that is not kept, or one that is, refers to it until the cell ends.
    Borrowed,
    /// It is a closure, whose type has no name.
    Closure,
    /// It is an iterator or a stream, whose type holds that of a closure.
    Chain,
    /// Its type holds that of a future, which has no name.
    Future,
    /// Its type cannot be written down.
    Unnameable,
    /// evcxr does not see its type.
    Unknown,
}

/// What a compilation that failed has shown about the variables of a cell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// This variable cannot be kept.
    NotKept(String, Why),
    /// The first of these, which is not kept, must be dropped before the other is stored.
    Ends(String, String),
    /// It cannot be dropped, since the cell may have moved it.
    Moves(String),
}
