//! The old values of variables that a cell defines anew: given back if the cell fails.
//!
//! evcxr drops them either way. So the kernel has a cell begin by handing them over here. What the cell still uses it
//! cannot hand over: of that a copy is kept if it is plain data of at most [`MOST`] bytes. Other values are not copied,
//! because a copy can have effects (it would keep a channel open).

use crate::running::cell;
use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Copies of larger values would cost more than they are worth, in bytes.
const MOST: usize = 1 << 20;

thread_local! {
    /// What the cell that runs has handed over, in its order. Of the thread on which cells run, like the next one.
    static HELD: RefCell<Vec<(&'static str, Box<dyn Any>)>> = const { RefCell::new(Vec::new()) };
    static KEPT: RefCell<BTreeMap<&'static str, Box<dyn Any>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Takes the old value of a variable until the cell has ended.
pub fn keep_old<T: 'static>(name: &'static str, value: T) {
    HELD.with_borrow_mut(|held| held.push((name, Box::new(value))));
}

/// Gives back what a failed cell had handed over.
///
/// # Panics
/// If there is no such value: the kernel asks only for what it was told of.
pub fn restore_old<T: 'static>(name: &str) -> T {
    let value = KEPT.with_borrow_mut(|kept| kept.remove(name)).and_then(|value| value.downcast().ok());
    *value.unwrap_or_else(|| panic!("the old value of `{name}` is gone"))
}

/// The cell has ended. Gives the names of the values that can be taken back, if it failed; lets go of them otherwise.
pub(crate) fn settle() -> Vec<String> {
    let held = HELD.take();
    if !cell::has_failed() {
        // The last one first, like variables. A destructor that panics does not change how the cell ended.
        for (_, value) in held.into_iter().rev() {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
        }
        return Vec::new();
    }
    let names = held.iter().map(|(name, _)| (*name).to_owned()).collect();
    KEPT.with_borrow_mut(|kept| kept.extend(held));
    names
}

/// See [`crate::__copy_old`].
pub struct CopyOld<'a, T>(pub &'a T);

impl<T> Clone for CopyOld<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for CopyOld<'_, T> {}

/// Of what is copied bit by bit.
pub trait ByCopy {
    /// Holds a copy.
    fn copy_old(self, name: &'static str);
}

impl<T: Copy + 'static> ByCopy for &&CopyOld<'_, T> {
    fn copy_old(self, name: &'static str) {
        keep_old(name, *self.0);
    }
}

/// Of plain data.
pub trait ByClone {
    /// Holds a copy, unless it would be large.
    fn copy_old(self, name: &'static str);
}

impl<T: Plain> ByClone for &CopyOld<'_, T> {
    fn copy_old(self, name: &'static str) {
        if self.0.bytes() <= MOST {
            keep_old(name, self.0.clone());
        }
    }
}

/// Of everything else: a copy might keep a channel open, or count as an owner.
pub trait NotAtAll {
    /// Holds nothing.
    fn copy_old(self, name: &'static str);
}

impl<T> NotAtAll for CopyOld<'_, T> {
    fn copy_old(self, _name: &'static str) {}
}

/// Data of which one copy is as good as another.
pub trait Plain: Clone + 'static {
    /// How much a copy takes, about.
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

macro_rules! plain {
    ($($of:ty),*) => { $(impl Plain for $of {})* };
}

plain!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, bool, char, ());
plain!(&'static str, std::time::Duration, std::time::Instant);

impl Plain for String {
    fn bytes(&self) -> usize {
        self.len()
    }
}

impl<T: Plain> Plain for Vec<T> {
    fn bytes(&self) -> usize {
        self.iter().map(Plain::bytes).sum()
    }
}

impl<T: Plain> Plain for Option<T> {
    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, Plain::bytes)
    }
}

impl<T: Plain> Plain for Box<T> {
    fn bytes(&self) -> usize {
        T::bytes(self)
    }
}

impl<A: Plain, B: Plain> Plain for (A, B) {
    fn bytes(&self) -> usize {
        self.0.bytes() + self.1.bytes()
    }
}

impl<K: Plain + Ord, V: Plain> Plain for BTreeMap<K, V> {
    fn bytes(&self) -> usize {
        self.iter().map(|(key, value)| key.bytes() + value.bytes()).sum()
    }
}

impl<K: Plain + Eq + std::hash::Hash, V: Plain> Plain for HashMap<K, V> {
    fn bytes(&self) -> usize {
        self.iter().map(|(key, value)| key.bytes() + value.bytes()).sum()
    }
}

/// The cell uses the old value of `$name` before it defines it anew: holds a copy of it, if that is cheap and harmless.
#[doc(hidden)]
#[macro_export]
macro_rules! __copy_old {
    ($name:ident) => {{
        #[allow(unused_imports)]
        use $crate::__private::{ByClone as _, ByCopy as _, NotAtAll as _};
        (&&$crate::__private::CopyOld(&$name)).copy_old(::std::stringify!($name))
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> Vec<&'static str> {
        HELD.take().into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn what_is_plain_is_copied_and_the_rest_is_not() {
        #[derive(Clone, Copy)]
        struct Mine;
        let (copied, text, list) = (Mine, String::from("x"), vec![Some(1)]);
        let (shared, large) = (std::sync::Arc::new(1), vec![0_u8; MOST + 1]);
        crate::__copy_old!(copied);
        crate::__copy_old!(text);
        crate::__copy_old!(list);
        crate::__copy_old!(shared);
        crate::__copy_old!(large);
        assert_eq!(
            (held(), shared, large.len(), text, list),
            (vec!["copied", "text", "list"], 1.into(), MOST + 1, "x".into(), vec![Some(1)])
        );
    }

    #[test]
    fn what_was_held_is_given_back() {
        keep_old("a", vec![1]);
        KEPT.with_borrow_mut(|kept| kept.extend(HELD.take()));
        assert_eq!(restore_old::<Vec<i32>>("a"), [1]);
        assert!(catch_unwind(|| restore_old::<u8>("a")).is_err());
    }
}
