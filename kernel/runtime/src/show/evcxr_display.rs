//! Values that show themselves: what `evcxr_display` prints while the value of a cell is looked at is that cell's result.

use crate::connection;
use crate::support::sync::lock;
use crate::tasks::context;
use loopbook_channel::{CellId, ToKernel};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The cells whose values may be showing themselves, and whether the kernel knows. Few: one for each shell.
static SHOWING: Mutex<Vec<(CellId, bool)>> = Mutex::new(Vec::new());
/// Their number, so that those who print need not ask for the lock.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// As long as it lives, what the running cell shows by printing is its result.
#[derive(Debug)]
pub struct Showing {
    cell: CellId,
}

impl Showing {
    /// The value of the running cell is about to be looked at.
    pub fn begin() -> Self {
        let cell = context::current_cell();
        lock(&SHOWING).push((cell, false));
        COUNT.fetch_add(1, Ordering::Relaxed);
        Self { cell }
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        let mut showing = lock(&SHOWING);
        COUNT.fetch_sub(1, Ordering::Relaxed);
        let at = showing.iter().rposition(|(cell, _)| *cell == self.cell);
        let is_known = at.is_some_and(|at| showing.remove(at).1);
        drop(showing);
        if is_known {
            connection::send(&ToKernel::ShowsItself { cell: self.cell, begins: false });
        }
    }
}

/// Something is about to be sent that was printed for this cell. Most values print nothing, and the kernel hears nothing.
pub(crate) fn before_output(cell: CellId) {
    if COUNT.load(Ordering::Relaxed) == 0 {
        return;
    }
    let mut showing = lock(&SHOWING);
    let first = showing.iter_mut().find(|(of, is_known)| *of == cell && !is_known);
    let Some((_, is_known)) = first else { return };
    *is_known = true;
    drop(showing);
    connection::send(&ToKernel::ShowsItself { cell, begins: true });
}
