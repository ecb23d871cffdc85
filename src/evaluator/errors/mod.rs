//! Errors, warnings and advice, as people read them.

pub mod colours;
pub mod death;
pub mod diagnostics;
pub mod gone;
pub mod hints;
pub mod missing_crates;
pub mod not_stored;
pub mod report;
pub mod warnings;
