//! What a cell needs to know of the cells before it.

use super::Prepared;
use super::items::ItemKind;
use super::rewrites::impls::Implements;
use std::collections::{BTreeMap, BTreeSet};

/// What earlier cells defined, as far as it changes how a cell is rewritten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Whether the runtime has a `LocalSlot`, so that a cell's `thread_local!` can be one for all cells.
    pub local_slots: bool,
    /// Whether loops and functions look whether they are to end.
    pub ticks: bool,
    /// Whether a cell shows the type of its value too.
    pub typed: bool,
    /// The stored variables, as evcxr knows them, whose old values the runtime is to keep while a cell defines them anew.
    pub variables: BTreeSet<String>,
    /// Their types, as evcxr writes them down.
    pub variable_types: BTreeMap<String, String>,
    /// Stored variables whose types the cell changes: evcxr forgets them before the cell runs.
    pub given_up: BTreeSet<String>,
    pub(super) carriers: BTreeMap<String, Carrier>,
    pub(super) statics: BTreeSet<String>,
    /// Macros that were defined, and names that were imported and may be macros.
    pub(super) macros: BTreeSet<String>,
}

/// The named item to which evcxr attaches an `impl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Carrier {
    pub(super) implements: Implements,
    /// The type, if the same cell defined it: its next definition takes the place of both.
    pub(super) owner: Option<String>,
}

impl Known {
    /// The names of the statics that cells share.
    pub fn statics(&self) -> impl Iterator<Item = &str> {
        self.statics.iter().map(String::as_str)
    }

    /// The same without variables, for code that sees none.
    pub fn without_variables(&self) -> Self {
        Self { variables: BTreeSet::new(), variable_types: BTreeMap::new(), given_up: BTreeSet::new(), ..self.clone() }
    }

    /// Takes note of a cell that has been compiled.
    ///
    /// ```
    /// use loopbook_kernel::evaluator::cell::{Known, prepare};
    /// let mut known = Known::default();
    /// let first = prepare(1, "impl A { fn f(&self) {} }", &known).unwrap();
    /// known.learn(&first);
    /// // The second version gets the same carrier, so evcxr replaces the first.
    /// let second = prepare(2, "impl A { fn f(&self) { g() } }", &known).unwrap();
    /// assert_eq!(first.items[0].name, second.items[0].name);
    /// ```
    pub fn learn(&mut self, cell: &Prepared) {
        for (name, carrier) in &cell.carriers {
            match carrier {
                Some(carrier) => self.carriers.insert(name.clone(), carrier.clone()),
                None => self.carriers.remove(name),
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
