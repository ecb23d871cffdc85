//! Why a cell failed, in the words that the user reads.

use super::session::Session;
use crate::evaluator::cell::{self, Prepared};
use crate::evaluator::death::Death;
use crate::evaluator::diagnostics::{Diagnostic, depends_on_rewrites, distinct};
use crate::evaluator::{Cell, Report, hints, missing_crates, report, wording};
use evcxr::CompilationError;

/// What to compile in place of a cell with these errors, which may be of our making.
pub(super) fn another_try(prepared: &Prepared, errors: &[Diagnostic]) -> Option<Prepared> {
    // Nobody can know the type of its value.
    let is_vague = |error: &Diagnostic| error.code.as_ref().is_some_and(|code| code.code == "E0282");
    let unshown = cell::unshown(prepared).filter(|_| errors.iter().all(is_vague));
    unshown.or_else(|| cell::as_typed(prepared).filter(|_| depends_on_rewrites(errors)))
}

impl Session {
    /// The errors among these diagnostics, those of this cell first: warnings of other cells are no reason to fail.
    pub(super) fn errors_of(&self, cell: &Cell, errors: &[CompilationError]) -> Vec<Diagnostic> {
        let diagnostics = errors.iter().filter_map(|error| Diagnostic::from_json(&error.json));
        let errors = diagnostics.filter(|diagnostic| diagnostic.level.starts_with("error")).collect();
        let mut diagnostics = distinct(errors, &self.sources);
        diagnostics.sort_by_key(|diagnostic| {
            diagnostic.place(&self.sources).is_none_or(|(number, _, _)| number != cell.number)
        });
        diagnostics
    }

    /// A cell with errors. Remembers the code of the first for `:explain`.
    pub(super) fn does_not_compile(
        &mut self,
        cell: &Cell,
        diagnostics: &[Diagnostic],
        errors: &[CompilationError],
    ) -> Report {
        let code = diagnostics.iter().find_map(|diagnostic| diagnostic.code.as_ref());
        self.last_code = code.map(|code| code.code.clone()).or(self.last_code.take());
        let fallback: Vec<_> = errors.iter().map(|error| error.message()).collect();
        let fallback = fallback.join("\n");
        // rustc or the linker has said so, about no line of the user's.
        if wording::is_disk_full(&fallback) {
            return report::disk_full();
        }
        let crates = missing_crates::hints(diagnostics);
        let mut hints = hints::of(&cell.code, diagnostics, &fallback);
        hints.extend(crates.iter().map(String::as_str));
        report::compile_error(diagnostics, &self.sources, &hints, &fallback)
    }

    /// A cell that compiles, but that evcxr cannot take, as it says in `message`.
    pub(super) fn refused(&self, cell: &Cell, message: &str) -> Report {
        if wording::is_disk_full(message) {
            return report::disk_full();
        }
        let hints = hints::of(&cell.code, &[], message);
        report::compile_error(&[], &self.sources, &hints, &wording::without_json(message))
    }

    /// A cell that has ended its process, with this status. All that it printed is waited for.
    pub(super) fn child_died(&self, status: &str, variables: &[String]) -> Report {
        let words = self.executions.wait_for_last_words();
        let said = self.last_words();
        let death = match said.is_empty() {
            true => Death::of(status, words.as_ref()),
            false => Death { how: said.join("; "), help: None },
        };
        let interrupted = self.executions.interrupts() > 1;
        report::child_died(&death, variables, interrupted)
    }
}
