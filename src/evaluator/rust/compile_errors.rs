//! Why a cell failed, in the words that the user reads.

use super::session::Session;
use crate::evaluator::build::shims;
use crate::evaluator::build::shims::Crates;
use crate::evaluator::cell::changed_types::Redefined;
use crate::evaluator::cell::{Binding, Finding, MUTEX, PreparedCell, RENAMED_MUTEX, Why};
use crate::evaluator::completion::Names;
use crate::evaluator::errors::death::Death;
use crate::evaluator::errors::diagnostics::{Diagnostic, depends_on_rewrites, distinct};
use crate::evaluator::errors::gone::How;
use crate::evaluator::errors::{hints, missing_crates, not_stored, report};
use crate::evaluator::support::wording;
use crate::evaluator::{Cell, Report};
use evcxr::CompilationError;
use std::ops::Range;
use std::path::Path;

/// What to compile in place of a cell with these errors, which may be of our making.
pub(super) fn another_try(prepared: &PreparedCell, errors: &[Diagnostic]) -> Option<PreparedCell> {
    // Nobody can know the type of its value.
    let is_vague = |error: &Diagnostic| error.error_code() == Some("E0282");
    let unshown = prepared.without_value().filter(|_| errors.iter().all(is_vague));
    let why = if errors.iter().any(Diagnostic::is_about_lifetimes) { Why::Borrows } else { Why::Unnameable };
    unshown.or_else(|| prepared.unboxed(&why)).or_else(|| prepared.as_typed().filter(|_| depends_on_rewrites(errors)))
}

/// What to compile in place of a cell with a variable that evcxr cannot store, as it says in `message`.
pub(super) fn without_refused(prepared: &PreparedCell, message: &str) -> Option<PreparedCell> {
    let boxed = hints::lazy_future(message).and_then(|name| prepared.boxing(name));
    let refused = not_stored::refused(message);
    // What stands around an `.await` may be why its type is not seen.
    let is_unknown = refused.as_ref().is_none_or(|(_, why)| *why == Why::Unknown);
    let seen = || prepared.without_await_marks().filter(|_| is_unknown);
    let hidden = |(name, why): (&str, Why)| prepared.having_learnt(&[Finding::NotKept(name.to_owned(), why)]);
    boxed.or_else(seen).or_else(|| refused.and_then(hidden))
}

/// What an error shows about a variable of this cell. One that is nothing but a stored variable, as in `let mut m = m;`, is to
/// be kept: the error is said, and costs nothing.
fn finding_about(prepared: &PreparedCell, error: &Diagnostic) -> Option<Finding> {
    let is_defined = |name: &String| {
        let name = if name == RENAMED_MUTEX { MUTEX } else { name };
        let is_itself = |init: &Range<usize>| prepared.map.source()[init.clone()].trim() == name;
        let defines = |binding: &&Binding| binding.names.iter().any(|defined| defined == name);
        let last = prepared.lets.iter().rfind(defines);
        last.is_some_and(|binding| !binding.init.as_ref().is_some_and(is_itself))
    };
    error.finding().filter(|finding| match finding {
        Finding::NotKept(name, _) | Finding::Moves(name) | Finding::Ends(_, name) => is_defined(name),
    })
}

/// Has the errors suggest imports that a cell can write, for the kernel with this working directory.
pub(super) fn choose_imports(errors: &mut [Diagnostic], names: &Names, root: &Path) {
    let (reference, crates) = (names.reference(), Crates::of(root));
    for error in errors {
        error.choose_imports(|path| reference.usable(path, |name| crates.has(name)));
    }
}

impl Session {
    /// What to try after errors; `None` for the same once more, now that its variables have been given up.
    pub(super) fn after_errors(
        &mut self,
        cell: &Cell,
        prepared: &PreparedCell,
        errors: &[CompilationError],
        redefined: &mut Redefined,
    ) -> Result<Option<PreparedCell>, Report> {
        let diagnostics = self.errors_of(cell, errors);
        let is_evcxrs = diagnostics.iter().all(|diagnostic| diagnostic.place(&self.sources).is_none());
        if is_evcxrs && (!redefined.variables.is_empty() || self.executions.has_other_crates()) {
            self.give_up_before(std::mem::take(redefined));
            return Ok(None);
        }
        // evcxr found a type changed that looked the same, and has given up variables on its own.
        if !self.notebook.variables.iter().eq(&self.variables()) {
            return Ok(Some(self.prepare_again(cell, prepared, &redefined.variables)));
        }
        let other = self.without_unstored(prepared).or_else(|| another_try(prepared, &diagnostics));
        other.map(Some).ok_or_else(|| self.does_not_compile(cell, prepared, diagnostics, errors))
    }

    /// The cell without what the compiler could not store; `None` if that is not all that was wrong, or nothing of it is
    /// this cell's.
    pub(super) fn without_unstored(&self, prepared: &PreparedCell) -> Option<PreparedCell> {
        let said = shims::last_diagnostics(self.environment.work.root());
        let errors = said.iter().filter_map(Diagnostic::from_json).filter(|diagnostic| {
            diagnostic.level.starts_with("error") && !diagnostic.message.starts_with("aborting due to")
        });
        let findings: Option<Vec<Finding>> = errors.map(|error| finding_about(prepared, &error)).collect();
        findings.and_then(|findings| prepared.having_learnt(&findings))
    }

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
        prepared: &PreparedCell,
        mut diagnostics: Vec<Diagnostic>,
        errors: &[CompilationError],
    ) -> Report {
        // What else is wrong comes first; without it, what cannot be kept would not be kept.
        if diagnostics.iter().any(|error| finding_about(prepared, error).is_none()) {
            diagnostics.retain(|error| finding_about(prepared, error).is_none());
        }
        self.gone.explain(&mut diagnostics, cell.number);
        choose_imports(&mut diagnostics, &self.names, self.environment.work.root());
        self.last_code = diagnostics.iter().find_map(Diagnostic::error_code).map(str::to_owned);
        let fallback: Vec<_> = errors.iter().map(|error| error.message()).collect();
        let fallback = fallback.join("\n");
        // rustc or the linker has said so, about no line of the user's.
        if wording::is_disk_full(&fallback) {
            return report::disk_full();
        }
        let crates = missing_crates::hints(&diagnostics);
        let mut hints = hints::of(&cell.code, &diagnostics, &fallback);
        hints.extend(crates.iter().map(String::as_str));
        report::compile_error(&diagnostics, &self.sources, &hints, &fallback)
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
    pub(super) fn child_died(&mut self, cell: &Cell, status: &str, variables: &[String]) -> Report {
        for name in variables {
            self.gone.note(name, cell.number, None, How::Died);
        }
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
