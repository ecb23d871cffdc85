//! evcxr's store of variables, compiled once.
//!
//! evcxr writes its own store into every cell, as a module `evcxr_internal_runtime`, and rustc compiles its hash map anew each
//! time. The kernel puts a `use` of this module in its place (`build/shims/thin.rs` there): the same names and signatures, with
//! as little as possible that depends on a variable's type.

use crate::process::evcxr_markers;
use std::any::{Any, TypeId};
use std::collections::HashMap;

/// What evcxr prints when its own `?` fails.
pub const USER_ERROR_OCCURRED: &str = evcxr_markers::ERROR;

/// The notebook's variables between two cells.
#[derive(Debug, Default)]
pub struct VariableStore {
    variables: HashMap<String, Box<dyn Any>>,
}

/// Makes the store, for the first cell.
pub fn create_variable_store() -> *mut VariableStore {
    Box::into_raw(Box::default())
}

impl VariableStore {
    /// Stores a variable, when a cell ends.
    pub fn put_variable<T: 'static>(&mut self, name: &str, value: T) {
        self.put(name, Box::new(value));
    }

    /// Whether the variable has the type by which the cell knows it. If not, evcxr hears of it, gives the variable up and
    /// compiles the cell once more.
    pub fn check_variable<T: 'static>(&mut self, name: &str) -> bool {
        self.check(name, TypeId::of::<T>())
    }

    /// Takes a variable out, when a cell begins.
    ///
    /// # Panics
    /// If it is not there, or of another type: [`VariableStore::check_variable`] has been asked.
    pub fn take_variable<T: 'static>(&mut self, name: &str) -> T {
        let value = self.take(name, TypeId::of::<T>()).cast::<T>();
        // SAFETY: `take` has given up a box whose value is a `T`. By hand because each part of `Box::downcast` would be
        // compiled with every cell.
        *unsafe { Box::from_raw(value) }
    }

    fn put(&mut self, name: &str, value: Box<dyn Any>) {
        self.variables.insert(name.to_owned(), value);
    }

    fn check(&self, name: &str, expected: TypeId) -> bool {
        let has_changed = self.variables.get(name).is_some_and(|value| (**value).type_id() != expected);
        if has_changed {
            eprintln!("The type of the variable {name} was redefined, so was lost.");
            evcxr_markers::forget(name);
        }
        !has_changed
    }

    fn take(&mut self, name: &str, expected: TypeId) -> *mut () {
        match self.variables.remove(name) {
            Some(value) if (*value).type_id() == expected => Box::into_raw(value).cast(),
            Some(_) => panic!("the variable `{name}` has another type than before"),
            None => panic!("the variable `{name}` has gone missing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_comes_back_once_and_only_as_what_it_is() {
        let mut store = VariableStore::default();
        let text = std::rc::Rc::new("x");
        store.put_variable("a", text.clone());
        store.put_variable("b", ());
        assert!(store.check_variable::<std::rc::Rc<&str>>("a") && store.check_variable::<u8>("none of that name"));
        assert_eq!(
            (store.take_variable::<std::rc::Rc<&str>>("a"), std::rc::Rc::strong_count(&text)),
            (text.clone(), 2)
        );
        store.put_variable("b", text.clone());
        store.take_variable::<std::rc::Rc<&str>>("b");
        assert_eq!(std::rc::Rc::strong_count(&text), 1);
    }

    #[test]
    fn what_is_not_there_or_not_of_this_type_is_not_given() {
        let taken = |value: Option<u8>| {
            std::panic::catch_unwind(|| {
                let mut store = VariableStore::default();
                value.into_iter().for_each(|value| store.put_variable("a", value));
                store.take_variable::<u8>("a")
            })
        };
        assert_eq!(taken(Some(7)).ok(), Some(7));
        assert!(taken(None).is_err());
        let mut store = VariableStore::default();
        store.put_variable("a", 7_u8);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| store.take_variable::<i8>("a"))).is_err());
    }
}
