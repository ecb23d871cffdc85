//! One preprocessing pass over every cell: what the user typed becomes what evcxr gets.
//!
//! A cell goes through these steps, each in its own file:
//!
//! 1. `clean`: line ends, a shebang, notebook comments and leading `:` commands,
//! 2. `scan`: brackets, strings and comments that do not end, and nesting that no parser survives,
//! 3. `syntax`: a real parse; what does not parse is refused, because evcxr would report it as success,
//! 4. the rewrites, which only note `edits`: `question`, `awaits`, `ticks`, `macros`, `carriers`, `rename`, `statics`,
//!    `thread_locals`, `imports`, `places`, `test_functions`, `main_function`, `spares`, `show`, `locals` (with `spent` and `foreseen`), `keep`,
//!    `marks`,
//! 5. `dangling`: attributes of nothing; `twice`: names that the cell defines twice; `items`: what it defines,
//! 6. `source_map`: the way back from a place in evcxr's code to a place in the cell; `columns`: the same for code that
//!    runs; `unmarked`: for the lines that evcxr writes anew,
//! 7. if the cell has ended its process: `only_items`.
//!
//! Everything here is pure: no I/O, no clock, no state between cells but [`Known`].

pub mod changed_types;
mod items;
mod map;
mod notebook;
mod only_items;
mod parse;
mod rewrites;
pub mod subshell;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod time_tests;

pub use items::layouts::{Layout, SlotName, UNKNOWN};
pub use items::{Binding, Item, ItemKind};
pub use map::source_map::SourceMap;
pub use notebook::Known;
pub use only_items::only_items;
pub use parse::blocks::is_in_block;
pub use parse::complete::is_complete;
pub use parse::head::Command;
pub use parse::problem::{Problem, Span};
pub use rewrites::awaits::unwatched;
pub use rewrites::lazy_futures::keep_future;
pub use rewrites::mutex_variable::{MUTEX, RENAMED_MUTEX};
pub use rewrites::show::unshown;
pub use rewrites::ticks::as_typed;
pub(super) use rewrites::unstored::dropped_by;
pub use rewrites::unstored::{Lesson, Local, Why, learn, unboxed};

use items::{duplicates, layouts, main_function};
use map::import_lines;
use notebook::Carrier;
use parse::syntax::Tree;
use parse::{dangling, head, nesting, problem};
use rewrites::edits::Edits;
use rewrites::{
    awaits, impls, imports, lazy_futures, macros, marks, mutex_variable, old_values, places, show, statics,
    test_functions, thread_locals, ticks, try_operator, unstored,
};
use std::collections::{BTreeMap, BTreeSet};

/// Parts of a nested expression up to which a cell is parsed on the caller's stack.
const SHALLOW: usize = 200;

/// Stack for parsing what is nested more deeply, in bytes.
const DEEP_STACK: usize = 64 * 1024 * 1024;

/// A cell that evcxr may get.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The leading `:` lines, in order.
    pub commands: Vec<Command>,
    /// What evcxr gets; empty if the cell holds only commands and comments. None of its lines looks like a command of
    /// evcxr's.
    pub rust: String,
    /// The way back from `rust` to the cell as typed.
    pub map: SourceMap,
    /// The items that the cell defines at its top level, in order.
    pub items: Vec<Item>,
    /// The `let` statements at the cell's top level, in order.
    pub lets: Vec<Binding>,
    /// The variables that it does not keep for later cells.
    pub locals: Vec<Local>,
    /// Its definitions that decide how values are laid out.
    pub layouts: Vec<Layout>,
    /// Its statics and thread-locals that live in the runtime.
    pub slots: Vec<SlotName>,
    /// What to tell the user about it once it has been compiled, a sentence each.
    pub notes: Vec<String>,
    carriers: Vec<(String, Option<Carrier>)>,
    statics: Vec<String>,
    origin: Origin,
}

/// What a cell was prepared from, for a second try.
#[derive(Debug, Clone, PartialEq, Default)]
struct Origin {
    cell: u32,
    code: String,
    known: Known,
    /// Variables whose initialisers are boxed.
    kept: Vec<String>,
    /// Variables that cannot be kept.
    not_kept: BTreeMap<String, Why>,
    /// Variables whose types rust-analyzer may know in a `let` of their own.
    typed_from_behind: BTreeSet<String>,
    /// Of those that cannot be kept, whether they are dropped before the others are stored.
    ends: BTreeMap<String, bool>,
    /// Whether the value of the last expression is not looked at.
    unshown: bool,
    /// Whether nobody is told at which `.await` it stands.
    unwatched: bool,
}

/// Prepares a cell. `cell` is the number that its line marks carry, `known` what earlier cells defined; once the cell
/// has been compiled, tell [`Known::learn`].
///
/// ```
/// use loopbook_kernel::evaluator::cell::{Known, prepare};
/// let prepared = prepare(3, "let x = 1;\nx + 1", &Known::default()).unwrap();
/// assert_eq!(prepared.rust, "/*lb:3:1*/let x = 1;\n::loopbook::__show!(/*lb:3:2*/x + 1);");
/// ```
///
/// # Errors
/// What is wrong with the cell, at most five problems: it does not parse, or it holds something that cannot work in a
/// cell.
pub fn prepare(cell: u32, code: &str, known: &Known) -> Result<Prepared, Vec<Problem>> {
    prepare_from(Origin { cell, code: code.to_owned(), known: known.clone(), ..Origin::default() })
}

/// [`prepare`], with what a first try has shown to be necessary.
fn prepare_from(origin: Origin) -> Result<Prepared, Vec<Problem>> {
    let cleaned = head::clean(&origin.code)?;
    let scan = nesting::scan(&cleaned.text);
    if let Some(fault) = &scan.fault {
        return Err(vec![fault.problem(&cleaned.text)]);
    }
    on_a_large_stack(scan.longest > SHALLOW, || rewrite(cleaned, origin))
}

/// Runs `work`, on a thread with a large stack if asked: parsers recurse as deeply as expressions nest.
fn on_a_large_stack<T: Send>(large: bool, work: impl FnOnce() -> T + Send) -> T {
    if !large {
        return work();
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(DEEP_STACK).spawn_scoped(scope, work);
        let thread = thread.expect("a thread can be started");
        thread.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload))
    })
}

fn rewrite(cleaned: head::Cleaned, origin: Origin) -> Result<Prepared, Vec<Problem>> {
    let text = cleaned.text;
    let tree = Tree::parse(&text).map_err(|problems| dangling::instead_of(problems, &text))?;
    let mut edits = Edits::default();
    let mut problems = try_operator::rewrite(&tree, &text, &mut edits);
    problems.extend(macros::rewrite(&tree, &text, &mut edits));
    problems.extend(duplicates::check(&tree, &text));
    problems.extend(dangling::check(&tree, &text));
    let mut slots = Vec::new();
    let (statics, static_problems) = statics::rewrite(&tree, &text, &origin.known, &mut edits, &mut slots);
    problems.extend(static_problems);
    if !problems.is_empty() {
        problems.sort_by_key(Problem::place);
        problems.truncate(problem::MOST);
        return Err(problems);
    }
    // First, so that the braces around a closure's body end before what else ends there.
    if origin.known.ticks && origin.cell != 0 {
        ticks::rewrite(&tree, &text, &mut edits);
    }
    if !origin.unwatched && origin.cell != 0 {
        awaits::rewrite(&tree, &text, origin.cell, &mut edits);
    }
    let thread_locals = thread_locals::rewrite(&tree, &text, &origin.known, &mut edits, &mut slots);
    let carriers = impls::rewrite(&tree, &origin.known, &mut edits);
    places::rewrite(&tree, &text, &origin, &mut edits);
    mutex_variable::rewrite(&tree, &mut edits);
    let mut notes = test_functions::rewrite(&tree, &mut edits);
    notes.extend(main_function::note(&tree));
    imports::rewrite(&tree, &mut edits);
    show::rewrite(&tree, &thread_locals, &origin, &mut edits);
    let locals = unstored::rewrite(&tree, &text, &origin, &mut edits);
    old_values::rewrite(&tree, &origin.known, &locals, &mut edits);
    for variable in &origin.kept {
        lazy_futures::rewrite(&tree, variable, &mut edits);
    }
    marks::rewrite(&tree, origin.cell, &thread_locals, &mut edits);
    let items = items::items(&tree, &text);
    let lets = items::lets(&tree, &text);
    let layouts = layouts::layouts(&tree);
    let unmarked = import_lines::lines(&tree, &text);
    let map = if tree.is_empty() { SourceMap::empty(text) } else { edits.render(text).with_unmarked(unmarked) };
    let rust = map.rewritten().to_owned();
    Ok(Prepared {
        commands: cleaned.commands,
        rust,
        map,
        items,
        lets,
        locals,
        layouts,
        slots,
        notes,
        carriers,
        statics,
        origin,
    })
}
