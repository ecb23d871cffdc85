//! Nothing but a manifest, like `loopbook-features`: it turns features on of crates that procedural macros are made of.
//!
//! Cargo compiles those for the machine that compiles, apart from the crates that cells are linked with, and unifies their
//! features apart. But the runtime depends on procedural macros: a `:dep` that changed `syn` would change the runtime.
