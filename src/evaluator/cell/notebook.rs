//! What earlier cells have defined, as far as it changes how a cell is prepared.

use super::items::impls::ImplName;
use std::collections::{BTreeMap, BTreeSet};

/// What earlier cells defined, as far as it changes how a cell is rewritten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notebook {
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
    pub(super) impls: BTreeMap<String, ImplName>,
    pub(super) statics: BTreeSet<String>,
    /// Macros that were defined, and names that were imported and may be macros.
    pub(super) macros: BTreeSet<String>,
}

impl Notebook {
    /// The names of the statics that cells share.
    pub fn statics(&self) -> impl Iterator<Item = &str> {
        self.statics.iter().map(String::as_str)
    }

    /// The same without variables, for code that sees none.
    pub fn without_variables(&self) -> Self {
        Self { variables: BTreeSet::new(), variable_types: BTreeMap::new(), given_up: BTreeSet::new(), ..self.clone() }
    }
}
