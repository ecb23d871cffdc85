//! Generations of statics: which cells share one, after the types that it is made of have changed.
//!
//! Code of a cell that was loaded before a type changed goes on with the old value, whenever it first looks; code that was
//! loaded with the change, or later, gets a new one.

use crate::support::sync::lock;
use crate::tasks::site;
use std::collections::HashMap;
use std::ffi::{CStr, c_void};
use std::sync::Mutex;

static LOADS: Mutex<Option<Loads>> = Mutex::new(None);

#[derive(Default)]
struct Loads {
    count: usize,
    /// By path of the shared object: the how many-th it was.
    libraries: HashMap<Vec<u8>, usize>,
    /// By name of the static: the loads with which it began anew.
    renewed: HashMap<String, Vec<usize>>,
}

/// A cell was loaded from `library`, and with it these statics begin anew.
pub(crate) fn loaded(library: &CStr, renew: Vec<String>) {
    let mut loads = lock(&LOADS);
    let loads = loads.get_or_insert_default();
    loads.count += 1;
    loads.libraries.insert(library.to_bytes().to_vec(), loads.count);
    for name in renew {
        loads.renewed.entry(name).or_default().push(loads.count);
    }
}

/// How often the static called `name` had begun anew when the shared object was loaded that its declaration at `address`
/// lies in.
pub(crate) fn of(name: &str, address: *const c_void) -> usize {
    let loads = lock(&LOADS);
    let Some((loads, renewed)) = loads.as_ref().and_then(|loads| Some((loads, loads.renewed.get(name)?))) else {
        return 0;
    };
    let library = site::library_of(address).and_then(|path| loads.libraries.get(path.to_bytes()));
    library.map_or(0, |load| renewed.iter().filter(|since| *since <= load).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_loaded_before_a_change_keeps_its_generation() {
        static HERE: u8 = 0;
        let here = std::ptr::from_ref(&HERE).cast();
        let this = site::library_of(here).expect("this program");
        loaded(this, Vec::new());
        loaded(c"/a/later/cell.so", vec!["S".into()]);
        assert_eq!((of("S", here), of("T", here)), (0, 0));
        loaded(this, vec!["S".into(), "T".into()]);
        assert_eq!((of("S", here), of("T", here), of("U", here)), (2, 1, 0));
    }
}
