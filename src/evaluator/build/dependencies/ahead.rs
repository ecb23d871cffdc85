//! Compiling crates before a notebook asks for them (`loopbook warm NAME…`): what a kernel does at a `:dep`, without a kernel.

use super::{Dependency, Resolver, understand};
use crate::evaluator::build::environment;
use crate::evaluator::build::template::{self, Template};
use crate::evaluator::build::toolchain::Toolchain;
use crate::evaluator::build::workdir::WorkDir;
use crate::home::Home;
use std::path::Path;

/// Compiles what these arguments of `:dep` ask for, all together, and keeps it for kernels. Gives their names and versions; none
/// if every cell has them anyway. Paths are relative to `directory`.
///
/// # Errors
/// A sentence for the user.
pub fn prepare(
    home: &Home,
    toolchain: &Toolchain,
    template: &Template,
    lines: &[String],
    directory: &Path,
) -> Result<String, String> {
    let failed = |what: &dyn std::fmt::Display| what.to_string();
    let runtime = template.runtime().map_err(|error| failed(&error))?;
    let mut wanted: Vec<Dependency> = Vec::new();
    for line in lines {
        if let Ok(dependency) = understand(line, directory, &runtime)? {
            wanted.retain(|other| other.key() != dependency.key());
            wanted.push(dependency);
        }
    }
    if wanted.is_empty() {
        return Ok(String::new());
    }
    let work = WorkDir::create(home).map_err(|error| failed(&error))?;
    template::link(template, &work).map_err(|error| failed(&error))?;
    let resolver = Resolver::new(&work, toolchain.host(), template)
        .map_err(|error| failed(&error))?
        .with_environment(environment::of_evcxr(&work, toolchain));
    let resolution = resolver.resolve(&wanted)?;
    if !runtime.changes(&resolution.runtime).is_empty() {
        return Err("they change what every cell is linked with: only a notebook can have that, for itself".to_owned());
    }
    resolver.adopt(&resolution)?;
    resolver.build(&wanted)?;
    Ok(resolver.named(&wanted))
}
