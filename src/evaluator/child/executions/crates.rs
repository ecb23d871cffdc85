//! What a cell costs if the notebook's crates are not what they were when the last cell was loaded.
//!
//! The cells' crate has the same identity whatever it depends on (`IDENTITY` in the shim for rustc), or each `:dep`
//! would cost every variable of a type of the notebook's. So the compiler does not notice that a crate below those
//! types is another one. The kernel does: whenever a cell is loaded, it compares the crates with those that the last
//! one was compiled with, and gives up the variables and statics that are made of their types.

use super::{Executions, State};
use crate::evaluator::build::shims::Crates;
use crate::evaluator::cell::changed_types::Redefined;
use std::collections::BTreeSet;

/// Says which variables and statics can hold what these crates define.
pub type Reach = Box<dyn Fn(&BTreeSet<String>) -> Redefined + Send>;

/// The crates that the loaded cells were compiled with.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) crates: Crates,
    reach: Option<Reach>,
}

impl Executions {
    /// From now on `reach` says what changed crates cost; `None` while the notebook has none of its own.
    pub fn set_reach(&self, reach: Option<Reach>) {
        self.lock().loaded.reach = reach;
    }

    /// Whether a crate was compiled anew since the last cell was loaded.
    pub fn has_other_crates(&self) -> bool {
        let present = (self.builds.crates)();
        !self.lock().loaded.crates.changed(&present).is_empty()
    }
}

impl State {
    /// A cell was loaded that was compiled with these crates. Gives what that costs.
    pub(super) fn loads_with(&mut self, crates: Crates) -> Redefined {
        let changed = self.loaded.crates.changed(&crates);
        self.loaded.crates = crates;
        let reach = self.loaded.reach.as_ref().filter(|_| !changed.is_empty());
        reach.map(|reach| reach(&changed)).unwrap_or_default()
    }
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded").field("crates", &self.crates).finish_non_exhaustive()
    }
}
