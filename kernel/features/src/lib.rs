//! Nothing but a manifest: it turns features on.
//!
//! Cargo compiles a crate once, with the features that anybody in the build asks for. A notebook's `:dep` that asked
//! for one more feature of a crate below the runtime would have the runtime compiled anew, in the middle of a session:
//! every variable and every task would be lost. So what common crates ask for is on from the start.
//! `tests/jupyter/test_crates.py` has the list of crates that must change nothing.
