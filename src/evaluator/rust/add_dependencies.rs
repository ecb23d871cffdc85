//! `:dep`: crates of the notebook's own. Whatever goes wrong, the notebook has what it had before.
//!
//! evcxr hears of a dependency only after it has been compiled. cargo resolves it in a directory of its own, the crates
//! below the runtime are compared with the template's (`cargo tree`), and our own call of cargo compiles it. What fails
//! or is interrupted until then never reaches evcxr or rust-analyzer, so nothing has to be taken back.

use super::session::Session;
use super::variables::typed;
use crate::evaluator::Cell;
use crate::evaluator::build::built_in::DEPENDENCIES;
use crate::evaluator::build::dependencies::{self, Change, Dependency, Resolution};
use crate::evaluator::build::template;
use crate::evaluator::cell::{ItemKind, PreparedCell, Problem};
use crate::evaluator::child::executions::Reach;
use crate::evaluator::errors::diagnostics::byte_offset;
use crate::evaluator::errors::report::quoted;
use crate::evaluator::errors::{missing_crates, report};
use loopbook_channel::Query;

/// Crates that come with the compiler.
const OF_RUST: [&str; 5] = ["alloc", "core", "proc_macro", "std", "test"];

/// What the process that runs the cells holds.
struct Holdings {
    /// Variables and statics.
    names: Vec<String>,
    /// Unfinished tasks.
    tasks: usize,
}

impl Session {
    /// Adds the crates of these `:dep` lines, all or none of them.
    ///
    /// # Errors
    /// A message for the user.
    pub(super) fn add_dependencies(&mut self, cell: &Cell, lines: &[String]) -> Result<(), String> {
        let mut wanted: Vec<Dependency> = Vec::new();
        for args in lines {
            match dependencies::understand(args, self.environment.notebook_dir(), &self.runtime)? {
                Ok(dependency) => {
                    wanted.retain(|other| other.key() != dependency.key());
                    wanted.push(dependency);
                }
                Err(note) => self.show_text(cell, &note),
            }
        }
        let asked = wanted.clone();
        // A crate in a directory may have another manifest by now.
        wanted.retain(|dependency| dependency.is_in_directory() || !self.dependencies.contains(dependency));
        if !wanted.is_empty() {
            let is_replaced = |old: &&Dependency| !wanted.iter().any(|new| new.key() == old.key());
            let all: Vec<Dependency> = self.dependencies.iter().filter(is_replaced).chain(&wanted).cloned().collect();
            self.add(cell, &wanted, all)?;
        }
        // Also if they are there already: so the cell shows the same whenever it is run.
        if !asked.is_empty() {
            self.executions.build_has_brought(&format!("Added {}.", self.resolver.named(&asked)));
        }
        Ok(())
    }

    /// What is wrong with an `extern crate` of this cell. evcxr would have cargo add the crate, whatever that costs.
    pub(super) fn extern_crate_without_crate(&self, cell: &Cell, prepared: &PreparedCell) -> Option<Problem> {
        let own = self.dependencies.iter().map(Dependency::key);
        let all: Vec<String> =
            DEPENDENCIES.iter().map(|(name, _)| *name).chain(own).map(|name| name.replace('-', "_")).collect();
        let (item, name) = prepared.items.iter().find_map(|item| match &item.kind {
            ItemKind::ExternCrate { krate } if krate != "self" && !all.contains(krate) => Some((item, krate)),
            _ => None,
        })?;
        let (message, help) = if OF_RUST.contains(&name.as_str()) {
            let help =
                format!("leave this line out; if the name is needed, `use std as {name};` gives it what `std` has");
            (format!("`extern crate {name}` cannot stand in a cell"), help)
        } else {
            (format!("can't find crate for `{name}`"), missing_crates::hint(name))
        };
        let line = byte_offset(&cell.code, item.line, 1);
        let start = cell.code[line..].find(name.as_str()).map_or(line, |at| line + at);
        let mut problem = Problem::new(message, &cell.code, start..start + name.len(), "").with_help(help);
        problem.code = (!OF_RUST.contains(&name.as_str())).then(|| "E0463".to_owned());
        Some(problem)
    }

    fn add(&mut self, cell: &Cell, wanted: &[Dependency], all: Vec<Dependency>) -> Result<(), String> {
        let names = quoted(&wanted.iter().map(|dependency| dependency.key().to_owned()).collect::<Vec<_>>());
        let failed = |why: String| format!("{names} could not be added, and nothing was changed: {why}");
        let started = std::time::Instant::now();
        let resolution = self.resolver.resolve(&all).map_err(failed)?;
        tracing::info!("resolved {names} after {:.3} s", started.elapsed().as_secs_f64());
        self.go_on_unless_interrupted()?;
        let changes = self.runtime.changes(&resolution.runtime);
        if !changes.is_empty() {
            let holdings = self.holdings();
            if !holdings.is_empty() {
                return Err(report::changes_runtime(&names, &changes, &holdings.names, holdings.tasks));
            }
            self.give_up_runtime(cell, &changes)?;
        }
        let versions = self.resolver.adopt(&resolution)?;
        let built = self.resolver.build(&all).map_err(failed).and_then(|()| {
            self.go_on_unless_interrupted()?;
            let lines: String = wanted.iter().map(|dependency| format!(":dep {}\n", dependency.line())).collect();
            self.context.execute(&lines).map_err(|error| failed(error.to_string()))
        });
        if let Err(message) = built {
            self.take_back(&resolution, &versions)?;
            return Err(message);
        }
        self.dependencies = all;
        self.runtime = resolution.runtime;
        self.versions = self.resolver.versions().ok();
        Ok(())
    }

    /// An interrupted cell has been answered already; what it still does must change nothing.
    fn go_on_unless_interrupted(&self) -> Result<(), String> {
        if self.executions.interrupts() == 0 { Ok(()) } else { Err("the cell was interrupted".into()) }
    }

    /// What would be lost with the process that runs the cells.
    fn holdings(&self) -> Holdings {
        let mut names = self.variables();
        names.extend(self.statics());
        let query = Query::Tasks { all: false, cell: None, sort: None };
        let answer =
            self.executions.connection().map(|connection| async_std::task::block_on(connection.query_living(query)));
        let (_, living) = answer.and_then(Result::ok).unwrap_or_default();
        // This cell itself is not worth keeping.
        Holdings { names, tasks: living.independent }
    }

    /// Ends the process that has the present runtime loaded, and has the runtime compiled anew by the next build.
    fn give_up_runtime(&mut self, cell: &Cell, changes: &[Change]) -> Result<(), String> {
        self.replace_child();
        self.show_text(cell, &report::runtime_is_rebuilt(changes));
        template::forget_runtime(&self.environment.work)
            .map_err(|error| format!("the runtime cannot be compiled anew: {error}"))
    }

    /// After a build that failed: the next cell must find the versions and the runtime that its dependencies mean.
    fn take_back(&mut self, tried: &Resolution, versions: &str) -> Result<(), String> {
        let is_rebuilt = self.runtime != tried.runtime;
        if is_rebuilt {
            let restored = if self.runtime == self.linked.runtime {
                template::restore_runtime(&self.linked.template, &self.environment.work)
            } else {
                template::forget_runtime(&self.environment.work)
            };
            restored.map_err(|error| format!("the runtime cannot be put back: {error}; restart the kernel"))?;
        }
        self.resolver.set_versions(versions)?;
        if is_rebuilt {
            self.replace_child();
        }
        Ok(())
    }

    /// What says which of the present variables and statics changed crates cost.
    pub(super) fn reach(&self) -> Option<Reach> {
        if self.dependencies.is_empty() {
            return None;
        }
        let types = self.types.clone();
        let variables = self.typed_variables();
        Some(Box::new(move |crates| types.reached_by_crates(crates, typed(&variables))))
    }

    /// Makes the runtime that this kernel began with the present one again, for a notebook without dependencies.
    ///
    /// # Errors
    /// If the working directory cannot be written.
    pub(super) fn restore_runtime(&mut self) -> std::io::Result<()> {
        if self.runtime != self.linked.runtime {
            template::restore_runtime(&self.linked.template, &self.environment.work)?;
            self.runtime = self.linked.runtime.clone();
        }
        Ok(())
    }
}

impl Holdings {
    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.tasks == 0
    }
}
