//! What evcxr and cargo build in: the toolchain, each kernel's directory, the template of the compiled runtime, the
//! shims for cargo and rustc, and the notebook's own dependencies.

mod artifacts;
pub mod built_in;
pub mod cache;
pub(super) mod cached_crates;
pub mod cell_cache;
pub mod closure;
pub mod crate_cache;
pub mod dependencies;
pub mod environment;
mod files;
mod lockfile;
pub mod shims;
pub mod std_source;
pub mod template;
pub mod toolchain;
pub mod workdir;
