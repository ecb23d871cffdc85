//! How cells are run: the main shell's on the main thread, those of subshells on threads of their own.

pub(crate) mod subshell;
