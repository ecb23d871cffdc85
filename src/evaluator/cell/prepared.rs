//! A cell that evcxr may get, and how it is made of what the user typed.

use super::items::impls::ImplName;
use super::items::layouts::{Layout, SlotName};
use super::items::{self, Binding, Item, ItemKind, duplicates, layouts, main_function};
use super::map::import_lines;
use super::map::source_map::SourceMap;
use super::notebook::Notebook;
use super::parse::head::{Cleaned, Command};
use super::parse::problem::{self, Problem};
use super::parse::syntax::Tree;
use super::parse::{SHALLOW, dangling, head, nesting, on_a_large_stack};
use super::rewrites::edits::Edits;
use super::rewrites::origin::Origin;
use super::rewrites::unstored::Unstored;
use super::rewrites::{
    await_sites, impls, imports, lazy_futures, macros, marks, mutex_variable, old_values, places, show, statics,
    test_functions, thread_locals, ticks, try_operator, unstored,
};

/// A cell that evcxr may get.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedCell {
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
    pub unstored: Vec<Unstored>,
    /// Its definitions that decide how values are laid out.
    pub layouts: Vec<Layout>,
    /// Its statics and thread-unstored that live in the runtime.
    pub slots: Vec<SlotName>,
    /// What to tell the user about it once it has been compiled, a sentence each.
    pub notes: Vec<String>,
    impls: Vec<(String, Option<ImplName>)>,
    statics: Vec<String>,
    pub(super) origin: Origin,
}

/// Prepares a cell. `cell` is the number that its line marks carry, `notebook` what earlier cells defined; once the cell
/// has been compiled, tell [`Notebook::learn`].
///
/// ```
/// use loopbook_kernel::evaluator::cell::{Notebook, prepare};
/// let prepared = prepare(3, "let x = 1;\nx + 1", &Notebook::default()).unwrap();
/// assert_eq!(prepared.rust, "/*lb:3:1*/let x = 1;\n::loopbook::__show!(/*lb:3:2*/x + 1);");
/// ```
///
/// # Errors
/// What is wrong with the cell, at most five problems: it does not parse, or it holds something that cannot work in a
/// cell.
pub fn prepare(cell: u32, code: &str, notebook: &Notebook) -> Result<PreparedCell, Vec<Problem>> {
    prepare_from(Origin { cell, code: code.to_owned(), notebook: notebook.clone(), ..Origin::default() })
}

/// [`prepare`], with what a first try has shown to be necessary.
pub(super) fn prepare_from(origin: Origin) -> Result<PreparedCell, Vec<Problem>> {
    let cleaned = head::clean(&origin.code)?;
    let scan = nesting::scan(&cleaned.text);
    if let Some(fault) = &scan.fault {
        return Err(vec![fault.problem(&cleaned.text)]);
    }
    on_a_large_stack(scan.longest > SHALLOW, || rewrite(cleaned, origin))
}

fn rewrite(cleaned: Cleaned, origin: Origin) -> Result<PreparedCell, Vec<Problem>> {
    let text = cleaned.text;
    let tree = Tree::parse(&text).map_err(|problems| dangling::instead_of(problems, &text))?;
    let mut edits = Edits::default();
    let mut problems = try_operator::rewrite(&tree, &text, &mut edits);
    problems.extend(macros::rewrite(&tree, &text, &mut edits));
    problems.extend(duplicates::check(&tree, &text));
    problems.extend(dangling::check(&tree, &text));
    let mut slots = Vec::new();
    let (statics, static_problems) = statics::rewrite(&tree, &text, &origin.notebook, &mut edits, &mut slots);
    problems.extend(static_problems);
    if !problems.is_empty() {
        problems.sort_by_key(Problem::place);
        problems.truncate(problem::MOST);
        return Err(problems);
    }
    // First, so that the braces around a closure's body end before what else ends there.
    if origin.notebook.ticks && origin.cell != 0 {
        ticks::rewrite(&tree, &text, &mut edits);
    }
    if !origin.unwatched && origin.cell != 0 {
        await_sites::rewrite(&tree, &text, origin.cell, &mut edits);
    }
    let thread_locals = thread_locals::rewrite(&tree, &text, &origin.notebook, &mut edits, &mut slots);
    let impls = impls::rewrite(&tree, &origin.notebook, &mut edits);
    places::rewrite(&tree, &text, &origin, &mut edits);
    mutex_variable::rewrite(&tree, &mut edits);
    let mut notes = test_functions::rewrite(&tree, &mut edits);
    notes.extend(main_function::note(&tree));
    imports::rewrite(&tree, &mut edits);
    show::rewrite(&tree, &thread_locals, &origin, &mut edits);
    let unstored = unstored::rewrite(&tree, &text, &origin, &mut edits);
    old_values::rewrite(&tree, &origin.notebook, &unstored, &mut edits);
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
    Ok(PreparedCell {
        commands: cleaned.commands,
        rust,
        map,
        items,
        lets,
        unstored,
        layouts,
        slots,
        notes,
        impls,
        statics,
        origin,
    })
}

impl Notebook {
    /// Takes note of a cell that has been compiled.
    ///
    /// ```
    /// use loopbook_kernel::evaluator::cell::{Notebook, prepare};
    /// let mut notebook = Notebook::default();
    /// let first = prepare(1, "impl A { fn f(&self) {} }", &notebook).unwrap();
    /// notebook.learn(&first);
    /// // The second version gets the same name, so evcxr replaces the first.
    /// let second = prepare(2, "impl A { fn f(&self) { g() } }", &notebook).unwrap();
    /// assert_eq!(first.items[0].name, second.items[0].name);
    /// ```
    pub fn learn(&mut self, cell: &PreparedCell) {
        for (name, named) in &cell.impls {
            match named {
                Some(named) => self.impls.insert(name.clone(), named.clone()),
                None => self.impls.remove(name),
            };
        }
        for item in cell.items.iter().filter(|item| item.kind == ItemKind::Static) {
            self.statics.remove(&item.name);
        }
        self.statics.extend(cell.statics.iter().cloned());
        for item in &cell.items {
            match &item.kind {
                ItemKind::Macro => drop(self.macros.insert(item.name.clone())),
                ItemKind::Use { names } => self.macros.extend(names.iter().cloned()),
                _ => {}
            }
        }
    }
}
